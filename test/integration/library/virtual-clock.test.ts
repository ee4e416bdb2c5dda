// Time as a test wants it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { long, longstr } from '../../../src/base/field-table.ts';
import { Broker, VirtualClock } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { withClient } from '../../support/with-broker.ts';

test('messages expire, queues end and dead letters arrive when their time has come, in order', async () => {
  await withClient(
    async (client, broker) => {
      const deadLetters = { 'x-dead-letter-exchange': longstr(''), 'x-dead-letter-routing-key': longstr('dead') };
      await client.call(queueDeclare(1, { queue: 'dead' }), methods.QueueDeclareOk);
      await client.call(
        queueDeclare(1, { queue: 'slow', arguments: new Map(Object.entries({ ...deadLetters, 'x-message-ttl': long(1_800_000) })) }),
        methods.QueueDeclareOk,
      );
      await client.call(
        queueDeclare(1, { queue: 'short', arguments: new Map(Object.entries({ 'x-expires': long(60_000) })) }),
        methods.QueueDeclareOk,
      );
      client.publish(1, { routingKey: 'slow', body: 'late' });
      client.publish(1, { routingKey: 'slow', body: 'soon', properties: { expiration: '1000' } });
      await broker.vhost().queue('slow').received(2);
      const before = broker.clock.now.getTime();

      await broker.clock.advance('59s');
      assert.equal(broker.vhost().queue('short').exists, true);
      await broker.clock.advance('2s');
      assert.equal(broker.vhost().queue('short').exists, false);
      // Behind a head that lives longer. [RabbitMQ docs: TTL]
      assert.equal(broker.vhost().queue('dead').depth, 0);
      await broker.clock.advance('29m');

      const dead = await broker.vhost().queue('dead').messages();
      assert.deepEqual(
        dead.map(({ text }) => text),
        ['late', 'soon'],
      );
      assert.equal(broker.clock.now.getTime() - before, 61_000 + 29 * 60_000);
    },
    { clock: 'virtual' },
  );
});

test('a connection outlives any time, unless heartbeats are to be missed', async () => {
  const broker = await Broker.start({ clock: 'virtual' });
  const client = await AmqpDriver.connect({ port: broker.port, heartbeat: 5 });
  await broker.clock.advance('1h');
  await client.openChannel(1);
  await broker.clock.advance('20s', { heartbeats: 'missed' });
  assert.equal((await client.closed).kind, 'end');
  await broker.stop();
});

test('a delivery that is not acknowledged for too long closes its channel', async () => {
  await withClient(
    async (client, broker) => {
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      await client.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
      client.publish(1, { routingKey: 'q', body: 'x' });
      await client.nextDelivery(1);
      await broker.clock.advance('29m');
      assert.equal(broker.vhost().queue('q').unacked, 1);
      await broker.clock.advance('2m');
      const { replyCode } = await client.expectChannelClose(1);
      assert.equal(replyCode, 406);
      assert.equal(broker.vhost().queue('q').ready, 1);
    },
    { clock: 'virtual' },
  );
});

test('a clock can be made before its broker, with a date', async () => {
  const clock = new VirtualClock(0);
  await using one = await Broker.start({ clock });
  assert.equal(one.clock, clock);
  await clock.advance(1000);
  assert.equal(clock.now.getTime(), 1000);
  await assert.rejects(clock.advance('soon'), RangeError);
  await assert.rejects(clock.advance(-1), RangeError);
});

test('a broker on the time of the machine has no clock to advance', async () => {
  await using broker = await Broker.start();
  assert.throws(() => broker.clock, /start it with \{ clock: 'virtual' \}/);
});
