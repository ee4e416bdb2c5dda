// Faults on purpose, and that each is what it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver, type Delivery } from '../../support/amqp-driver.ts';
import { basicAck, basicConsume, basicGet, confirmSelect, queueDeclare } from '../../support/amqp-requests.ts';
import { withBroker, withClient } from '../../support/with-broker.ts';

const tagOf = (delivery: Delivery): number => (delivery.kind === 'deliver' ? delivery.args.deliveryTag : 0);

test('connections are dropped without a word, cut off in the middle of a frame, or closed', async () => {
  await withBroker(async broker => {
    const connect = (): Promise<AmqpDriver> => AmqpDriver.connect({ port: broker.port });
    const [one, two] = [await connect(), await connect()];
    assert.equal(broker.faults.dropConnections(), 2);
    assert.equal((await one.closed).kind, 'end');
    assert.equal((await two.closed).kind, 'end');

    const cut = await connect();
    const bytes: Buffer[] = [];
    cut.socket.on('data', chunk => bytes.push(chunk));
    assert.equal(broker.faults.cutMidFrame(), 1);
    assert.equal((await cut.closed).kind, 'end');
    assert.ok(Buffer.concat(bytes).length > 0 && Buffer.concat(bytes).at(-1) !== 0xce, 'the last frame is whole');

    const closed = await connect();
    assert.equal(
      broker.faults.closeConnections(() => false),
      0,
    );
    assert.equal(
      broker.faults.closeConnections(({ user }) => user === 'guest'),
      1,
    );
    assert.equal((await closed.expectConnectionClose()).replyCode, 320);
  });
});

test('publishes are refused as often as asked', async () => {
  await withClient(async (client, broker) => {
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    await client.call(confirmSelect(1), methods.ConfirmSelectOk);
    broker.faults.nackPublishes(1);
    client.publish(1, { routingKey: 'q', body: 'refused' });
    assert.equal((await client.expect(methods.BasicNack)).deliveryTag, 1);
    client.publish(1, { routingKey: 'q', body: 'taken' });
    assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 2);
    assert.equal(broker.vhost().queue('q').depth, 1);
  });
});

test("confirms come late, on the broker's clock, or not before they are let go", async () => {
  await withClient(
    async (client, broker) => {
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      broker.faults.delayConfirms('10s');
      client.publish(1, { routingKey: 'q', body: 'late' });
      await broker.vhost().queue('q').received(1);
      await broker.clock.advance('9s');
      assert.equal(client.pending.length, 0);
      await broker.clock.advance('2s');
      assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 1);
      broker.faults.holdConfirms();
      client.publish(1, { routingKey: 'q', body: 'held' });
      await broker.vhost().queue('q').received(2);
      await broker.clock.advance('1h');
      assert.equal(client.pending.length, 0);
      broker.faults.clear();
      assert.equal((await client.expect(methods.BasicAck)).deliveryTag, 2);
    },
    { clock: 'virtual' },
  );
});

test('a lost acknowledgement brings the message again', async () => {
  await withClient(async (client, broker) => {
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    await client.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
    broker.faults.deliverTwice(1);
    client.publish(1, { routingKey: 'q', body: 'x' });
    const first = await client.nextDelivery(1);
    client.send(basicAck(1, tagOf(first)));
    const second = await client.nextDelivery(1);
    assert.ok(second.kind === 'deliver' && second.args.redelivered);
    client.send(basicAck(1, tagOf(second)));
    await broker.idle();
    assert.equal(broker.vhost().queue('q').depth, 0);
    assert.equal(broker.published()[0]?.copies[0]?.returnCount, 1);
  });
});

test('a paused queue hands nothing out until it is resumed', async () => {
  await withClient(async (client, broker) => {
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    broker.faults.pauseQueue('q');
    await client.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
    client.publish(1, { routingKey: 'q', body: 'x' });
    await client.call(basicGet(1, 'q'), methods.BasicGetEmpty);
    assert.equal(broker.vhost().queue('q').ready, 1);
    broker.faults.resumeQueue('q');
    assert.equal((await client.nextDelivery(1)).body.toString(), 'x');
    assert.throws(() => broker.faults.pauseQueue('none'), RangeError);
  });
});

test('an alarm blocks publishers until it is over', async () => {
  await withClient(async (client, broker) => {
    await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
    client.publish(1, { routingKey: 'q', body: 'x' });
    await broker.vhost().queue('q').received(1);
    broker.faults.fillDisk();
    assert.equal((await client.expect(methods.ConnectionBlocked)).reason, 'low on disk');
    broker.faults.clear();
    await client.expect(methods.ConnectionUnblocked);
  });
});

test('after a crash there is what a restart leaves, and what was being confirmed may be lost with the power', async () => {
  for (const unsynced of ['kept', 'lost'] as const) {
    await withClient(async (client, broker) => {
      await client.call(queueDeclare(1, { queue: 'durable', durable: true }), methods.QueueDeclareOk);
      await client.call(queueDeclare(1, { queue: 'transient' }), methods.QueueDeclareOk);
      await client.call(basicConsume(1, { queue: 'durable' }), methods.BasicConsumeOk);
      client.publish(1, { routingKey: 'durable', body: 'delivered', properties: { deliveryMode: 2 } });
      await client.nextDelivery(1);
      client.publish(1, { routingKey: 'durable', body: 'transient' });
      broker.faults.holdConfirms();
      client.publish(1, { routingKey: 'durable', body: 'unsynced', properties: { deliveryMode: 2 } });
      await broker.vhost().queue('durable').received(3);
      await broker.crash({ unsynced });

      assert.equal((await client.closed).kind, 'end');
      assert.equal(broker.vhost().queue('transient').exists, false);
      const left = await broker.vhost().queue('durable').messages();
      assert.deepEqual(
        left.map(({ text }) => text),
        unsynced === 'kept' ? ['delivered', 'unsynced'] : ['delivered'],
      );
      assert.equal(left[0]?.isRedelivered, true);
      await (await AmqpDriver.connect({ port: broker.port })).end();
    });
  }
});

test('a broker that refuses connections looks as if it were not there', async () => {
  await withBroker(async broker => {
    broker.faults.refuseConnections();
    await assert.rejects(AmqpDriver.connect({ port: broker.port }));
    broker.faults.acceptConnections();
    await (await AmqpDriver.connect({ port: broker.port })).end();
  });
});
