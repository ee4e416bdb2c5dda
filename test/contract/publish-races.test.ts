// A message is routed when all of it is there: what counts is the topology at that time, not when its method came.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { FrameBody } from '../../src/wire/amqp091/constants.gen.ts';
import { encodeFrame } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import {
  basicGet,
  confirmSelect,
  exchangeDeclare,
  exchangeDelete,
  queueBind,
  queueDeclare,
  queueDelete,
} from '../support/amqp-requests.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';

let broker: SimBroker;
let publisher: SimClient;
let other: SimClient;

beforeEach(() => {
  broker = new SimBroker();
  publisher = SimClient.connect(broker);
  publisher.openChannel(1);
  other = SimClient.connect(broker);
  other.openChannel(1);
  other.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
});

/** Sends all of a publish but the body, then lets something happen, then sends the body. */
function publishAround(exchange: string, between: () => void, mandatory = false): void {
  publisher.send(methods.encodeBasicPublish(1, { exchange, routingKey: 'q', mandatory, immediate: false }));
  publisher.send(encodeContentHeaderFrame(1, 4, encodeProperties({})));
  between();
  publisher.send(encodeFrame(FrameBody, 1, Buffer.from('body')));
}

function get(queue: string): string | null {
  other.send(basicGet(1, queue, true));
  const delivery = other.takeDelivery(1);
  if (delivery === null) other.expect(methods.BasicGetEmpty, 1);
  return delivery?.body.toString() ?? null;
}

test('a queue that is deleted meanwhile does not get the message, and nobody keeps it', () => {
  publishAround('', () => other.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk));
  assert.equal(broker.core.store.liveCount, 0);
});

test('a mandatory message whose queue is deleted meanwhile comes back', () => {
  publishAround('', () => other.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk), true);
  assert.equal(publisher.takeDelivery(1)?.kind, 'return');
});

test('a queue that is deleted and declared again meanwhile gets the message', () => {
  publishAround('', () => {
    other.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
    other.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  });
  assert.equal(get('q'), 'body');
});

test('an exchange that is deleted meanwhile is not found', () => {
  other.call(exchangeDeclare(1, { exchange: 'e' }), methods.ExchangeDeclareOk);
  publishAround('e', () => other.call(exchangeDelete(1, { exchange: 'e' }), methods.ExchangeDeleteOk));
  assert.equal(publisher.expectChannelClose(1).replyText, "NOT_FOUND - no exchange 'e' in vhost '/'");
});

test('an exchange that is declared meanwhile is found', () => {
  publishAround('e', () => {
    other.call(exchangeDeclare(1, { exchange: 'e', type: 'fanout' }), methods.ExchangeDeclareOk);
    other.call(queueBind(1, { exchange: 'e', queue: 'q' }), methods.QueueBindOk);
  });
  assert.equal(get('q'), 'body');
});

test('a permission that is taken away meanwhile is missed', () => {
  broker.addUser('limited', '/');
  publisher = SimClient.connect(broker, { user: 'limited' });
  publisher.openChannel(1);
  publishAround('amq.fanout', () => broker.core.access.putPermission({ user: 'limited', vhost: '/', configure: '', write: '', read: '' }));
  assert.match(publisher.expectChannelClose(1).replyText, /ACCESS_REFUSED - write access to exchange 'amq.fanout'/);
});

test('confirms of messages whose queue was deleted meanwhile are acks, as for any that reached no queue', () => {
  publisher.call(confirmSelect(1), methods.ConfirmSelectOk);
  publishAround('', () => other.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk));
  assert.deepEqual(publisher.expect(methods.BasicAck, 1), { deliveryTag: 1, multiple: false });
});

test('a transaction is committed to the queues that have the names then', () => {
  other.call(queueDeclare(1, { queue: 'r' }), methods.QueueDeclareOk);
  publisher.call(methods.encodeTxSelect(1), methods.TxSelectOk);
  publisher.publish(1, { routingKey: 'q', body: 'to q' });
  publisher.publish(1, { routingKey: 'r', body: 'to r' });
  other.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
  other.call(queueDelete(1, { queue: 'r' }), methods.QueueDeleteOk);
  other.call(queueDeclare(1, { queue: 'r' }), methods.QueueDeclareOk);
  publisher.call(methods.encodeTxCommit(1), methods.TxCommitOk);
  assert.equal(get('r'), 'to r');
  assert.equal(broker.core.store.liveCount, 0);
});
