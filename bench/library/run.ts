// How long a broker takes to be there, as a library and as a program, beside Debian's rabbitmq-server where that is installed.
//   npm run bench:library
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Broker as BrokerType } from '../../src/index.ts';
import { BrokerProcess } from '../../conformance/support/broker-process.ts';
import { launchRabbitmq } from '../../conformance/support/launch-rabbitmq.ts';
import { freePorts, speaksAmqp } from '../../conformance/support/ports.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function print(what: string, millis: number): void {
  console.log(`${what.padEnd(56)} ${millis.toFixed(1).padStart(9)} ms`);
}

let loaded: typeof import('../../src/index.ts') | null = null;
print('import { Broker } from the sources (types are stripped)', await timed(async () => (loaded = await import('../../src/index.ts'))));
const { Broker } = loaded as unknown as typeof import('../../src/index.ts');
const first = await timed(async () => (await Broker.start()).stop());
const starts: number[] = [];
const brokers: BrokerType[] = [];
const before = process.memoryUsage();
for (let count = 0; count < 20; count++) starts.push(await timed(async () => brokers.push(await Broker.start())));
const after = process.memoryUsage();
starts.sort((one, other) => one - other);
print('first start and stop in a process', first);
print('further start, median of 20', starts[10] as number);
console.log(`${'resident memory for each of 20 brokers'.padEnd(56)} ${((after.rss - before.rss) / 20 / 1024).toFixed(0).padStart(9)} KiB`);
const broker = brokers[0] as BrokerType;
const resets: number[] = [];
for (let count = 0; count < 20; count++) resets.push(await timed(() => broker.reset()));
print('reset, median of 20', resets.sort((one, other) => one - other)[10] as number);
print('fork', await timed(() => broker.fork()));
await Promise.all(brokers.map(each => each.stop()));

const [rabbitPort = 0, distributionPort = 0, managementPort = 0] = await freePorts(3);
const directory = mkdtempSync(join(tmpdir(), 'warren-bench-'));
const program = spawn(process.execPath, [join(root, 'bin', 'warren'), '--in-memory', '--port', '0', '--print-url'], {
  cwd: directory,
  stdio: ['ignore', 'pipe', 'ignore'],
});
const url = once(program.stdout, 'data') as Promise<[Buffer]>;
print(
  'the program, to its first handshake',
  await timed(async () => speaksAmqp('127.0.0.1', Number(new URL(String((await url)[0])).port))),
);
program.kill();
const conf = join(directory, 'rabbitmq.conf');
writeFileSync(conf, `listeners.tcp.default = 127.0.0.1:${rabbitPort}\nmanagement.tcp.port = ${managementPort}\n`);
try {
  const rabbit = new BrokerProcess(launchRabbitmq(conf, directory, rabbitPort, distributionPort), rabbitPort, directory);
  try {
    print("Debian's rabbitmq-server, to its first handshake", await timed(() => rabbit.start()));
  } finally {
    await rabbit.kill();
  }
} catch (error) {
  console.log((error as Error).message.split('\n')[0]);
}
rmSync(directory, { recursive: true, force: true });
