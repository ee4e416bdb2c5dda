// Fairness: what one client can do to the others. It prints what it measured, good or bad, and fails nobody.
//   npm run bench:fairness -- [--seconds 4] [--reps 3] [--only C,slow-consumer] [--port PORT]
// Part one: a publisher without confirms as fast as it can, and whether its consumer keeps up after the first second.
// Part two: a quiet client (2,000 persistent messages a second with confirms) beside one that is no good neighbour. The row "alone" is what the
// machine gives without one; all processes share its cores. The longest stretch is processor time of the broker's thread between two looks at its
// sockets: what no neighbour on the machine can lengthen, and no client can be served in.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchClient } from '../macro/client.ts';
import { method, shortstr, u16, u32, u8 } from '../macro/frames.ts';
import { type Broker, type OwnBroker, startOwn } from '../macro/own-broker.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    reps: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    port: { type: 'string' },
  },
});

interface Result {
  readonly publishedPerSecond: number;
  readonly consumedPerSecond: number;
  readonly latencyMicros?: Record<string, number>;
  readonly confirmLatencyMicros?: Record<string, number>;
}

function start(file: string, args: readonly string[]): Promise<unknown> {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', chunk => (output += chunk));
  return new Promise(resolve => child.on('close', () => resolve(output === '' ? null : JSON.parse(output))));
}

const load = (broker: Broker, role: string, args: readonly string[]): Promise<Result | null> =>
  start(join(root, 'bench', 'macro', 'load.ts'), [
    ...['--port', String(broker.port), '--role', role, '--seconds', values.seconds],
    ...args,
  ]) as Promise<Result | null>;

/** Scenarios of the macro benchmark with a publisher that waits for nothing. */
const races: readonly [name: string, what: string, args: readonly string[]][] = [
  ['A', '16 B, auto-ack', ['--size', '16']],
  ['C', '16 B, ack each, prefetch 100', ['--size', '16', '--ack-every', '1', '--prefetch', '100']],
  ['C2', '16 B, one ack per 50, prefetch 500', ['--size', '16', '--ack-every', '50', '--prefetch', '500']],
];

const quiet = ['--size', '64', '--rate', '2000', '--persistent', '--confirm', '0', '--prefetch', '1000', '--ack-every', '1'];

/** With `before`: what is done before it is measured. */
const neighbours: readonly [kind: string, what: string, before?: string][] = [
  ['alone', 'nobody'],
  ['slow-consumer', 'a consumer that reads nothing, 20,000 messages of 1 KiB a second for it'],
  ['huge-message', 'messages of 128 MiB'],
  ['huge-persistent', 'the same, persistent'],
  ['drain-backlog', 'a backlog of 1 M x 1 KiB being drained', 'fill-backlog'],
  ['declare-storm', '100,000 durable queues declared and deleted, 100 in flight'],
  ['declare-flood', 'declarations without waiting for answers'],
  ['exclusive-queues', '100,000 exclusive queues, and their client leaves'],
];

/** Of load.ts. */
const queueName = 'warren-bench-0';
const passive = 1;
const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));
const isWanted = (name: string): boolean => values.only === '' || values.only.split(',').includes(name);
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);
const median = (numbers: readonly number[]): number => sorted(numbers)[Math.floor(numbers.length / 2)] ?? 0;
const show = (value: number): string => Math.round(value).toLocaleString('en-US');
const millis = (micros: readonly number[]): string => {
  const [least = 0] = sorted(micros);
  const most = sorted(micros).at(-1) ?? 0;
  return `${(median(micros) / 1000).toFixed(1)} ms (${(least / 1000).toFixed(1)} to ${(most / 1000).toFixed(1)})`;
};

/** How much longer the queue of the load has become in a time in which producer and consumer both ran, and the longest that it was. */
async function watchBacklog(client: BenchClient): Promise<{ growth: number; longest: number }> {
  const lengths: number[] = [];
  await pause(1500);
  const endsAt = performance.now() + Number(values.seconds) * 1000 - 800;
  while (performance.now() < endsAt) {
    const reply = await client.call(method(1, 50, 10, u16(0), shortstr(queueName), u8(passive), u32(0)), 50, 11);
    lengths.push(reply.readUInt32BE(1 + queueName.length));
    await pause(50);
  }
  return { growth: (lengths.at(-1) ?? 0) - (lengths[0] ?? 0), longest: Math.max(...lengths) };
}

