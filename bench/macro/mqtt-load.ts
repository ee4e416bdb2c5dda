// One side of an MQTT load, raw and cheap: packets of one size, counted by their bytes.
//   node mqtt-load.ts --role publisher|subscriber --port P --qos 0|1 --size 16 --seconds 4 --window 1000
import net from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    role: { type: 'string', default: 'publisher' },
    port: { type: 'string', default: '1883' },
    qos: { type: 'string', default: '0' },
    size: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '4' },
    window: { type: 'string', default: '1000' },
    user: { type: 'string', default: '' },
  },
});
const qos = Number(values.qos);
const size = Number(values.size);
const window = Number(values.window);
const topic = Buffer.from('bench/topic');
const warmupMillis = 1000;

function packet(first: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    length.push((left & 0x7f) | (left > 127 ? 0x80 : 0));
    left >>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([first, ...length]), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length]), bytes]);
}

const connect = packet(
  0x10,
  text('MQTT'),
  Buffer.from([4, values.user === '' ? 2 : 0xc2, 0, 0]),
  text(`bench-${values.role}-${process.pid}`),
  ...(values.user === '' ? [] : [text(values.user), text(values.user)]),
);
const publish = packet(0x30 | (qos << 1), text(topic.toString()), ...(qos === 0 ? [] : [Buffer.from([0, 1])]), Buffer.alloc(size, 0x78));
const idAt = publish.length - size - 2;
const socket = net.connect(Number(values.port), '127.0.0.1', () => socket.write(connect));
socket.setNoDelay(true);
socket.on('error', error => {
  console.error(String(error));
  process.exit(1);
});

let count = 0;
let counted = 0;
let began = 0;

function start(): void {
  setTimeout(() => {
    counted = count;
    began = performance.now();
    setTimeout(() => {
      const rate = ((count - counted) * 1000) / (performance.now() - began);
      console.log(JSON.stringify({ role: values.role, perSecond: Math.round(rate) }));
      process.exit(0);
    }, Number(values.seconds) * 1000);
  }, warmupMillis);
}

/** Batches of packets, written while the socket takes them. */
function flood(): void {
  const perBatch = Math.max(1, Math.floor(65_536 / publish.length));
  const batch = Buffer.concat(Array.from({ length: perBatch }, () => publish));
  const push = (): void => {
    while (socket.writableLength < 262_144) {
      socket.write(batch);
      count += perBatch;
    }
  };
  socket.on('drain', push);
  push();
}

/** As many as the window has room for, with ids from 1 to 65535 in turn. */
function publishAcknowledged(): void {
  let sent = 0;
  const send = (howMany: number): void => {
    if (howMany <= 0) return;
    const batch = Buffer.allocUnsafe(publish.length * howMany);
    for (let i = 0; i < howMany; i++) {
      publish.copy(batch, i * publish.length);
      batch.writeUInt16BE((sent++ % 65_535) + 1, i * publish.length + idAt);
    }
    socket.write(batch);
  };
  let ackBytes = 0;
  socket.on('data', bytes => {
    ackBytes += bytes.length;
    count = Math.floor(ackBytes / 4);
    send(window - (sent - count));
  });
  send(window);
}

function receive(): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = Math.floor(bytes.length / publish.length);
    count += whole;
    if (qos > 0 && whole > 0) {
      const acks = Buffer.allocUnsafe(whole * 4);
      for (let i = 0; i < whole; i++) {
        const at = i * publish.length + idAt;
        acks[i * 4] = 0x40;
        acks[i * 4 + 1] = 2;
        acks[i * 4 + 2] = bytes[at] as number;
        acks[i * 4 + 3] = bytes[at + 1] as number;
      }
      socket.write(acks);
    }
    rest = Buffer.from(bytes.subarray(whole * publish.length));
  });
}

socket.once('data', connack => {
  if (connack[3] !== 0) throw new Error(`CONNACK ${connack[3]}`);
  if (values.role === 'publisher') {
    start();
    if (qos === 0) flood();
    else publishAcknowledged();
    return;
  }
  socket.write(packet(0x82, Buffer.from([0, 1]), text(topic.toString()), Buffer.from([qos])));
  socket.once('data', () => {
    receive();
    start();
  });
});
