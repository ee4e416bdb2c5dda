import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerActor } from '../../../src/core/actor.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import { limits } from '../../../src/core/limits.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, exchangeDeclare, exchangeDelete, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';
import { withManagement } from '../management/with-management.ts';

/** Resolves when the exchange has what the policy says. */
function shards(core: BrokerCore, definition: Record<string, number | string>): Promise<void> {
  core.policies.put('policy', '/', 'sharding', { pattern: '^logs$', definition, applyTo: 'exchanges' });
  return core.policiesApplied();
}

function nameOf(core: BrokerCore, index: number): string {
  return `sharding: logs - ${core.settings.nodeName} - ${index}`;
}

/** Queues of the virtual host and their binding keys at the exchange. */
function layout(core: BrokerCore): Record<string, string[]> {
  const vhost = core.vhosts.get('/') ?? assert.fail();
  const entries = [...vhost.queues.values()].map(queue => {
    const keys = [...(queue.incoming ?? [])].filter(({ source }) => source.name === 'logs').map(({ key }) => key);
    return [queue.name, keys.sort()] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const logs = exchangeDeclare(1, { exchange: 'logs', type: 'x-modulus-hash', durable: true });

test('a policy gives an exchange its queues, adds more, binds them anew, and unbinds them when it goes', async () => {
  await withClient(async (client, { core }) => {
    await shards(core, { 'shards-per-node': 2 });
    await client.call(logs, methods.ExchangeDeclareOk);
    const [first, second, third] = [0, 1, 2].map(index => nameOf(core, index)) as [string, string, string];
    assert.deepEqual(layout(core), { [first]: [''], [second]: [''] });
    await shards(core, { 'shards-per-node': 3, 'routing-key': '1' });
    assert.deepEqual(layout(core), { [first]: ['1'], [second]: ['1'], [third]: ['1'] });
    await shards(core, { 'shards-per-node': 1, 'routing-key': '1' });
    assert.deepEqual(layout(core), { [first]: ['1'], [second]: ['1'], [third]: ['1'] }, 'fewer shards take none away');
    await shards(core, { 'shards-per-node': 3, 'routing-key': '1' });
    core.policies.delete('policy', '/', 'sharding');
    await core.policiesApplied();
    assert.deepEqual(layout(core), { [first]: [], [second]: [], [third]: [] });
  });
});

test('consumers of the exchange by its name are spread over its queues and get all messages', async () => {
  await withClient(async (client, { core }) => {
    await client.call(logs, methods.ExchangeDeclareOk);
    await shards(core, { 'shards-per-node': 3 });
    for (const consumerTag of ['a', 'b', 'c', 'd', 'e', 'f'])
      await client.call(basicConsume(1, { queue: 'logs', consumerTag, noAck: true }), methods.BasicConsumeOk);
    const vhost = core.vhosts.get('/') ?? assert.fail();
    assert.deepEqual(
      [0, 1, 2].map(index => vhost.queues.get(nameOf(core, index))?.consumerCount),
      [2, 2, 2],
    );
    for (let i = 0; i < 300; i++) client.publish(1, { exchange: 'logs', routingKey: `key ${i}`, body: String(i) });
    const found = new Set<number>();
    const tags = new Set<string>();
    while (found.size < 300) {
      const delivery = await client.nextDelivery();
      found.add(Number(String(delivery.body)));
      tags.add((delivery.args as { consumerTag: string }).consumerTag);
    }
    assert.equal(tags.size, 6);
    const { queue } = await client.call(queueDeclare(1, { queue: 'logs', durable: true }), methods.QueueDeclareOk);
    assert.equal(queue, nameOf(core, 0), 'declaring it declares its first queue');
  });
});

test('a sharded exchange stays so over a restart, with the queues that it had', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-sharding-'));
  try {
    let before: Record<string, string[]> = {};
    await withClient(
      async (client, { core }) => {
        await shards(core, { 'shards-per-node': 2, 'routing-key': '7' });
        await client.call(logs, methods.ExchangeDeclareOk);
        before = layout(core);
        await core.committed();
      },
      { dataDir },
    );
    await withClient(
      async (client, { core }) => {
        assert.deepEqual(layout(core), before);
        await client.call(basicConsume(1, { queue: 'logs', consumerTag: 't' }), methods.BasicConsumeOk);
        await shards(core, { 'shards-per-node': 3, 'routing-key': '7' });
        assert.equal(Object.keys(layout(core)).length, 3);
      },
      { dataDir },
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('no policy makes more queues than the limit, and one that cannot be made stops nothing', async () => {
  await withClient(
    async (client, { core }) => {
      await client.call(logs, methods.ExchangeDeclareOk);
      await shards(core, { 'shards-per-node': 1e9 });
      assert.equal(Object.keys(layout(core)).length, 5);
    },
    { settings: { queuesMax: 5 } },
  );
  await withClient(async (client, { core }) => {
    await client.call(logs, methods.ExchangeDeclareOk);
    await shards(core, { 'shards-per-node': limits.shardsMax + 1 });
    assert.equal(Object.keys(layout(core)).length, limits.shardsMax);
  });
});

const many = 2000;

/** How many queues of the exchange are bound by each key. */
function boundBy(core: BrokerCore): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const keys of Object.values(layout(core))) for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

test('very many queues are made in steps, and whoever declares the exchange or puts the policy is answered when they are there', async () => {
  await withManagement({}, async ({ broker: { core, port }, http }) => {
    const client = await AmqpDriver.connect({ port });
    await client.openChannel(1);
    await shards(core, { 'shards-per-node': many, 'routing-key': '1' });
    await client.call(logs, methods.ExchangeDeclareOk);
    assert.deepEqual(boundBy(core), { '1': many });
    const policy = { pattern: '^logs$', definition: { 'shards-per-node': many, 'routing-key': '2' }, 'apply-to': 'exchanges' };
    assert.equal((await http.put('/api/policies/%2F/sharding', policy)).status, 204);
    assert.deepEqual(boundBy(core), { '2': many });
    await client.call(exchangeDelete(1, { exchange: 'logs' }), methods.ExchangeDeleteOk);
    assert.equal((await http.put('/api/exchanges/%2F/logs', { type: 'x-modulus-hash', durable: true })).status, 201);
    assert.deepEqual(boundBy(core), { '2': many });
    client.destroy();
  });
});

test('a policy that changes while its queues are made is what they have in the end', async () => {
  await withClient(async (client, { core }) => {
    await client.call(logs, methods.ExchangeDeclareOk);
    const underWay = (): void => {
      const count = Object.keys(layout(core)).length;
      assert.ok(count > 0 && count < many, `${count} queues are there`);
    };
    void shards(core, { 'shards-per-node': many, 'routing-key': '1' });
    underWay();
    void shards(core, { 'shards-per-node': 30, 'routing-key': '2' });
    await client.call(basicConsume(1, { queue: 'logs' }), methods.BasicConsumeOk);
    await core.policiesApplied();
    assert.deepEqual(boundBy(core), { '2': 30 });
    core.policies.delete('policy', '/', 'sharding');
    await core.policiesApplied();
    assert.deepEqual(boundBy(core), {});
  });
});

test('an exchange that is deleted while its queues are made gets no more of them', async () => {
  await withClient(async (client, { core }) => {
    await client.call(logs, methods.ExchangeDeclareOk);
    void shards(core, { 'shards-per-node': many });
    core.topology.deleteExchange(core.vhosts.get('/') ?? assert.fail(), 'logs', false, brokerActor);
    const count = Object.keys(layout(core)).length;
    await core.policiesApplied();
    assert.ok(count < many);
    assert.equal(Object.keys(layout(core)).length, count);
    await client.call(logs, methods.ExchangeDeclareOk);
    assert.deepEqual(boundBy(core), { '': many });
  });
});

test('the policy comes over HTTP too', async () => {
  await withManagement({}, async ({ http, broker: { core } }) => {
    await http.put('/api/exchanges/%2F/logs', { type: 'x-modulus-hash', durable: true });
    const policy = { pattern: '^logs$', definition: { 'shards-per-node': 2, 'routing-key': '1' }, 'apply-to': 'exchanges' };
    assert.equal((await http.put('/api/policies/%2F/sharding', policy)).status, 201);
    assert.deepEqual(Object.values(layout(core)), [['1'], ['1']]);
  });
});
