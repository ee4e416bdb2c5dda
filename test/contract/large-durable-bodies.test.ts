// Large durable messages: who waits for them, and what is on disk when.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

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

const large = Buffer.alloc(14 * mebibyte);
for (let at = 0; at < large.length; at += 4) large.writeUInt32LE(at, at);

const bodyFiles = ({ files }: { files: SimFiles }): string[] => files.list().filter(name => name.startsWith('loose-'));

/** A client whose queue is durable, and a publish to it in two parts, the second of two frames. */
function begin(broker: SimDurableBroker): { client: SimClient; first: Buffer; last: Buffer } {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(queueDeclare(1, { queue: 'q', durable: true }));
  broker.finishDisk();
  client.expect(methods.QueueDeclareOk, 1);
  client.call(confirmSelect(1), methods.ConfirmSelectOk);
  const bytes = client.encodePublish(1, { routingKey: 'q', properties: durable, body: large });
  const lastBytes = client.frameMax + (large.length % (client.frameMax - 8)) + 8;
  return { client, first: bytes.subarray(0, -lastBytes), last: bytes.subarray(-lastBytes) };
}

function drain(broker: SimDurableBroker): Buffer[] {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(basicConsume(1, { queue: 'q', consumerTag: 'c', noAck: true }));
  for (let round = 0; round < 20; round++) broker.finishDisk();
  return client.takeDeliveries(1).map(({ body }) => body);
}

test('a large body goes to disk while it is coming, so that little is left for the commit; it is confirmed when it is durable', () => {
  const broker = new SimDurableBroker();
  const { client, first, last } = begin(broker);
  for (let at = 0; at < first.length; at += mebibyte) {
    client.send(first.subarray(at, at + mebibyte));
    broker.finishDisk();
  }
  assert.deepEqual(bodyFiles(broker), ['loose-1.msg']);
  assert.ok(broker.files.sizeOf('loose-1.msg') > 13 * mebibyte);
  let writtenBytes = 0;
  broker.files.fault = (operation, name, bytes) => {
    if (operation === 'write' && name === 'loose-1.msg') writtenBytes += bytes;
    return null;
  };
  client.send(last);
  assert.equal(client.frames.length, 0, 'confirmed before it is durable');
  broker.finishDisk();
  client.expect(methods.BasicAck, 1);
  assert.ok(writtenBytes > 0 && writtenBytes < mebibyte, `${writtenBytes} bytes were left`);
  const next = new SimDurableBroker(broker.files.cutPower({ data: 'none', names: 'none' }));
  const bodies = drain(next);
  assert.equal(bodies.length, 1);
  assert.ok(bodies[0]?.equals(large));
  next.advance(2000);
  next.finishDisk();
  assert.deepEqual(bodyFiles(next), []);
});

const endings: [what: string, end: (client: SimClient, last: Buffer, broker: SimDurableBroker) => void][] = [
  ['its client is gone', client => client.socket.reset()],
  [
    'its channel is closed',
    client => client.send(methods.encodeChannelClose(1, { replyCode: 200, replyText: '', classId: 0, methodId: 0 })),
  ],
  [
    'its queue is deleted',
    (client, last, broker) => {
      const other = SimClient.connect(broker);
      other.openChannel(1);
      other.send(methods.encodeQueueDelete(1, { queue: 'q', ifUnused: false, ifEmpty: false, nowait: true }));
      client.send(last);
    },
  ],
];
for (const [what, end] of endings)
  test(`a file of a body that never becomes a message is removed when ${what}, written or being written`, () => {
    for (const isWritten of [true, false]) {
      const broker = new SimDurableBroker();
      const { client, first, last } = begin(broker);
      client.send(first);
      if (isWritten) broker.finishDisk();
      assert.deepEqual(bodyFiles(broker), ['loose-1.msg']);
      end(client, last, broker);
      broker.finishDisk();
      assert.deepEqual(bodyFiles(broker), []);
      assert.equal(broker.core.store.heldBytes < 4 * mebibyte, true);
    }
  });

test('a file of a body whose broker died is removed by the next start', () => {
  const broker = new SimDurableBroker();
  const { client, first } = begin(broker);
  client.send(first);
  broker.finishDisk();
  const next = new SimDurableBroker(broker.files.kill());
  assert.deepEqual(drain(next), []);
  assert.deepEqual(bodyFiles(next), []);
});

test('what is not for a durable queue, or not persistent, is not written while it is coming', () => {
  const broker = new SimDurableBroker();
  const { client } = begin(broker);
  client.send(queueDeclare(1, { queue: 'passing' }));
  client.expect(methods.QueueDeclareOk, 1);
  for (const publication of [
    { routingKey: 'passing', properties: durable, body: large },
    { routingKey: 'nowhere', properties: durable, body: large },
    { routingKey: 'q', properties: { deliveryMode: 1 }, body: large },
    { routingKey: 'q', properties: durable, body: large.subarray(0, 7 * mebibyte) },
  ]) {
    const bytes = client.encodePublish(1, publication);
    client.send(bytes.subarray(0, -100_000));
    assert.deepEqual(bodyFiles(broker), []);
    client.send(bytes.subarray(-100_000));
    broker.finishDisk();
    client.expect(methods.BasicAck, 1);
  }
});

test('sixteen bodies are written while they are coming, the others when they are there, and all of them are', () => {
  const broker = new SimDurableBroker();
  const parts = Array.from({ length: 18 }, () => begin(broker));
  for (const { client, first } of parts) client.send(first.subarray(0, 9 * mebibyte));
  assert.equal(bodyFiles(broker).length, 16);
  for (const { client, first } of parts.slice(0, 4)) client.send(first.subarray(9 * mebibyte));
  for (const { client, last } of parts.slice(0, 4)) client.send(last);
  const [late] = parts.slice(-1) as [(typeof parts)[number]];
  late.client.send(late.first.subarray(9 * mebibyte));
  late.client.send(late.last);
  broker.finishDisk();
  for (const { client } of [...parts.slice(0, 4), late]) client.expect(methods.BasicAck, 1);
  const next = new SimDurableBroker(broker.files.cutPower({ data: 'none', names: 'none' }));
  const bodies = drain(next);
  assert.equal(bodies.length, 5);
  assert.ok(bodies.every(body => body.equals(large)));
});
