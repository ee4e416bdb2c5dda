// Streams: how fast one is filled and replayed, and what consumers at many places of it cost.
//   node bench/macro/streams.ts [--messages 10000000] [--size 100] [--consumers 10] [--seconds 5]
// Starts a broker of its own. The one consumer reads all there is; the many begin at different offsets and read for a while, all at once.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchClient } from './client.ts';
import { longstr, method, publish, shortstr, u16, u32, u64, u8 } from './frames.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000000' },
    size: { type: 'string', default: '100' },
    consumers: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '5' },
  },
});
const messages = Number(values.messages);
const size = Number(values.size);
const queue = 'warren-bench-stream';
const prefetch = 20_000;
const ackEvery = 2000;

const directory = mkdtempSync(join(tmpdir(), 'warren-bench-'));
const starter = `import { Broker } from ${JSON.stringify(join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src', 'server', 'broker.ts'))};
const broker = await Broker.start({ dataDir: ${JSON.stringify(directory)} });
console.log(broker.port);`;
const child = spawn(process.execPath, ['--input-type=module', '-e', starter], { stdio: ['ignore', 'pipe', 'inherit'] });
const port = await new Promise<number>(resolve => child.stdout.once('data', chunk => resolve(Number(String(chunk)))));

function residentMegabytes(): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  return match === null ? 0 : Number(match[1]) / 1024;
}

const field = (name: string, tag: string, value: Buffer): Buffer => Buffer.concat([shortstr(name), Buffer.from(tag), value]);

async function declare(): Promise<void> {
  const client = await BenchClient.open(port);
  const table = longstr(field('x-queue-type', 'S', longstr(Buffer.from('stream'))));
  await client.call(method(1, 50, 10, u16(0), shortstr(queue), u8(2), table), 50, 11);
  client.socket.end();
}

async function fill(): Promise<void> {
  const client = await BenchClient.open(port);
  await client.call(method(1, 85, 10, u8(0)), 85, 11);
  let confirmed = 0;
  let wake: () => void = () => {};
  client.start({
    onMethod(classId, methodId, buffer, at) {
      if (classId !== 60 || methodId !== 80) return;
      confirmed = Number(buffer.readBigUInt64BE(at));
      wake();
    },
    onBody() {},
  });
  const batch = 1000;
  const bytes = Buffer.concat(Array.from({ length: batch }, () => publish('', queue, Buffer.alloc(size, 'x'), true, 131_072)));
  for (let sent = 0; sent < messages; ) {
    while (sent - confirmed > 100_000) await new Promise<void>(resolve => (wake = resolve));
    sent += batch;
    if (!client.socket.write(bytes)) await new Promise<void>(resolve => client.socket.once('drain', resolve));
  }
  while (confirmed < messages) await new Promise<void>(resolve => (wake = resolve));
  client.socket.end();
}

/** Reads from an offset until so many messages have come, or `stop` says so; returns how many. */
async function consume(offset: number, count: number, stop: { isSet: boolean }): Promise<number> {
  const client = await BenchClient.open(port);
  await client.call(method(1, 60, 10, u32(0), u16(prefetch), u8(0)), 60, 11);
  let taken = 0;
  let done: () => void = () => {};
  const ended = new Promise<void>(resolve => (done = resolve));
  client.start({
    onMethod(classId, methodId) {
      if (classId !== 60 || methodId !== 60) return;
      taken++;
      if (taken % ackEvery === 0) client.socket.write(method(1, 60, 80, u64(taken), u8(1)));
      if (taken >= count || stop.isSet) done();
    },
    onBody() {},
  });
  const table = longstr(field('x-stream-offset', 'l', u64(offset)));
  client.socket.write(method(1, 60, 20, u16(0), shortstr(queue), shortstr('t'), u8(0), table));
  await ended;
  client.socket.destroy();
  return taken;
}

const show = (value: number): string => Math.round(value).toLocaleString('en-US');
try {
  await declare();
  console.log(`resident before: ${show(residentMegabytes())} MB`);
  let began = performance.now();
  await fill();
  console.log(`${show(messages)} x ${size} B published with confirms: ${show(messages / ((performance.now() - began) / 1000))}/s`);
  const filled = residentMegabytes();
  console.log(`resident afterwards: ${show(filled)} MB`);
  began = performance.now();
  await consume(0, messages, { isSet: false });
  console.log(
    `replayed by one consumer: ${show(messages / ((performance.now() - began) / 1000))}/s, resident ${show(residentMegabytes())} MB`,
  );
  const stop = { isSet: false };
  const consumers = Number(values.consumers);
  const before = residentMegabytes();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, residentMegabytes())), 50);
  setTimeout(() => (stop.isSet = true), Number(values.seconds) * 1000);
  began = performance.now();
  const counts = await Promise.all(
    Array.from({ length: consumers }, (_, index) => {
      const offset = Math.floor((index * messages) / consumers);
      return consume(offset, messages - offset, stop);
    }),
  );
  clearInterval(watch);
  const total = counts.reduce((sum, count) => sum + count, 0);
  console.log(
    `${consumers} consumers at different offsets: ${show(total / ((performance.now() - began) / 1000))}/s together, ` +
      `resident ${show(before)} MB before, ${show(most)} MB at most`,
  );
} finally {
  child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
