// What one client sends at once does not keep the others from being read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Statistics } from '../../src/core/statistics/statistics.ts';
import { workMax } from '../../src/net/intake.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, queueBind, queueDeclare } from '../support/amqp-requests.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';

function connect(broker: SimBroker): SimClient {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  return client;
}

/** How many answers of the kind have come; takes all that came. */
function answersOf(client: SimClient, method: methods.MethodNumber): number {
  return client.takeAll().filter(frame => frame.type === 1 && frame.payload.readUInt32BE(0) === method).length;
}

test('of 2,000 declarations sent at once 256 are done before the other sockets are read, and all in the end, in order', () => {
  const broker = new SimBroker();
  const client = connect(broker);
  const other = connect(broker);
  const names = Array.from({ length: 2000 }, (_, index) => `q${index}`);
  client.socket.receive(Buffer.concat(names.map(queue => queueDeclare(1, { queue }))));
  const { queues } = broker.core.vhosts.get('/') as { queues: ReadonlyMap<string, unknown> };
  // The channel's opening counted, too.
  assert.equal(queues.size, workMax - 1);
  other.socket.receive(queueDeclare(1, { queue: 'other' }));
  assert.ok(queues.has('other'));
  broker.settle();
  assert.equal(queues.size, 2001);
  assert.deepEqual([...queues.keys()].slice(-3), ['q1997', 'q1998', 'q1999']);
  assert.equal(answersOf(client, methods.QueueDeclareOk), 2000);
});

test('channels that are opened and closed count as declarations do', () => {
  const broker = new SimBroker();
  const client = connect(broker);
  const pair = Buffer.concat([
    methods.encodeChannelOpen(2),
    methods.encodeChannelClose(2, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }),
  ]);
  client.socket.receive(Buffer.concat(Array.from({ length: 500 }, () => pair)));
  const { counters } = broker.core;
  assert.ok(counters.channelsOpened <= workMax);
  broker.settle();
  assert.equal(answersOf(client, methods.ChannelCloseOk), 500);
});

test('messages to few queues are no work to speak of; messages to thousands are', () => {
  const broker = new SimBroker();
  const client = connect(broker);
  for (let index = 0; index < 4096; index++) {
    client.call(queueDeclare(1, { queue: `q${index}` }), methods.QueueDeclareOk);
    client.call(queueBind(1, { queue: `q${index}`, exchange: 'amq.fanout' }), methods.QueueBindOk);
  }
  const publisher = connect(broker);
  const consumer = connect(broker);
  consumer.call(queueDeclare(1, { queue: 'few' }), methods.QueueDeclareOk);
  consumer.call(basicConsume(1, { queue: 'few', noAck: true }), methods.BasicConsumeOk);
  const few = publisher.encodePublish(1, { routingKey: 'few', body: 'x' });
  publisher.socket.receive(Buffer.concat(Array.from({ length: 1000 }, () => few)));
  assert.equal(publisher.socket.unreadBytes, 0);
  const many = publisher.encodePublish(1, { exchange: 'amq.fanout', routingKey: '', body: 'x' });
  publisher.socket.receive(Buffer.concat(Array.from({ length: 8 }, () => many)));
  assert.ok(publisher.socket.unreadBytes >= 3 * many.length, `${publisher.socket.unreadBytes} bytes wait`);
  broker.settle();
  assert.equal(publisher.socket.unreadBytes, 0);
  assert.equal(client.call(queueDeclare(1, { queue: 'q4095', passive: true }), methods.QueueDeclareOk).messageCount, 8);
  assert.equal(consumer.takeDeliveries(1).length, 1000);
});

test('statistics of 1,000 new queues are begun a hundred at a time; from then on all are sampled at once', () => {
  const broker = new SimBroker();
  const client = connect(broker);
  for (let index = 0; index < 1000; index++) client.call(queueDeclare(1, { queue: `q${index}` }), methods.QueueDeclareOk);
  const retention = [{ intervalMillis: 5000, count: 20 }];
  const statistics = new Statistics(broker.core, { global: retention, basic: retention });
  statistics.start();
  const queues = [...(broker.core.vhosts.get('/')?.queues.values() ?? [])];
  const sampledCount = (): number => queues.filter(queue => statistics.of(queue) !== undefined).length;
  broker.advance(5000);
  let last = sampledCount();
  assert.ok(last > 0 && last <= 100, `${last} at first`);
  while (statistics.tick === 0) {
    broker.advance(1);
    assert.ok(sampledCount() - last <= 100);
    last = sampledCount();
  }
  assert.equal(last, 1000);
  broker.advance(5000);
  assert.equal(statistics.tick, 2);
  statistics.stop();
});
