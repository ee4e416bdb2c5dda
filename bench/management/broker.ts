// A broker that says how long its event loop was held. Started by run.ts, which tells it by messages what to do.
import { silentLogger } from '../../src/core/ports/logger.ts';
import { startManagement } from '../../src/management/management.ts';
import { defaultManagementSettings } from '../../src/management/settings.ts';
import { Broker } from '../../src/server/broker.ts';

const isManaged = process.argv[2] !== 'unmanaged';
const broker = await Broker.start();
const listener = { kind: 'tcp', host: '127.0.0.1', port: 0, backlog: 128, tls: null } as const;
const management = isManaged
  ? await startManagement({
      core: broker.core,
      frontEnds: [],
      config: {
        ...defaultManagementSettings,
        management: { ...defaultManagementSettings.management, listeners: [listener] },
        prometheus: { ...defaultManagementSettings.prometheus, listeners: [listener] },
      },
      logger: silentLogger,
    })
  : null;

/** The longest stretch of processor time of the main thread between two turns of the event loop: what others on the machine take is not in it. */
let longestMicros = 0;
let longestWallMillis = 0;
let lastMicros = 0;
let lastMillis = 0;
let isProbing = false;

function threadMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function probe(): void {
  const [micros, millis] = [threadMicros(), performance.now()];
  longestMicros = Math.max(longestMicros, micros - lastMicros);
  longestWallMillis = Math.max(longestWallMillis, millis - lastMillis);
  [lastMicros, lastMillis] = [micros, millis];
  if (isProbing) setImmediate(probe);
}

/** What is timed here: samples of the statistics. */
function sampled(): number {
  if (management === null) return 0;
  broker.core.turn.begin();
  const before = threadMicros();
  management.statistics.sample();
  return (threadMicros() - before) / 1000;
}

process.on('message', (request: 'begin' | 'end' | 'sample' | 'processor') => {
  switch (request) {
    case 'begin':
      [longestMicros, longestWallMillis, lastMicros, lastMillis, isProbing] = [0, 0, threadMicros(), performance.now(), true];
      setImmediate(probe);
      process.send?.(null);
      return;
    case 'end':
      isProbing = false;
      process.send?.({ heldMillis: longestMicros / 1000, wallMillis: longestWallMillis });
      return;
    case 'sample':
      process.send?.(sampled());
      return;
    case 'processor':
      process.send?.(threadMicros() / 1e6);
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: broker.port, httpPort: management?.port ?? 0, metricsPort: management?.metricsPort ?? 0 });
