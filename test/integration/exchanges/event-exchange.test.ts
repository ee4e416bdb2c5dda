// The event exchange, as a client that is bound to it sees what others do. Keys and headers were compared with RabbitMQ 3.10.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FieldTable, long, type Json, longstr, tableToJson } from '../../../src/base/field-table.ts';
import { noUserLimits } from '../../../src/core/access/user.ts';
import type { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import {
  basicCancel,
  basicConsume,
  exchangeBind,
  exchangeDeclare,
  exchangeDelete,
  queueBind,
  queueDeclare,
  queueDelete,
  queueUnbind,
} from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

interface Seen {
  readonly key: string;
  readonly headers: Record<string, Json>;
}

/** Runs with a client that gets the events of the keys, and another that is watched; events of the set-up itself are over. */
function watching(
  keys: readonly string[],
  run: (watched: AmqpDriver, next: () => Promise<Seen>, broker: Broker) => Promise<void>,
): Promise<void> {
  return withClient(async (observer, broker) => {
    const watched = await AmqpDriver.connect({ port: broker.port });
    await watched.openChannel(1);
    await observer.call(queueDeclare(1, { queue: 'events', exclusive: true }), methods.QueueDeclareOk);
    observer.send(basicConsume(1, { queue: 'events', noAck: true }));
    await observer.expect(methods.BasicConsumeOk);
    for (const routingKey of keys)
      await observer.call(queueBind(1, { queue: 'events', exchange: 'amq.rabbitmq.event', routingKey }), methods.QueueBindOk);
    const next = async (): Promise<Seen> => {
      const delivery = await observer.nextDelivery();
      assert.ok(delivery.kind === 'deliver');
      assert.equal(delivery.body.length, 0);
      assert.equal(delivery.properties.deliveryMode, 2);
      const { timestamp_in_ms: millis, ...headers } = tableToJson(delivery.properties.headers ?? new Map());
      assert.equal(Math.floor(Number(millis) / 1000), delivery.properties.timestamp);
      return { key: delivery.args.routingKey, headers };
    };
    try {
      await run(watched, next, broker);
    } finally {
      watched.destroy();
    }
  });
}

function textOf(value: Json | undefined): string {
  assert.ok(typeof value === 'string');
  return value;
}

describe('amq.rabbitmq.event', () => {
  test('tells of queues that come and go', () =>
    watching(['queue.#'], async (watched, next) => {
      const args: FieldTable = new Map([['x-max-length', long(5)]]);
      await watched.call(queueDeclare(1, { queue: 'q', durable: true, arguments: args }), methods.QueueDeclareOk);
      assert.deepEqual(await next(), {
        key: 'queue.created',
        headers: {
          name: 'q',
          vhost: '/',
          durable: true,
          auto_delete: false,
          exclusive: false,
          type: 'classic',
          arguments: ['{<<"x-max-length">>,long,5}'],
          user_who_performed_action: 'guest',
        },
      });
      await watched.call(queueDeclare(1, { queue: 'q', durable: true, arguments: args }), methods.QueueDeclareOk);
      await watched.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
      assert.deepEqual(await next(), {
        key: 'queue.deleted',
        headers: { name: 'q', vhost: '/', user_who_performed_action: 'guest' },
      });
    }));

  test('names the broker itself where nobody asked', () =>
    watching(['queue.deleted'], async (watched, next) => {
      await watched.call(queueDeclare(1, { queue: 'own', exclusive: true }), methods.QueueDeclareOk);
      await watched.end();
      assert.deepEqual((await next()).headers, { name: 'own', vhost: '/', user_who_performed_action: 'rmq-internal' });
    }));

  test('tells of exchanges and bindings, also of those that go with a queue', () =>
    watching(['exchange.#', 'binding.#'], async (watched, next) => {
      assert.equal((await next()).headers['routing_key'], 'binding.#', "the observer's own binding");
      await watched.call(exchangeDeclare(1, { exchange: 'x', type: 'topic' }), methods.ExchangeDeclareOk);
      assert.deepEqual(await next(), {
        key: 'exchange.created',
        headers: {
          name: 'x',
          vhost: '/',
          type: 'topic',
          durable: false,
          auto_delete: false,
          internal: false,
          arguments: [],
          policy: '',
          user_who_performed_action: 'guest',
        },
      });
      await watched.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      await watched.call(queueBind(1, { queue: 'q', exchange: 'x', routingKey: 'k' }), methods.QueueBindOk);
      const binding = {
        vhost: '/',
        source_name: 'x',
        source_kind: 'exchange',
        destination_name: 'q',
        destination_kind: 'queue',
        routing_key: 'k',
        arguments: [],
      };
      assert.deepEqual(await next(), { key: 'binding.created', headers: { ...binding, user_who_performed_action: 'guest' } });
      await watched.call(queueUnbind(1, { queue: 'q', exchange: 'x', routingKey: 'k' }), methods.QueueUnbindOk);
      assert.deepEqual(await next(), { key: 'binding.deleted', headers: { ...binding, user_who_performed_action: 'guest' } });
      await watched.call(queueBind(1, { queue: 'q', exchange: 'x', routingKey: 'k' }), methods.QueueBindOk);
      await next();
      await watched.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
      assert.deepEqual(await next(), { key: 'binding.deleted', headers: { ...binding, user_who_performed_action: 'rmq-internal' } });
      await watched.call(exchangeDelete(1, { exchange: 'x' }), methods.ExchangeDeleteOk);
      assert.deepEqual(await next(), { key: 'exchange.deleted', headers: { name: 'x', vhost: '/', user_who_performed_action: 'guest' } });
    }));

  test('tells of connections, channels and consumers', () =>
    watching(['connection.#', 'channel.#', 'consumer.#', 'user.authentication.#'], async (watched, next, broker) => {
      await watched.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      const clientProperties: FieldTable = new Map([['connection_name', longstr('mine')]]);
      const client = await AmqpDriver.connect({ port: broker.port, clientProperties });
      const success = await next();
      assert.equal(success.key, 'user.authentication.success');
      assert.equal(success.headers['name'], 'guest');
      assert.equal(success.headers['auth_mechanism'], 'PLAIN');
      const { key, headers } = await next();
      const name = textOf(headers['name']);
      assert.equal(key, 'connection.created');
      assert.match(name, /^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/);
      for (const [fact, value] of Object.entries({
        user: 'guest',
        vhost: '/',
        protocol: '{0,9,1}',
        type: 'network',
        host: '{127,0,0,1}',
        peer_host: '{127,0,0,1}',
        port: broker.port,
        ssl: false,
        auth_mechanism: 'PLAIN',
        user_provided_name: 'mine',
        client_properties: ['{<<"connection_name">>,longstr,<<"mine">>}'],
        channel_max: 2047,
        frame_max: 131_072,
        timeout: 0,
        user_who_performed_action: 'guest',
      }))
        assert.deepEqual(headers[fact], value, fact);
      await client.openChannel(3);
      assert.deepEqual(await next(), {
        key: 'channel.created',
        headers: {
          name: `${name} (3)`,
          pid: `${name} (3)`,
          connection: name,
          number: 3,
          user: 'guest',
          vhost: '/',
          user_who_performed_action: 'guest',
        },
      });
      const consumer = { consumer_tag: 't', channel: `${name} (3)`, queue: 'q', vhost: '/' };
      client.send(basicConsume(3, { queue: 'q', consumerTag: 't' }));
      assert.deepEqual(await next(), {
        key: 'consumer.created',
        headers: {
          ...consumer,
          exclusive: false,
          ack_required: true,
          prefetch_count: 0,
          arguments: [],
          user_who_performed_action: 'guest',
        },
      });
      client.send(basicCancel(3, 't'));
      assert.deepEqual(await next(), { key: 'consumer.deleted', headers: { ...consumer, user_who_performed_action: 'guest' } });
      client.send(basicConsume(3, { queue: 'q', consumerTag: 't' }));
      await next();
      await watched.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
      assert.deepEqual(await next(), { key: 'consumer.deleted', headers: { ...consumer, user_who_performed_action: 'rmq-internal' } });
      client.destroy();
      assert.equal((await next()).key, 'channel.closed');
      const closed = await next();
      assert.equal(closed.key, 'connection.closed');
      assert.equal(closed.headers['name'], name);
    }));

  test('tells of refused logins', () =>
    watching(['user.authentication.failure'], async (_watched, next, broker) => {
      await assert.rejects(AmqpDriver.connect({ port: broker.port, password: 'wrong' }));
      const { headers } = await next();
      assert.equal(headers['auth_mechanism'], 'PLAIN');
      assert.match(textOf(headers['error']), /invalid credentials/);
    }));

  test('tells of users, permissions, policies, parameters, vhosts and alarms', () =>
    watching(['user.#', 'permission.#', 'topic.#', 'policy.#', 'parameter.#', 'vhost.#', 'alarm.#'], async (_watched, next, { core }) => {
      let by: string | null = 'rmq-internal';
      const expect = async (key: string, headers: Record<string, Json>): Promise<void> =>
        assert.deepEqual(await next(), { key, headers: by === null ? headers : { ...headers, user_who_performed_action: by } });
      const user = {
        name: 'u',
        passwordHash: 'AAAA',
        hashingAlgorithm: 'rabbit_password_hashing_sha256',
        tags: ['monitoring'],
        limits: noUserLimits,
      } as const;
      core.access.putUser(user);
      await expect('user.created', { name: 'u' });
      await expect('user.tags.set', { name: 'u', tags: ['monitoring'] });
      by = 'admin';
      core.events.actingAs('admin', () => core.access.putUser({ ...user, passwordHash: 'BBBB' }));
      await expect('user.password.changed', { name: 'u' });
      by = 'rmq-internal';
      core.access.putPermission({ user: 'u', vhost: '/', configure: 'c', write: 'w', read: 'r' });
      await expect('permission.created', { user: 'u', vhost: '/', configure: 'c', write: 'w', read: 'r' });
      core.access.putTopicPermission({ user: 'u', vhost: '/', exchange: 'amq.topic', write: 'w', read: 'r' });
      await expect('topic.permission.created', { user: 'u', vhost: '/', exchange: 'amq.topic', write: 'w', read: 'r' });
      core.access.setUserLimits('u', { maxConnections: null, maxChannels: 4 });
      await expect('user.limits.set', { name: 'limits', username: 'u', 'max-channels': 4 });
      core.access.clearUserLimits('u');
      await expect('user.limits.cleared', { name: 'limits', username: 'u' });
      core.access.deletePermission('u', '/');
      await expect('permission.deleted', { user: 'u', vhost: '/' });
      core.access.deleteUser('u');
      await expect('user.deleted', { name: 'u' });
      core.policies.put('policy', '/', 'p', { pattern: '^z', definition: { 'max-length': 3 }, priority: 2, applyTo: 'queues' });
      await expect('policy.set', {
        vhost: '/',
        name: 'p',
        pattern: '^z',
        'apply-to': 'queues',
        definition: { 'max-length': 3 },
        priority: 2,
      });
      core.policies.delete('policy', '/', 'p');
      await expect('policy.cleared', { vhost: '/', name: 'p' });
      core.parameters.putGlobal('g', { a: 1 });
      await expect('parameter.set', { component: 'global', name: 'g', value: { a: 1 } });
      core.addVhost({ name: 'v', description: 'd', tags: ['t'], defaultQueueType: null });
      await expect('vhost.created', { name: 'v', description: 'd', tags: ['t'], tracing: false, default_queue_type: 'undefined' });
      core.parameters.putVhostLimit('v', 'max-queues', 4);
      await expect('parameter.set', { vhost: 'v', component: 'vhost-limits', name: 'limits', value: { 'max-queues': 4 } });
      await expect('vhost.limits.set', { vhost: 'v', name: 'limits', 'max-queues': 4 });
      core.deleteVhost('v');
      await expect('vhost.deleted', { name: 'v' });
      by = null;
      core.alarms.set('memory');
      await expect('alarm.set', { source: 'memory', node: core.settings.nodeName });
      core.alarms.clear('memory');
      await expect('alarm.cleared', { source: 'memory', node: core.settings.nodeName });
    }));

  test('costs nothing while nothing is bound, and can be bound to exchanges', () =>
    withClient(async (client, broker) => {
      const { core } = broker;
      assert.equal(core.events.isObserved, false);
      assert.equal(core.vhosts.get('/')?.exchanges.has('amq.rabbitmq.event'), false, 'nobody sees it who does not ask');
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      await client.call(
        exchangeBind(1, { destination: 'amq.fanout', source: 'amq.rabbitmq.event', routingKey: 'queue.*' }),
        methods.ExchangeBindOk,
      );
      assert.equal(core.events.isObserved, true);
      await client.call(queueBind(1, { queue: 'q', exchange: 'amq.fanout' }), methods.QueueBindOk);
      await client.call(queueDeclare(1, { queue: 'r' }), methods.QueueDeclareOk);
      client.send(basicConsume(1, { queue: 'q', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      assert.equal((await client.nextDelivery()).properties.headers?.get('name')?.value, 'r');
    }));

  test('takes no publishes, and is in the vhost that the settings name or in none', async () => {
    await withClient(async client => {
      client.send(exchangeDeclare(1, { exchange: 'amq.rabbitmq.event', passive: true }));
      await client.expect(methods.ExchangeDeclareOk);
      client.publish(1, { exchange: 'amq.rabbitmq.event', routingKey: 'x' });
      assert.equal((await client.expectChannelClose(1)).replyCode, 403);
    });
    await withClient(
      async (client, { core }) => {
        client.send(exchangeDeclare(1, { exchange: 'amq.rabbitmq.event', passive: true }));
        assert.equal((await client.expectChannelClose(1)).replyCode, 404);
        assert.equal(core.events.isObserved, false);
      },
      { settings: { eventExchangeVhost: null } },
    );
  });
});
