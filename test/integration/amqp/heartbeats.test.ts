// Heartbeats in both directions. [AMQP 0-9-1 4.2.7; RabbitMQ docs: heartbeats]
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameHeartbeat } from '../../../src/wire/amqp091/constants.gen.ts';
import { encodeFrame } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { queueDeclare } from '../../support/amqp-requests.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { SimClient } from '../../support/sim-client.ts';

const heartbeat = encodeFrame(FrameHeartbeat, 0, Buffer.alloc(0));

function heartbeatsOf(client: SimClient): number {
  return client.takeAll().filter(frame => frame.type === FrameHeartbeat).length;
}

test('the server sends a heartbeat whenever it has sent nothing for half the interval', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker, { heartbeat: 10 });
  client.takeAll();
  for (let seconds = 0; seconds < 60; seconds += 10) {
    broker.advance(10_000);
    client.send(heartbeat);
    const count = heartbeatsOf(client);
    assert.ok(count >= 1 && count <= 2, `${count} heartbeats in ten seconds`);
  }
});

test('a client that is silent for more than two intervals is dropped', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker, { heartbeat: 10 });
  broker.advance(19_000);
  assert.equal(client.socket.isDestroyed, false);
  broker.advance(2000);
  assert.equal(client.socket.isDestroyed, true);
  assert.equal(broker.frontEnd.connectionCount, 0);
});

test('any octet of the client counts as a heartbeat', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker, { heartbeat: 10 });
  client.openChannel(1);
  const frame = queueDeclare(1, { queue: 'q' });
  for (const octet of frame) {
    broker.advance(15_000);
    client.send(Buffer.from([octet]));
  }
  client.expect(methods.QueueDeclareOk);
});

test('with an interval of 0 nobody sends and nobody is dropped', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker, { heartbeat: 0 });
  client.takeAll();
  broker.advance(24 * 60 * 60 * 1000);
  assert.equal(heartbeatsOf(client), 0);
  assert.equal(client.socket.isDestroyed, false);
});

test('without heartbeats the kernel looks after a connection that lasts, and is asked once', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker, { heartbeat: 0 });
  const beating = SimClient.connect(broker, { heartbeat: 10 });
  assert.equal(client.socket.keepAliveCount, 0, 'a connection of a moment costs no system call for it');
  broker.advance(1000);
  assert.equal(client.socket.keepAliveCount, 1);
  broker.advance(5000);
  assert.equal(client.socket.keepAliveCount, 1);
  assert.equal(beating.socket.keepAliveCount, 0);
});

test('a client that is blocked may be silent, and is watched again when it goes on', () => {
  const broker = new SimBroker();
  const client = SimClient.connect(broker, { heartbeat: 10 });
  client.openChannel(1);
  broker.core.alarms.set('memory');
  client.publish(1, { routingKey: 'q' });
  broker.advance(600_000);
  assert.equal(client.socket.isDestroyed, false);
  broker.core.alarms.clear('memory');
  broker.advance(15_000);
  assert.equal(client.socket.isDestroyed, false);
  broker.advance(15_000);
  assert.equal(client.socket.isDestroyed, true);
});
