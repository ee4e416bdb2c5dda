// connection.blocked and connection.unblocked. [RabbitMQ docs: blocked connections]
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, basicGet, queueDeclare } from '../../support/amqp-requests.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { capableClient, SimClient, type SimConnectOptions } from '../../support/sim-client.ts';

let broker: SimBroker;

beforeEach(() => {
  broker = new SimBroker();
});

function connect(options: SimConnectOptions = {}): SimClient {
  const client = SimClient.connect(broker, options);
  client.openChannel(1);
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  return client;
}

test('a client is told when it publishes, not when the alarm begins', () => {
  const client = connect();
  broker.core.alarms.set('memory');
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  assert.deepEqual(client.takeAll(), []);
  client.publish(1, { routingKey: 'q', body: 'taken all the same' });
  assert.equal(client.expect(methods.ConnectionBlocked).reason, 'low on memory');
  // Nothing that it sends now is looked at.
  client.publish(1, { routingKey: 'q', body: 'waits' });
  client.send(basicGet(1, 'q', true));
  assert.deepEqual(client.takeAll(), []);
  broker.core.alarms.clear('memory');
  broker.settle();
  client.expect(methods.ConnectionUnblocked);
  assert.equal(client.takeDelivery(1)?.body.toString(), 'taken all the same');
});

test('a client that has published before is told when the alarm begins', () => {
  const client = connect();
  client.publish(1, { routingKey: 'q' });
  broker.core.alarms.set('disk');
  broker.settle();
  assert.equal(client.expect(methods.ConnectionBlocked).reason, 'low on disk');
});

// [RabbitMQ Java client: functional tests, MemoryAlarms]
test('a client that has published before gets, consumes and closes in an alarm until it publishes again', () => {
  const client = connect();
  client.publish(1, { routingKey: 'q', body: 'before' });
  broker.core.alarms.set('memory');
  broker.settle();
  client.expect(methods.ConnectionBlocked);
  client.send(basicGet(1, 'q', true));
  assert.equal(client.takeDelivery(1)?.body.toString(), 'before');
  client.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
  client.publish(1, { routingKey: 'q', body: 'in the alarm' });
  client.publish(1, { routingKey: 'q', body: 'behind it' });
  broker.settle();
  assert.deepEqual(client.takeAll(), []);
  broker.core.alarms.clear('memory');
  broker.settle();
  client.expect(methods.ConnectionUnblocked);
  assert.equal(client.takeDelivery(1)?.body.toString(), 'in the alarm');
  assert.equal(client.takeDelivery(1)?.body.toString(), 'behind it');
});

test('consumers of other connections get what is there and are never told', () => {
  const consumer = connect();
  const publisher = connect();
  publisher.publish(1, { routingKey: 'q', body: 'x' });
  broker.core.alarms.set('memory');
  consumer.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
  assert.equal(consumer.takeDelivery(1)?.body.toString(), 'x');
  broker.core.alarms.clear('memory');
  broker.settle();
  assert.deepEqual(consumer.takeAll(), []);
});

test('a second alarm does not tell again, and the last one that ends unblocks', () => {
  const client = connect();
  broker.core.alarms.set('memory');
  client.publish(1, { routingKey: 'q' });
  client.expect(methods.ConnectionBlocked);
  broker.core.alarms.set('disk');
  broker.settle();
  broker.core.alarms.clear('memory');
  broker.settle();
  assert.deepEqual(client.takeAll(), []);
  broker.core.alarms.clear('disk');
  broker.settle();
  client.expect(methods.ConnectionUnblocked);
});

test('a client without the capability is held up without a word', () => {
  const client = connect({ clientProperties: capableClient('publisher_confirms') });
  broker.core.alarms.set('memory');
  client.publish(1, { routingKey: 'q' });
  client.send(basicGet(1, 'q', true));
  assert.deepEqual(client.takeAll(), []);
  broker.core.alarms.clear('memory');
  broker.settle();
  assert.notEqual(client.takeDelivery(1), null);
});
