// Exchange types beyond AMQP's own, as clients use them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { array, bool, type FieldTable, long, longstr } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { AmqpDriver } from '../../support/amqp-driver.ts';
import {
  basicConsume,
  basicGet,
  confirmSelect,
  exchangeDeclare,
  queueBind,
  queueDeclare,
  queuePurge,
} from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

const table = (fields: FieldTable | null = null): FieldTable => fields ?? new Map();

async function setUp(client: AmqpDriver, type: string, queues: Record<string, string>, args: FieldTable = table()): Promise<void> {
  await client.call(exchangeDeclare(1, { exchange: 'x', type, arguments: args }), methods.ExchangeDeclareOk);
  for (const [queue, routingKey] of Object.entries(queues)) {
    await client.call(queueDeclare(1, { queue }), methods.QueueDeclareOk);
    await client.call(queueBind(1, { queue, exchange: 'x', routingKey }), methods.QueueBindOk);
  }
}

async function counts(client: AmqpDriver, queues: readonly string[]): Promise<number[]> {
  const result: number[] = [];
  for (const queue of queues) result.push((await client.call(queuePurge(1, { queue }), methods.QueuePurgeOk)).messageCount);
  return result;
}

describe('exchange types', () => {
  test('x-consistent-hash spreads by routing key and keeps equal keys together', () =>
    withClient(async client => {
      await setUp(client, 'x-consistent-hash', { a: '1', b: '1', c: '2' });
      for (let i = 0; i < 4000; i++) client.publish(1, { exchange: 'x', routingKey: `k${i}` });
      const [a = 0, b = 0, c = 0] = await counts(client, ['a', 'b', 'c']);
      assert.equal(a + b + c, 4000);
      for (const [count, expected] of [
        [a, 1000],
        [b, 1000],
        [c, 2000],
      ] as const)
        assert.ok(Math.abs(count - expected) < 200, `${count} of about ${expected}`);
      for (let i = 0; i < 100; i++) client.publish(1, { exchange: 'x', routingKey: 'same' });
      assert.deepEqual(
        (await counts(client, ['a', 'b', 'c'])).filter(count => count > 0),
        [100],
      );
    }));

  test('x-consistent-hash by header does so on one and the same routing key, also without the header', () =>
    withClient(async client => {
      await setUp(client, 'x-consistent-hash', { a: '1', b: '1' }, new Map([['hash-header', longstr('h')]]));
      for (let i = 0; i < 1000; i++)
        client.publish(1, { exchange: 'x', routingKey: 'k', properties: { headers: new Map([['h', longstr(String(i))]]) } });
      const [a = 0, b = 0] = await counts(client, ['a', 'b']);
      assert.equal(a + b, 1000);
      assert.ok(a > 400 && b > 400, `${a} ${b}`);
      for (let i = 0; i < 10; i++) client.publish(1, { exchange: 'x', routingKey: String(i) });
      assert.deepEqual(
        (await counts(client, ['a', 'b'])).filter(count => count > 0),
        [10],
      );
    }));

  test('x-consistent-hash by message-id works for messages without headers', () =>
    withClient(async client => {
      await setUp(client, 'x-consistent-hash', { a: '1', b: '1' }, new Map([['hash-property', longstr('message_id')]]));
      for (let i = 0; i < 1000; i++) client.publish(1, { exchange: 'x', routingKey: 'k', properties: { messageId: String(i) } });
      const [a = 0, b = 0] = await counts(client, ['a', 'b']);
      assert.equal(a + b, 1000);
      assert.ok(a > 400 && b > 400, `${a} ${b}`);
    }));

  test('a binding key that is no weight closes the channel', () =>
    withClient(async client => {
      await setUp(client, 'x-consistent-hash', { a: '1' });
      client.send(queueBind(1, { queue: 'a', exchange: 'x', routingKey: 'abc' }));
      const { replyCode, replyText } = await client.expectChannelClose(1);
      assert.equal(replyCode, 406);
      assert.equal(replyText, 'PRECONDITION_FAILED - The binding key must be an integer: <<"abc">>');
    }));

  test('x-random picks anew for every message with the same key, one queue for one with CC', () =>
    withClient(async client => {
      await setUp(client, 'x-random', { a: '', b: '' });
      for (let i = 0; i < 1000; i++) client.publish(1, { exchange: 'x', routingKey: 'k' });
      const [a = 0, b = 0] = await counts(client, ['a', 'b']);
      assert.equal(a + b, 1000);
      assert.ok(a > 400 && b > 400, `${a} ${b}`);
      const headers = new Map([['CC', array([longstr('y'), longstr('z')])]]);
      for (let i = 0; i < 100; i++) client.publish(1, { exchange: 'x', routingKey: 'k', properties: { headers } });
      const copies = await counts(client, ['a', 'b']);
      assert.equal((copies[0] ?? 0) + (copies[1] ?? 0), 100);
    }));

  test('x-random confirms, and returns what has no queue', () =>
    withClient(async client => {
      await setUp(client, 'x-random', {});
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      client.publish(1, { exchange: 'x', routingKey: 'k', mandatory: true });
      assert.equal((await client.nextDelivery()).kind, 'return');
      assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 1);
    }));

  test('x-recent-history hands the last messages to a new consumer', () =>
    withClient(async client => {
      await setUp(client, 'x-recent-history', {}, new Map([['x-recent-history-length', long(2)]]));
      const noStore = { headers: new Map([['x-recent-history-no-store', bool(true)]]) };
      for (const body of ['1', '2', '3'])
        client.publish(1, { exchange: 'x', routingKey: `k${body}`, body, properties: { contentType: 'text/plain' } });
      client.publish(1, { exchange: 'x', routingKey: 'k4', body: '4', properties: noStore });
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      client.send(basicConsume(1, { queue: 'q', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      client.send(queueBind(1, { queue: 'q', exchange: 'x', routingKey: '' }));
      for (const body of ['2', '3']) {
        const delivery = await client.nextDelivery();
        assert.deepEqual([delivery.body.toString(), delivery.properties], [body, { contentType: 'text/plain' }]);
        assert.ok(delivery.kind === 'deliver');
        assert.deepEqual([delivery.args.exchange, delivery.args.routingKey, delivery.args.redelivered], ['x', `k${body}`, false]);
      }
    }));

  test('a message of several frames is kept whole', () =>
    withClient(async client => {
      await setUp(client, 'x-recent-history', {});
      const body = Buffer.alloc(400_000, 'abcdefg');
      client.publish(1, { exchange: 'x', routingKey: 'k', body });
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      await client.call(queueBind(1, { queue: 'q', exchange: 'x', routingKey: '' }), methods.QueueBindOk);
      client.send(basicGet(1, 'q', true));
      assert.ok((await client.nextDelivery()).body.equals(body));
    }));
});
