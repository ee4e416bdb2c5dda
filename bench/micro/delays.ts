// How late delayed messages come on an idle broker with the machine's clock: 100,000 that are due within one second, and some now and then.
//   npm run bench:delays
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { int, longstr } from '../../src/base/field-table.ts';
import { brokerActor } from '../../src/core/actor.ts';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import { packEnvelope } from '../../src/core/messages/envelope.ts';
import { amqp091FormatTag } from '../../src/core/messages/format-tags.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { Broker } from '../../src/index.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';

const burst = 100_000;
const few = 200;
/** How long before the first is due the publishing begins. */
const leadMillis = 5000;
/** What the broker promises on an idle machine. */
const lateMillisMax = 50;

async function measure(name: string, options: { readonly dataDir?: string }, isPersistent: boolean): Promise<boolean> {
  const broker = await Broker.start(options);
  const { core } = broker;
  const vhost = core.vhosts.get('/') ?? core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
  const declaration = { isDurable: true, isAutoDelete: false, arguments: new Map() };
  const args = new Map([['x-delayed-type', longstr('fanout')]]);
  const exchange = core.topology.declareExchange(
    vhost,
    'x-delayed-message',
    { ...declaration, name: 'later', isInternal: false, arguments: args },
    brokerActor,
  );
  const queue = core.topology.declareQueue(vhost, { ...declaration, name: 'q', owner: null }, brokerActor);
  core.topology.bind(vhost, 'later', 'queue', 'q', '', new Map(), brokerActor);
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
    const p = new Publication();
    p.envelope = packEnvelope('later', '');
    p.envelopeBytes = p.envelope.length;
    const headers = new Map([['x-delay', int(delayMillis)]]);
    p.properties = encodeProperties({ deliveryMode: isPersistent ? 2 : 1, headers });
    p.propertiesBytes = p.properties.length;
    p.body = Buffer.alloc(16);
    p.body.writeDoubleLE(dues.push(core.clock.nowMillis + delayMillis) - 1);
    p.bodyBytes = 16;
    p.format = amqp091FormatTag;
    p.isPersistent = isPersistent;
    core.publisher.publish(vhost, exchange, vhost.router.route(exchange, [''], p), p);
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
if (kept.includes(false)) {
  console.error(`not within ${lateMillisMax} ms: is the machine idle?`);
  process.exitCode = 1;
}
