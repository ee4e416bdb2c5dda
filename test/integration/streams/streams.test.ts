// Queues of type stream over AMQP 0-9-1, on disk. [RabbitMQ docs: streams]
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { array, bool, type Field, type FieldTable, long, longstr } from '../../../src/base/field-table.ts';
import { Broker } from '../../../src/server/broker.ts';
import * as m from '../../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../../src/wire/amqp091/properties.ts';
import { AmqpDriver, type Delivery } from '../../support/amqp-driver.ts';
import { basicAck, basicConsume, basicQos, confirmSelect, queueDeclare, queueDelete } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';

let dataDir: string;
let broker: Broker;
let client: AmqpDriver;

async function start(): Promise<void> {
  broker = await Broker.start({ dataDir });
  client = await AmqpDriver.connect({ port: broker.port });
  await client.openChannel(1);
  await client.openChannel(2);
  await client.call(confirmSelect(1), m.ConfirmSelectOk);
  await client.call(basicQos(2, 100), m.BasicQosOk);
}

async function stop(): Promise<void> {
  client.destroy();
  await broker.stop();
}

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'warren-streams-'));
  await start();
});

afterEach(async () => {
  await stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function declare(queue: string, args: Record<string, Field> = {}): Promise<{ messageCount: number }> {
  const all: FieldTable = new Map([['x-queue-type', longstr('stream')], ...Object.entries(args)]);
  return client.call(queueDeclare(1, { queue, durable: true, arguments: all }), m.QueueDeclareOk);
}

let published = 0;
/** Publishes and waits for the confirms. */
async function publish(queue: string, bodies: readonly string[], properties: Properties = {}): Promise<void> {
  for (const body of bodies) client.publish(1, { routingKey: queue, body, properties });
  published += bodies.length;
  for (;;) {
    const ack = await client.expect(m.BasicAck, 1);
    if (ack.deliveryTag === published) return;
  }
}

beforeEach(() => {
  published = 0;
});

async function consume(queue: string, args: Record<string, Field> = {}, tag = 't'): Promise<void> {
  await client.call(basicConsume(2, { queue, consumerTag: tag, arguments: new Map(Object.entries(args)) }), m.BasicConsumeOk);
}

async function take(count: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (let i = 0; i < count; i++) deliveries.push(await client.nextDelivery(2));
  return deliveries;
}

const textOf = ({ body }: Delivery): string => body.toString();
const offsetOf = ({ properties }: Delivery): unknown => properties.headers?.get('x-stream-offset')?.value;
const first = { 'x-stream-offset': longstr('first') };

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => String(from + index));
}

function streamFiles(): string[] {
  return readdirSync(join(dataDir, 'streams')).filter(name => name.endsWith('.stream'));
}

test('a stream is read by everyone, as often as they like, also after a restart', async () => {
  await declare('s');
  await publish('s', numbers(0, 50));
  for (const tag of ['a', 'b', 'c']) {
    await consume('s', first, tag);
    const got = await take(50);
    assert.deepEqual(got.map(textOf), numbers(0, 50));
    assert.deepEqual(got.map(offsetOf), numbers(0, 50).map(Number));
    client.send(basicAck(2, 0, true));
  }
  await stop();
  await start();
  published = 0;
  assert.equal((await declare('s')).messageCount, 50);
  await consume('s', first);
  assert.deepEqual((await take(50)).map(textOf), numbers(0, 50));
  await publish('s', ['new']);
  assert.equal(offsetOf((await take(1))[0] as Delivery), 50);
});

test('transient messages of a stream are kept like any others', async () => {
  await declare('s');
  await publish('s', ['a'], { deliveryMode: 1, expiration: '1' });
  await stop();
  await start();
  await consume('s', first);
  assert.deepEqual((await take(1)).map(textOf), ['a']);
});

test('a consumer gets no more than its prefetch, and the rest as it acknowledges', async () => {
  await declare('s');
  await publish('s', numbers(0, 250));
  await consume('s', first);
  const got = await take(100);
  await client.call(queueDeclare(1, { queue: 's', passive: true }), m.QueueDeclareOk);
  assert.equal(client.pending.length, 0);
  client.send(basicAck(2, 30, true));
  got.push(...(await take(30)));
  client.send(basicAck(2, 130, true));
  got.push(...(await take(100)));
  client.send(basicAck(2, 0, true));
  got.push(...(await take(20)));
  assert.deepEqual(got.map(textOf), numbers(0, 250));
});

