// Every key that a policy may have, on queues of every type that are there already and hold messages: what it changes, and that it is over with
// the policy; or that a policy with it does not apply to queues of the type at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Json, longstr } from '../../../src/base/field-table.ts';
import { brokerActor } from '../../../src/core/actor.ts';
import { policyKeys } from '../../../src/core/policies/policy-keys.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import type { Broker } from '../../../src/index.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicGet, basicNack } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withBroker } from '../../support/with-broker.ts';

const types = ['classic', 'quorum', 'stream'] as const;
type Type = (typeof types)[number];

/** What a policy finds. */
interface Found {
  readonly broker: Broker;
  readonly queue: Queue;
  readonly client: AmqpDriver;
}

interface Key {
  readonly value: Json;
  /** Types whose queues get the policy. */
  readonly types: readonly Type[];
  /** Besides the key: what makes it mean something. */
  readonly with?: Readonly<Record<string, Json>>;
  /** Looks at a queue with the messages 1, 2 and 3 that has just got the policy. Null: it is accepted and changes nothing here. */
  readonly shows: ((found: Found) => Promise<void> | void) | null;
}

const destructive = ['classic', 'quorum'] as const;
const dlx = { 'dead-letter-exchange': '', 'dead-letter-routing-key': 'dead' };

function setting(name: keyof Queue['settings'], expected: unknown): Key['shows'] {
  return ({ queue }) => assert.equal(queue.settings[name], expected);
}

function dead({ core }: Broker): Queue {
  return core.vhosts.get('/')?.queues.get('dead') ?? assert.fail();
}

async function take({ client, queue }: Found): Promise<{ readonly tag: number; readonly retryCount: unknown }> {
  client.send(basicGet(1, queue.name));
  const { args, properties } = await client.nextDelivery();
  return { tag: (args as { deliveryTag: number }).deliveryTag, retryCount: properties.headers?.get('x-retry-count')?.value };
}

/** Rejects the first message for good. */
async function reject(found: Found): Promise<void> {
  found.client.send(basicNack(1, (await take(found)).tag, { requeue: false }));
}

async function publish({ client, queue }: Found): Promise<void> {
  const before = queue.counters.published + queue.counters.dropped;
  client.publish(1, { routingKey: queue.name, body: 'more' });
  await waitUntil(() => queue.counters.published + queue.counters.dropped > before);
}

