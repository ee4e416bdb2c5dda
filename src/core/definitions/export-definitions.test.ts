import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tableFromJson } from '../../base/field-table.ts';
import { allAtOnce } from '../stepped-work.ts';
import type { Definitions } from './definitions.ts';
import type { DefinitionsSource } from './export-definitions.ts';
import { exportDefinitions, exportVhostDefinitions } from './export-definitions.ts';
import { parseDefinitions } from './parse-definitions.ts';
import { DefinitionsError } from './problems.ts';
import type { ExistingObjects } from './references.ts';
import { resolveReferences } from './references.ts';

const none = tableFromJson({});

/** A class, so that nothing relies on the source being a plain object. */
class Source implements DefinitionsSource {
  readonly version = '3.13.7';
  readonly productName = 'RabbitMQ';
  readonly productVersion = '3.13.7';
  readonly clusterName = 'warren@host';
  users() {
    return [
      {
        name: 'guest',
        passwordHash: 'AAAA',
        hashingAlgorithm: 'rabbit_password_hashing_sha256',
        tags: ['administrator'],
        limits: { maxConnections: null, maxChannels: null },
      },
      {
        name: 'u',
        passwordHash: '',
        hashingAlgorithm: 'rabbit_password_hashing_sha512',
        tags: [],
        limits: { maxConnections: 0, maxChannels: 7 },
      },
    ] as const;
  }
  vhosts() {
    return [
      {
        name: '/',
        description: 'Default virtual host',
        tags: ['t'],
        defaultQueueType: 'classic',
        isTracing: false,
        isProtectedFromDeletion: true,
      },
      { name: 'x', description: '', tags: [], defaultQueueType: null, isTracing: true, isProtectedFromDeletion: false },
    ];
  }
  vhostLimits() {
    return [{ vhost: 'x', connectionsMax: -1, queuesMax: 0 }];
  }
  permissions() {
    return [{ user: 'guest', vhost: '/', configure: '.*', write: '.*', read: '.*' }];
  }
  topicPermissions() {
    return [{ user: 'guest', vhost: 'x', exchange: 'amq.topic', write: '', read: '.*' }];
  }
  parameters() {
    return [{ vhost: 'x', component: 'shovel', name: 's', value: { a: [1] } }];
  }
  globalParameters() {
    return [
      { name: 'internal_cluster_id', value: 'secret' },
      { name: 'cluster_name', value: 'warren@host' },
    ];
  }
  policies() {
    return [{ vhost: 'x', name: 'p', pattern: '.*', applyTo: 'queues', definition: { 'max-length': 5 }, priority: 2 } as const];
  }
  operatorPolicies() {
    return [{ vhost: '/', name: 'op', pattern: '^a', applyTo: 'all', definition: { expires: 5 }, priority: 0 } as const];
  }
  *queues() {
    yield {
      vhost: 'x',
      name: 'q',
      type: 'quorum',
      isDurable: true,
      isAutoDelete: false,
      isExclusive: false,
      arguments: tableFromJson({ 'x-queue-type': 'quorum' }),
    };
    yield { vhost: '/', name: 'mine', type: 'classic', isDurable: false, isAutoDelete: true, isExclusive: true, arguments: none };
    yield { vhost: '/', name: 'c', type: null, isDurable: true, isAutoDelete: false, isExclusive: false, arguments: none };
  }
  exchanges() {
    const exchange = { isDurable: true, isAutoDelete: false, isInternal: false, arguments: none };
    return [
      { vhost: '/', name: '', type: 'direct', ...exchange },
      { vhost: '/', name: 'amq.topic', type: 'topic', ...exchange },
      { vhost: 'x', name: 'e', type: 'topic', ...exchange, arguments: tableFromJson({ 'alternate-exchange': 'ae' }) },
    ];
  }
  bindings() {
    const binding = { destinationKind: 'queue', arguments: none } as const;
    return [
      { vhost: 'x', source: '', destination: 'q', key: 'q', ...binding },
      { vhost: 'x', source: 'e', destination: 'q', key: 'k', ...binding },
      { vhost: '/', source: 'amq.topic', destination: 'mine', key: 'k', ...binding },
      {
        vhost: 'x',
        source: 'amq.topic',
        destination: 'e',
        destinationKind: 'exchange',
        key: '#',
        arguments: tableFromJson({ a: 1 }),
      } as const,
    ];
  }
}

