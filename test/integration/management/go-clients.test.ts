// What Go programs ask of the HTTP API: rabbit-hole, and RabbitMQ's Terraform provider, which is built on it. Go reads JSON into fixed types and
// gives up at a value of another one, so the types count as much as the values. What both send, and what is answered to it to the letter, is in
// provisioning.test.ts: made from rabbit-hole's own tests and from every resource and data source of the provider, and recorded from RabbitMQ. A Go
// program with the types and calls of rabbit-hole was run against this broker and RabbitMQ 3.10.8 on 2026-11-21; neither rabbit-hole's own tests nor
// the provider were run here themselves. [rabbit-hole 2 and 3; terraform-provider-rabbitmq 1.8]
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

/** A type of Go's: what is absent or null keeps its zero value. A port is a number or a text, as RabbitMQ has both. */
type GoType = 'string' | 'int' | 'port' | 'float' | 'bool' | 'map' | GoStruct | readonly [GoType];
interface GoStruct {
  readonly [name: string]: GoType;
}

const rate: GoStruct = { rate: 'float' };
const rates = (...names: string[]): GoStruct =>
  Object.fromEntries(names.flatMap(name => [[name, 'int'] as const, [`${name}_details`, rate] as const]));
const messageStats = rates(
  'publish',
  'publish_in',
  'publish_out',
  'confirm',
  'deliver',
  'deliver_no_ack',
  'deliver_get',
  'get',
  'get_no_ack',
  'ack',
  'redeliver',
  'return_unroutable',
  'drop_unroutable',
);
const lengths = rates('messages', 'messages_ready', 'messages_unacknowledged');
const described: GoStruct = { name: 'string', description: 'string', enabled: 'bool', version: 'string' };
const context: GoStruct = { node: 'string', description: 'string', path: 'string', port: 'port', ssl: 'bool' };
const overview: GoStruct = {
  management_version: 'string',
  statistics_level: 'string',
  rabbitmq_version: 'string',
  erlang_version: 'string',
  erlang_full_version: 'string',
  exchange_types: [described],
  message_stats: messageStats,
  queue_totals: lengths,
  object_totals: { consumers: 'int', queues: 'int', exchanges: 'int', connections: 'int', channels: 'int' },
  node: 'string',
  cluster_name: 'string',
  listeners: [{ node: 'string', protocol: 'string', ip_address: 'string', port: 'port' }],
  contexts: [context],
};
const node: GoStruct = {
  name: 'string',
  type: 'string',
  running: 'bool',
  os_pid: 'string',
  ...Object.fromEntries(['fd', 'sockets', 'proc'].flatMap(what => [`${what}_used`, `${what}_total`]).map(name => [name, 'int'] as const)),
  mem_used: 'int',
  mem_used_details: rate,
  mem_limit: 'int',
  mem_alarm: 'bool',
  disk_free: 'int',
  disk_free_details: rate,
  disk_free_limit: 'int',
  disk_free_alarm: 'bool',
  run_queue: 'int',
  processors: 'int',
  uptime: 'int',
  exchange_types: [described],
  auth_mechanisms: [described],
  applications: [described],
  contexts: [context],
  partitions: ['string'],
};
const queue: GoStruct = {
  name: 'string',
  vhost: 'string',
  type: 'string',
  durable: 'bool',
  auto_delete: 'bool',
  exclusive: 'bool',
  arguments: 'map',
  node: 'string',
  state: 'string',
  leader: 'string',
  members: ['string'],
  online: ['string'],
  memory: 'int',
  consumers: 'int',
  consumer_utilisation: 'float',
  consumer_capacity: 'float',
  exclusive_consumer_tag: 'string',
  single_active_consumer_tag: 'string',
  policy: 'string',
  operator_policy: 'string',
  effective_policy_definition: 'map',
  message_bytes: 'int',
  message_bytes_persistent: 'int',
  message_bytes_ram: 'int',
  message_bytes_ready: 'int',
  message_bytes_unacknowledged: 'int',
  messages_persistent: 'int',
  messages_ram: 'int',
  ...lengths,
  message_stats: messageStats,
  owner_pid_details: { name: 'string', peer_port: 'port', peer_host: 'string' },
  backing_queue_status: { q1: 'int', q4: 'int', len: 'int', avg_ingress_rate: 'float', avg_ack_egress_rate: 'float' },
  consumer_details: [
    {
      consumer_tag: 'string',
      exclusive: 'bool',
      ack_required: 'bool',
      prefetch_count: 'int',
      active: 'bool',
      activity_status: 'string',
      arguments: 'map',
      queue: { name: 'string', vhost: 'string' },
      channel_details: { name: 'string', number: 'int', connection_name: 'string', peer_host: 'string', peer_port: 'port', user: 'string' },
    },
  ],
};
const connection: GoStruct = {
  name: 'string',
  node: 'string',
  channels: 'int',
  state: 'string',
  type: 'string',
  port: 'port',
  peer_port: 'port',
  host: 'string',
  peer_host: 'string',
  ssl: 'bool',
  peer_cert_subject: 'string',
  ssl_protocol: 'string',
  protocol: 'string',
  user: 'string',
  user_who_performed_action: 'string',
  vhost: 'string',
  timeout: 'int',
  frame_max: 'int',
  client_properties: 'map',
  recv_oct: 'int',
  send_oct: 'int',
  recv_cnt: 'int',
  send_cnt: 'int',
  send_pend: 'int',
  recv_oct_details: rate,
  send_oct_details: rate,
  connected_at: 'int',
};
const channel: GoStruct = {
  number: 'int',
  name: 'string',
  connection_details: { name: 'string', peer_port: 'port', peer_host: 'string' },
  consumer_count: 'int',
  idle_since: 'string',
  transactional: 'bool',
  confirm: 'bool',
  acks_uncommitted: 'int',
  messages_uncommitted: 'int',
  messages_unconfirmed: 'int',
  messages_unacknowledged: 'int',
  prefetch_count: 'int',
  global_prefetch_count: 'int',
  user: 'string',
  vhost: 'string',
  node: 'string',
  state: 'string',
};
const exchange: GoStruct = {
  name: 'string',
  vhost: 'string',
  type: 'string',
  durable: 'bool',
  auto_delete: 'bool',
  internal: 'bool',
  arguments: 'map',
  message_stats: messageStats,
};
const binding: GoStruct = {
  source: 'string',
  vhost: 'string',
  destination: 'string',
  destination_type: 'string',
  routing_key: 'string',
  arguments: 'map',
  properties_key: 'string',
};
const vhost: GoStruct = {
  name: 'string',
  description: 'string',
  tags: ['string'],
  default_queue_type: 'string',
  tracing: 'bool',
  ...lengths,
  recv_oct: 'int',
  send_oct: 'int',
};
const user: GoStruct = { name: 'string', password_hash: 'string', hashing_algorithm: 'string', tags: ['string'] };
const permission: GoStruct = { user: 'string', vhost: 'string', configure: 'string', write: 'string', read: 'string' };
const policy: GoStruct = { vhost: 'string', name: 'string', pattern: 'string', 'apply-to': 'string', priority: 'int', definition: 'map' };

