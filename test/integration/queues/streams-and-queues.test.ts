// A queue becomes a stream, and a stream becomes a queue, with everything in it.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../../src/base/field-table.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { AmqpDriver, Delivery } from '../../support/amqp-driver.ts';
import {
  basicAck,
  basicConsume,
  basicGet,
  basicNack,
  basicQos,
  basicReject,
  queueBind,
  queueDeclare,
  queueDelete,
  queuePurge,
} from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withClient } from '../../support/with-broker.ts';
import { withManagement } from '../management/with-management.ts';

/** More than a step takes, several times. */
const many = 20_000;
const migrate = { 'x-on-conflict': longstr('migrate') };
const stream = { 'x-queue-type': longstr('stream') };
const quorum = { 'x-queue-type': longstr('quorum') };

function declare(channel: number, more: Record<string, Field>, queue = 'q'): Buffer {
  return queueDeclare(channel, { queue, durable: true, arguments: new Map(Object.entries(more)) as FieldTable });
}

function queueOf(core: BrokerCore, name = 'q'): Queue {
  return core.vhosts.get('/')?.queues.get(name) ?? assert.fail();
}

const tagOf = ({ args }: Delivery): number => (args as { deliveryTag: number }).deliveryTag;
const numberOf = ({ body }: Delivery): number => Number(String(body));
const all = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function publish(client: AmqpDriver, from: number, to: number, properties: object = { deliveryMode: 2 }): void {
  for (let i = from; i < to; i++) client.publish(1, { routingKey: 'q', body: String(i), properties });
}

async function get(client: AmqpDriver, channel = 1): Promise<Delivery> {
  client.send(basicGet(channel, 'q'));
  return await client.nextDelivery(channel);
}

async function drain(client: AmqpDriver, count: number): Promise<Delivery[]> {
  await client.call(basicConsume(1, { queue: 'q', consumerTag: 'drain', noAck: true }), methods.BasicConsumeOk);
  const deliveries: Delivery[] = [];
  while (deliveries.length < count) deliveries.push(await client.nextDelivery());
  return deliveries;
}

/** Reads a stream from its beginning, on a channel of its own. */
async function read(client: AmqpDriver, count: number, channel = 9): Promise<Delivery[]> {
  await client.openChannel(channel);
  await client.call(basicQos(channel, 1000), methods.BasicQosOk);
  const from = new Map([['x-stream-offset', longstr('first')]]);
  await client.call(basicConsume(channel, { queue: 'q', consumerTag: 'reader', arguments: from }), methods.BasicConsumeOk);
  const deliveries: Delivery[] = [];
  while (deliveries.length < count) {
    const delivery = await client.nextDelivery(channel);
    client.send(basicAck(channel, tagOf(delivery)));
    deliveries.push(delivery);
  }
  return deliveries;
}

