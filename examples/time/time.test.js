// Half an hour in a moment: what has to do with time, as a program on amqplib meets it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import amqplib from 'amqplib';
import { Broker } from 'warrenmq';

let broker;
let connection;
let channel;
before(async () => {
  broker = await Broker.start({ clock: 'virtual' });
});
beforeEach(async () => {
  await connection?.close().catch(() => {});
  await broker.reset();
  connection = await amqplib.connect(broker.amqpUrl);
  connection.on('error', () => {});
  channel = await connection.createConfirmChannel();
});
after(async () => {
  await connection?.close().catch(() => {});
  await broker.stop();
});

const minutes = count => count * 60_000;
const send = async (queue, text, options) => {
  channel.sendToQueue(queue, Buffer.from(text), options);
  await channel.waitForConfirms();
};

test('messages expire and are dead-lettered, each at its own moment', async () => {
  await channel.assertQueue('dead');
  const arrivals = [];
  const began = broker.clock.now.getTime();
  await channel.consume('dead', message => arrivals.push([message.content.toString(), broker.clock.now.getTime() - began]), {
    noAck: true,
  });
  for (const [queue, ttl] of [
    ['slow', minutes(20)],
    ['quick', minutes(10)],
  ]) {
    await channel.assertQueue(queue, { messageTtl: ttl, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
    await send(queue, queue);
  }
  await channel.assertQueue('own', { deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  await send('own', 'own', { expiration: String(minutes(15)) });
  await broker.clock.advance('30m');
  assert.deepEqual(arrivals, [
    ['quick', minutes(10)],
    ['own', minutes(15)],
    ['slow', minutes(20)],
  ]);
  assert.equal(broker.clock.now.getTime() - began, minutes(30));
});

test('an unused queue expires', async () => {
  await channel.assertQueue('short', { expires: minutes(5) });
  await broker.clock.advance('4m59s');
  assert.ok(broker.vhost().queue('short').exists);
  await broker.clock.advance('2s');
  assert.ok(!broker.vhost().queue('short').exists);
});

test('delayed messages come in the order of their time', async () => {
  await channel.assertExchange('later', 'x-delayed-message', { arguments: { 'x-delayed-type': 'direct' } });
  await channel.assertQueue('q');
  await channel.bindQueue('q', 'later', 'key');
  for (const minute of [30, 10, 20])
    channel.publish('later', 'key', Buffer.from(String(minute)), { headers: { 'x-delay': minutes(minute) } });
  await channel.waitForConfirms();
  const texts = [];
  await channel.consume('q', message => texts.push(message.content.toString()), { noAck: true });
  await broker.clock.advance('25m');
  assert.deepEqual(texts, ['10', '20']);
  await broker.clock.advance('5m');
  assert.deepEqual(texts, ['10', '20', '30']);
});

test('a rejected message comes back after longer and longer delays, and is a dead letter in the end', async () => {
  await channel.assertQueue('dead');
  await channel.assertQueue('q', { deadLetterExchange: '', deadLetterRoutingKey: 'dead', arguments: { 'x-retry-delays': '1m,10m' } });
  const began = broker.clock.now.getTime();
  const attempts = [];
  await channel.consume('q', message => {
    attempts.push((broker.clock.now.getTime() - began) / 60_000);
    channel.reject(message, false);
  });
  await send('q', 'order');
  await broker.clock.advance('1h');
  assert.deepEqual(attempts, [0, 1, 11]);
  assert.equal(broker.vhost().queue('dead').depth, 1);
});

test('a delivery that nobody acknowledges closes its channel after half an hour', async () => {
  await channel.assertQueue('q');
  await send('q', 'order');
  const error = new Promise(resolve => channel.once('error', resolve));
  await channel.consume('q', () => {});
  await broker.clock.advance('29m');
  assert.equal(broker.vhost().queue('q').unacked, 1);
  await broker.clock.advance('3m');
  assert.equal((await error).code, 406);
  assert.equal(broker.vhost().queue('q').ready, 1);
});

test('heartbeats are kept through any time, or missed when that is wanted', async () => {
  const closed = new Promise(resolve => connection.once('close', resolve));
  await broker.clock.advance('1d');
  await channel.assertQueue('q');
  await broker.clock.advance('1h', { heartbeats: 'missed' });
  await closed;
  connection = null;
});

test('a stream forgets what is too old', async () => {
  const stream = { durable: true, arguments: { 'x-queue-type': 'stream', 'x-max-age': '1h', 'x-stream-max-segment-size-bytes': 1000 } };
  await channel.assertQueue('log', stream);
  for (let count = 0; count < 10; count++) await send('log', String(count).padEnd(600));
  await broker.clock.advance('30m');
  assert.equal(broker.vhost().queue('log').depth, 10);
  await broker.clock.advance('2h');
  await send('log', 'newest'.padEnd(600));
  await broker.clock.advance('1m');
  assert.ok(broker.vhost().queue('log').depth <= 3, `${broker.vhost().queue('log').depth} are kept`);
});
