// Each JavaScript client without TCP: on a stream inside the process, and through a Unix socket that it is given by its own options.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AMQPClient } from '@cloudamqp/amqp-client';
import amqpConnectionManager from 'amqp-connection-manager';
import amqplib from 'amqplib';
import { Connection } from 'rabbitmq-client';
import rascal from 'rascal';
import { Broker } from 'warrenmq';

/** Each publishes a confirmed message to the queue `q`, consumes and acknowledges it, and resolves with its text. */
const clients = {
  async amqplib(url, { socket }) {
    const connection = await amqplib.connect(`${url}?heartbeat=1`, socket);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('q');
    const received = new Promise(resolve => {
      void channel.consume('q', message => {
        channel.ack(message);
        resolve(message.content.toString());
      });
    });
    channel.sendToQueue('q', Buffer.from('amqplib'));
    await channel.waitForConfirms();
    const text = await received;
    await channel.close();
    await connection.close();
    return text;
  },

  async 'rabbitmq-client'(url, { socket }) {
    const connection = new Connection({ url, socket, heartbeat: 1 });
    const received = Promise.withResolvers();
    const consumer = connection.createConsumer({ queue: 'q', queueOptions: { durable: true } }, async message =>
      received.resolve(message.body),
    );
    await once(consumer, 'ready');
    const publisher = connection.createPublisher({ confirm: true });
    await publisher.send('q', 'rabbitmq-client');
    const text = await received.promise;
    await publisher.close();
    await consumer.close();
    await connection.close();
    return text;
  },

  async 'amqp-connection-manager'(url, { socket }) {
    const connection = amqpConnectionManager.connect([url], { connectionOptions: socket });
    const received = Promise.withResolvers();
    const channel = connection.createChannel({ setup: plain => plain.assertQueue('q') });
    await channel.consume('q', message => {
      channel.ack(message);
      received.resolve(message.content.toString());
    });
    await channel.sendToQueue('q', Buffer.from('amqp-connection-manager'));
    const text = await received.promise;
    await connection.close();
    return text;
  },

  async '@cloudamqp/amqp-client'(url, { socket }) {
    const connection = await new AMQPClient(`${url}?heartbeat=1`, socket).connect();
    const channel = await connection.channel();
    await channel.confirmSelect();
    await channel.queueDeclare('q', { durable: true });
    const received = Promise.withResolvers();
    await channel.basicConsume('q', { noAck: false }, async message => {
      await message.ack();
      received.resolve(message.bodyString());
    });
    await channel.basicPublish('', 'q', 'cloudamqp');
    const text = await received.promise;
    await connection.close();
    return text;
  },

  async rascal(url, { socket }) {
    const client = await rascal.BrokerAsPromised.create({
      vhosts: {
        '/': {
          connection: { url, socketOptions: socket },
          queues: ['q'],
          publications: { p: { queue: 'q' } },
          subscriptions: { s: { queue: 'q' } },
        },
      },
    });
    const received = Promise.withResolvers();
    const subscription = await client.subscribe('s');
    subscription.on('message', (_message, content, ackOrNack) => {
      ackOrNack();
      received.resolve(content);
    });
    const publication = await client.publish('p', 'rascal');
    await once(publication, 'success');
    const text = await received.promise;
    await client.shutdown();
    return text;
  },
};

const directory = mkdtempSync(join(tmpdir(), 'warren-in-process-'));
const socketPath = join(directory, 'amqp.sock');
let broker;
before(async () => {
  broker = await Broker.start({ listeners: [{ socketPath }] });
});
afterEach(async () => {
  mock.restoreAll();
  syncBuiltinESMExports();
  await broker.reset();
});
after(async () => {
  await broker.stop();
  assert.deepEqual(readdirSync(directory), [], 'the socket is gone with the broker');
  rmSync(directory, { recursive: true });
});

/** From here on net.connect leads to the broker: clients need no option for it, and no port is open. */
function connectInProcess() {
  mock.method(net, 'connect', (_options, onConnect) => broker.connectStream(onConnect));
  // For clients that import it by name.
  syncBuiltinESMExports();
}

for (const [name, session] of Object.entries(clients)) {
  test(`${name} on a stream in the process`, async () => {
    connectInProcess();
    const text = await session('amqp://guest:guest@nowhere.invalid', {});
    assert.ok(net.connect.mock.callCount() > 0);
    await broker.idle();
    const [message] = await broker.vhost().queue('q').received(1);
    assert.equal(message.text, text);
    assert.equal(message.fateIn('q'), 'acked');
  });

  test(`${name} through a Unix socket`, async () => {
    const text = await session('amqp://guest:guest@nowhere.invalid', { socket: { path: socketPath } });
    await broker.idle();
    const [message] = await broker.vhost().queue('q').received(1);
    assert.equal(message.text, text);
    assert.equal(message.fateIn('q'), 'acked');
  });
}

test('a stream in the process sends heartbeats, takes large messages at any pace, and breaks when it is told to', async () => {
  connectInProcess();
  const connection = await amqplib.connect('amqp://nowhere.invalid?heartbeat=1');
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('large');
  const large = Buffer.alloc(1_000_000, 'warren');
  for (let count = 0; count < 20; count++) channel.sendToQueue('large', large);
  await channel.waitForConfirms();
  let received = 0;
  await channel.prefetch(3);
  const all = Promise.withResolvers();
  await channel.consume('large', message => {
    assert.ok(message.content.equals(large));
    setImmediate(() => {
      channel.ack(message);
      if (++received === 20) all.resolve();
    });
  });
  await all.promise;
  // Both ends hear of each other while nothing else goes on, for longer than either would wait.
  const stream = net.connect.mock.calls[0].result;
  const { bytesRead, bytesWritten } = stream;
  const fourHeartbeats = 4 * 8;
  while (stream.bytesRead < bytesRead + fourHeartbeats || stream.bytesWritten < bytesWritten + fourHeartbeats) await delay(10);
  const errors = [];
  connection.on('error', error => errors.push(error.message));
  const closed = new Promise(resolve => connection.once('close', resolve));
  assert.equal(broker.faults.dropConnections(), 1);
  await closed;
  assert.deepEqual(errors, ['Unexpected close']);
});
