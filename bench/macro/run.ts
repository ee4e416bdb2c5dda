// The macro benchmark: every scenario against WarrenMQ, and beside it, in alternating runs, against another broker when its port is given.
//   npm run bench -- [--only A,C] [--seconds 4] [--reps 3] [--peer PORT [--peer-pid PID] --peer-name NAME] [--port PORT --pid PID] [--json FILE]
// Without --port it starts a broker of its own with a data directory in the system's temporary directory.
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { scenarios, type Scenario } from './scenarios.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
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
  },
});

interface Result {
  readonly publishedPerSecond: number;
  readonly consumedPerSecond: number;
  readonly latencyMicros?: Record<string, number>;
  readonly confirmLatencyMicros?: Record<string, number>;
}

interface Broker {
  readonly name: string;
  readonly port: number;
  readonly pid: number | null;
}

function load(broker: Broker, scenario: Scenario, role: string): Promise<Result | null> {
  const child = spawn(
    process.execPath,
    [join(here, 'load.ts'), '--port', String(broker.port), '--role', role, '--seconds', values.seconds, ...scenario.arguments],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  child.stdout.on('data', chunk => (output += chunk));
  return new Promise(resolve => child.on('close', code => resolve(code === 0 && output !== '' ? (JSON.parse(output) as Result) : null)));
}

/** Producers and consumers are processes of their own, so that neither waits for the other. Latency needs one clock: one process. */
async function measure(broker: Broker, scenario: Scenario): Promise<Result | null> {
  await load(broker, scenario, 'prepare');
  let result: Result | null;
  if (scenario.isLatency) {
    result = await load(broker, scenario, 'both');
  } else {
    const [consumer, producer] = await Promise.all([load(broker, scenario, 'consumer'), load(broker, scenario, 'producer')]);
    result = consumer === null || producer === null ? null : { ...producer, consumedPerSecond: consumer.consumedPerSecond };
  }
  return result;
}

async function clean(broker: Broker): Promise<void> {
  const { BenchClient } = await import('./client.ts');
  const client = await BenchClient.open(broker.port);
  for (let i = 0; i < 100; i++) await client.deleteQueue(`warren-bench-${i}`);
  client.socket.destroy();
}

function rssMegabytes(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? null : Math.round(Number(match[1]) / 1024);
  } catch {
    return null;
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

async function startOwn(): Promise<{ broker: Broker; stop: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-bench-'));
  const [port, management, prometheus] = [await freePort(), await freePort(), await freePort()];
  const config = join(directory, 'warren.conf');
  writeFileSync(
    config,
    `listeners.tcp.default = 127.0.0.1:${port}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${management}\nprometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = ${prometheus}\nlog.console.level = error\n`,
  );
  const child: ChildProcess = spawn(
    process.execPath,
    [join(root, 'bin', 'warren'), '--config', config, '--data-dir', join(directory, 'data')],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  for (let attempt = 0; attempt < 200; attempt++) {
    const isUp = await new Promise<boolean>(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isUp) break;
    await new Promise(resolve => setTimeout(resolve, 25));
  }
  return {
    broker: { name: 'WarrenMQ', port, pid: child.pid ?? null },
    stop: () => {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const show = (value: number): string => Math.round(value).toLocaleString('en-US');

const own = values.port === undefined ? await startOwn() : null;
const brokers: Broker[] = [
  own?.broker ?? { name: 'WarrenMQ', port: Number(values.port), pid: values.pid === undefined ? null : Number(values.pid) },
];
if (values.peer !== undefined)
  brokers.push({
    name: values['peer-name'],
    port: Number(values.peer),
    pid: values['peer-pid'] === undefined ? null : Number(values['peer-pid']),
  });
const wanted = values.only === '' ? scenarios : scenarios.filter(scenario => values.only.split(',').includes(scenario.name));
const cpu = cpus()[0]?.model ?? 'unknown processor';
console.log(
  `${cpus().length} cores, ${cpu}; Node ${process.versions.node}; ${values.seconds} s windows after 1 s, ${values.reps} alternating runs, median (least to most)`,
);
console.log(`| scenario | ${brokers.map(broker => broker.name).join(' | ')} |${brokers.length > 1 ? ' ratio |' : ''}`);
console.log(`| --- |${brokers.map(() => ' --- |').join('')}${brokers.length > 1 ? ' --- |' : ''}`);
try {
  for (const scenario of wanted) {
    const results = new Map<Broker, Result[]>(brokers.map(broker => [broker, []]));
    for (let rep = 0; rep < Number(values.reps); rep++) {
      for (const broker of brokers) {
        const result = await measure(broker, scenario);
        if (result !== null) results.get(broker)?.push(result);
        if (values.json !== undefined)
          appendFileSync(
            values.json,
            `${JSON.stringify({ scenario: scenario.name, broker: broker.name, rssMegabytes: rssMegabytes(broker.pid), ...result })}\n`,
          );
        await clean(broker);
      }
    }
    const cells = brokers.map(broker => {
      const runs = results.get(broker) ?? [];
      if (runs.length === 0) return 'failed';
      if (scenario.isLatency) {
        const at = (name: 'latencyMicros' | 'confirmLatencyMicros', share: string): string =>
          show(median(runs.map(run => run[name]?.[share] ?? 0)));
        const confirm =
          runs[0]?.confirmLatencyMicros === undefined
            ? ''
            : `, confirm p50 ${at('confirmLatencyMicros', 'p50')} p99 ${at('confirmLatencyMicros', 'p99')}`;
        return `deliver p50 ${at('latencyMicros', 'p50')} p99 ${at('latencyMicros', 'p99')}${confirm} µs`;
      }
      const rates = runs.map(run => run.consumedPerSecond);
      return `${show(median(rates))}/s (${show(Math.min(...rates))} to ${show(Math.max(...rates))}), published ${show(median(runs.map(run => run.publishedPerSecond)))}/s`;
    });
    const ratio =
      brokers.length > 1 && !scenario.isLatency
        ? ` ${(median((results.get(brokers[0] as Broker) ?? []).map(run => run.consumedPerSecond)) / Math.max(1, median((results.get(brokers[1] as Broker) ?? []).map(run => run.consumedPerSecond)))).toFixed(1)} |`
        : brokers.length > 1
          ? ' |'
          : '';
    console.log(`| ${scenario.name}: ${scenario.what} | ${cells.join(' | ')} |${ratio}`);
  }
  for (const broker of brokers) if (broker.pid !== null) console.log(`${broker.name}: ${rssMegabytes(broker.pid)} MB resident at the end`);
} finally {
  own?.stop();
}
process.exit(0);
