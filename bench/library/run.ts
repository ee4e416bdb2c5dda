// How long a broker takes to be there, and what it takes of memory: as a library and as a program, beside Debian's rabbitmq-server where that is
// installed. "First message": until amqplib has connected, declared a queue, published and got its message back.
//   npm run bench:library
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Broker as BrokerType } from '../../src/index.ts';
import { BrokerProcess } from '../../conformance/support/broker-process.ts';
import { conformanceRoot, ensureNpmClients } from '../../conformance/support/install.ts';
import { installPackage } from '../../conformance/support/installed-package.ts';
import { launchRabbitmq } from '../../conformance/support/launch-rabbitmq.ts';
import { freePorts } from '../../conformance/support/ports.ts';

/** The part of amqplib that is used here. */
interface Amqplib {
  connect(url: string): Promise<{ createChannel(): Promise<AmqplibChannel>; close(): Promise<void> }>;
}
interface AmqplibChannel {
  assertQueue(name: string, options: { durable: boolean; autoDelete: boolean }): Promise<unknown>;
  consume(queue: string, then: (message: unknown) => void, options: { noAck: boolean }): Promise<unknown>;
  sendToQueue(queue: string, body: Buffer): boolean;
}

const rounds = 5;

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? NaN;
}

function print(what: string, value: number | readonly number[], unit = 'ms'): void {
  const numbers = typeof value === 'number' ? [value] : value;
  const spread = numbers.length === 1 ? '' : `   (${Math.min(...numbers).toFixed(0)} to ${Math.max(...numbers).toFixed(0)})`;
  console.log(`${what.padEnd(72)} ${median(numbers).toFixed(1).padStart(9)} ${unit}${spread}`);
}

/** Resident memory of a process and all its descendants, in MiB. */
function residentMib(pid: number): number {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  let kib = 0;
  const pids = [pid];
  for (const each of pids) {
    kib += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1] ?? 0);
    pids.push(...(children.get(each) ?? []));
  }
  return kib / 1024;
}

await ensureNpmClients();
const amqplib = createRequire(join(conformanceRoot, 'package.json'))('amqplib') as Amqplib;

/** Resolves when a message has come back; rejects while nobody is there. */
async function firstMessage(url: string): Promise<void> {
  const connection = await amqplib.connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue('bench', { durable: false, autoDelete: true });
  await new Promise<void>((resolve, reject) => {
    channel.consume('bench', () => resolve(), { noAck: true }).catch(reject);
    channel.sendToQueue('bench', Buffer.from('first'));
  });
  await connection.close();
}

async function firstMessageOf(child: ChildProcess, url: string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
    try {
      return await firstMessage(url);
    } catch {
      await new Promise(resolve => setTimeout(resolve, 2));
    }
  }
}

const directory = mkdtempSync(join(tmpdir(), 'warren-bench-'));
writeFileSync(join(directory, 'package.json'), '{"private":true}');
await installPackage(directory);

// In a process that has loaded nothing of it, as a test runner's. amqplib is loaded before.
const inProcess = `
  const amqplib = require(${JSON.stringify(join(conformanceRoot, 'node_modules', 'amqplib'))});
  const firstMessage = ${firstMessage.toString()};
  const began = performance.now();
  import('warrenmq').then(async ({ Broker }) => {
    const loaded = performance.now();
    const broker = await Broker.start();
    const started = performance.now();
    await firstMessage(broker.amqpUrl);
    console.log(JSON.stringify({ load: loaded - began, start: started - loaded, all: performance.now() - began }));
    await broker.stop();
  });`;
const library: { load: number; start: number; all: number }[] = [];
const bare: number[] = [];
const program: number[] = [];
const programMib: number[] = [];
const bin = join(directory, 'node_modules', 'warrenmq', 'bin', 'warren');
for (let round = 0; round <= rounds; round++) {
  bare.push(await timed(async () => once(spawn(process.execPath, ['-e', '0']), 'exit')));
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', inProcess], { cwd: directory, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  library.push(JSON.parse(stdout) as (typeof library)[number]);
  const [port = 0] = await freePorts(1);
  const child = spawn(process.execPath, [bin, '--in-memory', '--port', String(port)], { cwd: directory, stdio: 'ignore' });
  program.push(await timed(() => firstMessageOf(child, `amqp://guest:guest@127.0.0.1:${port}`)));
  // The first round's is there to fill Node's cache of compiled code, which is written when a start is over.
  await new Promise(resolve => setTimeout(resolve, round === 0 ? 4000 : 1500));
  programMib.push(residentMib(child.pid as number));
  child.kill();
  await once(child, 'exit');
}
for (const list of [bare, library, program, programMib]) list.shift();
print('bare Node: node -e 0', bare);
print("library: import { Broker } from 'warrenmq'", library.map(({ load }) => load)); // biome-ignore format: one line each
print('library: first Broker.start() in a process', library.map(({ start }) => start)); // biome-ignore format: one line each
print('library: import, start, first message', library.map(({ all }) => all)); // biome-ignore format: one line each
print('warren of the package, in memory: to the first message', program);
print('warren of the package: resident memory then', programMib, 'MiB');

const conf = join(directory, 'rabbitmq.conf');
const rabbitRounds: number[] = [];
const rabbitMib: number[] = [];
for (let round = 0; round < 3; round++) {
  const [port = 0, distributionPort = 0, managementPort = 0] = await freePorts(3);
  writeFileSync(conf, `listeners.tcp.default = 127.0.0.1:${port}\nmanagement.tcp.port = ${managementPort}\n`);
  const folder = mkdtempSync(join(directory, 'rabbit-'));
  try {
    const rabbit = new BrokerProcess(launchRabbitmq(conf, folder, port, distributionPort), port, folder);
    try {
      rabbitRounds.push(
        await timed(async () => {
          await rabbit.start();
          await firstMessage(`amqp://guest:guest@127.0.0.1:${port}`);
        }),
      );
      rabbitMib.push(residentMib(rabbit.pid));
    } finally {
      await rabbit.kill();
    }
  } catch (error) {
    console.log((error as Error).message.split('\n')[0]);
    break;
  }
}
if (rabbitRounds.length > 0) {
  print("Debian's rabbitmq-server: to the first message", rabbitRounds);
  print("Debian's rabbitmq-server: resident memory then", rabbitMib, 'MiB');
}
rmSync(directory, { recursive: true, force: true });

// Many brokers in one process, from the sources.
const { Broker } = await import('../../src/index.ts');
await (await Broker.start()).stop();
const starts: number[] = [];
const brokers: BrokerType[] = [];
const before = process.memoryUsage();
for (let count = 0; count < 20; count++) starts.push(await timed(async () => brokers.push(await Broker.start())));
const after = process.memoryUsage();
print('library: further start, 20 brokers', starts);
print('library: resident memory for each of 20 brokers', (after.rss - before.rss) / 20 / 1024, 'KiB');
const broker = brokers[0] as BrokerType;
const resets: number[] = [];
for (let count = 0; count < 20; count++) resets.push(await timed(() => broker.reset()));
print('library: reset', resets);
print('library: fork', await timed(() => broker.fork()));
await Promise.all(brokers.map(each => each.stop()));
