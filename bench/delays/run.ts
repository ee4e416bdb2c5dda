// Messages that wait for their time. How late they come on an idle broker with the machine's clock: 100,000 that are due within one second, and some
// now and then. And a million of them pending on disk: memory, a page of the list, single ones by id, a restart, how late they come.
//   npm run bench:delays [-- --count 1000000]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import { Broker } from '../../src/index.ts';
import { pending } from './pending.ts';
import { scheduled } from './scheduled.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000000' } } });

const burst = 100_000;
const few = 200;
/** How long before the first is due the publishing begins. */
const leadMillis = 5000;
/** What the broker promises on an idle machine. */
const lateMillisMax = 50;

async function measure(name: string, options: { readonly dataDir?: string }, isPersistent: boolean): Promise<boolean> {
  const broker = await Broker.start(options);
  const { core } = broker;
  const { queue, publish: publishOne } = scheduled(core);
  const dues: number[] = [];
  const lates: number[] = [];
  const sink = {
    canTake: true,
    cancelled(): void {},
    deliver(_consumer: Consumer, entry: { readonly ref: number }): void {
      core.store.locate(entry.ref);
      lates.push(performance.now() - (dues[core.store.bytes.readDoubleLE(core.store.bodyStart)] as number));
    },
  };
  const given = { tag: 't', noAck: true, isExclusive: false, priority: 0, prefetchCount: 0, arguments: new Map() };
  queue.attach(new Consumer(queue, sink, new SharedPrefetch(), given));

  const publish = (delayMillis: number): void => {
    const body = Buffer.alloc(16);
    body.writeDoubleLE(dues.push(core.clock.nowMillis + delayMillis) - 1);
    publishOne(delayMillis, body, isPersistent);
  };
  const worst = (): string => {
    const sorted = lates.splice(0).sort((a, b) => a - b);
    if ((sorted[0] ?? 0) < 0) throw new Error(`a message came ${-(sorted[0] as number)} ms early`);
    isKept &&= (sorted.at(-1) ?? 0) <= lateMillisMax;
    return `median ${(sorted[sorted.length >> 1] ?? 0).toFixed(1)} ms, latest ${(sorted.at(-1) ?? 0).toFixed(1)} ms`;
  };
  let isKept = true;
  core.turn.begin();
  const startMillis = core.clock.nowMillis;
  for (let i = 0; i < burst; i++) {
    if (i % 1000 === 0) {
      core.turn.begin();
      await new Promise(setImmediate);
    }
    // All within one second, in no order, some time after the last was published.
    publish(Math.max(1, Math.ceil(startMillis + leadMillis + ((i * 7919) % 1000) - core.clock.nowMillis)));
  }
  await core.committed();
  const cpu = process.cpuUsage();
  while (lates.length < burst) await sleep(50);
  const { user, system } = process.cpuUsage(cpu);
  console.log(`${name}: ${burst} due within one second: ${worst()}; ${((user + system) / burst).toFixed(1)} µs a message`);
  for (let i = 0; i < few; i++) {
    core.turn.begin();
    publish(100 + ((i * 37) % 100));
    await sleep(10);
  }
  while (lates.length < few) await sleep(10);
  console.log(`${name}: ${few}, one every 10 ms: ${worst()}`);
  await broker.stop();
  return isKept;
}

const directory = mkdtempSync(join(tmpdir(), 'warren-delays-'));
const kept = [await measure('transient', {}, false), await measure('persistent, on disk', { dataDir: directory }, true)];
rmSync(directory, { recursive: true, force: true });
await pending(Number(values.count));
if (kept.includes(false)) {
  console.error(`not within ${lateMillisMax} ms: is the machine idle?`);
  process.exitCode = 1;
}
