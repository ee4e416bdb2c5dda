// Bodies that come in pieces of every size: what is delivered is what was sent, and what it costs is about its size.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameBody } from '../../src/wire/amqp091/constants.gen.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeFrame } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { basicConsume, queueDeclare } from '../support/amqp-requests.ts';
import { forSeeds } from '../support/random.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';

function connect(broker: SimBroker): SimClient {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  return client;
}

const publishMethod = methods.encodeBasicPublish(1, { exchange: '', routingKey: 'q', mandatory: false, immediate: false });

test('however a body is cut into frames and packets, it is delivered as it was', () => {
  forSeeds(25, random => {
    const broker = new SimBroker();
    const client = connect(broker);
    client.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
    for (let i = 0; i < 6; i++) {
      const body = random.bytes(random.pick([0, 1, 5000, 32_767, 32_768, 32_769, 100_000, 300_000]));
      const frames = [publishMethod, encodeContentHeaderFrame(1, body.length, encodeProperties({ correlationId: 'c' }))];
      for (let at = 0; at < body.length; ) {
        const count = random.chance(0.1) ? 0 : Math.min(body.length - at, random.pick([1, 7, 500, 4095, 4096, 9000, 60_000, 131_000]));
        frames.push(encodeFrame(FrameBody, 1, body.subarray(at, at + count)));
        at += count;
      }
      const stream = Buffer.concat(frames);
      for (let at = 0; at < stream.length; ) {
        const count = random.pick([100, 1000, 20_000, 65_536]);
        client.socket.receive(Buffer.from(stream.subarray(at, at + count)));
        at += count;
      }
      broker.settle();
      const delivery = client.takeDelivery(1);
      assert.ok(delivery !== null && delivery.body.equals(body), `a body of ${body.length} bytes has changed`);
      assert.equal(delivery.properties.correlationId, 'c');
    }
  });
});

test('a body in a million frames of one byte or none costs about its size', () => {
  const broker = new SimBroker();
  const client = connect(broker);
  const bodyBytes = 400_000;
  client.send(Buffer.concat([publishMethod, encodeContentHeaderFrame(1, bodyBytes, encodeProperties({}))]));
  const empty = encodeFrame(FrameBody, 1, Buffer.alloc(0));
  const one = encodeFrame(FrameBody, 1, Buffer.from('x'));
  const batch = Buffer.concat(Array.from({ length: 1000 }, () => [one, empty]).flat());
  global.gc?.();
  const before = process.memoryUsage();
  for (let i = 0; i < bodyBytes / 1000; i++) client.send(Buffer.from(batch));
  global.gc?.();
  const after = process.memoryUsage();
  const queue = broker.core.vhosts.get('/')?.queues.get('q');
  assert.equal(queue?.readyCount, 1);
  assert.equal(queue.readyBytes, bodyBytes);
  // Buffers of a byte each would take a hundred times as much.
  const parts: number[] = [];
  broker.core.store.locate(refOf(broker));
  for (const part of broker.core.store.loose?.body?.pieces ?? []) parts.push(part.length);
  assert.ok(parts.length <= bodyBytes / 16_384 + 1, `the body is kept in ${parts.length} parts`);
  if (global.gc !== undefined) assert.ok(after.heapUsed - before.heapUsed < 8_000_000);
});

function refOf(broker: SimBroker): number {
  let ref = 0;
  broker.core.vhosts
    .get('/')
    ?.queues.get('q')
    ?.forEachReady(entry => {
      ref = entry.ref;
      return false;
    });
  return ref;
}
