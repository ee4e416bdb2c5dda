// A state to come back to, and a world for each test.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

test('a snapshot brings topology, users and messages back', async () => {
  await withClient(async (client, broker) => {
    await client.call(exchangeDeclare(1, { exchange: 'x', type: 'fanout' }), methods.ExchangeDeclareOk);
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    await client.call(queueBind(1, { queue: 'q', exchange: 'x' }), methods.QueueBindOk);
    for (const body of ['1', '2', '3']) client.publish(1, { exchange: 'x', routingKey: '', body });
    await broker.vhost().queue('q').received(3);
    const consumer = await AmqpDriver.connect({ port: broker.port });
    await consumer.openChannel(1);
    await consumer.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
    await consumer.nextDelivery(1);
    const snapshot = await broker.snapshot();
    assert.equal(snapshot.messageCount, 3);
    consumer.destroy();

    await client.call(queueDeclare(1, { queue: 'other' }), methods.QueueDeclareOk);
    await client.call(methods.encodeQueueDelete(1, { queue: 'q', ifUnused: false, ifEmpty: false, nowait: false }), methods.QueueDeleteOk);
    broker.core.access.deleteUser('guest');

    await broker.restore(snapshot);
    assert.equal(broker.vhost().queue('other').exists, false);
    const messages = await broker.vhost().queue('q').messages();
    assert.deepEqual(
      messages.map(({ text }) => text),
      ['1', '2', '3'],
    );
    client.publish(1, { exchange: 'x', routingKey: '', body: '4' });
    await broker.vhost().queue('q').received(1);
    assert.equal(broker.vhost().queue('q').depth, 4);
    const again = await AmqpDriver.connect({ port: broker.port });
    await again.end();
  });
});

test('a reset leaves what the broker began with, and connections', async () => {
  await withClient(
    async (client, broker) => {
      client.publish(1, { routingKey: 'mine', body: 'x' });
      await client.call(queueDeclare(1, { queue: 'more' }), methods.QueueDeclareOk);
      await broker.reset();
      assert.deepEqual(
        broker
          .vhost()
          .queues()
          .map(({ name, depth }) => [name, depth]),
        [['mine', 0]],
      );
      assert.equal(broker.published().length, 0);
      await client.call(queueDeclare(1, { queue: 'again' }), methods.QueueDeclareOk);
    },
    {
      definitions: [{ vhosts: [{ name: '/' }], queues: [{ name: 'mine', vhost: '/', durable: true, auto_delete: false, arguments: {} }] }],
      hasFirstObjects: true,
    },
  );
});

test('a fork is a world of its own, with the same topology', async () => {
  await withClient(async (client, broker) => {
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    client.publish(1, { routingKey: 'q', body: 'x' });
    await broker.vhost().queue('q').received(1);
    let name = '';
    {
      await using fork = await broker.fork();
      name = fork.name;
      assert.equal(fork.queue('q').exists, true);
      assert.equal(fork.queue('q').depth, 0);
      assert.equal(fork.amqpUrl, `amqp://guest:guest@127.0.0.1:${broker.port}/${name}`);
      const inside = await AmqpDriver.connect({ port: broker.port, vhost: fork.name });
      await inside.openChannel(1);
      inside.publish(1, { routingKey: 'q', body: 'inside' });
      assert.equal((await fork.queue('q').received(1))[0]?.text, 'inside');
      assert.equal(broker.vhost().queue('q').depth, 1);
      await assert.rejects(broker.fork({ name }), RangeError);
    }
    assert.equal(broker.vhost(name).exists, false);
    await assert.rejects(broker.fork({ from: 'none' }), RangeError);
  });
});

test('twenty brokers live side by side and leave nothing', async () => {
  const before = process.getActiveResourcesInfo().filter(name => name !== 'Immediate').length;
  const brokers = await Promise.all(Array.from({ length: 20 }, () => Broker.start()));
  assert.equal(new Set(brokers.map(({ port }) => port)).size, 20);
  for (const broker of brokers) await (await AmqpDriver.connect({ port: broker.port })).end();
  await Promise.all(brokers.map(broker => broker.stop()));
  await new Promise(resolve => setImmediate(resolve));
  const after = process.getActiveResourcesInfo().filter(name => name !== 'Immediate');
  assert.ok(after.length <= before, `left behind: ${after.join(', ')}`);
});

test('a client can do without a socket', async () => {
  await using broker = await Broker.start();
  const stream = broker.connectStream();
  const bytes = new Promise<Buffer>(resolve => stream.once('data', resolve));
  stream.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
  const frame = await bytes;
  // connection.start on channel 0
  assert.deepEqual([...frame.subarray(0, 3), ...frame.subarray(7, 11)], [1, 0, 0, 0, 10, 0, 10]);
  stream.destroy();
});
