import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertLinear } from '../../../test/support/growth.ts';
import { tableToJson } from '../../base/field-table.ts';
import type { Definitions } from './definitions.ts';
import { definitionsInOrder } from './definitions.ts';
import { parseDefinitions } from './parse-definitions.ts';
import { DefinitionsError } from './problems.ts';

const hash = (password: string): string => `hash of ${password}`;
const parse = (input: unknown, vhost?: string): Definitions => parseDefinitions(input, vhost === undefined ? { hash } : { hash, vhost });

function problems(input: unknown, vhost?: string): readonly string[] {
  try {
    parse(input, vhost);
  } catch (error) {
    if (error instanceof DefinitionsError) return error.problems;
    throw error;
  }
  return [];
}

/** As a RabbitMQ 4.1 writes it. */
const exported = {
  rabbit_version: '4.1.0',
  rabbitmq_version: '4.1.0',
  product_name: 'RabbitMQ',
  product_version: '4.1.0',
  rabbitmq_definition_format: 'cluster',
  original_cluster_name: 'rabbit@host',
  explanation: "Definitions of cluster 'rabbit@host'",
  users: [
    {
      name: 'admin',
      password_hash: 'N+gHOgdNu0ivkvx5yJJUbh6rpWI49KhIpb6OPKmGTbLBmUDY',
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: ['administrator'],
      limits: { 'max-connections': 10 },
    },
  ],
  vhosts: [
    {
      name: '/',
      description: 'Default virtual host',
      metadata: { description: 'Default virtual host', tags: [], default_queue_type: 'classic' },
      tags: [],
      default_queue_type: 'classic',
    },
    {
      name: 'app',
      description: '',
      metadata: { description: '', tags: ['a', 'b'], default_queue_type: 'rabbit_quorum_queue', protected_from_deletion: true },
      limits: [],
      tracing: true,
    },
    { name: 'old', limits: { 'max-queues': 5 }, default_queue_type: 'undefined' },
  ],
  permissions: [{ user: 'admin', vhost: '/', configure: '.*', write: '.*', read: '.*' }],
  topic_permissions: [{ user: 'admin', vhost: '/', exchange: 'amq.topic', write: '^{username}', read: '.*' }],
  parameters: [
    { value: { 'max-connections': 100, 'max-queues': -1 }, vhost: 'app', component: 'vhost-limits', name: 'limits' },
    {
      value: { definition: { expires: 1000 }, pattern: '^tmp', priority: 1, 'apply-to': 'queues' },
      vhost: '/',
      component: 'operator_policy',
      name: 'op',
    },
    { value: { 'src-uri': 'amqp://' }, vhost: '/', component: 'shovel', name: 's' },
  ],
  global_parameters: [{ name: 'cluster_tags', value: [] }],
  policies: [{ vhost: '/', name: 'p', pattern: '^(?!amq\\.).*', 'apply-to': 'all', definition: { 'max-length': 10 }, priority: 0 }],
  queues: [
    {
      name: 'q',
      vhost: '/',
      type: 'classic',
      durable: true,
      auto_delete: false,
      arguments: { 'x-max-length': 10, 'x-dead-letter-exchange': '' },
    },
    { name: 'qq', vhost: '/', type: 'quorum', durable: true, auto_delete: false, arguments: { 'x-queue-type': 'quorum' } },
  ],
  exchanges: [{ name: 'e', vhost: '/', type: 'direct', durable: true, auto_delete: false, internal: false, arguments: {} }],
  bindings: [
    { source: 'e', vhost: '/', destination: 'q', destination_type: 'queue', routing_key: 'k', arguments: {} },
    { source: 'amq.topic', vhost: '/', destination: 'e', destination_type: 'exchange', routing_key: '#', arguments: { 'x-match': 'any' } },
  ],
};

