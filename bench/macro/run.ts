// The macro benchmark: every scenario against WarrenMQ, and beside it, in alternating runs, against another broker when its port is given, or
// against another commit of this one.
//   npm run bench -- [--only A,C] [--seconds 4] [--reps 3] [--json FILE] [--profile DIR]
//                    [--peer PORT [--peer-pid PID] --peer-name NAME | --against COMMIT] [--port PORT --pid PID]
// Without --port it starts a broker of its own with a data directory in the system's temporary directory. With --profile every scenario gets a
// broker of its own, whose processor profile and flame graph are kept in DIR.
import { appendFileSync, mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Cost, costs } from './costs.ts';
import { measure, type Result } from './measure.ts';
import { type Broker, checkOut, type OwnBroker, startOwn } from './own-broker.ts';
import { type Scenario, scenarios } from './scenarios.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '4' },
    reps: { type: 'string', default: '3' },
    peer: { type: 'string' },
    'peer-pid': { type: 'string' },
    'peer-name': { type: 'string', default: 'peer' },
    port: { type: 'string' },
    pid: { type: 'string' },
    json: { type: 'string' },
    against: { type: 'string' },
    profile: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const reps = Number(values.reps);
const directory = values.profile === undefined ? null : resolve(values.profile);
if (directory !== null) mkdirSync(directory, { recursive: true });

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const show = (value: number): string => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US'));
const spread = (numbers: readonly number[]): string =>
  numbers.length === 0 ? 'failed' : `${show(median(numbers))} (${show(Math.min(...numbers))} to ${show(Math.max(...numbers))})`;

function note(name: string, broker: Broker, result: object): void {
  if (values.json !== undefined)
    appendFileSync(values.json, `${JSON.stringify({ scenario: name, broker: broker.name, pid: broker.pid, ...result })}\n`);
}

/** Brokers in turn, so that what the machine does meanwhile meets all of them; results in the brokers' order. */
async function alternate<T>(brokers: readonly Broker[], run: (broker: Broker) => Promise<T | null>): Promise<T[][]> {
  const results: T[][] = brokers.map(() => []);
  for (let rep = 0; rep < reps; rep++) {
    for (const [i, broker] of brokers.entries()) {
      const result = await run(broker);
      if (result !== null) results[i]?.push(result);
    }
  }
  return results;
}

function latencyCell(runs: readonly Result[]): string {
  if (runs.length === 0) return 'failed';
  const at = (name: 'latencyMicros' | 'confirmLatencyMicros', share: string): string =>
    show(median(runs.map(run => run[name]?.[share] ?? 0)));
  const confirm =
    runs[0]?.confirmLatencyMicros === undefined
      ? ''
      : `, confirm p50 ${at('confirmLatencyMicros', 'p50')} p99 ${at('confirmLatencyMicros', 'p99')}`;
  return `deliver p50 ${at('latencyMicros', 'p50')} p99 ${at('latencyMicros', 'p99')}${confirm} µs`;
}

function rateCell(runs: readonly Result[]): string {
  const micros = runs.flatMap(run => run.processorMicros ?? []);
  const processor = micros.length === 0 ? '' : `, ${median(micros).toFixed(2)} µs processor time each`;
  return `${spread(runs.map(run => run.consumedPerSecond))}/s, published ${show(median(runs.map(run => run.publishedPerSecond)))}/s${processor}`;
}

function row(name: string, what: string, cells: readonly string[], ratio: string): void {
  console.log(`| ${name}: ${what} | ${cells.join(' | ')} |${cells.length > 1 ? ` ${ratio} |` : ''}`);
}

function ratioOf(medians: readonly number[]): string {
  return ((medians[0] ?? 0) / (medians[1] ?? 0)).toFixed(2);
}

async function runScenario(scenario: Scenario, brokers: readonly Broker[]): Promise<void> {
  const results = await alternate(brokers, async broker => {
    const result = await measure(broker, scenario, seconds);
    if (result !== null) note(scenario.name, broker, result);
    return result;
  });
  const ratio = scenario.isLatency ? '' : ratioOf(results.map(runs => median(runs.map(run => run.consumedPerSecond))));
  row(scenario.name, scenario.what, results.map(scenario.isLatency ? latencyCell : rateCell), ratio);
}

async function runCost(cost: Cost, brokers: readonly Broker[]): Promise<void> {
  const results = await alternate(brokers, async broker => {
    const value = await cost.measure(broker, seconds);
    note(cost.name, broker, { value, unit: cost.unit });
    return value;
  });
  const cells = results.map(runs => `${spread(runs)} ${cost.unit}`);
  row(cost.name, cost.what, cells, ratioOf(results.map(median)));
}

/** The brokers to measure for a scenario, and what is to be done with them afterwards. */
async function withBrokers(
  name: string,
  peers: readonly Broker[],
  shared: Broker | null,
  act: (brokers: Broker[]) => Promise<void>,
): Promise<void> {
  const own = shared === null ? await startOwn(root, directory === null ? {} : { profile: join(directory, name) }) : null;
  try {
    await act([shared ?? (own as OwnBroker), ...peers]);
  } finally {
    await own?.stop();
  }
}

const wanted = values.only === '' ? null : new Set(values.only.split(','));
const commit = values.against === undefined ? null : checkOut(root, values.against);
const other = commit === null ? null : await startOwn(commit.root, { name: values.against as string });
const peers: Broker[] = [...(other === null ? [] : [other])];
if (values.peer !== undefined)
  peers.push({
    name: values['peer-name'],
    port: Number(values.peer),
    pid: values['peer-pid'] === undefined ? null : Number(values['peer-pid']),
  });
let own: OwnBroker | null = null;
let shared: Broker | null = null;
if (values.port !== undefined)
  shared = { name: 'WarrenMQ', port: Number(values.port), pid: values.pid === undefined ? null : Number(values.pid) };
else if (directory === null) shared = own = await startOwn(root);
try {
  console.log(
    `${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}; Node ${process.versions.node}; ${seconds} s windows after 1 s, ${reps} alternating runs, median (least to most)`,
  );
  const names = ['WarrenMQ', ...peers.map(peer => peer.name)];
  console.log(`| scenario | ${names.join(' | ')} |${names.length > 1 ? ' ratio |' : ''}`);
  console.log(`| --- |${names.map(() => ' --- |').join('')}${names.length > 1 ? ' --- |' : ''}`);
  for (const scenario of scenarios)
    if (wanted?.has(scenario.name) ?? true) await withBrokers(scenario.name, peers, shared, brokers => runScenario(scenario, brokers));
  for (const cost of costs) {
    if (!(wanted?.has(cost.name) ?? true)) continue;
    // Memory is seen of brokers whose process is known.
    const seen = cost.unit === 'KiB' ? peers.filter(peer => peer.pid !== null) : peers;
    await withBrokers(cost.name, seen, shared, brokers => runCost(cost, brokers));
  }
} finally {
  await own?.stop();
  await other?.stop();
  commit?.remove();
}
process.exit(0);
