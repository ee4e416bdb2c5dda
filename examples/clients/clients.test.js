// Each JavaScript client against a broker in the same process.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import { AMQPClient } from '@cloudamqp/amqp-client';
import amqpConnectionManager from 'amqp-connection-manager';
import amqplib from 'amqplib';
import { Connection } from 'rabbitmq-client';
import rascal from 'rascal';
import { Broker } from 'warrenmq';

let broker;
before(async () => {
  broker = await Broker.start();
});
beforeEach(() => broker.reset());
after(() => broker.stop());

async function isHandled(text) {
  const [message] = await broker.vhost().queue('q').received(1);
  await broker.idle();
  assert.equal(message.text, text);
  assert.equal(message.fateIn('q'), 'acked');
}

test('amqplib', async () => {
  const connection = await amqplib.connect(broker.amqpUrl);
  const channel = await connection.createChannel();
  await channel.assertQueue('q');
  await channel.consume('q', message => channel.ack(message));
  channel.sendToQueue('q', Buffer.from('amqplib'));
  await isHandled('amqplib');
  await connection.close();
});

test('rabbitmq-client', async () => {
  const connection = new Connection(broker.amqpUrl);
  const consumer = connection.createConsumer({ queue: 'q', queueOptions: { durable: true } }, async () => {});
  await new Promise(resolve => consumer.once('ready', resolve));
  const publisher = connection.createPublisher({ confirm: true });
  await publisher.send('q', 'rabbitmq-client');
  await isHandled('rabbitmq-client');
  await publisher.close();
  await consumer.close();
  await connection.close();
});

test('amqp-connection-manager comes back after its connection was cut', async () => {
  const connection = amqpConnectionManager.connect([broker.amqpUrl], { reconnectTimeInSeconds: 0.05 });
  const channel = connection.createChannel({
    setup: async plain => {
      await plain.assertQueue('q');
      await plain.consume('q', message => plain.ack(message));
    },
  });
  await channel.waitForConnect();
  const disconnected = once(connection, 'disconnect');
  broker.faults.dropConnections();
  await disconnected;
  await channel.sendToQueue('q', Buffer.from('amqp-connection-manager'));
  await isHandled('amqp-connection-manager');
  await connection.close();
});

test('@cloudamqp/amqp-client', async () => {
  const connection = await new AMQPClient(broker.amqpUrl).connect();
  const channel = await connection.channel();
  await channel.queueDeclare('q', { durable: true });
  await channel.basicConsume('q', { noAck: false }, message => message.ack());
  await channel.basicPublish('', 'q', 'cloudamqp');
  await isHandled('cloudamqp');
  await connection.close();
});

test('rascal', async () => {
  const client = await rascal.BrokerAsPromised.create({
    vhosts: {
      '/': {
        connection: { url: broker.amqpUrl },
        queues: ['q'],
        publications: { p: { queue: 'q' } },
        subscriptions: { s: { queue: 'q' } },
      },
    },
  });
  const subscription = await client.subscribe('s');
  subscription.on('message', (_message, _content, ackOrNack) => ackOrNack());
  await client.publish('p', 'rascal');
  await isHandled('rascal');
  await client.shutdown();
});
