import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../../src/server/broker.ts';
import { Random } from '../../support/random.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { declareTopology } from '../campaign/declare.ts';
import type { Ledger } from '../campaign/ledger.ts';
import { Load } from '../campaign/load.ts';
import { Memory } from '../campaign/memory.ts';
import { portsOf } from '../campaign/ports.ts';
import { Site } from '../campaign/site.ts';
import { type Kind, queueNumbers, queues } from '../campaign/topology.ts';
import { Trace, TracedLedger, TracedMetadata } from './trace.ts';

/** What is kept in the journal and comes back as messages of queues. */
const recordedKinds: readonly Kind[] = ['classic', 'quorum', 'stream', 'mqtt-1', 'mqtt-2', 'stomp'];

/** Segments of one slab, and no slack: a short run has everything that a long one has. */
export const traceOptions = { slabsPerSegment: 1, slackBytes: 0 };

/** Runs a broker with clients on real files, in two lives, until so much has happened; returns what did. */
export async function recordTrace(
  seed: number,
  eventCount: number,
): Promise<{ trace: Trace; confirmed: number; confirmedByKind: Ledger['confirmedByKind'] }> {
  const directory = mkdtempSync(join(tmpdir(), 'warren-trace-'));
  const random = new Random(seed);
  const trace = new Trace();
  const ledger = new TracedLedger(trace);
  const metadata = new TracedMetadata(trace);
  const memory = new Memory(ledger, metadata);
  memory.offsets.onSeen = (offset, copy) => trace.learn(({ seen }) => seen.set(offset, copy));
  const size = { publishers: 2, batch: 12, kinds: recordedKinds } as const;
  try {
    for (let life = 1; life <= 2; life++) {
      const broker = await Broker.start({
        dataDir: join(directory, 'data'),
        listeners: [{ protocol: 'amqp' }, { protocol: 'mqtt' }, { protocol: 'stomp' }],
        store: { ...traceOptions, bodyMemoryBytes: 2 * 1024 * 1024, wrapFiles: trace.wrap, wrapStreamFiles: trace.wrapStreams },
      });
      const site = new Site(portsOf(broker), ledger, random, memory, { ...size, window: random.pick([20, 60, 200]) });
      await declareTopology(site);
      if (life === 1) {
        for (const [number, { name, kind, access }] of queues.entries())
          if (number !== queueNumbers.passing && access !== 'session' && recordedKinds.includes(kind)) metadata.set(name, 'there');
      }
      const load = new Load(site);
      load.start();
      await waitUntil(() => trace.events.length > (eventCount * life) / 2, { timeoutMillis: 10_000, intervalMillis: 1 });
      await load.end();
      await broker.stop();
      ledger.restarted();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  if (ledger.violations.length > 0) throw new Error(`the run itself went wrong: ${ledger.violations.join('\n')}`);
  return { trace, confirmed: ledger.confirmedMessages, confirmedByKind: ledger.confirmedByKind };
}
