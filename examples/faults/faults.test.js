// Each fault that can be made on purpose, as a program on amqplib meets it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, beforeEach, test } from 'node:test';
import amqplib from 'amqplib';
import { Broker } from 'warrenmq';

let broker;
before(async () => {
  broker = await Broker.start();
});
beforeEach(() => broker.reset());
after(() => broker.stop());

/** A connection with a confirm channel, and what went wrong with it. */
async function open(name) {
  const connection = await amqplib.connect(broker.amqpUrl, { clientProperties: { connection_name: name } });
  const errors = [];
  connection.on('error', error => errors.push(error.message));
  const closed = new Promise(resolve => connection.once('close', resolve));
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => {});
  return { connection, channel, errors, closed };
}

/** Resolves with null for a confirm, with an error for a refusal. */
function publish(channel, text, queue = 'q') {
  return new Promise(resolve => channel.sendToQueue(queue, Buffer.from(text), { persistent: true }, resolve));
}

test('one connection of several is dropped', async () => {
  const first = await open('first');
  const second = await open('second');
  assert.equal(broker.faults.dropConnections('first'), 1);
  await first.closed;
  assert.deepEqual(first.errors, ['Unexpected close']);
  await second.channel.assertQueue('q');
  assert.deepEqual(second.errors, []);
  await second.connection.close();
});

test('all connections are dropped, or closed by an operator', async () => {
  const clients = [await open(), await open()];
  assert.equal(broker.faults.dropConnections(), 2);
  await Promise.all(clients.map(({ closed }) => closed));
  const { errors, closed } = await open();
  assert.equal(broker.faults.closeConnections(), 1);
  await closed;
  // amqplib counts what an operator does as a close, not as an error.
  assert.deepEqual(errors, []);
});

test('a client is cut off in the middle of a frame', async () => {
  const { errors, closed } = await open();
  assert.equal(broker.faults.cutMidFrame(), 1);
  await closed;
  assert.equal(errors.length, 1);
});

test('nobody listens for a while', async () => {
  broker.faults.refuseConnections();
  await assert.rejects(amqplib.connect(broker.amqpUrl));
  broker.faults.acceptConnections();
  await (await open()).connection.close();
});

test('confirms come late, or not until they are let go', async () => {
  const { connection, channel } = await open();
  await channel.assertQueue('q');
  broker.faults.delayConfirms('80ms');
  const began = performance.now();
  assert.equal(await publish(channel, 'late'), null);
  assert.ok(performance.now() - began >= 79, 'it took its time');
  broker.faults.holdConfirms();
  let isConfirmed = false;
  const held = publish(channel, 'held').then(() => (isConfirmed = true));
  await broker.vhost().queue('q').received(2);
  assert.equal(broker.vhost().queue('q').depth, 2, 'it is there, and nobody said so');
  assert.ok(!isConfirmed);
  broker.faults.clear();
  await held;
  await connection.close();
});

test('the next publishes are refused', async () => {
  const { connection, channel } = await open();
  await channel.assertQueue('q');
  broker.faults.nackPublishes(2);
  const answers = await Promise.all(['one', 'two', 'three'].map(text => publish(channel, text)));
  assert.deepEqual(
    answers.map(error => error?.message ?? 'confirmed'),
    ['message nacked', 'message nacked', 'confirmed'],
  );
  assert.equal(broker.vhost().queue('q').depth, 1);
  await connection.close();
});

test('a message is delivered twice, the second time as redelivered', async () => {
  const { connection, channel } = await open();
  await channel.assertQueue('q');
  broker.faults.deliverTwice(1);
  await publish(channel, 'order');
  const deliveries = [];
  await channel.consume('q', message => {
    deliveries.push(message.fields.redelivered);
    channel.ack(message);
  });
  await broker.idle();
  assert.deepEqual(deliveries, [false, true]);
  const [order] = broker.published();
  assert.equal(order.fateIn('q'), 'acked');
  assert.equal(order.copies[0].returnCount, 1);
  await connection.close();
});

for (const [what, raise, reason] of [
  ['a full disk', faults => faults.fillDisk(), 'low on disk'],
  ['a memory alarm', faults => faults.raiseAlarm('memory'), 'low on memory'],
]) {
  test(`${what} blocks publishers and no consumer`, async () => {
    const publisher = await open('publisher');
    const consumer = await open('consumer');
    await publisher.channel.assertQueue('q');
    await publish(publisher.channel, 'before');
    const blocked = once(publisher.connection, 'blocked');
    raise(broker.faults);
    let isConfirmed = false;
    const confirmed = publish(publisher.channel, 'during').then(() => (isConfirmed = true));
    assert.equal((await blocked)[0], reason);
    const message = await consumer.channel.get('q');
    assert.equal(message.content.toString(), 'before');
    consumer.channel.ack(message);
    assert.ok(!isConfirmed);
    const unblocked = once(publisher.connection, 'unblocked');
    broker.faults.clear();
    await unblocked;
    await confirmed;
    assert.equal(broker.vhost().queue('q').ready, 1);
    await publisher.connection.close();
    await consumer.connection.close();
  });
}

test('a queue takes messages and hands none out', async () => {
  const { connection, channel } = await open();
  await channel.assertQueue('q');
  const texts = [];
  await channel.consume('q', message => texts.push(message.content.toString()), { noAck: true });
  broker.faults.pauseQueue('q');
  await publish(channel, 'order');
  assert.equal(await channel.get('q'), false);
  assert.deepEqual(texts, []);
  broker.faults.resumeQueue('q');
  await broker.idle();
  assert.deepEqual(texts, ['order']);
  await connection.close();
});

test('a crash leaves what is durable; what was delivered comes again', async () => {
  const { connection, channel, closed } = await open();
  await channel.assertQueue('q');
  await channel.assertQueue('transient', { durable: false });
  await publish(channel, 'persistent');
  await channel.get('q');
  channel.sendToQueue('q', Buffer.from('transient'));
  await channel.waitForConfirms();
  await broker.crash();
  await closed;
  assert.ok(connection !== null);
  const again = await open();
  assert.ok(!broker.vhost().queue('transient').exists);
  const message = await again.channel.get('q');
  assert.deepEqual([message.content.toString(), message.fields.redelivered], ['persistent', true]);
  assert.equal(await again.channel.get('q'), false);
  await again.connection.close();
});

test('a crash with the power takes what was not confirmed', async () => {
  const { channel, closed } = await open();
  await channel.assertQueue('q');
  assert.equal(await publish(channel, 'confirmed'), null);
  broker.faults.holdConfirms();
  const lost = publish(channel, 'not confirmed');
  await broker.vhost().queue('q').received(2);
  await broker.crash({ unsynced: 'lost' });
  await closed;
  assert.match((await lost).message, /closed/);
  const messages = await broker.vhost().queue('q').messages();
  assert.deepEqual(
    messages.map(({ text }) => text),
    ['confirmed'],
  );
});
