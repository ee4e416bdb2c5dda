import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import { brokerActor } from '../../../src/core/actor.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { basicGet, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withBroker, withClient } from '../../support/with-broker.ts';

test('policies, parameters, limits and bindings to the event exchange outlive a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-policies-'));
  try {
    await withBroker(
      async ({ core }) => {
        const vhost = core.vhosts.get('/') ?? assert.fail();
        core.policies.put('policy', '/', 'p', { pattern: '^q', definition: { 'max-length': 3 } });
        core.policies.put('operator_policy', '/', 'o', { pattern: '^q', definition: { 'max-length': 2 } });
        core.policies.put('policy', '/', 'gone', { pattern: '^q', definition: { 'max-length': 1 }, priority: 9 });
        core.parameters.putVhostLimit('/', 'max-queues', 10);
        core.parameters.putGlobal('cluster_name', 'warren@home');
        const durable = { isDurable: true, isAutoDelete: false, arguments: new Map() };
        core.topology.declareQueue(vhost, { name: 'q', owner: null, ...durable }, brokerActor);
        core.topology.bind(vhost, 'amq.rabbitmq.event', 'queue', 'q', 'queue.#', new Map(), brokerActor);
        const args = new Map([['x-delayed-type', longstr('topic')]]);
        core.topology.declareExchange(
          vhost,
          'x-delayed-message',
          { name: 'x', isInternal: false, ...durable, arguments: args },
          brokerActor,
        );
        core.policies.delete('policy', '/', 'gone');
        await core.committed();
      },
      { dataDir },
    );
    await withBroker(
      async ({ core }) => {
        const vhost = core.vhosts.get('/') ?? assert.fail();
        const queue = vhost.queues.get('q') ?? assert.fail();
        assert.deepEqual(queue.policy, { policy: 'p', operatorPolicy: 'o', definition: { 'max-length': 2 } });
        assert.equal(queue.settings.lengthMax, 2);
        assert.equal(vhost.limits.queuesMax, 10);
        assert.equal(core.clusterName, 'warren@home');
        assert.equal(core.events.isObserved, true);
        assert.equal(vhost.exchanges.get('x')?.delay?.held.count, 0);
      },
      { dataDir },
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a limit that very many messages are above is enforced to the end, over a restart too', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'warren-limit-'));
  const many = 50_000;
  try {
    await withClient(
      async (client, { core }) => {
        await client.call(queueDeclare(1, { queue: 'q', durable: true }), methods.QueueDeclareOk);
        for (let i = 0; i < many; i++) client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2 }, body: `${i}` });
        const queue = core.vhosts.get('/')?.queues.get('q') ?? assert.fail();
        await waitUntil(() => queue.readyCount === many);
        core.policies.put('policy', '/', 'p', { pattern: '^q', definition: { 'max-length': 3 } });
        assert.ok(queue.readyCount > many / 2);
      },
      { dataDir },
    );
    await withClient(
      async (client, { core }) => {
        const queue = core.vhosts.get('/')?.queues.get('q') ?? assert.fail();
        await waitUntil(() => queue.readyCount === 3);
        client.send(basicGet(1, 'q'));
        assert.equal((await client.nextDelivery(1)).body.toString(), `${many - 3}`);
      },
      { dataDir },
    );
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
