import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bool, type FieldTable, long, longstr } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { basicAck, basicGet, confirmSelect, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

const once = (value: string): { headers: FieldTable } => ({ headers: new Map([['x-deduplication-header', longstr(value)]]) });

describe('de-duplication', () => {
  test('an exchange drops a duplicate, confirms it, and returns it not', () =>
    withClient(async client => {
      const args: FieldTable = new Map([['x-cache-size', long(100)]]);
      await client.call(exchangeDeclare(1, { exchange: 'x', type: 'x-message-deduplication', arguments: args }), methods.ExchangeDeclareOk);
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      await client.call(queueBind(1, { queue: 'q', exchange: 'x' }), methods.QueueBindOk);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      for (let tag = 1; tag <= 3; tag++) {
        client.publish(1, { exchange: 'x', routingKey: 'any', mandatory: true, properties: once('a') });
        assert.equal((await client.expect(methods.BasicAck)).deliveryTag, tag);
      }
      assert.deepEqual(client.pending, []);
      assert.equal((await client.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk)).messageCount, 1);
    }));

  test('an exchange without a cache size is refused', () =>
    withClient(async client => {
      client.send(exchangeDeclare(1, { exchange: 'x', type: 'x-message-deduplication' }));
      const { replyCode, replyText } = await client.expectChannelClose(1);
      assert.equal(replyCode, 406);
      assert.equal(replyText, "PRECONDITION_FAILED - Missing or invalid argument, 'x-cache-size' must be an integer greater than 0");
    }));

  test('a queue drops and confirms what it still holds, and takes it when it has gone', () =>
    withClient(async client => {
      const args: FieldTable = new Map([['x-message-deduplication', bool(true)]]);
      await client.call(queueDeclare(1, { queue: 'q', arguments: args }), methods.QueueDeclareOk);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      const publish = async (tag: number): Promise<void> => {
        client.publish(1, { routingKey: 'q', mandatory: true, properties: once('a') });
        assert.equal((await client.expect(methods.BasicAck)).deliveryTag, tag);
      };
      await publish(1);
      await publish(2);
      client.send(basicGet(1, 'q'));
      const got = await client.nextDelivery();
      assert.ok(got.kind === 'get-ok');
      assert.equal(got.args.messageCount, 0);
      await publish(3);
      client.send(basicAck(1, got.args.deliveryTag));
      await publish(4);
      assert.equal((await client.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk)).messageCount, 1);
    }));
});
