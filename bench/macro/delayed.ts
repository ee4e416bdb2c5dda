// A million messages held by a delayed exchange on disk: memory, the time to hold them, how late they come, and recovery in between.
//   node bench/macro/delayed.ts [--count 1000000] [--delay 30000]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { int, longstr } from '../../src/base/field-table.ts';
import { brokerActor } from '../../src/core/actor.ts';
import { packEnvelope } from '../../src/core/messages/envelope.ts';
import { amqp091FormatTag } from '../../src/core/messages/format-tags.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { Broker } from '../../src/index.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000000' }, delay: { type: 'string', default: '30000' } } });
const count = Number(values.count);
const delayMillis = Number(values.delay);
const directory = mkdtempSync(join(tmpdir(), 'warren-delayed-'));
const megabytes = (): string => `${Math.round(process.memoryUsage().rss / 1e6)} MB resident`;

let broker = await Broker.start({ dataDir: directory });
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
core.topology.declareQueue(vhost, { ...declaration, name: 'q', owner: null }, brokerActor);
core.topology.bind(vhost, 'later', 'queue', 'q', '', new Map(), brokerActor);

console.log(`before: ${megabytes()}`);
const began = performance.now();
for (let i = 0; i < count; i++) {
  // Spread over ten seconds, in no order.
  const headers = new Map([['x-delay', int(delayMillis + ((i * 7919) % 10_000))]]);
  const p = new Publication();
  p.envelope = packEnvelope('later', '');
  p.envelopeBytes = p.envelope.length;
  p.properties = encodeProperties({ deliveryMode: 2, headers });
  p.propertiesBytes = p.properties.length;
  p.body = Buffer.from(String(i).padEnd(100, 'x'));
  p.bodyBytes = 100;
  p.format = amqp091FormatTag;
  p.isPersistent = true;
  if (i % 1000 === 0) core.turn.begin();
  core.publisher.publish(vhost, exchange, vhost.router.route(exchange, [''], p), p);
  if (i % 10_000 === 9999) await core.committed();
}
await core.committed();
console.log(`held ${exchange.delay?.held.count} in ${Math.round(performance.now() - began)} ms, ${megabytes()}`);
await broker.stop();
const restarted = performance.now();
broker = await Broker.start({ dataDir: directory });
const after = broker.core.vhosts.get('/');
const held = after?.exchanges.get('later')?.delay?.held;
console.log(`restarted in ${Math.round(performance.now() - restarted)} ms with ${held?.count} held, ${megabytes()}`);
let worst = 0;
while ((held?.count ?? 0) > 0) {
  broker.core.turn.begin();
  worst = Math.max(worst, broker.core.clock.nowMillis - (held?.nextDueMillis ?? Infinity));
  await sleep(20);
}
const released = after?.queues.get('q')?.readyCount;
console.log(`released ${released} of ${count} (over 10 s); the latest ${Math.round(worst)} ms late; ${megabytes()}`);
await broker.stop();
rmSync(directory, { recursive: true, force: true });
