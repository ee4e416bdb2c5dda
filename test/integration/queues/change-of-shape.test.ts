import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../../src/base/field-table.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { AmqpDriver, Delivery } from '../../support/amqp-driver.ts';
import { basicAck, basicConsume, basicGet, basicNack, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withClient } from '../../support/with-broker.ts';
import { withManagement } from '../management/with-management.ts';

function args(more: Record<string, Field>): FieldTable {
  return new Map(Object.entries(more));
}

const migrate = { 'x-on-conflict': longstr('migrate') };
const quorum = { 'x-queue-type': longstr('quorum') };

async function declare(client: AmqpDriver, more: Record<string, Field>): Promise<number> {
  const { messageCount } = await client.call(queueDeclare(1, { queue: 'q', durable: true, arguments: args(more) }), methods.QueueDeclareOk);
  return messageCount;
}

function queueOf(core: BrokerCore): Queue {
  return core.vhosts.get('/')?.queues.get('q') ?? assert.fail();
}

async function get(client: AmqpDriver): Promise<Delivery & { readonly tag: number }> {
  client.send(basicGet(1, 'q'));
  const delivery = await client.nextDelivery();
  return { ...delivery, tag: (delivery.args as { deliveryTag: number }).deliveryTag };
}

async function drain(client: AmqpDriver, count: number): Promise<string[]> {
  await client.call(basicConsume(1, { queue: 'q', consumerTag: 'drain', noAck: true }), methods.BasicConsumeOk);
  const bodies: string[] = [];
  while (bodies.length < count) bodies.push(String((await client.nextDelivery()).body));
  return bodies;
}

