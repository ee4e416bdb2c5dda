// Clients that do not read what they asked for: what that costs, and that nobody else is held up by it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, basicGet, basicNack, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';

const outboxBytesMax = 1024 * 1024;

class Bench {
  readonly broker = new SimBroker();
  readonly other = this.connect();
  readonly stalled: SimClient;

  constructor() {
    this.other.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    this.stalled = this.connect();
    // Its kernel has room for this much; then the broker has to keep it.
    this.stalled.socket.kernelBytesMax = 10_000;
  }

  connect(): SimClient {
    const client = SimClient.connect(this.broker);
    client.openChannel(1);
    return client;
  }

  /** Bytes that the broker keeps for the client. */
  get pendingBytes(): number {
    return [...this.broker.frontEnd.connections()].at(-1)?.outbox.pendingBytes ?? -1;
  }

  assertOtherIsServed(): void {
    this.other.publish(1, { routingKey: 'other', body: 'served' });
    this.other.call(queueDeclare(1, { queue: 'other' }), methods.QueueDeclareOk);
    this.other.publish(1, { routingKey: 'other', body: 'served' });
    this.other.send(basicGet(1, 'other', true));
    assert.equal(this.other.takeDelivery(1)?.body.toString(), 'served');
  }
}

test('a consumer that does not read gets no more than its outbox holds, and the rest when it reads', () => {
  const bench = new Bench();
  for (let i = 0; i < 3000; i++) bench.other.publish(1, { routingKey: 'q', body: Buffer.alloc(1000, i % 256) });
  bench.stalled.socket.receive(basicConsume(1, { queue: 'q', noAck: true }));
  bench.broker.settle();
  assert.ok(bench.pendingBytes > outboxBytesMax / 2, 'the outbox is not even full');
  assert.ok(bench.pendingBytes < 1.25 * outboxBytesMax, `${bench.pendingBytes} bytes wait`);
  bench.assertOtherIsServed();
  bench.stalled.socket.kernelBytesMax = Infinity;
  bench.stalled.expect(methods.BasicConsumeOk);
  assert.equal(bench.stalled.takeDeliveries(1).length, 3000);
});

test('a client that gets and gets without reading is not read any more, in the middle of what it sent', () => {
  for (const bodyBytes of [1000, 30_000, 200_000, 4_000_000]) {
    const bench = new Bench();
    bench.other.publish(1, { routingKey: 'q', body: Buffer.alloc(bodyBytes, 'x') });
    // Each get is followed by a requeue, so that one message does.
    const count = bodyBytes < 100_000 ? 2000 : 50;
    const requests = Array.from({ length: count }, (_, i) => [basicGet(1, 'q'), basicNack(1, i + 1)]).flat();
    bench.stalled.socket.receive(Buffer.concat(requests));
    bench.broker.settle();
    // What makes it full, and one answer more; large messages are not copied for it.
    const max = 2 * outboxBytesMax + 2 * bodyBytes;
    assert.ok(bench.pendingBytes <= max, `${bench.pendingBytes} bytes wait for a client that gets ${bodyBytes} again and again`);
    assert.equal(bench.stalled.socket.isPaused, true);
    bench.assertOtherIsServed();
    // Nothing is lost of what it sent: it gets all the answers when it reads.
    bench.stalled.socket.kernelBytesMax = Infinity;
    let answers = 0;
    for (;;) {
      const frames = bench.stalled.takeAll();
      if (frames.length === 0) break;
      answers += frames.filter(frame => frame.method === methods.BasicGetOk).length;
    }
    assert.equal(answers, count);
    assert.equal(bench.stalled.socket.isPaused, false);
  }
});

test('a publisher that does not read what is returned to it is not read any more', () => {
  const bench = new Bench();
  const publish = bench.stalled.encodePublish(1, { routingKey: 'nowhere', mandatory: true, body: Buffer.alloc(10_000, 'x') });
  const count = 1000;
  for (let i = 0; i < count; i++) {
    bench.stalled.socket.receive(publish);
    bench.broker.settle();
  }
  assert.ok(bench.pendingBytes <= 2 * outboxBytesMax, `${bench.pendingBytes} bytes wait`);
  assert.equal(bench.stalled.socket.isPaused, true);
  bench.assertOtherIsServed();
  bench.stalled.socket.kernelBytesMax = Infinity;
  let returns = 0;
  for (let frames = bench.stalled.takeAll(); frames.length > 0; frames = bench.stalled.takeAll()) {
    returns += frames.filter(frame => frame.method === methods.BasicReturn).length;
  }
  assert.equal(returns, count);
});

test('answers without content, and confirms, are bounded too', () => {
  const bench = new Bench();
  bench.stalled.socket.receive(confirmSelect(1));
  const declare = queueDeclare(1, { queue: `q${'x'.repeat(250)}`, passive: false });
  const publish = bench.stalled.encodePublish(1, { routingKey: 'q' });
  for (let i = 0; i < 10_000; i++) {
    bench.stalled.socket.receive(Buffer.concat([declare, publish]));
    bench.broker.settle();
  }
  assert.ok(bench.pendingBytes <= 1.5 * outboxBytesMax, `${bench.pendingBytes} bytes wait`);
  assert.equal(bench.stalled.socket.isPaused, true);
  bench.assertOtherIsServed();
});

test('a client that is slow with one large message is read all the time', () => {
  const bench = new Bench();
  bench.other.publish(1, { routingKey: 'q', body: Buffer.alloc(8_000_000, 'x') });
  bench.stalled.socket.receive(basicConsume(1, { queue: 'q' }));
  bench.broker.settle();
  assert.ok(bench.pendingBytes > 4 * outboxBytesMax);
  for (let i = 0; i < 100; i++) {
    bench.stalled.socket.receive(bench.stalled.encodePublish(1, { routingKey: 'other', body: 'from the slow one' }));
    bench.broker.settle();
  }
  assert.equal(bench.stalled.socket.isPaused, false);
  assert.equal(bench.stalled.socket.unreadBytes, 0);
});

test('a client that takes nothing for the send timeout is disconnected', () => {
  const bench = new Bench();
  const { sendTimeoutMillis } = bench.broker.core.settings;
  for (let i = 0; i < 2000; i++) bench.other.publish(1, { routingKey: 'q', body: Buffer.alloc(1000) });
  bench.stalled.socket.receive(basicConsume(1, { queue: 'q' }));
  bench.broker.advance(sendTimeoutMillis * 0.9);
  assert.equal(bench.stalled.socket.isClosed, false);
  bench.broker.advance(sendTimeoutMillis * 0.5);
  assert.equal(bench.stalled.socket.isClosed, true);
  const queue = bench.broker.core.vhosts.get('/')?.queues.get('q');
  assert.equal(queue?.readyCount, 2000);
  assert.equal(queue?.unackedCount, 0);
});
