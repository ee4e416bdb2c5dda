// Queues and exchanges with very many bindings: their deletion takes several steps, and is answered after the last.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerActor } from '../../../src/core/actor.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import type { Vhost } from '../../../src/core/vhost.ts';
import { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { exchangeDelete, queueDeclare, queueDelete } from '../../support/amqp-requests.ts';
import { withManagement } from '../management/with-management.ts';

const manyIn = 5000;
const manyOut = 25_000;

function vhostOf(core: BrokerCore): Vhost {
  return core.vhosts.get('/') ?? assert.fail();
}

/** An exchange with so many bindings to a queue. */
function bound(core: BrokerCore, exchange: string, queue: string, count: number): void {
  const vhost = vhostOf(core);
  const declaration = { isDurable: true, isAutoDelete: false, arguments: new Map() };
  core.topology.declareExchange(vhost, 'topic', { ...declaration, name: exchange, isInternal: false }, brokerActor);
  core.topology.declareQueue(vhost, { ...declaration, name: queue, owner: null }, brokerActor);
  for (let i = 0; i < count; i++) core.topology.bind(vhost, exchange, 'queue', queue, `key.${i}`, new Map(), brokerActor);
}

async function connected(broker: { readonly port: number }): Promise<AmqpDriver> {
  const client = await AmqpDriver.connect({ port: broker.port });
  await client.openChannel(1);
  return client;
}

test('answers to deletions come in their order, when all bindings are gone', () =>
  withManagement({}, async ({ broker }) => {
    const vhost = vhostOf(broker.core);
    bound(broker.core, 'e', 'q', manyIn);
    const client = await connected(broker);
    client.send(Buffer.concat([queueDelete(1, { queue: 'q' }), queueDeclare(1, { queue: 'q', durable: true })]));
    for (const expected of [methods.QueueDeleteOk, methods.QueueDeclareOk]) {
      const frame = await client.next();
      assert.ok('method' in frame && frame.method === expected);
      assert.equal(vhost.bindingCount, 0);
    }
    bound(broker.core, 'e', 'q', manyOut);
    await client.call(exchangeDelete(1, { exchange: 'e' }), methods.ExchangeDeleteOk);
    assert.deepEqual([vhost.bindingCount, vhost.queues.get('q')?.incoming?.size], [0, 0]);
    client.destroy();
  }));

test('a client that leaves before the answer changes nothing', () =>
  withManagement({}, async ({ broker }) => {
    const vhost = vhostOf(broker.core);
    bound(broker.core, 'e', 'q', manyIn);
    const client = await connected(broker);
    client.send(queueDelete(1, { queue: 'q' }));
    client.destroy();
    const other = await connected(broker);
    await other.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
    assert.deepEqual([vhost.bindingCount, vhost.queues.has('q')], [0, false]);
    other.destroy();
  }));

test('the HTTP API answers when all bindings are gone, and lists none of them before', () =>
  withManagement({}, async ({ broker: { core }, http }) => {
    const vhost = vhostOf(core);
    bound(core, 'e', 'q', manyIn);
    core.topology.deleteQueue(vhost, 'q', { ifUnused: false, ifEmpty: false }, brokerActor);
    assert.ok(vhost.bindingCount > 0);
    assert.deepEqual((await http.request('GET', '/api/exchanges/%2F/e/bindings/source')).json, []);
    bound(core, 'e', 'q', manyIn);
    assert.equal((await http.request('DELETE', '/api/queues/%2F/q')).status, 204);
    assert.equal(vhost.bindingCount, 0);
    bound(core, 'e', 'q', manyOut);
    assert.equal((await http.request('DELETE', '/api/exchanges/%2F/e')).status, 204);
    assert.equal(vhost.bindingCount, 0);
  }));

test('after a restart the deletion that was answered holds, and what was declared behind it has its own bindings', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'many-bindings-'));
  try {
    let broker = await Broker.start({ dataDir });
    bound(broker.core, 'e', 'q', manyIn);
    let client = await connected(broker);
    await client.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
    bound(broker.core, 'e', 'q', 3);
    await broker.core.committed();
    client.destroy();
    await broker.stop();
    broker = await Broker.start({ dataDir });
    client = await connected(broker);
    const vhost = vhostOf(broker.core);
    assert.deepEqual([vhost.queues.get('q')?.incoming?.size, vhost.bindingCount], [3, 3]);
    client.destroy();
    await broker.stop();
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
