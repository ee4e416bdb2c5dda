// One load process: producers and consumers in any number against a broker; prints one JSON line. Started by measure.ts, which measures the broker.
// With --gate it says 'ready' when all its clients are connected and begins when it reads a line: a broker that is flooded by the producers
// of one process would keep the consumers of another from connecting.
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { BenchClient } from './client.ts';
import { method, publish, shortstr, u16, u32, u64, u8 } from './frames.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '5672' },
    role: { type: 'string', default: 'both' },
    producers: { type: 'string', default: '1' },
    consumers: { type: 'string', default: '1' },
    queues: { type: 'string', default: '1' },
    size: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '1' },
    persistent: { type: 'boolean', default: false },
    confirm: { type: 'string', default: '-1' },
    prefetch: { type: 'string', default: '0' },
    'ack-every': { type: 'string', default: '0' },
    exchange: { type: 'string', default: '' },
    xtype: { type: 'string', default: 'fanout' },
    bindings: { type: 'string', default: '0' },
    rate: { type: 'string', default: '0' },
    prefix: { type: 'string', default: 'warren-bench' },
    gate: { type: 'boolean', default: false },
  },
});
const number = (name: keyof typeof values): number => Number(values[name]);
const port = number('port');
const size = number('size');
const queueCount = number('queues');
const queueName = (index: number): string => `${values.prefix}-${index}`;
const isPersistent = values.persistent === true;
const ackEvery = number('ack-every');
const confirmWindow = number('confirm');
const rate = number('rate');

let published = 0;
let consumed = 0;
let confirmed = 0;
let isMeasuring = false;
const latenciesMicros: number[] = [];
const confirmMicros: number[] = [];
const nowMicros = (): number => (performance.timeOrigin + performance.now()) * 1000;

async function prepare(): Promise<void> {
  const client = await BenchClient.open(port);
  for (let i = 0; i < queueCount; i++) await client.declareQueue(queueName(i), isPersistent);
  if (values.exchange !== '') {
    await client.call(method(1, 40, 10, u16(0), shortstr(values.exchange), shortstr(values.xtype), u8(0), u32(0)), 40, 11);
    const bindings = Math.max(number('bindings'), queueCount);
    for (let i = 0; i < bindings; i++) {
      await client.call(
        method(1, 50, 20, u16(0), shortstr(queueName(i % queueCount)), shortstr(values.exchange), shortstr(`key.${i}`), u8(0), u32(0)),
        50,
        21,
      );
    }
  }
  client.socket.end();
}

async function consume(index: number): Promise<void> {
  const client = await BenchClient.open(port);
  const prefetch = number('prefetch');
  if (prefetch > 0) await client.call(method(1, 60, 10, u32(0), u16(prefetch), u8(0)), 60, 11);
  let tag = 0;
  let left = 0;
  let acked = 0;
  const ack = Buffer.concat([method(1, 60, 80, u64(0), u8(ackEvery > 1 ? 1 : 0))]);
  let acks = Buffer.alloc(0);
  let ackLength = 0;
  client.start({
    onMethod(classId, methodId) {
      if (classId !== 60 || methodId !== 60) return;
      tag++;
      left = size;
    },
    onBody(buffer, at, end) {
      if (rate > 0 && left === size && end - at >= 8 && isMeasuring) latenciesMicros.push(nowMicros() - buffer.readDoubleBE(at));
      left -= end - at;
      if (left > 0) return;
      consumed++;
      if (ackEvery > 0 && tag - acked >= ackEvery) {
        if (ackLength + ack.length > acks.length) {
          if (ackLength > 0) client.socket.write(acks.subarray(0, ackLength));
          acks = Buffer.allocUnsafeSlow(ack.length * 512);
          ackLength = 0;
        }
        ack.copy(acks, ackLength);
        acks.writeUInt32BE(tag, ackLength + 15);
        ackLength += ack.length;
        acked = tag;
      }
    },
  });
  // Acknowledgements of one read go out together.
  client.socket.on('data', () => {
    if (ackLength === 0) return;
    client.socket.write(acks.subarray(0, ackLength));
    acks = Buffer.alloc(0);
    ackLength = 0;
  });
  await client.call(
    method(1, 60, 20, u16(0), shortstr(queueName(index % queueCount)), shortstr(`c${index}`), u8(ackEvery > 0 ? 0 : 2), u32(0)),
    60,
    21,
  );
}

