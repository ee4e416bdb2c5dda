// A broker with a disk answers when what it says cannot be undone by a crash, and in the order in which it was asked.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, basicGet, confirmSelect, exchangeDeclare, queueBind, queueDeclare, queuePurge } from '../support/amqp-requests.ts';
import { describeFrame } from '../support/amqp-frames.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';

let broker: SimDurableBroker;
let client: SimClient;

beforeEach(() => {
  broker = new SimDurableBroker();
  client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(queueDeclare(1, { queue: 'q', durable: true }));
  broker.finishDisk();
  client.expect(methods.QueueDeclareOk, 1);
});

const names = (): string[] =>
  client
    .takeAll()
    .filter(frame => frame.name !== undefined)
    .map(frame => frame.name as string);

test('a durable declaration is answered when the disk has it, and what is asked behind it not before', () => {
  client.publish(1, { routingKey: 'q', body: 'x' });
  client.send(queueDeclare(1, { queue: 'r', durable: true }));
  client.send(basicGet(1, 'q', true));
  client.send(basicGet(1, 'r', true));
  client.send(exchangeDeclare(1, { exchange: 'e' }));
  assert.deepEqual(names(), []);
  broker.finishDisk();
  assert.deepEqual(names(), ['queue.declare-ok', 'basic.get-ok', 'basic.get-empty', 'exchange.declare-ok']);
});

test('deliveries do not overtake consume-ok', () => {
  client.publish(1, { routingKey: 'q', body: 'x' });
  client.send(queueDeclare(1, { queue: 'r', durable: true }));
  client.send(basicConsume(1, { queue: 'q' }));
  assert.deepEqual(names(), []);
  broker.finishDisk();
  assert.deepEqual(names(), ['queue.declare-ok', 'basic.consume-ok', 'basic.deliver']);
});

test('a channel that is closed by the client gets the answers it waits for before close-ok', () => {
  client.send(queueDeclare(1, { queue: 'r', durable: true }));
  client.send(queueBind(1, { queue: 'r', exchange: 'amq.direct' }));
  client.send(methods.encodeChannelClose(1, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }));
  assert.deepEqual(names(), []);
  broker.finishDisk();
  assert.deepEqual(names(), ['queue.declare-ok', 'queue.bind-ok', 'channel.close-ok']);
});

test('a channel that is closed with an error gets the answers it waits for before that', () => {
  client.send(queueDeclare(1, { queue: 'r', durable: true }));
  client.send(basicGet(1, 'missing'));
  assert.deepEqual(client.frames.map(describeFrame), []);
  broker.finishDisk();
  assert.deepEqual(names(), ['queue.declare-ok', 'channel.close']);
  // A second error in what came behind it changes nothing.
  client.send(basicGet(1, 'missing'));
  client.send(methods.encodeChannelCloseOk(1));
  client.openChannel(1);
});

test('a get whose message was put away to disk is answered in its place', () => {
  const large = Buffer.alloc(100_000, 'x');
  for (let i = 0; i < 30; i++) {
    client.publish(1, { routingKey: 'q', body: large, properties: { deliveryMode: 2, correlationId: String(i) } });
  }
  broker.finishDisk();
  broker.evictAll();
  assert.ok(broker.core.store.evictedSlabs > 0, 'everything is in memory still');
  client.send(basicGet(1, 'q'));
  client.send(queueDeclare(1, { queue: 'q', durable: true }));
  client.send(basicGet(1, 'q'));
  assert.deepEqual(names(), []);
  broker.finishDisk();
  const first = client.takeDelivery(1);
  assert.ok(first?.kind === 'get-ok');
  assert.equal(first.properties.correlationId, '0');
  assert.ok(first.body.equals(large));
  client.expect(methods.QueueDeclareOk, 1);
  assert.equal(client.takeDelivery(1)?.properties.correlationId, '1');
});

test('confirms of persistent messages come when the disk has them, those of others at once', () => {
  client.call(confirmSelect(1), methods.ConfirmSelectOk);
  client.publish(1, { routingKey: 'q', properties: { deliveryMode: 1 } });
  assert.deepEqual(names(), ['basic.ack']);
  client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2 } });
  assert.deepEqual(names(), []);
  broker.finishDisk();
  assert.deepEqual(names(), ['basic.ack']);
});

test('memory of messages that are gone is given back when each was committed by itself', () => {
  for (let i = 0; i < 60; i++) {
    client.publish(1, { routingKey: 'q', body: Buffer.alloc(100_000), properties: { deliveryMode: 2 } });
    broker.finishDisk();
  }
  client.send(queuePurge(1, { queue: 'q' }));
  broker.finishDisk();
  assert.ok(broker.core.store.residentSlabs <= 2, `${broker.core.store.residentSlabs} slabs are held for nothing`);
});
