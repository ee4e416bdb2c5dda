// One run of a scenario against one broker, with load processes of its own.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchClient } from './client.ts';
import { type Broker, processorOf } from './own-broker.ts';
import type { Scenario } from './scenarios.ts';

/** What a run gave; `processorMicros` is the broker's processor time for a delivery, where its pid is known. */
export interface Result {
  readonly publishedPerSecond: number;
  readonly consumedPerSecond: number;
  readonly latencyMicros?: Record<string, number>;
  readonly confirmLatencyMicros?: Record<string, number>;
  readonly processorMicros?: number;
}

const loadProgram = join(dirname(fileURLToPath(import.meta.url)), 'load.ts');
/** Load processes run for a second before they count. */
const warmUpSeconds = 1;
/** What connecting may take beside the time that is measured. */
const patienceMillis = 60_000;
/** What taking a load's queues away may take: a broker that queued what it could not deliver is busy for a while. */
const cleaningMillis = 180_000;
let runs = 0;

/**
 * Producers and consumers are processes of their own, so that neither waits for the other; they begin together. Latency needs one clock: one
 * process. Null when a load process failed or did not end in time.
 */
export async function measure(broker: Broker, scenario: Scenario, seconds: number): Promise<Result | null> {
  // Names of its own: whatever a run before it left with a broker that was too busy to clean up does not count here.
  const prefix = `warren-bench-${process.pid}-${++runs}`;
  const start = (role: string): Load => new Load(broker, scenario, role, prefix, seconds);
  await start('prepare').result;
  const loads = scenario.isLatency ? [start('both')] : [start('consumer'), start('producer')];
  await Promise.all(loads.map(load => load.isReady));
  const before = processorOf(broker);
  for (const load of loads) load.begin();
  const [first, second = first] = await Promise.all(loads.map(load => load.result));
  const after = processorOf(broker);
  await clean(broker, prefix, queueCountOf(scenario));
  if (first === null || first === undefined || second === null || second === undefined) return null;
  const result = { ...second, consumedPerSecond: first.consumedPerSecond };
  if (before === null || after === null) return result;
  // The warm-up is measured as well: its messages count as if they came at the same rate.
  const deliveries = result.consumedPerSecond * (seconds + warmUpSeconds);
  return { ...result, processorMicros: ((after - before) * 1e6) / deliveries };
}

/** One load process. */
class Load {
  /** It is connected, or has failed. */
  readonly isReady: Promise<void>;
  readonly result: Promise<Result | null>;
  readonly #begin: () => void;

  constructor(broker: Broker, scenario: Scenario, role: string, prefix: string, seconds: number) {
    const child = spawn(
      process.execPath,
      [
        ...[loadProgram, '--port', String(broker.port), '--role', role, '--seconds', String(seconds), '--prefix', prefix, '--gate'],
        ...scenario.arguments,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMillis + seconds * 1000);
    child.stdin.on('error', () => {});
    this.#begin = () => child.stdin.write('go\n');
    let output = '';
    this.isReady = new Promise(resolve => {
      child.stdout.on('data', chunk => {
        output += chunk;
        if (output.includes('ready')) resolve();
      });
      child.on('close', () => resolve());
    });
    this.result = new Promise(resolve =>
      child.on('close', code => {
        clearTimeout(timer);
        const line = output.split('\n').find(each => each.startsWith('{'));
        resolve(code === 0 && line !== undefined ? (JSON.parse(line) as Result) : null);
      }),
    );
  }

  begin(): void {
    this.#begin();
  }
}

function queueCountOf({ arguments: words }: Scenario): number {
  const at = words.indexOf('--queues');
  return at === -1 ? 1 : Number(words[at + 1]);
}

/** Deletes a load's queues, all at once: a broker may take long for each that still has messages. What it does not manage in time stays. */
async function clean(broker: Broker, prefix: string, queueCount: number): Promise<void> {
  const client = await BenchClient.open(broker.port);
  const isClean = await Promise.race([
    client.deleteQueues(Array.from({ length: queueCount }, (_, i) => `${prefix}-${i}`)).then(() => true),
    new Promise<boolean>(resolve => setTimeout(resolve, cleaningMillis, false).unref()),
  ]);
  if (!isClean) console.error(`${broker.name} is still deleting queues after ${cleaningMillis / 1000} s; they stay behind`);
  client.socket.destroy();
}