/** Opens a producer; returns what sets it going. */
async function openProducer(index: number): Promise<() => void> {
  const client = await BenchClient.open(port);
  if (confirmWindow >= 0) await client.call(method(1, 85, 10, u8(0)), 85, 11);
  const keys = Math.max(1, values.exchange === '' ? 1 : number('bindings'));
  const batch =
    rate > 0 ? 1 : Math.max(1, Math.min(confirmWindow > 0 ? Math.max(1, confirmWindow >> 2) : 4096, Math.floor(65_536 / (size + 80))));
  let key = 0;
  const make = (count: number): Buffer =>
    Buffer.concat(
      Array.from({ length: count }, () =>
        publish(
          values.exchange,
          values.exchange === '' ? queueName(index % queueCount) : `key.${key++ % keys}`,
          Buffer.alloc(size),
          isPersistent,
          client.frameBytesMax,
        ),
      ),
    );
  // Several batches, so that all keys come up.
  const batches = Array.from({ length: Math.max(1, Math.ceil(keys / batch)) }, () => make(batch));
  const sent: number[] = [];
  let open = 0;
  let lastTag = 0;
  let turn = 0;
  let isScheduled = false;
  // A few batches at a time: a broker that takes everything at once must not keep this loop from the other producers.
  const fill = (): void => {
    for (let count = 0; count < 4; count++) {
      if (client.socket.writableNeedDrain || (confirmWindow > 0 && open + batch > confirmWindow)) return;
      open += batch;
      published += batch;
      client.socket.write(batches[turn++ % batches.length] as Buffer);
    }
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      fill();
    });
  };
  client.start({
    onMethod(classId, methodId, buffer, at) {
      if (classId !== 60 || (methodId !== 80 && methodId !== 120)) return;
      const tag = buffer.readUInt32BE(at + 4);
      const count = (buffer[at + 8] as number) & 1 ? tag - lastTag : 1;
      lastTag = Math.max(lastTag, tag);
      open -= count;
      confirmed += count;
      if (rate > 0) {
        const now = nowMicros();
        for (const due of sent.splice(0, count)) if (isMeasuring) confirmMicros.push(now - due);
      } else fill();
    },
    onBody() {},
  });
  if (rate > 0) {
    const single = batches[0] as Buffer;
    const bodyAt = single.length - size - 1;
    const perProducer = rate / number('producers');
    return () => {
      const began = nowMicros();
      let count = 0;
      setInterval(() => {
        const due = Math.floor(((nowMicros() - began) / 1e6) * perProducer);
        if (due <= count) return;
        const block = Buffer.allocUnsafeSlow(single.length * (due - count));
        for (let i = 0; count < due; i++, count++) {
          const dueMicros = began + (count / perProducer) * 1e6;
          single.copy(block, i * single.length);
          block.writeDoubleBE(dueMicros, i * single.length + bodyAt);
          if (confirmWindow >= 0) sent.push(dueMicros);
          published++;
        }
        client.socket.write(block);
      }, 1);
    };
  }
  client.socket.on('drain', fill);
  return fill;
}

function percentiles(micros: number[]): Record<string, number> | undefined {
  if (micros.length === 0) return undefined;
  const sorted = Float64Array.from(micros).sort();
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number);
  return {
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    max: Math.round(sorted[sorted.length - 1] as number),
    n: sorted.length,
  };
}

if (values.role === 'prepare') {
  await prepare();
  process.exit(0);
}
if (values.role !== 'producer') for (let i = 0; i < number('consumers'); i++) await consume(i);
const producers: (() => void)[] = [];
if (values.role !== 'consumer') for (let i = 0; i < number('producers'); i++) producers.push(await openProducer(i));
if (values.gate) {
  console.log('ready');
  await once(process.stdin, 'data');
}
for (const start of producers) start();
await new Promise(resolve => setTimeout(resolve, number('warmup') * 1000));
isMeasuring = true;
const before = { published, consumed, confirmed, at: performance.now(), cpu: process.cpuUsage() };
await new Promise(resolve => setTimeout(resolve, number('seconds') * 1000));
const seconds = (performance.now() - before.at) / 1000;
const cpu = process.cpuUsage(before.cpu);
console.log(
  JSON.stringify({
    publishedPerSecond: Math.round((published - before.published) / seconds),
    consumedPerSecond: Math.round((consumed - before.consumed) / seconds),
    confirmedPerSecond: Math.round((confirmed - before.confirmed) / seconds),
    latencyMicros: percentiles(latenciesMicros),
    confirmLatencyMicros: percentiles(confirmMicros),
    cores: Number(((cpu.user + cpu.system) / 1e6 / seconds).toFixed(2)),
  }),
);
process.exit(0);
