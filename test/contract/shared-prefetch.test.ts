import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicAck, basicCancel, basicConsume, basicNack, basicQos, queueDeclare } from '../support/amqp-requests.ts';
import { SimBroker, type SimBrokerOptions } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';

function clientOf(queues: readonly string[], options: SimBrokerOptions = {}): SimClient {
  const client = SimClient.connect(new SimBroker(options));
  client.openChannel(1);
  for (const queue of queues) client.call(queueDeclare(1, { queue }), methods.QueueDeclareOk);
  return client;
}

/** Acknowledges deliveries one by one until none comes any more; returns the bodies in their order. */
function consumeAll(client: SimClient, settle: (tag: number) => Buffer = tag => basicAck(1, tag)): string[] {
  const bodies: string[] = [];
  for (let delivery = client.takeDelivery(1); delivery !== null; delivery = client.takeDelivery(1)) {
    bodies.push(delivery.body.toString());
    if (delivery.kind === 'deliver') client.send(settle(delivery.args.deliveryTag as number));
  }
  return bodies;
}

test('consumers that share a global prefetch take turns, and none is forgotten', () => {
  const client = clientOf(['a', 'b', 'c']);
  client.call(basicQos(1, 1, true), methods.BasicQosOk);
  for (const queue of ['a', 'b', 'c']) client.call(basicConsume(1, { queue, consumerTag: queue }), methods.BasicConsumeOk);
  for (let i = 0; i < 4; i++) for (const queue of ['a', 'b', 'c']) client.publish(1, { routingKey: queue, body: queue });
  const bodies = consumeAll(client);
  assert.equal(bodies.length, 12);
  // Nobody has had all its messages before the others have had one.
  assert.deepEqual([...new Set(bodies.slice(0, 6))].sort(), ['a', 'b', 'c']);
});

test('a delivery of a consumer that was cancelled gives its share of the global prefetch back to the others', () => {
  const client = clientOf(['a', 'b']);
  client.call(basicQos(1, 1, true), methods.BasicQosOk);
  client.publish(1, { routingKey: 'a', body: 'a' });
  client.publish(1, { routingKey: 'b', body: 'b' });
  client.call(basicConsume(1, { queue: 'a', consumerTag: 'a' }), methods.BasicConsumeOk);
  client.call(basicConsume(1, { queue: 'b', consumerTag: 'b' }), methods.BasicConsumeOk);
  client.call(basicCancel(1, 'a'), methods.BasicCancelOk);
  assert.deepEqual(consumeAll(client), ['a', 'b']);
});

test('a refused delivery gives its share back as well', () => {
  const client = clientOf(['a', 'b']);
  client.call(basicQos(1, 2, true), methods.BasicQosOk);
  for (const queue of ['a', 'b']) client.call(basicConsume(1, { queue, consumerTag: queue }), methods.BasicConsumeOk);
  for (let i = 0; i < 5; i++) for (const queue of ['a', 'b']) client.publish(1, { routingKey: queue, body: queue });
  assert.equal(consumeAll(client, tag => basicNack(1, tag, { requeue: false })).length, 10);
});

test('the ceiling on unacknowledged messages of a channel holds all its consumers, and lets all go on', () => {
  const client = clientOf(['a', 'b'], { settings: { unackedPerChannelMax: 3 } });
  for (const queue of ['a', 'b']) client.call(basicConsume(1, { queue, consumerTag: queue }), methods.BasicConsumeOk);
  for (let i = 0; i < 10; i++) for (const queue of ['a', 'b']) client.publish(1, { routingKey: queue, body: queue });
  const first = client.takeDeliveries(1);
  assert.equal(first.length, 3);
  client.send(basicAck(1, 3, true));
  const bodies = [...first.map(delivery => delivery.body.toString()), ...consumeAll(client)];
  assert.equal(bodies.length, 20);
});