async function race(broker: Broker, name: string, what: string, args: readonly string[]): Promise<void> {
  const shares: number[] = [];
  const consumedRates: number[] = [];
  let longest = 0;
  const client = await BenchClient.open(broker.port);
  for (let rep = 0; rep < Number(values.reps); rep++) {
    await load(broker, 'prepare', args);
    const [backlog, consumer] = await Promise.all([watchBacklog(client), load(broker, 'consumer', args), load(broker, 'producer', args)]);
    await client.deleteQueue(queueName);
    if (consumer === null) continue;
    consumedRates.push(consumer.consumedPerSecond);
    shares.push((backlog.growth / Math.max(1, consumer.consumedPerSecond * (Number(values.seconds) - 0.8))) * 100);
    longest = Math.max(longest, backlog.longest);
  }
  client.socket.destroy();
  const list = shares.map(share => `${share >= 0 ? '+' : ''}${share.toFixed(1)} %`).join(', ');
  console.log(`| ${name}: ${what} | ${show(median(consumedRates))}/s | ${list} | ${show(longest)} |`);
}

async function disturb(broker: Broker, kind: string, what: string, before?: string): Promise<void> {
  const delivered: Record<string, number>[] = [];
  const confirmed: Record<string, number>[] = [];
  const stretches: number[] = [];
  let did: unknown = null;
  const client = await BenchClient.open(broker.port);
  for (let rep = 0; rep < Number(values.reps); rep++) {
    if (before !== undefined) await start(join(here, 'disturb.ts'), ['--port', String(broker.port), '--kind', before]);
    await load(broker, 'prepare', quiet);
    await longestStretchMicros(broker);
    const args = ['--port', String(broker.port), '--kind', kind, '--seconds', String(Number(values.seconds) + 2)];
    const [result, report] = await Promise.all([
      load(broker, 'both', quiet),
      kind === 'alone' ? null : start(join(here, 'disturb.ts'), args),
    ]);
    did = report;
    const stretch = await longestStretchMicros(broker);
    if (stretch !== null) stretches.push(stretch);
    await client.deleteQueue(queueName);
    if (result?.latencyMicros !== undefined) delivered.push(result.latencyMicros);
    if (result?.confirmLatencyMicros !== undefined) confirmed.push(result.confirmLatencyMicros);
  }
  client.socket.destroy();
  const at = (runs: readonly Record<string, number>[], share: string): string => millis(runs.map(run => run[share] ?? 0));
  const deeds = did === null ? '' : ` (${JSON.stringify(did).replaceAll(/[{}"]/g, '').replaceAll(':', ' ')})`;
  console.log(
    `| ${what}${deeds} | ${at(delivered, 'p50')} | ${at(delivered, 'p99')} | ${at(delivered, 'max')} | ${at(confirmed, 'p99')} | ${millis(stretches)} |`,
  );
}

const directory = mkdtempSync(join(tmpdir(), 'warren-fairness-'));
const probeFile = join(directory, 'probe.json');

/** The longest stretch that the broker's thread worked at one thing since it was last asked; null for a broker that is not ours. */
async function longestStretchMicros({ pid }: Broker): Promise<number | null> {
  if (pid === null) return null;
  rmSync(probeFile, { force: true });
  process.kill(pid, 'SIGUSR2');
  while (!existsSync(probeFile)) await pause(10);
  return (JSON.parse(readFileSync(probeFile, 'utf8')) as { longestMicros: number }).longestMicros;
}

let own: OwnBroker | null = null;
if (values.port === undefined)
  own = await startOwn(root, {
    configuration: ['max_message_size = 134217728', 'cluster_queue_limit = 1000000'],
    nodeOptions: ['--import', pathToFileURL(join(here, 'probe.ts')).href],
    environment: { WARREN_PROBE_FILE: probeFile },
  });
const broker: Broker = own ?? { name: 'broker', port: Number(values.port), pid: null };
try {
  console.log(`${values.seconds} s after 1 s, ${values.reps} runs`);
  if (races.some(([name]) => isWanted(name))) {
    console.log('| publisher without confirms | consumed, median | published beyond consumed, each run | longest backlog |');
    console.log('| --- | --- | --- | --- |');
    for (const each of races) if (isWanted(each[0])) await race(broker, ...each);
  }
  console.log('| beside | deliver p50, median (least to most) | deliver p99 | deliver max | confirm p99 | longest stretch of the broker |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const each of neighbours) if (isWanted(each[0])) await disturb(broker, ...each);
} finally {
  await own?.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);
