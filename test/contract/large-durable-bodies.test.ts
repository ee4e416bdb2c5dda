// Large durable messages on a slow disk: who waits for them, and who does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';

const mebibyte = 1024 * 1024;
const durable = { deliveryMode: 2 };

function connect(broker: SimDurableBroker, queue: string): SimClient {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(queueDeclare(1, { queue, durable: true }));
  broker.finishDisk();
  client.expect(methods.QueueDeclareOk, 1);
  client.send(confirmSelect(1));
  client.expect(methods.ConfirmSelectOk, 1);
  client.send(basicConsume(1, { queue, consumerTag: 'c', noAck: true }));
  client.expect(methods.BasicConsumeOk, 1);
  return client;
}

test('while 36 MiB of bodies wait for the disk their publisher is not read, and who publishes small messages is', () => {
  const broker = new SimDurableBroker();
  const large = connect(broker, 'large');
  const small = connect(broker, 'small');
  const inLog = connect(broker, 'in-log');
  const body = Buffer.alloc(12 * mebibyte, 'x');
  for (let i = 0; i < 3; i++) large.publish(1, { routingKey: 'large', properties: durable, body });
  assert.equal(large.socket.isPaused, true);
  for (let i = 0; i < 100; i++) small.publish(1, { routingKey: 'small', properties: durable, body: 'small' });
  inLog.publish(1, { routingKey: 'in-log', properties: durable, body: Buffer.alloc(200_000) });
  assert.equal(small.socket.isPaused, false);
  assert.equal(small.takeDeliveries(1).length, 100);
  // It has a large body itself, though not in a file of its own.
  assert.equal(inLog.socket.isPaused, true);
  broker.finishDisk();
  assert.equal(large.socket.isPaused, false);
  assert.equal(inLog.socket.isPaused, false);
  assert.equal(large.takeDeliveries(1).length, 3);
  for (const client of [large, small, inLog]) client.expect(methods.BasicAck, 1);
});