/** Where a value is of another type than Go's. */
function problems(value: unknown, type: GoType, at: string): string[] {
  if (value === undefined || value === null) return [];
  const found = Array.isArray(value) ? 'list' : typeof value;
  if (Array.isArray(type))
    return found === 'list'
      ? (value as unknown[]).flatMap((item, i) => problems(item, type[0] as GoType, `${at}[${i}]`))
      : [`${at}: ${found}, not a list`];
  if (typeof type === 'object') {
    if (found !== 'object') return [`${at}: ${found}, not a struct`];
    return Object.entries(type as GoStruct).flatMap(([name, field]) =>
      problems((value as Record<string, unknown>)[name], field, `${at}.${name}`),
    );
  }
  const isRight =
    type === 'port'
      ? /^\d+$/.test(String(value))
      : type === 'map'
        ? found === 'object'
        : type === 'int'
          ? Number.isSafeInteger(value)
          : type === 'float'
            ? found === 'number'
            : found === (type === 'bool' ? 'boolean' : type);
  return isRight ? [] : [`${at}: ${JSON.stringify(value)} is no ${type}`];
}

async function read(http: HttpClient, path: string, type: GoType): Promise<unknown> {
  const answer = await http.get(path);
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  assert.deepEqual(problems(answer.json, type, path), []);
  return answer.json;
}

