import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { closeOf, withEdge } from '../../support/edge.ts';
import { waitUntil } from '../../support/wait-until.ts';

const kibibyte = 1024;
/** Longer than a busy machine takes. */
const patiently = { timeoutMillis: 30_000 };

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
    // With what trickles in every time anew it would be minutes.
    for (const millis of took) assert.ok(millis > 300 && millis < 30_000, `${millis} ms`);
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
    // Filling takes long on a busy machine: the time counts from when its outbox was last seen with room, and not from the end of that.
    let lastFreeMillis = performance.now();
    const watch = setInterval(() => {
      if (!link.outbox.isCongested && !link.isClosed) lastFreeMillis = performance.now();
    }, 1).unref();
    // More than the kernel takes for it.
    const count = 2000;
    await fill(owner, 'q', count);
    await waitUntil(() => link.outbox.isCongested || link.isClosed, patiently);
    assert.ok(link.pendingBytes < 256 * kibibyte + 2 * 64 * kibibyte + 20 * kibibyte, `${link.pendingBytes} bytes wait`);
    await waitUntil(() => link.isClosed, patiently);
    clearInterval(watch);
    assert.ok(performance.now() - lastFreeMillis > 600);
    assert.ok(log.some(text => text.includes('client takes nothing, send timeout: 0.8s')));
    const { messageCount } = await owner.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk);
    assert.equal(messageCount, count);
    assert.equal(broker.core.connections.size, 1);
    stuck.destroy();
    await owner.end();
  });
});

test('a consumer that reads slowly is not disconnected', async () => {
  const settings = { sendTimeoutMillis: 1500, outboxBytesMax: 256 * kibibyte };
  await withEdge({ settings }, async ({ port, links }) => {
    const owner = await AmqpDriver.connect({ port });
    await owner.openChannel(1);
    await owner.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    const slow = await AmqpDriver.connect({ port });
    await slow.openChannel(1);
    await slow.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
    const { outbox } = links[1] ?? assert.fail();
    let received = 0;
    slow.socket.on('data', bytes => (received += bytes.length));
    slow.socket.pause();
    const count = 4000;
    await fill(owner, 'q', count);
    await waitUntil(() => outbox.isCongested, patiently);
    // It takes as much as the kernel wants before it takes more of the broker, and nothing for a third of the timeout.
    const startMillis = performance.now();
    let congestedMillis = 0;
    while (outbox.isCongested && congestedMillis < 2.5 * settings.sendTimeoutMillis) {
      await delay(settings.sendTimeoutMillis / 3);
      const before = outbox.writesDone;
      slow.socket.resume();
      await waitUntil(() => outbox.writesDone > before, patiently);
      slow.socket.pause();
      congestedMillis = performance.now() - startMillis;
    }
    assert.ok(congestedMillis > 2 * settings.sendTimeoutMillis, `${congestedMillis} ms show too little`);
    slow.socket.resume();
    await waitUntil(() => received > count * 10 * kibibyte, { ...patiently, message: () => `${received} bytes came` });
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
    await waitUntil(() => link.isPaused, patiently);
    assert.ok(link.pendingBytes < 1024 * kibibyte, `${link.pendingBytes} bytes wait`);
    let answered = 0;
    client.socket.on('data', bytes => (answered += bytes.length));
    client.socket.resume();
    // class, method, name with its length, two counters, and the frame around them
    const answerBytes = 8 + 4 + 2 + 8;
    await waitUntil(() => answered === count * answerBytes, {
      ...patiently,
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
    await waitUntil(() => link.outbox.isCongested, patiently);
    client.socket.end();
    await waitUntil(() => link.isClosed, patiently);
    assert.equal(broker.core.connections.size, 1);
    client.destroy();
    await publisher.end();
  });
});
