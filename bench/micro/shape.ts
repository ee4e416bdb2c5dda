// How long a change of shape takes, and how long it holds the loop: a queue of a million messages of 100 bytes through every kind of change.
//   npm run bench:shape [-- --count 1000000]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Field, type FieldTable, int, longstr } from '../../src/base/field-table.ts';
import { brokerActor } from '../../src/core/actor.ts';
import { packEnvelope } from '../../src/core/messages/envelope.ts';
import { amqp091FormatTag } from '../../src/core/messages/format-tags.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { Broker } from '../../src/index.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000000' } } });
const count = Number(values.count);
const directory = mkdtempSync(join(tmpdir(), 'warren-shape-'));
const broker = await Broker.start({ dataDir: directory });
const { core } = broker;
const vhost = core.vhosts.get('/') ?? core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
const declaration = { name: 'q', isDurable: true, isAutoDelete: false, owner: null };
core.topology.declareQueue(vhost, { ...declaration, arguments: new Map() }, brokerActor);

const p = new Publication();
p.envelope = packEnvelope('', 'q');
p.envelopeBytes = p.envelope.length;
p.properties = encodeProperties({ deliveryMode: 2 });
p.propertiesBytes = p.properties.length;
p.format = amqp091FormatTag;
p.body = Buffer.alloc(100, 'x');
p.bodyBytes = 100;
p.isPersistent = true;
for (let i = 0; i < count; i++) {
  if (i % 1000 === 0) core.turn.begin();
  p.priority = i % 10;
  core.publisher.publish(vhost, vhost.defaultExchange, vhost.router.route(vhost.defaultExchange, ['q'], p), p);
  if (i % 10_000 === 9999) await core.committed();
}

/** Milliseconds that this thread has worked: others on the machine do not count. */
function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The longest time that the thread works between two looks at the sockets while something is done, in milliseconds; what it takes in all. */
async function watch(act: () => Promise<void>): Promise<{ readonly worst: number; readonly total: number }> {
  let worst = 0;
  let isDone = false;
  let last = worked();
  const look = (): void => {
    const now = worked();
    worst = Math.max(worst, now - last);
    last = now;
    if (!isDone) setImmediate(look);
  };
  setImmediate(look);
  const began = performance.now();
  await act();
  isDone = true;
  await new Promise(resolve => setImmediate(resolve));
  return { worst, total: performance.now() - began };
}

const idle = await watch(() => new Promise(resolve => setTimeout(resolve, 1000)));
console.log(`idle for a second: worst ${idle.worst.toFixed(1)} ms`);
const shapes: readonly (readonly [string, Record<string, Field>])[] = [
  ['a limit (nothing is moved)', { 'x-max-length': int(100_000_000) }],
  ['quorum', { 'x-queue-type': longstr('quorum') }],
  ['ten priorities', { 'x-max-priority': int(9) }],
  ['no priorities', {}],
  ['known duplicates', { 'x-message-deduplication': { type: 't', value: true } }],
  ['classic', {}],
  ['stream', { 'x-queue-type': longstr('stream') }],
  ['quorum, from a stream', { 'x-queue-type': longstr('quorum') }],
];
for (const [name, args] of shapes) {
  const { worst, total } = await watch(async () => {
    core.turn.begin();
    const queue = core.topology.reshapeQueue(vhost, 'q', new Map(Object.entries(args)) as FieldTable, brokerActor);
    await new Promise<void>((resolve, reject) => {
      if (queue.change === null) resolve();
      else queue.change.whenOver(({ error }) => (error === null ? resolve() : reject(error)));
    });
    await core.committed();
  });
  const queue = vhost.queues.get('q');
  console.log(
    `${name.padEnd(28)} ${Math.round(total)} ms, worst ${worst.toFixed(1)} ms, ${queue?.messageCount} messages, ` +
      `${Math.round(process.memoryUsage().rss / 1e6)} MB resident`,
  );
  await new Promise(resolve => setTimeout(resolve, 500));
}
await broker.stop();
rmSync(directory, { recursive: true, force: true });