describe('rabbit-hole', () => {
  test('reads every list and object into its types', async () => {
    await withManagement({}, async ({ broker, http }) => {
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      await client.call(queueDeclare(1, { queue: 'own', exclusive: true }), methods.QueueDeclareOk);
      await http.put('/api/queues/%2F/orders', { durable: true, auto_delete: false, arguments: { 'x-queue-type': 'quorum' } });
      await http.put('/api/queues/%2F/plain', { durable: true, auto_delete: false, arguments: {} });
      await http.put('/api/policies/%2F/limits', { pattern: '.*', definition: { 'max-length': 5 }, priority: 0, 'apply-to': 'queues' });
      await client.call(basicConsume(1, { queue: 'plain' }), methods.BasicConsumeOk);
      for (const routingKey of ['plain', 'orders', 'own', 'nowhere']) client.publish(1, { routingKey, properties: { deliveryMode: 2 } });
      await client.nextDelivery();
      // Rates are there once something was sampled.
      await waitUntil(
        async () => ((await http.get('/api/queues/%2F/plain')).json as { message_stats?: object }).message_stats !== undefined,
      );

      await read(http, '/api/overview', overview);
      const [first] = (await read(http, '/api/nodes', [node])) as { name: string }[];
      await read(http, `/api/nodes/${encodeURIComponent(first?.name ?? '')}`, node);
      assert.equal(((await read(http, '/api/queues', [queue])) as unknown[]).length, 3);
      await read(http, '/api/queues/%2F', [queue]);
      for (const name of ['own', 'orders', 'plain']) await read(http, `/api/queues/%2F/${name}`, queue);
      await read(http, '/api/queues?page=1&page_size=100', {
        page: 'int',
        page_count: 'int',
        page_size: 'int',
        filtered_count: 'int',
        item_count: 'int',
        total_count: 'int',
        items: [queue],
      });
      const [open] = (await read(http, '/api/connections', [connection])) as { name: string }[];
      await read(http, `/api/connections/${encodeURIComponent(open?.name ?? '')}`, connection);
      await read(http, `/api/connections/${encodeURIComponent(open?.name ?? '')}/channels`, [channel]);
      await read(http, '/api/vhosts/%2F/connections', [connection]);
      const [some] = (await read(http, '/api/channels', [channel])) as { name: string }[];
      await read(http, `/api/channels/${encodeURIComponent(some?.name ?? '')}`, channel);
      await read(http, '/api/consumers', queue['consumer_details'] as GoType);
      await read(http, '/api/exchanges', [exchange]);
      await read(http, '/api/exchanges/%2F/amq.direct', { ...exchange, incoming: ['map'], outgoing: ['map'] });
      await read(http, '/api/bindings', [binding]);
      await read(http, '/api/policies', [policy]);
      await read(http, '/api/parameters', [{ name: 'string', vhost: 'string', component: 'string' }]);
      await read(http, '/api/definitions', {
        rabbit_version: 'string',
        users: [user],
        vhosts: [vhost],
        permissions: [permission],
        queues: [queue],
        exchanges: [exchange],
        bindings: [binding],
        policies: [policy],
      });
      // Older editions ask with a slash behind it.
      for (const path of ['/api/vhosts', '/api/vhosts/']) await read(http, path, [vhost]);
      for (const path of ['/api/users', '/api/users/', '/api/users/without-permissions']) await read(http, path, [user]);
      await read(http, '/api/permissions', [permission]);
      await read(http, '/api/cluster-name', { name: 'string' });
      await read(http, '/api/feature-flags', [
        { name: 'string', desc: 'string', doc_url: 'string', stability: 'string', state: 'string', provided_by: 'string' },
      ]);
      assert.equal((await http.put('/api/feature-flags/quorum_queue/enable', {})).status, 204);
      const unknown = await http.put('/api/feature-flags/nonsense/enable', {});
      assert.deepEqual([unknown.status, unknown.json], [400, { error: 'bad_request', reason: 'unsupported' }]);
      for (const path of ['/api/deprecated-features', '/api/deprecated-features/used']) await read(http, path, ['map']);
      const refused = await http.put('/api/policies/%2F/odd', { pattern: '.*', definition: { '<b>': 1 } });
      assert.equal(
        (refused.json as { reason: string }).reason,
        'Validation failed\n\n[{<<"<b>">>,1}] are not recognised policy settings\n',
      );
      const { port } = broker;
      const health: GoStruct = { status: 'string', reason: 'string' };
      for (const check of [
        'alarms',
        'local-alarms',
        'virtual-hosts',
        'node-is-mirror-sync-critical',
        'node-is-quorum-critical',
        `port-listener/${port}`,
        'protocol-listener/amqp',
        'certificate-expiration/1/days',
      ])
        assert.equal(((await read(http, `/api/health/checks/${check}`, health)) as { status: string }).status, 'ok', check);
      await client.end();
    });
  });
});

