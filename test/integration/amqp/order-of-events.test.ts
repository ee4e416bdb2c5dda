// What one client sends in one write is acted on as if it had come piece by piece: a queue hands out what was published before it hears of what
// follows. [RabbitMQ Java client: functional tests, ConsumerPriorities and BindingLifecycle]
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { int } from '../../../src/base/field-table.ts';
import {
  basicCancel,
  basicConsume,
  basicGet,
  queueBind,
  queueDeclare,
  queueDelete,
  queuePurge,
  queueUnbind,
} from '../../support/amqp-requests.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { SimClient } from '../../support/sim-client.ts';

let broker: SimBroker;
let client: SimClient;

beforeEach(() => {
  broker = new SimBroker();
  client = SimClient.connect(broker);
  client.openChannel(1);
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
});

function publication(body: string): Buffer {
  return client.encodePublish(1, { routingKey: 'q', body });
}

function subscribe(consumerTag: string): void {
  client.call(basicConsume(1, { queue: 'q', consumerTag, noAck: true }), methods.BasicConsumeOk);
}

/** The consumer that gets the next message, and what it is. */
function taken(): string {
  const delivery = client.takeDelivery(1);
  assert.ok(delivery?.kind === 'deliver');
  return `${(delivery.args as methods.BasicDeliverArguments).consumerTag}: ${delivery.body.toString()}`;
}

test('a message goes to the consumer that was there, before its basic.cancel', () => {
  subscribe('c');
  client.send(Buffer.concat([publication('x'), basicCancel(1, 'c')]));
  assert.equal(client.takeDelivery(1)?.body.toString(), 'x');
  client.expect(methods.BasicCancelOk);
  assert.deepEqual(client.takeAll(), []);
});

test('a message goes to the consumer that was there, not to one that comes behind it', () => {
  subscribe('low');
  client.send(
    Buffer.concat([
      publication('x'),
      basicConsume(1, { queue: 'q', consumerTag: 'high', noAck: true, arguments: new Map([['x-priority', int(9)]]) }),
      publication('y'),
    ]),
  );
  assert.equal(taken(), 'low: x');
  client.expect(methods.BasicConsumeOk);
  assert.equal(taken(), 'high: y');
});

test('basic.get finds nothing where a consumer takes it', () => {
  subscribe('c');
  client.send(Buffer.concat([publication('x'), basicGet(1, 'q', true)]));
  assert.equal(taken(), 'c: x');
  client.expect(methods.BasicGetEmpty);
});

test('purge, delete and declare count what no consumer could take', () => {
  subscribe('c');
  client.send(Buffer.concat([publication('x'), queuePurge(1, { queue: 'q' })]));
  assert.equal(client.takeDelivery(1)?.body.toString(), 'x');
  assert.equal(client.expect(methods.QueuePurgeOk).messageCount, 0);
  client.send(Buffer.concat([publication('y'), queueDeclare(1, { queue: 'q', passive: true })]));
  assert.equal(client.takeDelivery(1)?.body.toString(), 'y');
  assert.equal(client.expect(methods.QueueDeclareOk).messageCount, 0);
  client.send(Buffer.concat([publication('z'), queueDelete(1, { queue: 'q', ifEmpty: true })]));
  assert.equal(client.takeDelivery(1)?.body.toString(), 'z');
  assert.equal(client.expect(methods.QueueDeleteOk).messageCount, 0);
});

test('only the owner takes a binding of an exclusive queue away; one that does not exist is nobody’s', () => {
  const owner = SimClient.connect(broker);
  owner.openChannel(1);
  owner.call(queueDeclare(1, { queue: 'mine', exclusive: true }), methods.QueueDeclareOk);
  owner.call(queueBind(1, { queue: 'mine', exchange: 'amq.direct', routingKey: 'k' }), methods.QueueBindOk);
  client.call(queueUnbind(1, { queue: 'mine', exchange: 'amq.direct', routingKey: 'other' }), methods.QueueUnbindOk);
  client.send(queueUnbind(1, { queue: 'mine', exchange: 'amq.direct', routingKey: 'k' }));
  assert.equal(client.expectChannelClose(1).replyCode, 405);
  owner.call(queueUnbind(1, { queue: 'mine', exchange: 'amq.direct', routingKey: 'k' }), methods.QueueUnbindOk);
});