test('one message goes to a stream and to a classic queue', async () => {
  await declare('s');
  await client.call(queueDeclare(1, { queue: 'q', durable: true }), m.QueueDeclareOk);
  const { core } = broker;
  const vhost = core.vhosts.get('/');
  assert.ok(vhost);
  const fanout = core.topology.exchange(vhost, 'amq.fanout');
  for (const name of ['s', 'q']) vhost.bind(fanout, vhost.queues.get(name)!, '', new Map());
  client.publish(1, { exchange: 'amq.fanout', routingKey: '', body: 'both', properties: { deliveryMode: 2 } });
  await client.expect(m.BasicAck, 1);
  await consume('s', first);
  await consume('q', {}, 'u');
  assert.deepEqual((await take(2)).map(textOf), ['both', 'both']);
  client.send(basicAck(2, 0, true));
  await waitUntil(() => vhost.queues.get('q')?.messageCount === 0);
  assert.equal(core.store.liveCount, 0);
});

test('a message that comes from a stream gets its new offset in another', async () => {
  await declare('s');
  await publish('s', ['a'], {
    headers: new Map([
      ['x-stream-offset', long(77)],
      ['k', longstr('v')],
    ]),
  });
  await consume('s', first);
  const [delivery] = await take(1);
  assert.deepEqual(
    [...(delivery?.properties.headers ?? [])],
    [
      ['k', longstr('v')],
      ['x-stream-offset', { type: 'l', value: 0 }],
    ],
  );
});

test('large messages come whole, in several frames', async () => {
  await declare('s');
  const bodies = [1_000_000, 10, 300_000, 2_500_000].map((bytes, index) => String(index).repeat(bytes));
  await publish('s', bodies);
  await consume('s', first);
  const got = await take(4);
  assert.deepEqual(
    got.map(delivery => [textOf(delivery).length, textOf(delivery)[0]]),
    bodies.map(body => [body.length, body[0]]),
  );
});

test('a filter gives the messages that have one of its values', async () => {
  await declare('s');
  const regions = ['emea', 'amer', 'apac', null];
  for (let i = 0; i < 100; i++) {
    const region = regions[i % 4];
    const headers: FieldTable = region ? new Map([['x-stream-filter-value', longstr(region)]]) : new Map();
    client.publish(1, { routingKey: 's', body: String(i), properties: { headers } });
    published++;
  }
  await publish('s', ['end'], { headers: new Map([['x-stream-filter-value', longstr('amer')]]) });
  await consume('s', { ...first, 'x-stream-filter': longstr('amer') }, 'one');
  assert.deepEqual((await take(26)).map(textOf), [...numbers(0, 100).filter(text => Number(text) % 4 === 1), 'end']);
  await client.call(m.encodeBasicCancel(2, { consumerTag: 'one', nowait: false }), m.BasicCancelOk);
  await consume(
    's',
    { ...first, 'x-stream-filter': array([longstr('amer'), longstr('apac')]), 'x-stream-match-unfiltered': bool(true) },
    'more',
  );
  assert.deepEqual((await take(76)).map(textOf), [...numbers(0, 100).filter(text => Number(text) % 4 !== 0), 'end']);
});

test('a policy changes how much is kept, live', async () => {
  await declare('s', { 'x-stream-max-segment-size-bytes': long(10_000) });
  for (let i = 0; i < 30; i++) await publish('s', [`${i}${'x'.repeat(3000)}`]);
  assert.ok(streamFiles().length > 8);
  const definition = { 'max-length-bytes': 20_000 };
  broker.core.policies.put('policy', '/', 'short', { pattern: '^s$', definition, applyTo: 'streams' });
  await waitUntil(() => streamFiles().length <= 2);
  const view = await declare('s', { 'x-stream-max-segment-size-bytes': long(10_000) });
  assert.ok(view.messageCount < 10 && view.messageCount > 0);
  await consume('s', first);
  const got = await take(view.messageCount);
  assert.equal(offsetOf(got.at(-1) as Delivery), 29);
});

test('what is older than max-age goes, also when nothing is published any more', async () => {
  const { core } = broker;
  await declare('s', { 'x-stream-max-segment-size-bytes': long(5000), 'x-max-age': longstr('1s') });
  for (let i = 0; i < 10; i++) await publish('s', [`${i}${'x'.repeat(3000)}`]);
  const queue = core.vhosts.get('/')?.queues.get('s');
  assert.ok(queue && queue.readyCount === 10);
  await waitUntil(() => queue.readyCount < 3, { timeoutMillis: 20_000 });
  await waitUntil(() => streamFiles().length < 3);
});