describe('the Terraform provider', () => {
  test('makes, reads, changes and deletes its resources', async () => {
    await withManagement({}, async ({ http }) => {
      const status = async (method: 'put' | 'post', path: string, body: unknown): Promise<number> =>
        (await http[method](path, body)).status;
      assert.equal(
        await status('put', '/api/vhosts/shop%2Feu', {
          description: 'made by a plan',
          default_queue_type: 'quorum',
          max_connections: '',
          max_queues: '',
          tracing: false,
          tags: null,
        }),
        201,
      );
      const made = (await read(http, '/api/vhosts/shop%2Feu', vhost)) as { description: string };
      assert.equal(made.description, 'made by a plan');
      for (const limit of ['max-connections', 'max-queues'])
        assert.equal(await status('put', `/api/vhost-limits/shop%2Feu/${limit}`, { value: 10 }), 204);
      await read(http, '/api/vhost-limits/shop%2Feu', [{ vhost: 'string', value: 'map' }]);

      assert.equal(await status('put', '/api/users/app', { name: '', tags: 'monitoring,management', password: 'first' }), 201);
      assert.deepEqual(((await read(http, '/api/users/app', user)) as { tags: string[] }).tags, ['monitoring', 'management']);
      assert.equal(await status('put', '/api/users/app', { name: '', tags: '', password: 'second' }), 204);
      assert.equal((await http.get('/api/users/nobody')).status, 404);

      const rights = { configure: '', write: '.*', read: '^orders' };
      assert.equal(await status('put', '/api/permissions/shop%2Feu/app', rights), 201);
      assert.deepEqual(await read(http, '/api/permissions/shop%2Feu/app', permission), { user: 'app', vhost: 'shop/eu', ...rights });
      assert.equal(await status('put', '/api/topic-permissions/shop%2Feu/app', { exchange: 'events', write: 'a.*', read: '.*' }), 201);
      const topic: GoStruct = { user: 'string', vhost: 'string', exchange: 'string', write: 'string', read: 'string' };
      assert.equal(((await read(http, '/api/topic-permissions/shop%2Feu/app', [topic])) as unknown[]).length, 1);
      assert.equal(await status('put', '/api/permissions/shop%2Feu/guest', { configure: '.*', write: '.*', read: '.*' }), 204);

      assert.equal(await status('put', '/api/exchanges/shop%2Feu/events', { type: 'topic', durable: true, arguments: {} }), 201);
      assert.equal(
        await status('put', '/api/queues/shop%2Feu/orders', { type: '', durable: true, arguments: { 'x-message-ttl': 5000 } }),
        201,
      );
      await read(http, '/api/exchanges/shop%2Feu/events', exchange);
      const declared = (await read(http, '/api/queues/shop%2Feu/orders', queue)) as { type: string; arguments: unknown };
      assert.deepEqual([declared.type, declared.arguments], ['quorum', { 'x-message-ttl': 5000 }]);

      for (const [body, key] of [
        [{ routing_key: 'a.#', arguments: {} }, 'a.%2523'],
        [{ routing_key: '', arguments: {} }, '~'],
        [{ routing_key: 'k/1', arguments: { x: 'y' } }, null],
      ] as const) {
        const path = '/api/bindings/shop%2Feu/e/events/q/orders';
        const source = { source: 'events', vhost: '', destination: 'orders', destination_type: 'queue', properties_key: '', ...body };
        const bound = await http.post(path, source);
        assert.equal(bound.status, 201);
        // The provider takes the binding's name from the end of Location.
        const name = String(bound.headers.location).split('/').at(-1) ?? '';
        if (key !== null) assert.equal(name, key);
        const there = (await read(http, path, [binding])) as { properties_key: string }[];
        assert.ok(
          there.some(each => each.properties_key === decodeURIComponent(name)),
          name,
        );
        assert.equal((await http.delete(`${path}/${encodeURIComponent(decodeURIComponent(name))}`)).status, 204);
        assert.equal((await http.delete(`${path}/${encodeURIComponent(decodeURIComponent(name))}`)).status, 404);
      }

      for (const kind of ['policies', 'operator-policies']) {
        const path = `/api/${kind}/shop%2Feu/limits`;
        const body = {
          vhost: 'shop/eu',
          name: 'limits',
          pattern: '^orders',
          priority: 3,
          'apply-to': 'queues',
          definition: { 'max-length': 100 },
        };
        assert.equal(await status('put', path, body), 201);
        assert.deepEqual(await read(http, path, policy), body);
        assert.equal(await status('put', path, { ...body, priority: 4 }), 204);
        assert.equal((await http.delete(path)).status, 204);
        assert.equal((await http.get(path)).status, 404);
      }

      for (const path of [
        '/api/queues/shop%2Feu/orders',
        '/api/exchanges/shop%2Feu/events',
        '/api/topic-permissions/shop%2Feu/app',
        '/api/permissions/shop%2Feu/app',
        '/api/users/app',
        '/api/vhosts/shop%2Feu',
      ]) {
        assert.equal((await http.delete(path)).status, 204, path);
        assert.equal((await http.delete(path)).status, 404, path);
      }
    });
  });
});