describe('x-on-conflict', () => {
  test('keep leaves the queue as it is, error and nothing refuse as ever', async () => {
    await withClient(async (client, { core }) => {
      await declare(client, { 'x-max-length': int(5) });
      await declare(client, { 'x-max-length': int(6), 'x-on-conflict': longstr('keep') });
      assert.deepEqual([...queueOf(core).arguments.keys()], ['x-max-length']);
      assert.equal(queueOf(core).settings.lengthMax, 5);
      const wishes: readonly Record<string, Field>[] = [{}, { 'x-on-conflict': longstr('error') }];
      for (const wish of wishes) {
        await client.openChannel(2);
        client.send(queueDeclare(2, { queue: 'q', durable: true, arguments: args({ 'x-max-length': int(6), ...wish }) }));
        assert.match((await client.expectChannelClose(2)).replyText, /inequivalent arg 'x-max-length'/);
      }
      await client.openChannel(2);
      client.send(queueDeclare(2, { queue: 'q', durable: true, arguments: args({ 'x-on-conflict': longstr('perhaps') }) }));
      await client.expectChannelClose(2).then(({ replyText }) => assert.match(replyText, /inequivalent arg|invalid arg 'x-on-conflict'/));
      await client.openChannel(2);
      client.send(queueDeclare(2, { queue: 'other', arguments: args({ 'x-on-conflict': longstr('perhaps') }) }));
      assert.match((await client.expectChannelClose(2)).replyText, /invalid arg 'x-on-conflict' .*invalid_on_conflict/);
    });
  });

  test('migrate cannot change what is no argument, nor make what the type refuses', async () => {
    await withClient(async client => {
      await declare(client, {});
      await client.openChannel(2);
      client.send(queueDeclare(2, { queue: 'q', durable: false, arguments: args(migrate) }));
      assert.match((await client.expectChannelClose(2)).replyText, /inequivalent arg 'durable'/);
      await client.openChannel(2);
      client.send(queueDeclare(2, { queue: 'q', durable: true, arguments: args({ ...migrate, ...quorum, 'x-max-priority': int(3) }) }));
      assert.match((await client.expectChannelClose(2)).replyText, /invalid arg 'x-max-priority' .* of queue type rabbit_quorum_queue/);
      assert.equal(await declare(client, {}), 0);
    });
  });

  test('what was tried before a queue lost its priorities knows how often, over a restart too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'warren-shape-'));
    const retries = { 'x-retry-delays': longstr('1,1,1') };
    const tried = async (client: AmqpDriver): Promise<unknown> => {
      const { tag, properties } = await get(client);
      client.send(basicNack(1, tag, { requeue: false }));
      return properties.headers?.get('x-retry-count')?.value;
    };
    try {
      const options = { dataDir: directory };
      await withClient(async (client, { core }) => {
        await declare(client, { 'x-max-priority': int(5), ...retries });
        for (const priority of [1, 4]) client.publish(1, { routingKey: 'q', body: 'again', properties: { deliveryMode: 2, priority } });
        for (const count of [undefined, undefined]) assert.equal(await tried(client), count);
        await waitUntil(() => queueOf(core).readyCount === 2);
        await declare(client, { ...migrate, ...retries });
        assert.equal(await tried(client), 1);
        await waitUntil(() => queueOf(core).readyCount === 2);
      }, options);
      await withClient(async (client, { core }) => {
        const counts = new Set([await tried(client), await tried(client)]);
        assert.deepEqual(counts, new Set([1, 2]));
        await waitUntil(() => queueOf(core).readyCount === 2);
      }, options);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('migrate keeps messages, their order, deliveries under way, consumers and bindings', async () => {
    await withClient(async (client, { core }) => {
      await declare(client, {});
      for (let i = 1; i <= 6; i++) client.publish(1, { routingKey: 'q', body: String(i), properties: { deliveryMode: 1 + (i % 2) } });
      const first = await get(client);
      const second = await get(client);
      const queue = queueOf(core);
      assert.equal(await declare(client, { ...migrate, ...quorum, 'x-max-length': int(100) }), 4);
      assert.equal(queueOf(core), queue);
      assert.deepEqual([queue.type.name, queue.settings.deliveryLimit, queue.settings.lengthMax], ['quorum', 20, 100]);
      assert.deepEqual([queue.readyCount, queue.unackedCount], [4, 2]);
      client.send(basicAck(1, first.tag));
      client.send(basicNack(1, second.tag));
      client.publish(1, { routingKey: 'q', body: '7' });
      await waitUntil(() => queue.readyCount === 6);
      const again = await get(client);
      assert.equal(String(again.body), '2');
      assert.equal(Number(again.properties.headers?.get('x-delivery-count')?.value), 1);
      client.send(basicNack(1, again.tag));
      // And back, to a queue that knows nothing of counts and less of priorities.
      assert.equal(await declare(client, { ...migrate, 'x-queue-type': longstr('classic') }), 6);
      assert.equal(queue.settings.lengthMax, -1);
      assert.deepEqual(await drain(client, 6), ['2', '3', '4', '5', '6', '7']);
      assert.equal(core.store.liveCount, 0);
    });
  });

  test('a queue that loses its priorities while messages are under way hands them out in the order in which they came, over a kill too', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'warren-shape-'));
    try {
      await withClient(
        async (client, { core }) => {
          await declare(client, { 'x-max-priority': int(9) });
          const publish = (priority: number): void =>
            client.publish(1, { routingKey: 'q', body: String(priority), properties: { priority, deliveryMode: 2 } });
          for (const priority of [3, 9, 0, 7, 1, 8]) publish(priority);
          const [nine, eight, seven] = [await get(client), await get(client), await get(client)];
          assert.deepEqual([String(nine.body), String(eight.body), String(seven.body)], ['9', '8', '7']);
          assert.equal(await declare(client, migrate), 3);
          publish(5);
          client.send(basicAck(1, eight.tag));
          client.send(basicNack(1, seven.tag));
          await waitUntil(() => queueOf(core).readyCount === 5);
          assert.equal(queueOf(core).unackedCount, 1);
        },
        { dataDir },
      );
      await withClient(
        async (client, { core }) => {
          assert.equal(queueOf(core).readyCount, 6);
          assert.deepEqual(await drain(client, 6), ['3', '9', '0', '7', '1', '5']);
        },
        { dataDir },
      );
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('a number that a delivery under way has is not given again', async () => {
    await withClient(async (client, { core }) => {
      await declare(client, {});
      const options = { routingKey: 'q', properties: { priority: 5, deliveryMode: 2 } } as const;
      client.publish(1, { ...options, body: 'held' });
      const held = await get(client);
      await declare(client, { ...migrate, 'x-max-priority': int(9) });
      for (let i = 0; i < 5; i++) client.publish(1, { ...options, body: String(i) });
      client.send(basicNack(1, held.tag));
      await waitUntil(() => queueOf(core).readyCount === 6);
      assert.deepEqual(await drain(client, 6), ['held', '0', '1', '2', '3', '4']);
    });
  });

  test('the consumers of a queue that gets a single active one are cut down to one, and come back with it', async () => {
    await withClient(async (client, { core }) => {
      await declare(client, {});
      for (const consumerTag of ['a', 'b'])
        await client.call(basicConsume(1, { queue: 'q', consumerTag, noAck: true }), methods.BasicConsumeOk);
      const tags = async (): Promise<string[]> => {
        for (let i = 0; i < 4; i++) client.publish(1, { routingKey: 'q', body: 'x' });
        const got: string[] = [];
        while (got.length < 4) got.push(((await client.nextDelivery()).args as { consumerTag: string }).consumerTag);
        return [...new Set(got)].sort();
      };
      assert.deepEqual(await tags(), ['a', 'b']);
      await declare(client, { ...migrate, 'x-single-active-consumer': { type: 't', value: true } });
      assert.deepEqual(await tags(), ['a']);
      await declare(client, migrate);
      assert.deepEqual(await tags(), ['a', 'b']);
      assert.equal(queueOf(core).consumerCount, 2);
    });
  });

  test('what a classic queue would have lost outlives a restart once the queue is a quorum queue', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'warren-shape-'));
    try {
      await withClient(
        async (client, { core }) => {
          await declare(client, {});
          for (let i = 1; i <= 4; i++) client.publish(1, { routingKey: 'q', body: String(i) });
          const held = await get(client);
          await declare(client, { ...migrate, ...quorum });
          client.send(basicNack(1, held.tag));
          await waitUntil(() => queueOf(core).readyCount === 4);
        },
        { dataDir },
      );
      await withClient(
        async (client, { core }) => {
          assert.equal(queueOf(core).type.name, 'quorum');
          assert.deepEqual(await drain(client, 4), ['1', '2', '3', '4']);
        },
        { dataDir },
      );
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

test('POST /api/queues/VHOST/NAME/shape does the same over HTTP, where policies go with the type', async () => {
  await withManagement({}, async ({ http }) => {
    await http.put('/api/policies/%2F/c', { pattern: '', definition: { 'max-length': 7 }, 'apply-to': 'classic_queues' });
    await http.put('/api/policies/%2F/q', { pattern: '', definition: { 'max-length': 8 }, 'apply-to': 'quorum_queues' });
    await http.put('/api/queues/%2F/q', { durable: true, arguments: { 'x-max-length': 100 } });
    const shape = (given: object): ReturnType<typeof http.post> => http.post('/api/queues/%2F/q/shape', given);
    const changed = await shape({ arguments: { 'x-queue-type': 'quorum' } });
    assert.deepEqual([changed.status, changed.json], [200, { type: 'quorum', arguments: { 'x-queue-type': 'quorum' }, messages: 0 }]);
    const view = (await http.get('/api/queues/%2F/q')).json as Record<string, unknown>;
    assert.deepEqual([view['type'], view['policy'], view['effective_policy_definition']], ['quorum', 'q', { 'max-length': 8 }]);
    const refused = await shape({ arguments: { 'x-queue-type': 'quorum', 'x-max-priority': 3 } });
    assert.equal(refused.status, 400);
    assert.equal((await shape({})).status, 400);
    assert.equal((await http.post('/api/queues/%2F/none/shape', { arguments: {} })).status, 404);
    assert.equal((await shape({ arguments: {} })).status, 200);
    assert.equal(((await http.get('/api/queues/%2F/q')).json as Record<string, unknown>)['policy'], 'c');
  });
});