async function twice(first: (c: AmqpDriver, core: BrokerCore, dir: string) => Promise<void>, second: typeof first): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-become-'));
  try {
    for (const run of [first, second]) await withClient((client, { core }) => run(client, core, dataDir), { dataDir });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

test('a queue becomes a stream: ready messages in the order in which they came, then what was not settled, each once', async () => {
  // Of what is unacknowledged 0 is acknowledged before, 1 after, 2 comes back, 3 is rejected.
  const order = [...all(4, many + 10), 1, 2, 3];
  await twice(
    async (client, core) => {
      await client.call(declare(1, {}), methods.QueueDeclareOk);
      await client.openChannel(2);
      await client.openChannel(3);
      publish(client, 0, many, { deliveryMode: 1 });
      await waitUntil(() => queueOf(core).readyCount === many);
      const held = [await get(client, 2), await get(client, 2), await get(client, 2), await get(client, 2)];
      assert.deepEqual(held.map(numberOf), [0, 1, 2, 3]);
      const [zero, one, two, three] = held.map(tagOf) as [number, number, number, number];
      client.send(basicAck(2, zero));
      await client.call(basicQos(3, 1), methods.BasicQosOk);
      const old = queueOf(core);
      client.send(declare(1, { ...migrate, ...stream }));
      publish(client, many, many + 10);
      await waitUntil(() => old.change !== null);
      // Who begins to consume now is cancelled when it is a stream.
      await client.call(basicConsume(3, { queue: 'q', consumerTag: 'cancelled' }), methods.BasicConsumeOk);
      const { messageCount, consumerCount } = (await client.expect(methods.QueueDeclareOk, 1)) as {
        messageCount: number;
        consumerCount: number;
      };
      assert.deepEqual([messageCount, consumerCount], [order.length, 0]);
      await client.expect(methods.BasicCancel, 3);
      assert.equal(queueOf(core).type.name, 'stream');
      client.send(basicAck(2, one));
      client.send(basicNack(2, two));
      client.send(basicReject(2, three, false));
      assert.deepEqual((await read(client, order.length)).map(numberOf), order);
      // The old queue has nothing any more.
      await waitUntil(() => core.store.liveCount === 0);
      assert.equal([...(core.vhosts.get('/')?.aside ?? [])].length, 0);
    },
    async (client, core) => {
      assert.equal(queueOf(core).type.name, 'stream');
      assert.deepEqual((await read(client, order.length)).map(numberOf), order);
      publish(client, 7, 8);
      await waitUntil(() => queueOf(core).readyCount === order.length + 1);
    },
  );
});

test('a stream becomes a queue: what it keeps is delivered once, with its offset, and what is published meanwhile follows', async () => {
  await twice(
    async (client, core, directory) => {
      await client.call(declare(1, stream), methods.QueueDeclareOk);
      publish(client, 0, many, { deliveryMode: 1, priority: 3 });
      await waitUntil(() => queueOf(core).readyCount === many);
      await client.openChannel(2);
      await client.call(basicQos(2, 5), methods.BasicQosOk);
      const from = new Map([['x-stream-offset', longstr('first')]]);
      await client.call(basicConsume(2, { queue: 'q', consumerTag: 'reader', arguments: from }), methods.BasicConsumeOk);
      const seen = [await client.nextDelivery(2), await client.nextDelivery(2)].map(tagOf) as [number, number];
      // Bound and published to all the while.
      await client.call(queueBind(1, { queue: 'q', exchange: 'amq.fanout' }), methods.QueueBindOk);
      client.send(declare(1, { ...migrate, ...quorum }));
      publish(client, many, many + 3000);
      await client.expect(methods.QueueDeclareOk, 1);
      await client.expect(methods.BasicCancel, 2);
      assert.equal(queueOf(core).type.name, 'quorum');
      await waitUntil(() => queueOf(core).readyCount === many + 3000);
      // A settlement of what the stream delivered ends nothing in the queue.
      client.send(basicAck(2, seen[0]));
      client.send(basicAck(2, seen[1]));
      client.publish(1, { exchange: 'amq.fanout', routingKey: 'any', body: String(many + 3000), properties: { deliveryMode: 2 } });
      await waitUntil(() => queueOf(core).readyCount === many + 3001);
      const first = await get(client);
      const { headers, priority } = first.properties;
      assert.deepEqual([numberOf(first), Number(headers?.get('x-stream-offset')?.value), priority], [0, 0, 3]);
      client.send(basicNack(1, tagOf(first)));
      await waitUntil(() => queueOf(core).readyCount === many + 3001);
      await waitUntil(() => !readdirSync(join(directory, 'streams')).some(name => name.endsWith('.stream')));
    },
    async (client, core) => {
      const deliveries = await drain(client, many + 3001);
      assert.deepEqual(deliveries.map(numberOf), all(0, many + 3001));
      const offsets = deliveries.map(({ properties }) => properties.headers?.get('x-stream-offset')?.value);
      assert.deepEqual(offsets.slice(0, many).map(Number), all(0, many));
      assert.equal(offsets.at(-1), undefined);
      await waitUntil(() => core.store.liveCount === 0);
    },
  );
});

test('there and back again, by priority, with limits that hold from the change on', async () => {
  await withClient(async (client, { core }) => {
    await client.call(declare(1, {}, 'dead'), methods.QueueDeclareOk);
    await client.call(declare(1, { 'x-max-priority': int(5) }), methods.QueueDeclareOk);
    for (const priority of [1, 5, 0, 3]) publish(client, priority, priority + 1, { priority, expiration: '3600000' });
    await waitUntil(() => queueOf(core).readyCount === 4);
    await client.call(declare(1, { ...migrate, ...stream }), methods.QueueDeclareOk);
    assert.deepEqual((await read(client, 4)).map(numberOf), [1, 5, 0, 3]);
    const limits = { 'x-max-length': int(3), 'x-dead-letter-exchange': longstr(''), 'x-dead-letter-routing-key': longstr('dead') };
    await client.call(declare(1, { ...migrate, ...limits, 'x-max-priority': int(5) }), methods.QueueDeclareOk);
    await waitUntil(() => queueOf(core, 'dead').readyCount === 1 && queueOf(core).readyCount === 3);
    assert.deepEqual((await drain(client, 3)).map(numberOf), [3, 1, 0]);
    // And a change of a stream that stays one.
    await client.call(declare(1, { ...migrate, ...stream }), methods.QueueDeclareOk);
    await client.call(declare(1, { ...migrate, ...stream, 'x-max-length-bytes': int(1000) }), methods.QueueDeclareOk);
    assert.equal(queueOf(core).settings.lengthBytesMax, 1000);
  });
});

test('who deletes or empties the queue meanwhile ends the change, and nothing of it stays', async () => {
  await withClient(async (client, { core }) => {
    for (const [request, ok, why] of [
      [queuePurge(1, { queue: 'q' }), methods.QueuePurgeOk, /messages were taken out of it meanwhile/],
      [queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk, /it was deleted meanwhile/],
    ] as const) {
      await client.call(declare(1, {}), methods.QueueDeclareOk);
      publish(client, 0, many);
      await waitUntil(() => queueOf(core).readyCount === many);
      await client.openChannel(2);
      client.send(declare(2, { ...migrate, ...stream }));
      client.send(request);
      assert.match((await client.expectChannelClose(2)).replyText, why);
      assert.deepEqual(await client.expect(ok, 1), { messageCount: many });
      await waitUntil(() => core.store.liveCount === 0);
      assert.equal(core.vhosts.get('/')?.aside.size, 0);
    }
    await client.call(declare(1, {}), methods.QueueDeclareOk);
    publish(client, 5, 6);
    assert.deepEqual((await drain(client, 1)).map(numberOf), [5]);
    await client.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
    await client.call(declare(1, stream), methods.QueueDeclareOk);
    publish(client, 0, many);
    await waitUntil(() => queueOf(core).readyCount === many);
    await client.openChannel(2);
    client.send(declare(2, { ...migrate, ...quorum }));
    client.send(queueDelete(1, { queue: 'q' }));
    assert.match((await client.expectChannelClose(2)).replyText, /it was deleted meanwhile/);
    await waitUntil(() => core.store.liveCount === 0 && core.vhosts.get('/')?.aside.size === 0);
  });
});

test('what a queue knows of duplicates goes with its messages, to a stream with a bound and back', async () => {
  await withClient(async (client, { core }) => {
    const known = { 'x-message-deduplication': { type: 't', value: true } as const };
    const offer = async (values: readonly string[], taken: number): Promise<void> => {
      const before = queueOf(core).messageCount;
      for (const value of values) {
        const headers = new Map([['x-deduplication-header', longstr(value)]]);
        client.publish(1, { routingKey: 'q', body: value, properties: { headers } });
      }
      client.send(queueDeclare(1, { queue: 'q', passive: true }));
      await client.expect(methods.QueueDeclareOk, 1);
      await waitUntil(() => queueOf(core).messageCount === before + taken);
    };
    await client.call(declare(1, known), methods.QueueDeclareOk);
    await offer(['a', 'b', 'a'], 2);
    await client.call(declare(1, { ...migrate, ...known, ...stream, 'x-cache-size': int(10) }), methods.QueueDeclareOk);
    await offer(['a', 'b', 'c'], 1);
    await client.call(declare(1, { ...migrate, ...known, ...quorum }), methods.QueueDeclareOk);
    await offer(['a', 'b', 'c', 'd'], 1);
    assert.equal((await drain(client, 4)).length, 4);
    await offer(['a'], 0);
    await waitUntil(() => queueOf(core).counters.published >= 5);
  });
});

test('over HTTP too, where policies go with the type', async () => {
  await withManagement({}, async ({ http }) => {
    await http.put('/api/policies/%2F/s', { pattern: '', definition: { 'max-length-bytes': 1_000_000 }, 'apply-to': 'streams' });
    await http.put('/api/queues/%2F/q', { durable: true });
    const message = { properties: {}, routing_key: 'q', payload: 'kept', payload_encoding: 'string' };
    await http.post('/api/exchanges/%2F/amq.default/publish', message);
    const shape = async (args: object): Promise<unknown> => (await http.post('/api/queues/%2F/q/shape', { arguments: args })).json;
    const asStream = { 'x-queue-type': 'stream' };
    assert.deepEqual(await shape(asStream), { type: 'stream', arguments: asStream, messages: 1 });
    const view = (await http.get('/api/queues/%2F/q')).json as Record<string, unknown>;
    assert.deepEqual([view['type'], view['policy']], ['stream', 's']);
    assert.deepEqual(await shape({}), { type: 'classic', arguments: {}, messages: 1 });
    const [found] = (await http.get('/api/queues/%2F/q/messages')).json as Record<string, unknown>[];
    assert.equal(found?.['payload'], 'kept');
    assert.equal(
      (await http.put('/api/queues/%2F/q', { durable: true, arguments: { ...asStream, 'x-on-conflict': 'migrate' } })).status,
      204,
    );
    assert.equal(((await http.get('/api/queues/%2F/q')).json as Record<string, unknown>)['type'], 'stream');
  });
});
