import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import { brokerActor } from '../../../src/core/actor.ts';
import { withBroker } from '../../support/with-broker.ts';

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
