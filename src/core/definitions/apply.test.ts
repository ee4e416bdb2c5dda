import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerCore } from '../broker.ts';
import { consistentHash } from '../exchanges/consistent-hash.ts';
import { direct } from '../exchanges/direct.ts';
import { fanout } from '../exchanges/fanout.ts';
import { headers } from '../exchanges/headers.ts';
import { recentHistory } from '../exchanges/recent-history.ts';
import { topic } from '../exchanges/topic.ts';
import { silentLogger } from '../ports/logger.ts';
import { classicQueueType } from '../queues/classic-queue-type.ts';
import type { BrokerSettings } from '../settings.ts';
import { applyDefinitions } from './apply.ts';
import { definitionsSource } from './core-source.ts';
import { exportDefinitions } from './export-definitions.ts';
import { parseDefinitions } from './parse-definitions.ts';
import { DefinitionsError } from './problems.ts';

function brokerCore(settings: Partial<BrokerSettings> = {}): BrokerCore {
  return new BrokerCore({
    clock: { nowMillis: 0, wallMillis: 0, refresh() {}, readMillis: () => 0 },
    scheduler: { armTurn() {}, armTimer() {} },
    logger: silentLogger,
    settings,
    exchangeTypes: [direct, fanout, topic, headers, consistentHash, recentHistory],
    queueTypes: [classicQueueType],
    formats: [],
  });
}

function parse(json: unknown) {
  return parseDefinitions(json, { hash: password => Buffer.alloc(36, password).toString('base64') });
}

function problemsOf(core: BrokerCore, json: unknown): readonly string[] {
  try {
    applyDefinitions(core, parse(json));
  } catch (error) {
    if (error instanceof DefinitionsError) return error.problems;
    throw error;
  }
  return [];
}

/** What a team keeps in its repository. */
const shop = {
  rabbit_version: '3.13.7',
  users: [{ name: 'shop', password: 'secret', tags: 'administrator' }],
  vhosts: [{ name: '/' }, { name: 'shop', metadata: { description: 'Orders', tags: ['a'], protected_from_deletion: true } }],
  permissions: [{ user: 'shop', vhost: 'shop', configure: '.*', write: '.*', read: '.*' }],
  topic_permissions: [{ user: 'shop', vhost: 'shop', exchange: 'amq.topic', write: '^a', read: '.*' }],
  global_parameters: [{ name: 'cluster_tags', value: { region: 'eu' } }],
  parameters: [
    { vhost: 'shop', component: 'vhost-limits', name: 'limits', value: { 'max-queues': 2 } },
    { vhost: 'shop', component: 'federation-upstream', name: 's', value: { uri: 'amqp://' } },
    {
      vhost: 'shop',
      component: 'operator_policy',
      name: 'o',
      value: { pattern: '.*', 'apply-to': 'queues', definition: { 'max-length': 9 } },
    },
  ],
  policies: [{ vhost: 'shop', name: 'ttl', pattern: '^orders', 'apply-to': 'queues', definition: { 'message-ttl': 1000 }, priority: 1 }],
  exchanges: [{ vhost: 'shop', name: 'orders', type: 'direct', durable: true, auto_delete: false, internal: false, arguments: {} }],
  queues: [
    { vhost: 'shop', name: 'orders.new', durable: true, auto_delete: false, arguments: { 'x-max-priority': 5 } },
    { vhost: 'shop', name: 'orders.old', durable: true, auto_delete: false, arguments: {} },
  ],
  bindings: [
    { vhost: 'shop', source: 'orders', destination: 'orders.new', destination_type: 'queue', routing_key: 'new', arguments: {} },
    {
      vhost: 'shop',
      source: 'amq.headers',
      destination: 'orders.old',
      destination_type: 'queue',
      routing_key: '',
      arguments: { 'x-match': 'any', a: 1 },
    },
    { vhost: 'shop', source: 'amq.topic', destination: 'orders', destination_type: 'exchange', routing_key: 'a.#', arguments: {} },
  ],
};

