// The macro benchmark: every scenario against WarrenMQ, and beside it, in alternating runs, against another broker when its port is given, or
// against another commit of this one.
//   npm run bench -- [--short] [--only A,C] [--seconds 4] [--reps 3] [--json FILE] [--profile DIR]
//                    [--peer PORT [--peer-pid PID] --peer-name NAME | --against COMMIT] [--port PORT --pid PID]
// --short runs A, C, D16, G, H, J and K once for 2 s each. Without --port it starts a broker of its own with a data directory in the system's
// temporary directory. With --profile every scenario gets a broker of its own, whose processor profile and flame graph are kept in DIR.
import { appendFileSync, mkdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Cost, costs, type Rate } from './costs.ts';
import { measure, type Result } from './measure.ts';
import { type Broker, checkOut, type OwnBroker, startOwn } from './own-broker.ts';
import { type Scenario, scenarios, shortScenarios } from './scenarios.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seconds: { type: 'string' },
    reps: { type: 'string' },
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
const seconds = Number(values.seconds ?? (values.short ? 2 : 4));
const reps = Number(values.reps ?? (values.short ? 1 : 3));
const directory = values.profile === undefined ? null : resolve(values.profile);
if (directory !== null) mkdirSync(directory, { recursive: true });

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const show = (value: number): string => (value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US'));
const spread = (numbers: readonly number[]): string => {
  if (numbers.length < 2) return numbers.length === 0 ? 'failed' : show(median(numbers));
  return `${show(median(numbers))} (${show(Math.min(...numbers))} to ${show(Math.max(...numbers))})`;
};

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

function processorCell(micros: readonly number[]): string {
  return micros.length === 0 ? '' : `, ${median(micros).toFixed(2)} µs processor time each`;
}

function rateCell(runs: readonly Result[]): string {
  const micros = runs.flatMap(run => run.processorMicros ?? []);
  return `${spread(runs.map(run => run.consumedPerSecond))}/s, published ${show(median(runs.map(run => run.publishedPerSecond)))}/s${processorCell(micros)}`;
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
    const measured = await cost.measure(broker, seconds);
    const rate: Rate = typeof measured === 'number' ? { perSecond: measured, processorMicros: null } : measured;
    const { perSecond: value, processorMicros } = rate;
    note(cost.name, broker, { value, unit: cost.unit, ...(processorMicros === null ? {} : { processorMicros }) });
    return { value, processorMicros };
  });
  const figures = results.map(runs => runs.map(run => run.value));
  const cells = results.map((runs, i) => {
    const micros = runs.flatMap(run => run.processorMicros ?? []);
    return `${spread(figures[i] as number[])} ${cost.unit}${processorCell(micros)}`;
  });
  row(cost.name, cost.what, cells, ratioOf(figures.map(median)));
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

const all = values.short ? shortScenarios : null;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const wanted = values.only === '' ? all : new Set(values.only.split(','));
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
    await withBrokers(cost.name, seen, shared, brokers => runCost(cost, cost.isYardstick === true ? brokers.slice(0, 1) : brokers));
  }
} finally {
  await own?.stop();
  await other?.stop();
  commit?.remove();
}
process.exit(0);
