import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { closeOf, withEdge } from '../../support/edge.ts';
import { waitUntil } from '../../support/wait-until.ts';

const kibibyte = 1024;

test('bytes that trickle in do not prolong the handshake', async () => {
  await withEdge({ settings: { handshakeTimeoutMillis: 600 } }, async ({ port, admission, log }) => {
    const startOk = methods.encodeConnectionStartOk(0, {
      clientProperties: new Map(),
      mechanism: 'PLAIN',
      response: Buffer.alloc(4000),
      locale: 'en',
    });
    // One never gets through the header, one never through start-ok.
    const dribble = async (bytes: Uint8Array, intervalMillis: number): Promise<number> => {
      const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
      socket.on('error', () => {});
      socket.on('data', () => {});
      await once(socket, 'connect');
      const startMillis = performance.now();
      let sent = 0;
      const timer = setInterval(() => socket.write(bytes.subarray(sent, ++sent)), intervalMillis).unref();
      socket.on('close', () => clearInterval(timer));
      await closeOf(socket);
      return performance.now() - startMillis;
    };
    const silent = net.connect({ port, host: '127.0.0.1' });
    silent.on('error', () => {});
    const took = await Promise.all([
      dribble(protocolHeader.subarray(0, 7), 80),
      dribble(Buffer.concat([protocolHeader, startOk]), 30),
      closeOf(silent).then(() => 600),
    ]);
    for (const millis of took) assert.ok(millis > 300 && millis < 5000, `${millis} ms`);
    assert.ok(log.some(text => /handshake.timeout/.test(text)));
    await waitUntil(() => admission.connectionCount === 0);
  });
});

/** Fills a queue with messages of 10 KiB. */
async function fill(client: AmqpDriver, queue: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) client.publish(1, { routingKey: queue, body: Buffer.alloc(10 * kibibyte, i) });
  await client.call(queueDeclare(1, { queue, passive: true }), methods.QueueDeclareOk);
}

test('a consumer that takes nothing is disconnected after the send timeout, and others get its messages', async () => {
  const settings = { sendTimeoutMillis: 800, outboxBytesMax: 256 * kibibyte };
  await withEdge({ settings }, async ({ broker, port, links, log }) => {
    const owner = await AmqpDriver.connect({ port });
    await owner.openChannel(1);
    await owner.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    const stuck = await AmqpDriver.connect({ port });
    await stuck.openChannel(1);
    await stuck.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
    stuck.socket.pause();
    const link = links[1] ?? assert.fail();
    // More than the kernel takes for it.
    const count = 2000;
    await fill(owner, 'q', count);
    await waitUntil(() => link.outbox.isCongested);
    assert.ok(link.pendingBytes < 256 * kibibyte + 2 * 64 * kibibyte + 20 * kibibyte, `${link.pendingBytes} bytes wait`);
    const congestedMillis = performance.now();
    await waitUntil(() => link.isClosed);
    assert.ok(performance.now() - congestedMillis > 600);
    assert.ok(log.some(text => text.includes('client takes nothing, send timeout: 0.8s')));
    const { messageCount } = await owner.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk);
    assert.equal(messageCount, count);
    assert.equal(broker.core.connections.size, 1);
    stuck.destroy();
    await owner.end();
  });
});

test('a consumer that reads slowly is not disconnected', async () => {
  const settings = { sendTimeoutMillis: 1000, outboxBytesMax: 256 * kibibyte };
  await withEdge({ settings }, async ({ port, links }) => {
    const owner = await AmqpDriver.connect({ port });
    await owner.openChannel(1);
    await owner.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    const slow = await AmqpDriver.connect({ port });
    await slow.openChannel(1);
    await slow.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
    const link = links[1] ?? assert.fail();
    let received = 0;
    slow.socket.on('data', bytes => {
      received += bytes.length;
      slow.socket.pause();
    });
    const reader = setInterval(() => slow.socket.resume(), 2).unref();
    await fill(owner, 'q', 3000);
    await waitUntil(() => link.outbox.isCongested);
    const startMillis = performance.now();
    let wasCongestedMillis = 0;
    await waitUntil(
      () => {
        if (link.outbox.isCongested) wasCongestedMillis = performance.now() - startMillis;
        assert.ok(!link.isClosed);
        return received > 3000 * 10 * kibibyte;
      },
      { timeoutMillis: 30_000 },
    );
    clearInterval(reader);
    assert.ok(!link.isClosed);
    assert.ok(wasCongestedMillis > 0);
    slow.destroy();
    await owner.end();
  });
});

test('a client that asks and asks without reading the answers is not read any more, and gets all of them when it reads', async () => {
  const settings = { outboxBytesMax: 64 * kibibyte, messageBytesMax: 64 * kibibyte };
  await withEdge({ settings }, async ({ port, links }) => {
    const client = await AmqpDriver.connect({ port, timeoutMillis: 20_000 });
    await client.openChannel(1);
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    const link = links[0] ?? assert.fail();
    client.socket.pause();
    // Each answer is about as large as the question: 12 MB of them, much more than the kernel holds for the client.
    const count = 300_000;
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => queueDeclare(1, { queue: 'q', passive: true })));
    for (let sent = 0; sent < count; sent += 1000) client.send(batch);
    await waitUntil(() => link.isPaused);
    assert.ok(link.pendingBytes < 1024 * kibibyte, `${link.pendingBytes} bytes wait`);
    let answered = 0;
    client.socket.on('data', bytes => (answered += bytes.length));
    client.socket.resume();
    // class, method, name with its length, two counters, and the frame around them
    const answerBytes = 8 + 4 + 2 + 8;
    await waitUntil(() => answered === count * answerBytes, {
      timeoutMillis: 20_000,
      message: () => `${answered} of ${count * answerBytes}`,
    });
    assert.equal(link.isPaused, false);
    await client.openChannel(2);
    client.destroy();
  });
});

test('a client that ends its side is closed when what waits for it is sent, or is taken no more', async () => {
  await withEdge({ settings: { sendTimeoutMillis: 600 } }, async ({ broker, port, links }) => {
    const half = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    half.on('error', () => {});
    half.end(protocolHeader);
    let received = 0;
    half.on('data', bytes => (received += bytes.length));
    await once(half, 'end');
    assert.ok(received > 100, 'connection.start came before the end');
    half.destroy();

    const client = await AmqpDriver.connect({ port });
    await client.openChannel(1);
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    await client.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
    const publisher = await AmqpDriver.connect({ port });
    await publisher.openChannel(1);
    client.socket.pause();
    await fill(publisher, 'q', 2000);
    const link = links.at(-2) ?? assert.fail();
    await waitUntil(() => link.outbox.isCongested);
    client.socket.end();
    await waitUntil(() => link.isClosed);
    assert.equal(broker.core.connections.size, 1);
    client.destroy();
    await publisher.end();
  });
});
