// Consumers through amqplib's promise API.
import { assert, check, equal, eventually, main, once } from '../support/checks.js';
import {
  awaitCount,
  closesChannel,
  ownQueue,
  quietChannel,
  withChannel,
  withConnection,
  withExchange,
  withSharedQueue,
} from './session.js';

/** Consumes into a list. */
async function collect(channel, queue, options = { noAck: true }) {
  const messages = [];
  const { consumerTag } = await channel.consume(queue, message => messages.push(message), options);
  return { messages, consumerTag, bodies: () => messages.map(message => message?.content.toString()) };
}

function send(channel, queue, ...bodies) {
  for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body));
}

check('a consumer gets what is there and what comes', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    send(channel, queue, 'before');
    const consumer = await collect(channel, queue);
    send(channel, queue, 'after');
    await eventually(() => consumer.messages.length === 2, 'two messages');
    equal(consumer.bodies(), ['before', 'after']);
    equal(
      { ...consumer.messages[1].fields },
      { consumerTag: consumer.consumerTag, deliveryTag: 2, redelivered: false, exchange: '', routingKey: queue },
    );
    assert(consumer.consumerTag.startsWith('amq.ctag-'), consumer.consumerTag);
  }),
);

check('prefetch is per consumer, per channel when global, and unlimited when 0', () =>
  withConnection(async connection => {
    for (const [count, isGlobal, delivered] of [
      [3, false, 6],
      [3, true, 3],
      [0, false, 10],
    ]) {
      const channel = await quietChannel(connection);
      const queue = await ownQueue(channel);
      await channel.prefetch(count, isGlobal);
      const consumers = [await collect(channel, queue, {}), await collect(channel, queue, {})];
      send(channel, queue, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j');
      await awaitCount(channel, queue, 10 - delivered);
      await eventually(() => consumers[0].messages.length + consumers[1].messages.length === delivered, `${delivered} deliveries`);
      await channel.close();
    }
  }),
);

check('a prefetch set later applies to later consumers', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    await channel.prefetch(1);
    const first = await collect(channel, queue, {});
    await channel.prefetch(2);
    const second = await collect(channel, queue, {});
    send(channel, queue, 'a', 'b', 'c', 'd', 'e', 'f');
    await awaitCount(channel, queue, 3);
    await eventually(() => first.messages.length === 1 && second.messages.length === 2, '1 and 2 deliveries');
  }),
);

check('after cancel nothing more is delivered', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    const consumer = await collect(channel, queue);
    await channel.cancel(consumer.consumerTag);
    send(channel, queue, 'later');
    await awaitCount(channel, queue, 1);
    equal(consumer.messages, []);
    equal((await channel.checkQueue(queue)).consumerCount, 0);
  }),
);

check('a consumer gets null when its queue is deleted', () =>
  withSharedQueue('deleted', {}, queue =>
    withChannel(async channel => {
      const consumer = await collect(channel, queue);
      await withChannel(other => other.deleteQueue(queue));
      await eventually(() => consumer.messages.length === 1, 'the cancellation');
      equal(consumer.messages, [null]);
      await ownQueue(channel);
    }),
  ),
);

check('an exclusive consumer keeps others out', () =>
  withSharedQueue('exclusive', {}, queue =>
    withChannel(async channel => {
      await collect(channel, queue, { exclusive: true });
      await closesChannel(403, `ACCESS_REFUSED - queue '${queue}' in vhost '/' in exclusive use`, other => collect(other, queue));
    }),
  ),
);

check('a consumer of higher priority is served first', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    await channel.prefetch(2);
    const low = await collect(channel, queue, { priority: 1 });
    const high = await collect(channel, queue, { priority: 10 });
    send(channel, queue, 'a', 'b', 'c');
    await eventually(() => low.messages.length + high.messages.length === 3, 'three messages');
    equal([high.bodies(), low.bodies()], [['a', 'b'], ['c']]);
  }),
);

check('a consumer tag used twice closes the connection with 530', () =>
  withConnection(async connection => {
    const closed = once(connection, 'error');
    const channel = await quietChannel(connection);
    const queue = await ownQueue(channel);
    await collect(channel, queue, { consumerTag: 'mine' });
    collect(channel, queue, { consumerTag: 'mine' }).catch(() => {});
    const [error] = await closed;
    equal([error.code, error.message.includes(`"NOT_ALLOWED - attempt to reuse consumer tag 'mine'"`) || error.message], [530, true]);
  }),
);

check('noLocal is accepted and has no effect', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    const consumer = await collect(channel, queue, { noLocal: true, noAck: true });
    send(channel, queue, 'own');
    await eventually(() => consumer.messages.length === 1, 'the own message');
  }),
);

check('a consumer with prefetch 1 that is busy leaves the rest to its competitor', () =>
  withSharedQueue('shared', {}, queue =>
    withConnection(one =>
      withConnection(async two => {
        const busy = await one.createChannel();
        await busy.prefetch(1);
        const held = await collect(busy, queue, {});
        send(await one.createChannel(), queue, ...Array.from({ length: 200 }, (_, index) => String(index)));
        await eventually(() => held.messages.length === 1, 'the first message');
        const idle = await two.createChannel();
        await idle.prefetch(1);
        const done = [];
        await idle.consume(queue, message => {
          done.push(message.content.toString());
          idle.ack(message);
        });
        await eventually(() => done.length === 199, '199 messages');
        equal(held.bodies(), ['0']);
        equal(done[0], '1');
        busy.nack(held.messages[0]);
        await eventually(() => done.length + held.messages.length === 201, 'the first message again');
      }),
    ),
  ),
);

check('publish and subscribe: every subscriber gets every message', () =>
  withExchange('fanout', {}, exchange =>
    withConnection(async connection => {
      const subscribers = [];
      for (let number = 0; number < 10; number++) {
        const channel = await connection.createChannel();
        const queue = await ownQueue(channel);
        await channel.bindQueue(queue, exchange, '');
        subscribers.push(await collect(channel, queue));
      }
      const publisher = await connection.createChannel();
      for (let number = 0; number < 100; number++) publisher.publish(exchange, '', Buffer.from(String(number)));
      const expected = Array.from({ length: 100 }, (_, index) => String(index));
      await eventually(() => subscribers.every(({ messages }) => messages.length === 100), '1000 deliveries');
      for (const subscriber of subscribers) equal(subscriber.bodies(), expected);
    }),
  ),
);

await main();
