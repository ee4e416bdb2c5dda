// A deep queue: memory while it grows, time to accept connections again after a kill and after a clean stop with all messages there, the
// rate and order in which it is drained, and how soon the space on disk is back that a million of them took when they are purged.
//   npm run bench:backlog -- [--count 1000000] [--size 1024] [--transient] [--config "key = value"]
// --transient: messages that are not persistent, in a queue that is not durable; nothing is started again.
import { parseArgs } from 'node:util';
import { BenchClient } from './client.ts';
import { method, publish, shortstr, u16, u32, u64, u8 } from './frames.ts';
import { RestartableBroker } from './restartable-broker.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    size: { type: 'string', default: '1024' },
    transient: { type: 'boolean', default: false },
    config: { type: 'string', default: '' },
  },
});
const count = Number(values.count);
const size = Math.max(4, Number(values.size));
const isPersistent = !values.transient;
const queue = 'warren-bench-backlog';
const batchMessages = Math.max(1, Math.floor(65_536 / (size + 80)));
const openMax = 2000;
/** Messages that are purged at the end. */
const purgedMax = 1_000_000;

/** Publishes all, each with its number in front of its body, at most so many unconfirmed at once; resolves when all are confirmed. */
async function fill(broker: RestartableBroker, count: number): Promise<number> {
  const client = await BenchClient.open(broker.port);
  await client.declareQueue(queue, isPersistent);
  await client.call(method(1, 85, 10, u8(0)), 85, 11);
  const one = publish('', queue, Buffer.alloc(size), isPersistent, client.frameBytesMax);
  const bodyAt = one.lastIndexOf(Buffer.alloc(Math.min(size, 4))) - (size - Math.min(size, 4));
  const began = performance.now();
  let sent = 0;
  let confirmed = 0;
  await new Promise<void>(resolve => {
    const send = (): void => {
      while (sent < count && sent - confirmed < openMax && !client.socket.writableNeedDrain) {
        const batch = Buffer.concat(Array.from({ length: Math.min(batchMessages, count - sent) }, () => one));
        for (let at = bodyAt; at < batch.length; at += one.length) batch.writeUInt32BE(sent++, at);
        client.socket.write(batch);
      }
    };
    client.socket.on('drain', send);
    client.start({
      onMethod(classId, methodId, buffer, at) {
        if (classId !== 60 || methodId !== 80) return;
        const tag = buffer.readUInt32BE(at + 4);
        confirmed = (buffer[at + 8] as number) & 1 ? tag : confirmed + 1;
        if (confirmed === count) resolve();
        else send();
      },
      onBody() {},
    });
    send();
  });
  client.socket.destroy();
  return (count / (performance.now() - began)) * 1000;
}

/** Consumes all, acknowledging every hundredth with all before it; the rate and how many did not come in order. */
async function drain(broker: RestartableBroker): Promise<{ rate: number; misplaced: number }> {
  const client = await BenchClient.open(broker.port);
  await client.call(method(1, 60, 10, u32(0), u16(1000), u8(0)), 60, 11);
  let consumed = 0;
  let misplaced = 0;
  let left = 0;
  const began = performance.now();
  await new Promise<void>(resolve => {
    client.start({
      onMethod(classId, methodId) {
        if (classId === 60 && methodId === 60) left = size;
      },
      onBody(buffer, at, end) {
        if (left === size && end - at >= 4 && buffer.readUInt32BE(at) !== consumed) misplaced++;
        left -= end - at;
        if (left > 0) return;
        consumed++;
        if (consumed % 100 === 0 || consumed === count) client.socket.write(method(1, 60, 80, u64(consumed), u8(1)));
        if (consumed === count) resolve();
      },
    });
    void client.call(method(1, 60, 20, u16(0), shortstr(queue), shortstr('drain'), u8(0), u32(0)), 60, 21);
  });
  const rate = (count / (performance.now() - began)) * 1000;
  client.socket.destroy();
  return { rate, misplaced };
}

/** Fills the queue again, purges it, and resolves with the seconds until the answer, and until what it took on disk is free. */
async function purge(broker: RestartableBroker): Promise<{ count: number; answered: number; freed: number; took: number }> {
  const purged = Math.min(count, purgedMax);
  await fill(broker, purged);
  const before = broker.disk();
  const client = await BenchClient.open(broker.port);
  const began = performance.now();
  await client.call(method(1, 50, 30, u16(0), shortstr(queue), u8(0)), 50, 31);
  const answered = (performance.now() - began) / 1000;
  while (broker.disk().now > before.empty) {
    if (performance.now() - began > 60_000) throw new Error(`${broker.disk().now} bytes are still on disk a minute after the purge`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  const freed = (performance.now() - began) / 1000;
  client.socket.destroy();
  return { count: purged, answered, freed, took: before.now };
}

/** How many messages the queue says it has. */
async function depth(broker: RestartableBroker): Promise<number> {
  const client = await BenchClient.open(broker.port);
  const answer = await client.call(method(1, 50, 10, u16(0), shortstr(queue), u8(1), u32(0)), 50, 11);
  client.socket.destroy();
  return answer.readUInt32BE(1 + (answer[0] as number));
}

const show = (value: number): string => Math.round(value).toLocaleString('en-US');
const resident = (broker: RestartableBroker): string => `${broker.memory().now} MiB resident, ${broker.memory().peak} at most`;

const broker = await RestartableBroker.start(values.config.replaceAll('\\n', '\n'));
try {
  console.log(`${show(count)} ${isPersistent ? 'persistent' : 'transient'} messages of ${size} bytes, Node ${process.versions.node}`);
  console.log(`| published with confirms | ${show(await fill(broker, count))}/s, ${resident(broker)} |`);
  if (isPersistent) {
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await broker.end(signal);
      const millis = await broker.start();
      const what = signal === 'SIGKILL' ? 'killed' : 'stopped';
      console.log(
        `| ${what}, accepting again | after ${(millis / 1000).toFixed(2)} s, ${show(await depth(broker))} messages, ${resident(broker)} |`,
      );
    }
  }
  const { rate, misplaced } = await drain(broker);
  console.log(`| drained | ${show(rate)}/s, ${misplaced} not in order, ${resident(broker)} |`);
  if (isPersistent) {
    const purged = await purge(broker);
    const mebibytes = show(purged.took / 1024 / 1024);
    console.log(
      `| ${show(purged.count)} purged | answered after ${purged.answered.toFixed(2)} s, space of ${mebibytes} MiB on disk back after ${purged.freed.toFixed(2)} s |`,
    );
  }
} finally {
  await broker.remove();
}
process.exit(0);
