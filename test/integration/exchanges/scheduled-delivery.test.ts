import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Field, type FieldTable, long, longstr, timestamp } from '../../../src/base/field-table.ts';
import type { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, confirmSelect, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

const headers = (...fields: [string, Field][]): { headers: FieldTable } => ({ headers: new Map(fields) });

function allow(broker: Broker, isAllowed = true): void {
  broker.core.parameters.put('/', 'scheduled-delivery', 'settings', { enabled: isAllowed });
}

function held(broker: Broker, exchange: string): number {
  return broker.core.vhosts.get('/')?.exchanges.get(exchange)?.delay?.held.count ?? 0;
}

async function ready(client: AmqpDriver): Promise<number> {
  return (await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk)).messageCount;
}

describe('scheduled delivery', () => {
  test('any exchange of a virtual host that allows it holds messages with x-delay, the default exchange too', () =>
    withClient(async (client, broker) => {
      allow(broker);
      await ready(client);
      await client.call(queueBind(1, { queue: 'q', exchange: 'amq.topic', routingKey: '#' }), methods.QueueBindOk);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      const sentMillis = performance.now();
      for (const [exchange, delay] of [
        ['amq.topic', 150],
        ['', 100],
        ['', 50],
        ['', 0],
      ] as const)
        client.publish(1, {
          exchange,
          routingKey: 'q',
          body: String(delay),
          mandatory: true,
          properties: headers(['x-delay', long(delay)]),
        });
      while ((await client.expect(methods.BasicAck, 1)).deliveryTag < 4);
      client.send(basicConsume(1, { queue: 'q', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      for (const delay of [0, 50, 100, 150]) {
        const delivery = await client.nextDelivery();
        const tookMillis = performance.now() - sentMillis;
        assert.equal(delivery.body.toString(), String(delay));
        assert.ok(tookMillis >= delay && tookMillis < delay + 100, `${tookMillis} after a delay of ${delay}`);
        assert.equal(Number(delivery.properties.headers?.get('x-delay')?.value), delay === 0 ? 0 : -delay);
      }
      assert.deepEqual([held(broker, ''), held(broker, 'amq.topic')], [0, 0]);
    }));

  test('x-deliver-at is a Unix time in milliseconds, an AMQP timestamp or a text; one in the past is now', () =>
    withClient(async (client, broker) => {
      allow(broker);
      assert.equal(await ready(client), 0);
      const soon = Date.now() + 60_000;
      const later: Field[] = [long(soon), longstr(String(soon)), timestamp(Math.ceil(soon / 1000)), longstr(new Date(soon).toISOString())];
      for (const at of later) client.publish(1, { routingKey: 'q', properties: headers(['x-deliver-at', at]) });
      assert.equal(await ready(client), 0);
      assert.equal(held(broker, ''), later.length);
      for (const { dueMillis } of broker.core.vhosts.get('/')?.exchanges.get('')?.delay?.held.list(0, 9) ?? []) {
        const waits = dueMillis - broker.core.clock.nowMillis;
        assert.ok(waits > 50_000 && waits <= 61_001, String(waits));
      }
      client.publish(1, { routingKey: 'q', properties: headers(['x-deliver-at', long(soon - 120_000)]) });
      assert.equal(await ready(client), 1);
    }));

  test('absurd times are refused, and so are two at once', () =>
    withClient(async (client, broker) => {
      allow(broker);
      await ready(client);
      const now = Date.now();
      const wrong: [string, Field][][] = [
        [['x-delay', long(-1)]],
        [['x-delay', long(4_294_967_296)]],
        [['x-delay', longstr('soon')]],
        [['x-deliver-at', long(Math.floor(now / 1000))]],
        [['x-deliver-at', long(now + 315_360_100_000)]],
        [['x-deliver-at', longstr('tomorrow')]],
        [['x-deliver-at', longstr('2026-02-30T25:00:00Z')]],
        [['x-deliver-at', { type: 'd', value: Number.NaN }]],
        [['x-deliver-at', { type: 't', value: true }]],
        [
          ['x-delay', long(5)],
          ['x-deliver-at', long(now + 1000)],
        ],
      ];
      for (const fields of wrong) {
        client.publish(1, { routingKey: 'q', properties: headers(...fields) });
        const { replyCode, replyText } = await client.expectChannelClose(1);
        assert.equal(
          replyCode,
          406,
          JSON.stringify(fields, (_, value) => String(value)),
        );
        assert.match(replyText, /x-delay|x-deliver-at/);
        await client.openChannel(1);
      }
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      client.publish(1, { routingKey: 'q', properties: headers(['x-delay', long(-1)]) });
      assert.equal((await client.expect(methods.BasicNack, 1)).deliveryTag, 1);
      assert.equal(held(broker, ''), 0);
    }));

  test('without the permission of the virtual host the headers mean nothing, from one message to the next', () =>
    withClient(async (client, broker) => {
      assert.equal(await ready(client), 0);
      client.publish(1, { routingKey: 'q', properties: headers(['x-delay', long(60_000)]) });
      assert.equal(await ready(client), 1);
      allow(broker);
      client.publish(1, { routingKey: 'q', properties: headers(['x-delay', long(60_000)]) });
      assert.deepEqual([await ready(client), held(broker, '')], [1, 1]);
      allow(broker, false);
      client.publish(1, { routingKey: 'q', properties: headers(['x-delay', long(60_000)]) });
      assert.deepEqual([await ready(client), held(broker, '')], [2, 1]);
      broker.core.parameters.delete('/', 'scheduled-delivery', 'settings');
      broker.core.parameters.putGlobal('scheduled_delivery', true);
      client.publish(1, { routingKey: 'q', properties: headers(['x-delay', long(60_000)]) });
      assert.deepEqual([await ready(client), held(broker, '')], [2, 2]);
      assert.throws(() => broker.core.parameters.put('/', 'scheduled-delivery', 'settings', { enabled: 'yes' }), /should be an object/);
      assert.throws(() => broker.core.parameters.put('/', 'scheduled-delivery', 'other', { enabled: true }), /no parameter but settings/);
    }));

  test('in a transaction a message is held from the commit on', () =>
    withClient(async (client, broker) => {
      allow(broker);
      await ready(client);
      await client.call(methods.encodeTxSelect(1), methods.TxSelectOk);
      client.publish(1, { routingKey: 'q', properties: headers(['x-delay', long(60_000)]) });
      await ready(client);
      assert.equal(held(broker, ''), 0);
      await client.call(methods.encodeTxCommit(1), methods.TxCommitOk);
      assert.equal(held(broker, ''), 1);
    }));

  test('an exchange that drops duplicates sees each message once', () =>
    withClient(async (client, broker) => {
      allow(broker);
      await ready(client);
      const args: FieldTable = new Map([['x-cache-size', long(10)]]);
      await client.call(exchangeDeclare(1, { exchange: 'd', type: 'x-message-deduplication', arguments: args }), methods.ExchangeDeclareOk);
      await client.call(queueBind(1, { queue: 'q', exchange: 'd' }), methods.QueueBindOk);
      client.publish(1, {
        exchange: 'd',
        routingKey: '',
        properties: headers(['x-delay', long(30)], ['x-deduplication-header', longstr('a')]),
      });
      client.send(basicConsume(1, { queue: 'q', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      await client.nextDelivery();
      client.publish(1, { exchange: 'd', routingKey: '', properties: headers(['x-deduplication-header', longstr('a')]) });
      assert.equal(await ready(client), 0);
    }));
});
