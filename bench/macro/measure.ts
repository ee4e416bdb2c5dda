// One run of a scenario against one broker, with load processes of its own.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchClient } from './client.ts';
import { type Broker, processorSeconds } from './own-broker.ts';
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

/** Producers and consumers are processes of their own, so that neither waits for the other. Latency needs one clock: one process. */
export async function measure(broker: Broker, scenario: Scenario, seconds: number): Promise<Result | null> {
  await load(broker, scenario, 'prepare', seconds);
  const before = processorOf(broker);
  let result: Result | null;
  if (scenario.isLatency) {
    result = await load(broker, scenario, 'both', seconds);
  } else {
    const [consumer, producer] = await Promise.all([
      load(broker, scenario, 'consumer', seconds),
      load(broker, scenario, 'producer', seconds),
    ]);
    result = consumer === null || producer === null ? null : { ...producer, consumedPerSecond: consumer.consumedPerSecond };
  }
  const after = processorOf(broker);
  await clean(broker);
  if (result === null || before === null || after === null) return result;
  // The warm-up is measured as well: its messages count as if they came at the same rate.
  const deliveries = result.consumedPerSecond * (seconds + warmUpSeconds);
  return { ...result, processorMicros: ((after - before) * 1e6) / deliveries };
}

function load(broker: Broker, scenario: Scenario, role: string, seconds: number): Promise<Result | null> {
  const child = spawn(
    process.execPath,
    [loadProgram, '--port', String(broker.port), '--role', role, '--seconds', String(seconds), ...scenario.arguments],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', chunk => (output += chunk));
  return new Promise(resolve => child.on('close', code => resolve(code === 0 && output !== '' ? (JSON.parse(output) as Result) : null)));
}

async function clean(broker: Broker): Promise<void> {
  const client = await BenchClient.open(broker.port);
  for (let i = 0; i < 100; i++) await client.deleteQueue(`warren-bench-${i}`);
  client.socket.destroy();
}

/** Null where there is no /proc, or the broker is not ours to look at. */
function processorOf(broker: Broker): number | null {
  if (broker.pid === null) return null;
  try {
    return processorSeconds(readFileSync(`/proc/${broker.pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
}