describe('exportDefinitions', () => {
  test("the whole has RabbitMQ's shape and order of keys", () => {
    assert.equal(
      JSON.stringify(exportDefinitions(new Source())),
      JSON.stringify({
        rabbit_version: '3.13.7',
        rabbitmq_version: '3.13.7',
        product_name: 'RabbitMQ',
        product_version: '3.13.7',
        rabbitmq_definition_format: 'cluster',
        original_cluster_name: 'warren@host',
        explanation: "Definitions of cluster 'warren@host'",
        users: [
          {
            name: 'guest',
            password_hash: 'AAAA',
            hashing_algorithm: 'rabbit_password_hashing_sha256',
            tags: ['administrator'],
            limits: {},
          },
          {
            name: 'u',
            password_hash: '',
            hashing_algorithm: 'rabbit_password_hashing_sha512',
            tags: [],
            limits: { 'max-connections': 0, 'max-channels': 7 },
          },
        ],
        vhosts: [
          {
            name: '/',
            description: 'Default virtual host',
            metadata: { description: 'Default virtual host', tags: ['t'], default_queue_type: 'classic', protected_from_deletion: true },
            tags: ['t'],
            default_queue_type: 'classic',
          },
          { name: 'x', description: '', metadata: { description: '', tags: [] }, tags: [], tracing: true },
        ],
        permissions: [{ user: 'guest', vhost: '/', configure: '.*', write: '.*', read: '.*' }],
        topic_permissions: [{ user: 'guest', vhost: 'x', exchange: 'amq.topic', write: '', read: '.*' }],
        parameters: [
          { vhost: 'x', component: 'shovel', name: 's', value: { a: [1] } },
          {
            vhost: '/',
            component: 'operator_policy',
            name: 'op',
            value: { pattern: '^a', 'apply-to': 'all', definition: { expires: 5 }, priority: 0 },
          },
          { vhost: 'x', component: 'vhost-limits', name: 'limits', value: { 'max-queues': 0 } },
        ],
        global_parameters: [{ name: 'cluster_name', value: 'warren@host' }],
        policies: [{ vhost: 'x', name: 'p', pattern: '.*', 'apply-to': 'queues', definition: { 'max-length': 5 }, priority: 2 }],
        queues: [
          { name: 'q', vhost: 'x', type: 'quorum', durable: true, auto_delete: false, arguments: { 'x-queue-type': 'quorum' } },
          { name: 'c', vhost: '/', type: 'classic', durable: true, auto_delete: false, arguments: {} },
        ],
        exchanges: [
          {
            name: 'e',
            vhost: 'x',
            type: 'topic',
            durable: true,
            auto_delete: false,
            internal: false,
            arguments: { 'alternate-exchange': 'ae' },
          },
        ],
        bindings: [
          { source: 'e', vhost: 'x', destination: 'q', destination_type: 'queue', routing_key: 'k', arguments: {} },
          { source: 'amq.topic', vhost: 'x', destination: 'e', destination_type: 'exchange', routing_key: '#', arguments: { a: 1 } },
        ],
      }),
    );
  });

  test('one vhost is told without its name and without users', () => {
    const json = exportVhostDefinitions(new Source(), 'x');
    assert.equal(json['rabbitmq_definition_format'], 'single_virtual_host');
    assert.equal(json['original_vhost_name'], 'x');
    assert.deepEqual(Object.keys(json).slice(7), [
      'metadata',
      'description',
      'limits',
      'parameters',
      'policies',
      'queues',
      'exchanges',
      'bindings',
    ]);
    assert.deepEqual(json['queues'], [
      { name: 'q', type: 'quorum', durable: true, auto_delete: false, arguments: { 'x-queue-type': 'quorum' } },
    ]);
    assert.deepEqual(json['limits'], { 'max-queues': 0 });
    assert.ok(!JSON.stringify(json).includes('"vhost":'));
    assert.ok(!JSON.stringify(json).includes('guest'));
    const { queues, exchanges, bindings, policies, parameters, vhostLimits, warnings } = parseDefinitions(json, {
      hash: String,
      vhost: 'y',
    });
    for (const list of [queues, exchanges, bindings, policies, parameters, vhostLimits])
      assert.deepEqual(new Set(list.map(each => each.vhost)), new Set(['y']));
    assert.deepEqual(warnings, []);
  });

  test('what is exported is read back as it was', () => {
    const source = new Source();
    const read = parseDefinitions(JSON.stringify(exportDefinitions(source)), { hash: String });
    assert.deepEqual(read.users, source.users());
    assert.deepEqual(read.vhosts, source.vhosts());
    assert.deepEqual(read.vhostLimits, source.vhostLimits());
    assert.deepEqual(read.permissions, source.permissions());
    assert.deepEqual(read.topicPermissions, source.topicPermissions());
    assert.deepEqual(read.parameters, source.parameters());
    assert.deepEqual(read.policies, source.policies());
    assert.deepEqual(read.operatorPolicies, source.operatorPolicies());
    assert.deepEqual(read.exchanges, source.exchanges().slice(2));
    assert.deepEqual(read.bindings, [source.bindings()[1], source.bindings()[3]]);
    assert.deepEqual(
      read.queues.map(({ name, type }) => [name, type]),
      [
        ['q', 'quorum'],
        ['c', 'classic'],
      ],
    );
  });
});