const keys: Readonly<Record<string, Key>> = {
  'message-ttl': { value: 30, types: destructive, shows: ({ queue }) => waitUntil(() => queue.readyCount === 0).then(() => {}) },
  expires: { value: 30, types: destructive, shows: ({ queue }) => waitUntil(() => queue.isDeleted).then(() => {}) },
  'max-length': { value: 2, types: destructive, shows: ({ queue }) => assert.equal(queue.readyCount, 2) },
  'max-length-bytes': {
    value: 2,
    types,
    shows: ({ queue }) => {
      assert.equal(queue.settings.lengthBytesMax, 2);
      // A stream lets go of whole segments.
      assert.equal(queue.readyCount, queue.hasOwnLog ? 3 : 2);
    },
  },
  overflow: {
    value: 'reject-publish',
    types: destructive,
    with: { 'max-length': 3 },
    shows: async found => {
      await publish(found);
      assert.deepEqual([found.queue.readyCount, found.queue.counters.dropped], [3, 1]);
    },
  },
  'dead-letter-exchange': {
    value: '',
    types: destructive,
    with: { 'dead-letter-routing-key': 'dead' },
    shows: async found => {
      await reject(found);
      await waitUntil(() => dead(found.broker).readyCount === 1);
    },
  },
  'dead-letter-routing-key': {
    value: 'dead',
    types: destructive,
    with: { 'dead-letter-exchange': '' },
    shows: async found => {
      await reject(found);
      await waitUntil(() => dead(found.broker).readyCount === 1);
    },
  },
  'dead-letter-strategy': {
    value: 'at-least-once',
    types: ['quorum'],
    with: { overflow: 'reject-publish', ...dlx, 'dead-letter-routing-key': 'nowhere' },
    shows: async found => {
      await reject(found);
      await waitUntil(() => found.queue.dyingCount === 1);
    },
  },
  'delivery-limit': {
    value: 0,
    types: destructive,
    with: dlx,
    shows: async found => {
      found.client.send(basicNack(1, (await take(found)).tag));
      await waitUntil(() => dead(found.broker).readyCount === 1);
    },
  },
  'retry-delays': {
    value: '1',
    types: destructive,
    shows: async found => {
      await reject(found);
      await waitUntil(() => found.queue.readyCount === 3);
      assert.equal((await take(found)).retryCount, 1);
    },
  },
  'consumer-timeout': { value: 60_000, types, shows: setting('consumerTimeoutMillis', 60_000) },
  'max-age': { value: '1h', types: ['stream'], shows: setting('ageMillisMax', 3_600_000) },
  'stream-max-segment-size-bytes': { value: 1_000_000, types: ['stream'], shows: setting('segmentBytesMax', 1_000_000) },
  'stream-filter-size-bytes': { value: 32, types, shows: setting('filterBytes', 32) },
  'queue-mode': { value: 'lazy', types: ['classic'], shows: null },
  'queue-version': { value: 2, types, shows: null },
  'queue-master-locator': { value: 'random', types: ['classic'], shows: null },
  'queue-leader-locator': { value: 'balanced', types, shows: null },
  'initial-cluster-size': { value: 1, types: ['stream'], shows: null },
  'target-group-size': { value: 1, types: ['quorum'], shows: null },
  'max-in-memory-length': { value: 1, types: destructive, shows: null },
  'max-in-memory-bytes': { value: 1, types: destructive, shows: null },
  'max-segment-size': { value: 1_000_000, types, shows: null },
  'consumer-disconnected-timeout': { value: 1000, types, shows: null },
  'delayed-retry-type': { value: 'all', types, shows: null },
  'delayed-retry-min': { value: 1, types, shows: null },
  'delayed-retry-max': { value: 1, types, shows: null },
  'alternate-exchange': { value: 'amq.fanout', types, shows: null },
  'federation-upstream': { value: 'u', types, shows: null },
  'federation-upstream-set': { value: 'all', types, shows: null },
  'federation-upstream-pattern': { value: '.*', types, shows: null },
  'shards-per-node': { value: 1, types, shows: null },
  'routing-key': { value: 'k', types, shows: null },
  'ha-mode': { value: 'all', types: ['classic'], shows: null },
  'ha-params': { value: 2, types: ['classic'], shows: null },
  'ha-sync-mode': { value: 'automatic', types: ['classic'], shows: null },
  'ha-sync-batch-size': { value: 1, types: ['classic'], shows: null },
  'ha-promote-on-shutdown': { value: 'always', types: ['classic'], shows: null },
  'ha-promote-on-failure': { value: 'always', types: ['classic'], shows: null },
};

test('every key that there is, is tried', () => {
  assert.deepEqual(Object.keys(keys).sort(), [...policyKeys.keys()].sort());
});

test('a policy changes queues that are there, of every type that knows its keys, until it goes', async t => {
  await withBroker(async broker => {
    const { core } = broker;
    const vhost = core.vhosts.get('/') ?? assert.fail();
    const made = { isDurable: true, owner: null, isAutoDelete: false };
    core.topology.declareQueue(vhost, { ...made, name: 'dead', arguments: new Map() }, brokerActor);
    for (const [key, { value, types: knowing, with: others, shows }] of Object.entries(keys)) {
      for (const type of types) {
        const isKnown = knowing.includes(type);
        await t.test(`${key}: ${type}${isKnown ? (shows === null ? ', of no effect' : '') : ', does not apply'}`, async () => {
          const name = `${key}.${type}`;
          const queue = core.topology.declareQueue(
            vhost,
            { ...made, name, arguments: new Map([['x-queue-type', longstr(type)]]) },
            brokerActor,
          );
          const client = await AmqpDriver.connect({ port: broker.port });
          await client.openChannel(1);
          for (const body of ['1', '2', '3']) client.publish(1, { routingKey: name, body });
          await waitUntil(() => queue.readyCount === 3);
          const before = queue.settings;
          core.turn.begin();
          const definition = { ...others, [key]: value };
          core.policies.put('policy', '/', 'p', { pattern: `^${name.replace('.', '\\.')}$`, definition });
          assert.deepEqual(
            queue.policy,
            isKnown ? { policy: 'p', operatorPolicy: null, definition } : { policy: null, operatorPolicy: null, definition: {} },
          );
          if (isKnown && shows !== null) await shows({ broker, queue, client });
          else assert.deepEqual([queue.settings, queue.readyCount], [before, 3]);
          core.turn.begin();
          core.policies.delete('policy', '/', 'p');
          if (!queue.isDeleted) assert.deepEqual([queue.settings, queue.policy.policy], [before, null]);
          client.destroy();
          vhost.removeQueue(queue);
          dead(broker).purge();
        });
      }
    }
  });
});