test('everything that definitions say is there afterwards', () => {
  const core = brokerCore();
  assert.deepEqual(applyDefinitions(core, parse(shop)), []);
  const vhost = core.vhosts.get('shop');
  assert.ok(vhost !== undefined);
  assert.deepEqual([vhost.description, vhost.tags, vhost.isProtectedFromDeletion], ['Orders', ['a'], true]);
  assert.deepEqual(core.access.user('shop')?.tags, ['administrator']);
  assert.ok(core.access.authorize('shop', 'shop', 'write', 'orders'));
  assert.ok(!core.access.authorizeTopic('shop', 'shop', 'amq.topic', 'write', 'b'));
  assert.deepEqual(vhost.limits, { connectionsMax: -1, queuesMax: 2 });
  const queue = vhost.queues.get('orders.new');
  assert.deepEqual([queue?.settings.messageTtlMillis, queue?.settings.lengthMax], [1000, 9]);
  assert.equal(queue?.arguments.get('x-max-priority')?.value, 5);
  assert.equal(vhost.bindingCount, 3);
  assert.deepEqual(core.parameters.get('shop', 'federation-upstream', 's')?.value, { uri: 'amqp://' });
  assert.deepEqual(core.parameters.global('cluster_tags'), { region: 'eu' });
});

test('applying definitions again changes nothing', () => {
  const core = brokerCore();
  applyDefinitions(core, parse(shop));
  const before = JSON.stringify(exportDefinitions(definitionsSource(core)));
  const [queue, { generation }] = [core.vhosts.get('shop')?.queues.get('orders.new'), core.vhosts.get('shop') as { generation: number }];
  applyDefinitions(core, parse(shop));
  assert.equal(JSON.stringify(exportDefinitions(definitionsSource(core))), before);
  assert.equal(core.vhosts.get('shop')?.queues.get('orders.new'), queue);
  assert.equal(core.vhosts.get('shop')?.generation, generation);
});

test('an export can be imported by another broker, which then exports the same', () => {
  const core = brokerCore();
  applyDefinitions(core, parse(shop));
  const exported = exportDefinitions(definitionsSource(core));
  const other = brokerCore();
  assert.deepEqual(applyDefinitions(other, parse(JSON.stringify(exported))), []);
  assert.deepEqual(exportDefinitions(definitionsSource(other)), exported);
  assert.deepEqual(
    (exported['queues'] as { name: string }[]).map(queue => queue.name),
    ['orders.new', 'orders.old'],
  );
  assert.equal((exported['exchanges'] as unknown[]).length, 1);
});

test('queues and exchanges that exist stay as they are, the rest is changed', () => {
  const core = brokerCore();
  applyDefinitions(core, parse(shop));
  const changed = {
    vhosts: [{ name: 'shop', metadata: { description: 'Changed' } }],
    users: [{ name: 'shop', password: 'other', tags: [] }],
    exchanges: [{ vhost: 'shop', name: 'orders', type: 'fanout', durable: false, auto_delete: true, arguments: {} }],
    queues: [{ vhost: 'shop', name: 'orders.new', durable: false, auto_delete: true, arguments: { 'x-max-priority': 'nonsense' } }],
  };
  assert.deepEqual(problemsOf(core, changed), []);
  const vhost = core.vhosts.get('shop');
  assert.equal(vhost?.exchanges.get('orders')?.type.name, 'direct');
  assert.equal(vhost?.queues.get('orders.new')?.isDurable, true);
  assert.equal(vhost?.description, 'Changed');
  assert.deepEqual(core.access.user('shop')?.tags, []);
});

const inShop = { vhost: 'shop', durable: true, auto_delete: false, arguments: {} };