describe('resolveReferences', () => {
  const nothing: ExistingObjects = {
    hasVhost: name => name === '/',
    hasUser: () => false,
    hasExchange: (_vhost, name) => name === 'there',
    hasQueue: (_vhost, name) => name === 'old',
    hasExchangeType: type => type === 'direct',
    queueCounts: vhost => (vhost === '/' ? { count: 3, max: 5 } : null),
  };
  const parse = (input: unknown): Definitions => parseDefinitions(input, { hash: String });
  const resolve = (definitions: Definitions, existing: ExistingObjects): Definitions => allAtOnce(resolveReferences(definitions, existing));
  const refusal = (input: unknown): readonly string[] => {
    try {
      resolve(parse(input), nothing);
    } catch (error) {
      if (error instanceof DefinitionsError) return error.problems;
      throw error;
    }
    return [];
  };

  test('what definitions need exists or is defined with them', () => {
    const all = ['configure', 'write', 'read'].reduce((patterns, kind) => ({ ...patterns, [kind]: '.*' }), {});
    assert.deepEqual(
      refusal({
        users: [{ name: 'u' }],
        vhosts: [{ name: 'v' }],
        permissions: [
          { user: 'u', vhost: 'v', ...all },
          { user: 'u', vhost: '/', ...all },
        ],
      }),
      [],
    );
    assert.deepEqual(
      refusal({
        permissions: [{ user: 'u', vhost: 'v', ...all }],
        queues: [
          { name: 'q', vhost: 'v' },
          { name: 'q', vhost: 'w' },
        ],
        exchanges: [{ name: 'e', vhost: '/', type: 'x-other' }],
      }),
      [
        'Please create virtual host "v" prior to importing definitions.',
        'User "u" does not exist',
        'Please create virtual host "w" prior to importing definitions.',
        "unknown exchange type 'x-other' (of exchange 'e' in vhost '/')",
      ],
    );
  });

  test('bindings without an end are passed over with a remark', () => {
    const binding = (source: string, destination: string, destination_type = 'queue') => ({
      vhost: '/',
      source,
      destination,
      destination_type,
      routing_key: '',
    });
    const { bindings, warnings } = resolve(
      parse({
        queues: [{ name: 'q', vhost: '/' }],
        exchanges: [{ name: 'e', vhost: '/', type: 'direct' }],
        bindings: [
          binding('e', 'q'),
          binding('amq.topic', 'old'),
          binding('there', 'e', 'exchange'),
          binding('e', 'gone'),
          binding('gone', 'q'),
          binding('e', 'q', 'exchange'),
        ],
      }),
      nothing,
    );
    assert.deepEqual(
      bindings.map(({ source, destination }) => [source, destination]),
      [
        ['e', 'q'],
        ['amq.topic', 'old'],
        ['there', 'e'],
      ],
    );
    assert.deepEqual(warnings, [
      "skipping a binding: no queue 'gone' in vhost '/'",
      "skipping a binding: no exchange 'gone' in vhost '/'",
      "skipping a binding: no exchange 'q' in vhost '/'",
    ]);
  });

  test('more queues than a vhost may have are refused before any is made', () => {
    const queues = (count: number) => ({
      queues: [{ name: 'old', vhost: '/' }, ...Array.from({ length: count }, (_, index) => ({ name: `q${index}`, vhost: '/' }))],
    });
    assert.deepEqual(refusal(queues(2)), []);
    assert.deepEqual(refusal(queues(3)), [
      'Adding 3 queue(s) to virtual host "/" would exceed the limit of 5 queue(s).\n\nThis virtual host currently has 3 queue(s) defined.\n\nImport aborted!',
    ]);
  });
});
