import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Field, type FieldTable, long, longstr } from '../../../src/base/field-table.ts';
import type { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, confirmSelect, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

const delayed = (delay: Field): { headers: FieldTable } => ({ headers: new Map([['x-delay', delay]]) });

async function setUp(client: AmqpDriver, inner = 'direct'): Promise<void> {
  const args: FieldTable = new Map([['x-delayed-type', longstr(inner)]]);
  await client.call(
    exchangeDeclare(1, { exchange: 'x', type: 'x-delayed-message', durable: true, arguments: args }),
    methods.ExchangeDeclareOk,
  );
  await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  await client.call(queueBind(1, { queue: 'q', exchange: 'x', routingKey: 'k' }), methods.QueueBindOk);
}

async function consume(client: AmqpDriver): Promise<void> {
  client.send(basicConsume(1, { queue: 'q', noAck: true }));
  await client.expect(methods.BasicConsumeOk);
}

function heldCount(broker: Broker): number {
  return broker.core.vhosts.get('/')?.exchanges.get('x')?.delay?.held.count ?? -1;
}

describe('x-delayed-message', () => {
  test('delivers after the delay, never before and soon after, and in order of time', () =>
    withClient(async (client, broker) => {
      await setUp(client);
      await consume(client);
      const sentMillis = performance.now();
      for (const delay of [150, 50, 100, 0])
        client.publish(1, { exchange: 'x', routingKey: 'k', body: String(delay), properties: delayed(long(delay)) });
      for (const delay of [0, 50, 100, 150]) {
        const delivery = await client.nextDelivery();
        const tookMillis = performance.now() - sentMillis;
        assert.equal(delivery.body.toString(), String(delay));
        assert.equal(Number(delivery.properties.headers?.get('x-delay')?.value), delay === 0 ? 0 : -delay);
        assert.ok(tookMillis >= delay && tookMillis < delay + 100, `${tookMillis} after a delay of ${delay}`);
      }
      assert.equal(heldCount(broker), 0);
    }));

  test('confirms what it holds, and returns nothing', () =>
    withClient(async (client, broker) => {
      await setUp(client);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      client.publish(1, { exchange: 'x', routingKey: 'nobody', mandatory: true, properties: delayed(long(60_000)) });
      assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 1);
      assert.equal(heldCount(broker), 1);
      assert.equal((await client.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk)).messageCount, 0);
    }));

  test('an absurd delay closes the channel', () =>
    withClient(async client => {
      await setUp(client);
      for (const delay of [long(-1), long(4294967296), longstr('soon')]) {
        client.publish(1, { exchange: 'x', routingKey: 'k', properties: delayed(delay) });
        const { replyCode, replyText } = await client.expectChannelClose(1);
        assert.equal(replyCode, 406);
        assert.equal(replyText, "PRECONDITION_FAILED - invalid header 'x-delay': expected milliseconds from 0 to 4294967295");
        await client.openChannel(1);
      }
    }));

  test('in confirm mode an absurd delay is nacked, and the channel goes on', () =>
    withClient(async (client, broker) => {
      await setUp(client);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      client.publish(1, { exchange: 'x', routingKey: 'k', properties: delayed(long(-1)) });
      assert.equal((await client.expect(methods.BasicNack)).deliveryTag, 1);
      client.publish(1, { exchange: 'x', routingKey: 'k', properties: delayed(long(1000)) });
      assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 2);
      assert.equal(heldCount(broker), 1);
    }));

  test('in a transaction a message is held at the commit, and forgotten at a rollback', () =>
    withClient(async (client, broker) => {
      await setUp(client);
      await client.call(methods.encodeTxSelect(1), methods.TxSelectOk);
      client.publish(1, { exchange: 'x', routingKey: 'k', properties: delayed(long(60_000)) });
      await client.call(methods.encodeTxRollback(1), methods.TxRollbackOk);
      assert.equal(heldCount(broker), 0);
      client.publish(1, { exchange: 'x', routingKey: 'k', properties: delayed(long(60_000)) });
      await client.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk);
      assert.equal(heldCount(broker), 0);
      await client.call(methods.encodeTxCommit(1), methods.TxCommitOk);
      assert.equal(heldCount(broker), 1);
    }));

  test('a large message comes whole', () =>
    withClient(async client => {
      await setUp(client);
      await consume(client);
      const body = Buffer.alloc(500_000, 'abcdefg');
      client.publish(1, { exchange: 'x', routingKey: 'k', body, properties: delayed(long(20)) });
      assert.ok((await client.nextDelivery()).body.equals(body));
    }));

  test('an unknown type to route by is an unknown exchange type', () =>
    withClient(async client => {
      const args: FieldTable = new Map([['x-delayed-type', longstr('nonsense')]]);
      client.send(exchangeDeclare(1, { exchange: 'x', type: 'x-delayed-message', arguments: args }));
      assert.equal((await client.expectConnectionClose()).replyText, "COMMAND_INVALID - unknown exchange type 'nonsense'");
    }));
});