describe('parseDefinitions', () => {
  test("a file of RabbitMQ's is read with everything in it and nothing to remark", () => {
    const definitions = parse(JSON.stringify(exported));
    assert.deepEqual(definitions.warnings, []);
    assert.equal(definitions.version, '4.1.0');
    assert.deepEqual(definitions.users, [
      {
        name: 'admin',
        passwordHash: exported.users[0]?.password_hash,
        hashingAlgorithm: 'rabbit_password_hashing_sha256',
        tags: ['administrator'],
        limits: { maxConnections: 10, maxChannels: null },
      },
    ]);
    assert.deepEqual(definitions.vhosts, [
      {
        name: '/',
        description: 'Default virtual host',
        tags: [],
        defaultQueueType: 'classic',
        isTracing: false,
        isProtectedFromDeletion: false,
      },
      { name: 'app', description: '', tags: ['a', 'b'], defaultQueueType: 'quorum', isTracing: true, isProtectedFromDeletion: true },
      { name: 'old', description: '', tags: [], defaultQueueType: null, isTracing: false, isProtectedFromDeletion: false },
    ]);
    assert.deepEqual(definitions.vhostLimits, [
      { vhost: 'old', connectionsMax: -1, queuesMax: 5 },
      { vhost: 'app', connectionsMax: 100, queuesMax: -1 },
    ]);
    assert.deepEqual(definitions.permissions, exported.permissions);
    assert.deepEqual(definitions.topicPermissions, exported.topic_permissions);
    assert.deepEqual(definitions.parameters, [{ vhost: '/', component: 'shovel', name: 's', value: { 'src-uri': 'amqp://' } }]);
    assert.deepEqual(definitions.operatorPolicies, [
      { vhost: '/', name: 'op', pattern: '^tmp', applyTo: 'queues', definition: { expires: 1000 }, priority: 1 },
    ]);
    assert.deepEqual(definitions.globalParameters, [{ name: 'cluster_tags', value: [] }]);
    assert.deepEqual(definitions.policies, [
      { vhost: '/', name: 'p', pattern: '^(?!amq\\.).*', applyTo: 'all', definition: { 'max-length': 10 }, priority: 0 },
    ]);
    assert.deepEqual(
      definitions.queues.map(({ arguments: table, ...queue }) => ({ ...queue, arguments: tableToJson(table) })),
      [
        {
          vhost: '/',
          name: 'q',
          type: 'classic',
          isDurable: true,
          isAutoDelete: false,
          arguments: { 'x-max-length': 10, 'x-dead-letter-exchange': '' },
        },
        { vhost: '/', name: 'qq', type: 'quorum', isDurable: true, isAutoDelete: false, arguments: { 'x-queue-type': 'quorum' } },
      ],
    );
    assert.equal(definitions.queues[0]?.arguments.get('x-max-length')?.type, 'l');
    assert.deepEqual(
      definitions.exchanges.map(({ arguments: _table, ...exchange }) => exchange),
      [{ vhost: '/', name: 'e', type: 'direct', isDurable: true, isAutoDelete: false, isInternal: false }],
    );
    assert.deepEqual(
      definitions.bindings.map(({ source, destination, destinationKind, key }) => [source, destination, destinationKind, key]),
      [
        ['e', 'q', 'queue', 'k'],
        ['amq.topic', 'e', 'exchange', '#'],
      ],
    );
  });

  test('a hand-written file with plain passwords, tags as a string and few keys is read', () => {
    const definitions = parse({
      users: [
        { name: 'a', password: 'secret', tags: 'administrator, monitoring' },
        { name: 'b', password_hash: '', tags: '' },
        { name: 'c', administrator: 'true' },
        { name: 'd', tags: null, permissions: { '/': { configure: '', write: '', read: '.*' } } },
        { name: 'e', password: '' },
      ],
      queues: [
        { name: 'q', vhost: '/' },
        { name: 'r', vhost: '/', durable: 'false', auto_delete: 1, arguments: [] },
        { name: 's', vhost: '/', type: 'stream', arguments: null },
      ],
      exchanges: [{ name: 'e', vhost: '/', type: 'topic' }],
      bindings: [{ source: 'e', vhost: '/', destination: 'q' }],
      policies: [{ vhost: '/', name: 'p', pattern: '', definition: { 'message-ttl': 0 }, priority: '7' }],
    });
    assert.deepEqual(
      definitions.users.map(({ name, passwordHash, tags }) => [name, passwordHash, ...tags]),
      [
        ['a', 'hash of secret', 'administrator', 'monitoring'],
        ['b', ''],
        ['c', '', 'administrator'],
        ['d', ''],
        ['e', ''],
      ],
    );
    assert.deepEqual(definitions.permissions, [{ user: 'd', vhost: '/', configure: '', write: '', read: '.*' }]);
    assert.deepEqual(
      definitions.queues.map(({ name, type, isDurable, isAutoDelete, arguments: table }) => [
        name,
        type,
        isDurable,
        isAutoDelete,
        tableToJson(table),
      ]),
      [
        ['q', null, true, false, {}],
        ['r', null, false, true, {}],
        ['s', 'stream', true, false, { 'x-queue-type': 'stream' }],
      ],
    );
    assert.deepEqual(definitions.bindings[0], {
      vhost: '/',
      source: 'e',
      destinationKind: 'queue',
      destination: 'q',
      key: '',
      arguments: new Map(),
    });
    assert.equal(definitions.policies[0]?.priority, 7);
    assert.deepEqual(definitions.vhosts, []);
    assert.deepEqual(definitions.warnings, []);
  });

  test('a plain password stays nowhere in the result', () => {
    const definitions = parseDefinitions({ users: [{ name: 'a', password: 'C4NARY' }] }, { hash: () => 'aGFzaA==' });
    assert.ok(!JSON.stringify(definitions).includes('C4NARY'));
  });

  test('hashes of old files are MD5', () => {
    const algorithm = (version: string): string | undefined =>
      parse({ rabbit_version: version, users: [{ name: 'a', password_hash: 'AAAA' }] }).users[0]?.hashingAlgorithm;
    assert.equal(algorithm('3.5.7'), 'rabbit_password_hashing_md5');
    assert.equal(algorithm('3.6.0'), 'rabbit_password_hashing_sha256');
    assert.equal(algorithm('3.13.0'), 'rabbit_password_hashing_sha256');
  });

  test('unknown keys, names of the broker itself and repeated names are remarked and passed over', () => {
    const definitions = parse({
      bogus: 1,
      users: [{ name: 'a', tags: '', colour: 'red', limits: { 'max-cats': 1 }, password_hash: 'AAAA' }],
      queues: [
        { name: 'amq.gen-x', vhost: '/' },
        { name: 'q', vhost: '/' },
        { name: 'q', vhost: '/', durable: false },
        { name: 'q', vhost: 'x' },
        { name: 's', vhost: '/', type: 'classic', arguments: { 'x-queue-type': 'quorum' } },
      ],
      exchanges: [
        { name: 'amq.topic', vhost: '/', type: 'topic' },
        { name: '', vhost: '/', type: 'direct' },
      ],
      bindings: [{ source: '', vhost: '/', destination: 'q', destination_type: 'queue', routing_key: 'q' }],
      policies: [{ vhost: '/', name: 'ha', pattern: '.*', definition: { 'ha-mode': 'all' } }],
    });
    assert.deepEqual(
      definitions.queues.map(queue => `${queue.name}${queue.vhost} ${queue.isDurable} ${queue.type}`),
      ['q/ true null', 'qx true null', 's/ true quorum'],
    );
    assert.deepEqual([definitions.exchanges, definitions.bindings], [[], []]);
    assert.equal(definitions.policies.length, 1);
    for (const expected of [
      /unknown section "bogus"/,
      /users\[0\]: unknown key "colour"/,
      /"max-cats"/,
      /cannot log in with a password/,
      /amq\.gen-x/,
      /'q' in vhost '\/' is defined more than once/,
      /x-queue-type, which counts/,
      /amq\.topic/,
      /default exchange$/,
      /binding of the default exchange/,
      /"ha-mode" has no effect/,
    ]) {
      assert.ok(
        definitions.warnings.some(warning => expected.test(warning)),
        String(expected),
      );
    }
    assert.equal(definitions.warnings.length, 11);
  });

  test('everything that is wrong is told at once, with its place', () => {
    const long = 'n'.repeat(256);
    const found = problems({
      users: [
        { name: '' },
        { name: 'a', password: 'x', password_hash: 'y' },
        { name: 'b', hashing_algorithm: 'rot13', password_hash: '%%%' },
        'no user',
        { password: 1, name: 'c', tags: [1] },
      ],
      vhosts: {},
      permissions: [{ user: 'a', vhost: '/', configure: '*', write: '.*' }],
      topic_permissions: [{ user: 'a', vhost: '/', exchange: 'e', write: '(', read: '' }],
      parameters: [
        {
          vhost: '/',
          component: 'operator_policy',
          name: 'op',
          value: { pattern: '.*', definition: { 'dead-letter-exchange': 'x' }, priority: 0 },
        },
        { vhost: '/', component: 'vhost-limits', name: 'limits', value: { 'max-queues': 'x' } },
      ],
      policies: [
        { vhost: '/', name: 'p', pattern: '.*', definition: { bogus: 10 } },
        { vhost: '/', name: 'p2', definition: {}, 'apply-to': 'cats', priority: 'x' },
      ],
      queues: [{ name: long, vhost: '/' }, { name: 'q' }, { name: 'q', vhost: '/', durable: 'perhaps', arguments: 'none' }],
      exchanges: [{ name: 'e', vhost: '/' }],
      bindings: [{ vhost: '/', source: 'e', destination: 'q', destination_type: 'cat', routing_key: long }],
    });
    assert.deepEqual(found, [
      'users[0]: "name" is empty',
      'users[1]: both_password_and_password_hash_are_provided',
      'users[1]: password_hash is not base64',
      'users[2]: hashing_algorithm is not known; it is one of rabbit_password_hashing_sha256, rabbit_password_hashing_sha512, rabbit_password_hashing_md5',
      'users[2]: password_hash is not base64',
      'users[3]: should be an object',
      'users[4]: "password" should be a string',
      'users[4]: "tags" should be a string or a list of strings',
      'vhosts: should be a list',
      'parameters[0]: [{<<"dead-letter-exchange">>,<<"x">>}] are not recognised policy settings (//op)',
      'parameters[1]: max-queues should be a number',
      'permissions[0]: key "read" is missing',
      "permissions[0]: invalid regular expression '*': nothing to repeat",
      "topic_permissions[0]: invalid regular expression '(': missing )",
      'policies[0]: [{<<"bogus">>,10}] are not recognised policy settings (//p)',
      'policies[1]: priority should be a number, actually was <<"x">> (//p2)',
      'policies[1]: Key "pattern" not found in p2 (//p2)',
      "policies[1]: apply-to 'cats' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all' (//p2)",
      'policies[1]: no policy provided (//p2)',
      'queues[0]: "name" is longer than 255 bytes',
      'queues[1]: Virtual host does not exist and is not specified in definitions file.',
      'queues[2]: "arguments" should be an object',
      'queues[2]: "durable" should be true or false',
      'exchanges[0]: key "type" is missing',
      "bindings[0]: \"destination_type\" should be 'queue' or 'exchange'",
      'bindings[0]: "routing_key" is longer than 255 bytes',
    ]);
  });

  test('a name of exactly 255 bytes is read, in any script', () => {
    assert.deepEqual(
      problems({
        queues: [
          { name: 'n'.repeat(255), vhost: '/' },
          { name: 'é'.repeat(127), vhost: '/' },
        ],
      }),
      [],
    );
    assert.equal(problems({ queues: [{ name: 'é'.repeat(128), vhost: '/' }] }).length, 1);
  });

  test('entries of a file for one vhost need not name it, and its users are left out', () => {
    const { users, warnings, queues, bindings, policies, parameters } = parse(
      {
        rabbitmq_definition_format: 'single_virtual_host',
        users: [{ name: 'a' }],
        queues: [{ name: 'q' }, { name: 'r', vhost: 'elsewhere' }],
        bindings: [{ source: 'e', destination: 'q', destination_type: 'queue' }],
        policies: [{ name: 'p', pattern: '', definition: { expires: 1 } }],
        parameters: [{ component: 'shovel', name: 's', value: {} }],
      },
      'here',
    );
    assert.deepEqual(new Set([...queues, ...bindings, ...policies, ...parameters].map(each => each.vhost)), new Set(['here']));
    assert.deepEqual(users, []);
    assert.deepEqual(warnings, ['section "users" ignored: it belongs to no single vhost']);
    assert.match(
      problems({ rabbitmq_definition_format: 'single_virtual_host', queues: [{ name: 'q' }] })[0] ?? '',
      /definitions of one virtual host/,
    );
    assert.equal(problems({}, 'n'.repeat(256)).length, 1);
  });

  test('text may begin with a byte order mark or be empty; other text is refused without being shown', () => {
    assert.deepEqual(parse('').users, []);
    assert.deepEqual(parse('\uFEFF{"users": []}').users, []);
    assert.deepEqual(problems('{\n "users": [}'), ['not valid JSON at line 2, column 12']);
    for (const text of ['{"password": "C4NARY" "', '{"password": C4NARY}', '{"a": "C4NARY', 'C4NARY', '{"C4NARY": 1,}']) {
      const [problem] = problems(text);
      assert.match(problem ?? '', /^not valid JSON/);
      assert.ok(!(problem ?? '').includes('C4NARY'), problem);
    }
    for (const value of [[], null, 1, '"x"', 'null']) assert.equal(problems(value).length, 1);
  });

  test('hostile input is refused and touches nothing', () => {
    assert.match(problems('{"users": [{"name": "a", "__proto__": {"tags": "administrator"}}]}')[0] ?? '', /__proto__/);
    assert.match(
      problems('{"parameters": [{"vhost": "/", "component": "c", "name": "n", "value": {"x": [{"__proto__": {"polluted": 1}}]}}]}')[0] ??
        '',
      /__proto__/,
    );
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.match(problems(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`)[0] ?? '', /deeper/);
    assert.match(
      problems(`{"queues": [{"name": "q", "vhost": "/", "arguments": ${'{"a":'.repeat(40)}1${'}'.repeat(40)}}]}`)[0] ?? '',
      /deeper/,
    );
    assert.throws(
      () => parseDefinitions({ queues: Array.from({ length: 1001 }, () => ({})) }, { hash, bounds: { depthMax: 10, valuesMax: 1000 } }),
      /more than 1000 values/,
    );
    assert.deepEqual(
      parse({ queues: [{ name: '__proto__', vhost: 'constructor', arguments: { toString: 'x' } }] }).queues[0]?.arguments.get('toString'),
      { type: 'S', value: 'x' },
    );
    assert.equal(problems({ constructor: 1, users: [{}] }).length, 1);
  });

  test('the list of problems is bounded', () => {
    const found = problems({ queues: Array.from({ length: 5000 }, () => ({ name: 'q'.repeat(100_000) })) });
    assert.equal(found.length, 101);
    assert.match(found[100] ?? '', /and 9900 more/);
    assert.ok(found.every(problem => problem.length < 1100));
  });

  test('100,000 queues are read in linear time', () => {
    assertLinear('queues', 100_000, size => {
      const definitions = parse({
        queues: Array.from({ length: size }, (_, index) => ({
          name: `q${index}`,
          vhost: '/',
          durable: true,
          auto_delete: false,
          arguments: { 'x-max-length': 5 },
        })),
      });
      assert.equal(definitions.queues.length, size);
    });
  });
});

test('definitions are applied in an order in which nothing is needed before it is there', () => {
  const kinds = [...definitionsInOrder(parse(exported))].map(step => step.kind);
  assert.deepEqual(
    [...new Set(kinds)],
    [
      'user',
      'vhost',
      'permission',
      'topic-permission',
      'exchange',
      'global-parameter',
      'policy',
      'operator-policy',
      'parameter',
      'queue',
      'binding',
      'vhost-limits',
    ],
  );
  assert.equal(kinds.length, 17);
});
