// The firehose: copies of what is published and delivered. Keys and headers were compared with RabbitMQ 3.10.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, long, longstr, type Json, tableToJson } from '../../../src/base/field-table.ts';
import type { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver, type Delivery } from '../../support/amqp-driver.ts';
import { basicConsume, basicGet, basicNack, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

interface Trace {
  readonly key: string;
  readonly headers: Record<string, Json>;
  readonly body: string;
}

function tracing(run: (client: AmqpDriver, next: () => Promise<Trace>, broker: Broker) => Promise<void>): Promise<void> {
  return withClient(async (client, broker) => {
    const tracer = await AmqpDriver.connect({ port: broker.port });
    try {
      await tracer.openChannel(1);
      await tracer.call(queueDeclare(1, { queue: 'trace', exclusive: true }), methods.QueueDeclareOk);
      await tracer.call(queueBind(1, { queue: 'trace', exchange: 'amq.rabbitmq.trace', routingKey: '#' }), methods.QueueBindOk);
      tracer.send(basicConsume(1, { queue: 'trace', noAck: true }));
      await tracer.expect(methods.BasicConsumeOk);
      const next = async (): Promise<Trace> => {
        const delivery: Delivery = await tracer.nextDelivery();
        assert.ok(delivery.kind === 'deliver');
        const { headers, ...others } = delivery.properties;
        assert.deepEqual(others, {});
        return { key: delivery.args.routingKey, headers: tableToJson(headers ?? new Map()), body: delivery.body.toString() };
      };
      await run(client, next, broker);
    } finally {
      tracer.destroy();
    }
  });
}

function vhostOf(broker: Broker): { isTracing: boolean } {
  return broker.core.vhosts.get('/') ?? assert.fail();
}

async function declare(client: AmqpDriver, queue: string): Promise<void> {
  await client.call(queueDeclare(1, { queue }), methods.QueueDeclareOk);
}

describe('amq.rabbitmq.trace', () => {
  test('gets each message as it is published and as it is delivered', () =>
    tracing(async (client, next, broker) => {
      vhostOf(broker).isTracing = true;
      await declare(client, 'q');
      await client.call(queueBind(1, { queue: 'q', exchange: 'amq.direct', routingKey: 'k' }), methods.QueueBindOk);
      client.publish(1, {
        exchange: 'amq.direct',
        routingKey: 'k',
        body: 'hello',
        properties: {
          contentType: 'text/plain',
          headers: new Map([
            ['a', long(1)],
            ['CC', array([longstr('cc')])],
            ['BCC', array([longstr('bcc')])],
          ]),
          deliveryMode: 2,
          priority: 3,
          messageId: 'm',
          timestamp: 5,
        },
      });
      const published = await next();
      assert.equal(published.key, 'publish.amq.direct');
      assert.equal(published.body, 'hello');
      const { connection, ...headers } = published.headers;
      assert.ok(typeof connection === 'string');
      assert.match(connection, /^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/);
      const properties = {
        content_type: 'text/plain',
        headers: { a: 1, CC: ['cc'] },
        delivery_mode: 2,
        priority: 3,
        message_id: 'm',
        timestamp: 5,
      };
      const common = {
        exchange_name: 'amq.direct',
        routing_keys: ['k', 'cc', 'bcc'],
        properties,
        node: broker.core.settings.nodeName,
        vhost: '/',
        channel: 1,
        user: 'guest',
      };
      assert.deepEqual(headers, { ...common, routed_queues: ['q'] });
      client.send(basicConsume(1, { queue: 'q', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      assert.equal((await client.nextDelivery()).body.toString(), 'hello');
      const delivered = await next();
      assert.equal(delivered.key, 'deliver.q');
      assert.equal(delivered.body, 'hello');
      assert.deepEqual({ ...delivered.headers, connection: undefined }, { ...common, redelivered: 0, connection: undefined });
    }));

  test('gets what is not routed, what is got, and what is delivered again', () =>
    tracing(async (client, next, broker) => {
      vhostOf(broker).isTracing = true;
      await declare(client, 'q');
      client.publish(1, { routingKey: 'nobody', body: 'lost' });
      const lost = await next();
      assert.deepEqual([lost.key, lost.headers['routing_keys'], lost.headers['routed_queues']], ['publish.', ['nobody'], []]);
      client.publish(1, { routingKey: 'q', body: 'x' });
      await next();
      for (const redelivered of [0, 1]) {
        client.send(basicGet(1, 'q'));
        const got = await client.nextDelivery();
        assert.ok(got.kind === 'get-ok');
        const trace = await next();
        assert.deepEqual([trace.key, trace.headers['redelivered']], ['deliver.q', redelivered]);
        client.send(basicNack(1, got.args.deliveryTag));
      }
    }));

  test('is silent until tracing is on, and after it is off', () =>
    tracing(async (client, next, broker) => {
      await declare(client, 'q');
      client.publish(1, { routingKey: 'q', body: 'before' });
      await declare(client, 'q');
      vhostOf(broker).isTracing = true;
      client.publish(1, { routingKey: 'q', body: 'traced' });
      await declare(client, 'q');
      vhostOf(broker).isTracing = false;
      client.publish(1, { routingKey: 'q', body: 'after' });
      await declare(client, 'q');
      vhostOf(broker).isTracing = true;
      client.publish(1, { routingKey: 'q', body: 'again' });
      assert.equal((await next()).body, 'traced');
      assert.equal((await next()).body, 'again');
    }));

  test('a consumer whose own queue gets the traces too is not caught in a circle', () =>
    withClient(async (client, broker) => {
      vhostOf(broker).isTracing = true;
      await declare(client, 'q');
      await client.call(queueBind(1, { queue: 'q', exchange: 'amq.rabbitmq.trace', routingKey: '#' }), methods.QueueBindOk);
      client.send(basicConsume(1, { queue: 'q', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      for (let i = 0; i < 20; i++) client.publish(1, { routingKey: 'q', body: String(i) });
      const keys = new Map<string, number>();
      for (let i = 0; i < 60; i++) {
        const delivery = await client.nextDelivery();
        assert.ok(delivery.kind === 'deliver');
        keys.set(delivery.args.routingKey, (keys.get(delivery.args.routingKey) ?? 0) + 1);
      }
      assert.deepEqual(Object.fromEntries(keys), { q: 20, 'publish.': 20, 'deliver.q': 20 });
      await declare(client, 'q');
      assert.equal(broker.core.vhosts.get('/')?.queues.get('q')?.readyCount, 0);
    }));

  test('a large body is traced whole', () =>
    tracing(async (client, next, broker) => {
      vhostOf(broker).isTracing = true;
      const body = 'abcdefg'.repeat(60_000);
      client.publish(1, { routingKey: 'nobody', body });
      assert.equal((await next()).body, body);
    }));
});