for (const [name, section, problem] of [
  [
    'a queue argument that makes no sense',
    { queues: [{ ...inShop, name: 'q', arguments: { 'x-max-length': -1 } }] },
    /invalid arg 'x-max-length' for queue 'q'/,
  ],
  ['a queue type that there is not', { queues: [{ ...inShop, name: 'q', type: 'nonsense' }] }, /unsupported queue type 'nonsense'/],
  [
    'an exchange type that there is not',
    { exchanges: [{ ...inShop, name: 'e', type: 'x-nonsense' }] },
    /unknown exchange type 'x-nonsense'/,
  ],
  [
    'an alternate exchange that is no name',
    { exchanges: [{ ...inShop, name: 'e', type: 'direct', arguments: { 'alternate-exchange': 5 } }] },
    /alternate-exchange/,
  ],
  [
    'a binding argument that makes no sense',
    {
      bindings: [
        {
          vhost: 'shop',
          source: 'amq.match',
          destination: 'orders',
          destination_type: 'exchange',
          routing_key: '',
          arguments: { 'x-match': 'some' },
        },
      ],
    },
    /^binding of exchange 'orders' to exchange 'amq.match' in vhost 'shop': Invalid x-match field value/,
  ],
  [
    'a binding key that an exchange does not take',
    {
      exchanges: [{ ...inShop, name: 'hash', type: 'x-consistent-hash' }],
      bindings: [{ vhost: 'shop', source: 'hash', destination: 'orders.new', destination_type: 'queue', routing_key: 'x', arguments: {} }],
    },
    /must be an integer/,
  ],
  [
    'a parameter of an unknown component',
    { parameters: [{ vhost: 'shop', component: 'nonsense', name: 'n', value: {} }] },
    /component nonsense not found/,
  ],
  ['a vhost that there is not', { queues: [{ ...inShop, vhost: 'nowhere', name: 'q' }] }, /Please create virtual host "nowhere"/],
] as const) {
  test(`${name} refuses all of the definitions`, () => {
    for (const core of [brokerCore(), brokerCore()]) {
      const full: Record<string, unknown> = { ...shop };
      for (const [key, entries] of Object.entries(section)) full[key] = [...(full[key] as unknown[]), ...entries];
      const problems = problemsOf(core, full);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(String(problems[0]), problem);
      assert.equal(core.vhosts.size, 0);
      assert.deepEqual(core.access.users(), []);
    }
  });
}

test('queues and bindings beyond the limits of the node are refused, those at the limits are not', () => {
  assert.deepEqual(problemsOf(brokerCore({ queuesMax: 2, bindingsMax: 3 }), shop), []);
  assert.deepEqual(problemsOf(brokerCore({ queuesMax: 1, bindingsMax: 2 }), shop), [
    'Adding 2 queue(s) would exceed the limit of the node of 1 queue(s); it has 0.',
    'Adding 3 binding(s) would exceed the limit of the node of 2 binding(s); it has 0.',
  ]);
  const full = brokerCore({ queuesMax: 2, bindingsMax: 3 });
  assert.deepEqual(problemsOf(full, shop), []);
  assert.deepEqual(problemsOf(full, shop), []);
});

test('checking leaves no trace', () => {
  const core = brokerCore();
  const timers = core.timers.size;
  const holders = [...core.refHolders()].length;
  const withHistory = {
    ...shop,
    exchanges: [{ ...inShop, name: 'history', type: 'x-recent-history' }],
    queues: [{ ...inShop, name: 'q', arguments: { 'x-expires': 1000 } }],
    bindings: [{ vhost: 'nowhere', source: 'history', destination: 'q', destination_type: 'queue', routing_key: '', arguments: {} }],
  };
  assert.equal(problemsOf(core, withHistory).length, 1);
  assert.equal(core.timers.size, timers);
  assert.equal([...core.refHolders()].length, holders);
  assert.equal(core.lastQueueId, 0);
});

test('hostile names are names', () => {
  const core = brokerCore();
  const name = '__proto__';
  const hostile = {
    users: [{ name, password: 'x', tags: [name] }],
    vhosts: [{ name }],
    permissions: [{ user: name, vhost: name, configure: '', write: '', read: '' }],
    exchanges: [{ ...inShop, vhost: name, name: 'constructor', type: 'topic' }],
    queues: [{ ...inShop, vhost: name, name: '../../etc\u0000\n' }],
    bindings: [
      { vhost: name, source: 'constructor', destination: '../../etc\u0000\n', destination_type: 'queue', routing_key: name, arguments: {} },
    ],
  };
  assert.deepEqual(problemsOf(core, hostile), []);
  assert.ok(core.vhosts.get(name)?.queues.has('../../etc\u0000\n'));
  assert.equal(({} as Record<string, unknown>)['name'], undefined);
});