test('a deleted stream leaves no file, and another of its name begins anew', async () => {
  await declare('s');
  await publish('s', ['a', 'b']);
  assert.equal(streamFiles().length, 1);
  await client.call(queueDelete(1, { queue: 's' }), m.QueueDeleteOk);
  await waitUntil(() => streamFiles().length === 0);
  assert.equal((await declare('s')).messageCount, 0);
  await publish('s', ['c']);
  await consume('s', first);
  assert.deepEqual(
    (await take(1)).map(delivery => [textOf(delivery), offsetOf(delivery)]),
    [['c', 0]],
  );
});

test('a virtual host may have streams as its default', async () => {
  broker.core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: 'stream' });
  await client.call(queueDeclare(1, { queue: 'd', durable: true }), m.QueueDeclareOk);
  assert.equal(broker.core.vhosts.get('/')?.queues.get('d')?.type.name, 'stream');
  await declare('d');
});

test('arguments at their limits, and one past them', async () => {
  await declare('a', { 'x-stream-max-segment-size-bytes': long(3_000_000_000), 'x-stream-filter-size-bytes': long(255) });
  await declare('b', { 'x-stream-filter-size-bytes': long(16) });
  for (const [name, value, text] of [
    ['x-stream-max-segment-size-bytes', 3_000_000_001, 'Exceeded max value for x-stream-max-segment-size-bytes'],
    ['x-stream-filter-size-bytes', 256, 'Invalid value for  x-stream-filter-size-bytes'],
    ['x-stream-filter-size-bytes', 15, 'Invalid value for  x-stream-filter-size-bytes'],
  ] as const) {
    await client.openChannel(9);
    client.send(
      queueDeclare(9, {
        queue: 'c',
        durable: true,
        arguments: new Map([
          ['x-queue-type', longstr('stream')],
          [name, long(value)],
        ]),
      }),
    );
    assert.equal((await client.expectChannelClose(9)).replyText, `PRECONDITION_FAILED - ${text}`);
  }
});

test('a consumer may ask for a thousand filter values, and no more', async () => {
  await declare('s');
  await publish('s', ['a'], { headers: new Map([['x-stream-filter-value', longstr('v999')]]) });
  const values = (count: number): Field => array(numbers(0, count).map(number => longstr(`v${number}`)));
  await consume('s', { ...first, 'x-stream-filter': values(1000) });
  assert.deepEqual((await take(1)).map(textOf), ['a']);
  await client.openChannel(9);
  await client.call(basicQos(9, 10), m.BasicQosOk);
  client.send(basicConsume(9, { queue: 's', consumerTag: 'u', arguments: new Map([['x-stream-filter', values(1001)]]) }));
  const { replyText } = await client.expectChannelClose(9);
  assert.equal(replyText, `PRECONDITION_FAILED - invalid arg 'x-stream-filter' for queue 's' in vhost '/': "more than 1000 values"`);
});

test('duplicates are dropped where a stream remembers values, which needs a bound', async () => {
  await declare('s', { 'x-message-deduplication': bool(true), 'x-cache-size': long(10) });
  const header = (value: string): Properties => ({ headers: new Map([['x-deduplication-header', longstr(value)]]) });
  await publish('s', ['a'], header('1'));
  await publish('s', ['again'], header('1'));
  await publish('s', ['b'], header('2'));
  await consume('s', first);
  assert.deepEqual((await take(2)).map(textOf), ['a', 'b']);
  await client.openChannel(9);
  const args: FieldTable = new Map([
    ['x-queue-type', longstr('stream')],
    ['x-message-deduplication', bool(true)],
  ]);
  client.send(queueDeclare(9, { queue: 'u', durable: true, arguments: args }));
  assert.match((await client.expectChannelClose(9)).replyText, /a stream needs x-cache-size or x-cache-ttl/);
});

test('a thousand consumers at the end of a stream cost no buffer', async () => {
  await declare('s');
  for (let i = 0; i < 900; i++) client.send(basicConsume(2, { queue: 's', consumerTag: `t${i}`, nowait: true }));
  await client.call(basicQos(2, 100), m.BasicQosOk);
  await publish('s', ['x'.repeat(100)]);
  const got = await take(900);
  assert.deepEqual(new Set(got.map(textOf)).size, 1);
});
