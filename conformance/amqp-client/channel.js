// The channel API of @cloudamqp/amqp-client.
import { randomBytes } from 'node:crypto';
import { assert, check, equal, errorOf, eventually, main, unique } from '../support/checks.js';
import { awaitCount, closesChannel, getOne, ownQueue, withChannel, withConnection } from './session.js';

check('exchanges of every kind are declared, checked and deleted', () =>
  withChannel(async channel => {
    for (const kind of ['direct', 'fanout', 'topic', 'headers']) {
      const name = unique(kind);
      await channel.exchangeDeclare(name, kind, { durable: false });
      await channel.exchangeDeclare(name, kind, { passive: true });
      await channel.exchangeDelete(name);
      await closesChannel(404, `NOT_FOUND - no exchange '${name}' in vhost '/'`, other =>
        other.exchangeDeclare(name, kind, { passive: true }),
      );
    }
  }),
);

check('a queue is declared with its counts, purged and deleted', () =>
  withChannel(async channel => {
    const name = unique('queue');
    equal(await channel.queueDeclare(name, { durable: false }), { name, messageCount: 0, consumerCount: 0 });
    for (let number = 0; number < 3; number++) await channel.basicPublish('', name, 'x');
    await awaitCount(channel, name, 3);
    equal(await channel.queuePurge(name), { messageCount: 3 });
    await channel.basicPublish('', name, 'x');
    await awaitCount(channel, name, 1);
    await closesChannel(406, `PRECONDITION_FAILED - queue '${name}' in vhost '/' not empty`, other =>
      other.queueDelete(name, { ifEmpty: true }),
    );
    equal(await channel.queueDelete(name), { messageCount: 1 });
  }),
);

check('a declaration with other properties closes the channel with 406', () =>
  withChannel(async channel => {
    const name = unique('queue');
    await channel.queueDeclare(name, { durable: false, exclusive: false, autoDelete: true });
    await closesChannel(406, `inequivalent arg 'durable' for queue '${name}' in vhost '/': received 'true' but current is 'false'`, other =>
      other.queueDeclare(name, { autoDelete: true }),
    );
    await channel.queueDelete(name);
  }),
);

check('queues and exchanges are bound, with arguments, and unbound', () =>
  withChannel(async channel => {
    await channel.confirmSelect();
    const queue = await ownQueue(channel);
    const exchange = unique('chain');
    await channel.exchangeDeclare(exchange, 'headers', { durable: false, autoDelete: true });
    await channel.exchangeBind(exchange, 'amq.topic', 'chain.#');
    await channel.queueBind(queue, exchange, '', { 'x-match': 'any', colour: 'red', size: 3 });
    await channel.basicPublish('amq.topic', 'chain.a', 'red', { headers: { colour: 'red' } });
    await channel.basicPublish('amq.topic', 'chain.a', 'blue', { headers: { colour: 'blue' } });
    await channel.basicPublish('amq.topic', 'other', 'elsewhere', { headers: { colour: 'red' } });
    equal((await channel.basicGet(queue)).bodyString(), 'red');
    equal(await channel.basicGet(queue), null);
    await channel.exchangeUnbind(exchange, 'amq.topic', 'chain.#');
    await channel.basicPublish('amq.topic', 'chain.a', 'cut', { headers: { colour: 'red' } });
    equal(await channel.basicGet(queue), null);
    await channel.queueUnbind(queue, exchange, '', { 'x-match': 'any', colour: 'red', size: 3 });
  }),
);

check('bodies and properties come back as they were', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    for (const size of [0, 1, 4096, 131_064, 131_065, 1024 * 1024, 10 * 1024 * 1024]) {
      const body = randomBytes(size);
      await channel.basicPublish('', queue, body);
      const message = await getOne(channel, queue);
      assert(Buffer.from(message.body ?? []).equals(body), `a body of ${size} bytes changed`);
    }
    const properties = {
      contentType: 'text/plain',
      contentEncoding: 'utf-8',
      headers: { text: 'ü', number: 42, big: 2 ** 40, half: 0.5, yes: true, list: [1, 'a'], deep: { er: 1 }, none: null },
      deliveryMode: 2,
      priority: 4,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '60000',
      messageId: 'm',
      timestamp: new Date(1_700_000_000_000),
      type: 't',
      userId: 'guest',
      appId: 'a',
    };
    await channel.basicPublish('', queue, 'x', properties);
    const got = (await getOne(channel, queue)).properties;
    for (const [name, value] of Object.entries(properties)) equal(got[name], value, name);
  }),
);

check('confirms come for every publish, as an error when it was refused', () =>
  withChannel(async channel => {
    await channel.confirmSelect();
    const queue = await ownQueue(channel, { 'x-max-length': 5, 'x-overflow': 'reject-publish' });
    const publish = body =>
      channel.basicPublish('', queue, body).then(
        () => 'confirmed',
        () => 'refused',
      );
    equal(await Promise.all(['1', '2', '3', '4', '5'].map(publish)), Array(5).fill('confirmed'));
    // One at a time: the client does not understand a nack of several messages as RabbitMQ writes it, and would wait forever for the others.
    for (const body of ['6', '7', '8']) equal(await publish(body), 'refused');
    equal((await channel.queueDeclare(queue, { passive: true })).messageCount, 5);
  }),
);

check('an unroutable mandatory message is returned', () =>
  withChannel(async channel => {
    const returned = [];
    channel.onReturn = message => returned.push([message.replyCode, message.replyText, message.bodyString()]);
    await channel.basicPublish('amq.direct', unique('nobody'), 'back', {}, true);
    await eventually(() => returned.length === 1, 'the return');
    equal(returned, [[312, 'NO_ROUTE', 'back']]);
  }),
);

check('a consumer gets messages by callback, acknowledges and is cancelled', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    const got = [];
    await channel.prefetch(2);
    const consumer = await channel.basicConsume(queue, { noAck: false }, async message => {
      got.push(message.bodyString());
      await message.ack();
      if (got.length === 10) await consumer.cancel();
    });
    for (let number = 0; number < 10; number++) await channel.basicPublish('', queue, String(number));
    await consumer.wait(10_000);
    equal(
      got,
      Array.from({ length: 10 }, (_, index) => String(index)),
    );
    equal((await channel.queueDeclare(queue, { passive: true })).consumerCount, 0);
  }),
);

check('a consumer is an iterator, too', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    const consumer = await channel.basicConsume(queue, { noAck: false });
    for (let number = 0; number < 5; number++) await channel.basicPublish('', queue, String(number));
    const got = [];
    for await (const message of consumer.messages) {
      got.push(message.bodyString());
      await message.ack();
      if (got.length === 5) break;
    }
    equal(got, ['0', '1', '2', '3', '4']);
  }),
);

check('a consumer ends with an error when its queue is deleted', () =>
  withChannel(async channel => {
    const queue = unique('deleted');
    await channel.queueDeclare(queue, { durable: false });
    const consumer = await channel.basicConsume(queue, {}, () => {});
    await withChannel(other => other.queueDelete(queue));
    const error = await errorOf(() => consumer.wait(10_000));
    assert(/cancel/i.test(error.message), error.message);
  }),
);

check('prefetch per consumer, and for the channel when global', () =>
  withConnection(async connection => {
    for (const [isGlobal, delivered] of [
      [false, 6],
      [true, 3],
    ]) {
      const channel = await connection.channel();
      const queue = await ownQueue(channel);
      await channel.basicQos(3, 0, isGlobal);
      let count = 0;
      for (let number = 0; number < 2; number++) await channel.basicConsume(queue, { noAck: false }, () => void (count += 1));
      for (let number = 0; number < 10; number++) await channel.basicPublish('', queue, 'x');
      await awaitCount(channel, queue, 10 - delivered);
      await eventually(() => count === delivered, `${delivered} deliveries`);
      await channel.close();
    }
  }),
);

check('nack and reject requeue or drop; recover brings back', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    for (const body of ['1', '2', '3']) await channel.basicPublish('', queue, body);
    await awaitCount(channel, queue, 3);
    await (await channel.basicGet(queue, { noAck: false })).nack(true);
    const first = await getOne(channel, queue, { noAck: false });
    equal([first.bodyString(), first.redelivered], ['1', true]);
    await first.reject(false);
    equal((await getOne(channel, queue, { noAck: false })).bodyString(), '2');
    await channel.basicRecover(true);
    const second = await getOne(channel, queue, { noAck: false });
    equal([second.bodyString(), second.redelivered], ['2', true]);
    await second.ack();
    equal((await getOne(channel, queue)).bodyString(), '3');
  }),
);

check('transactions commit and roll back', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    await channel.txSelect();
    await channel.basicPublish('', queue, 'rolled back');
    await channel.txRollback();
    await channel.basicPublish('', queue, 'committed');
    equal((await channel.queueDeclare(queue, { passive: true })).messageCount, 0);
    await channel.txCommit();
    await awaitCount(channel, queue, 1);
    equal((await channel.basicGet(queue)).bodyString(), 'committed');
  }),
);

check('a closed channel fails its callers, and the connection goes on', () =>
  withConnection(async connection => {
    const [broken, whole] = [await connection.channel(), await connection.channel()];
    broken.onerror = () => {};
    await broken.basicPublish(unique('missing'), 'k', 'x');
    await eventually(() => broken.closed, 'the channel to be closed');
    assert((await errorOf(() => broken.basicPublish('', 'k', 'x'))).message.includes('closed'), 'no error');
    await ownQueue(whole);
  }),
);

check('a wrong password and a missing virtual host are refused', async () => {
  const url = new URL(process.env.BROKER_URL ?? 'amqp://127.0.0.1:5672');
  const refused = errorOf(() => withConnection(() => {}, `amqp://guest:wrong@${url.host}`));
  assert(
    (await refused).message.includes('ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN'),
    (await refused).message,
  );
  const missing = errorOf(() => withConnection(() => {}, `amqp://guest:guest@${url.host}/nowhere`));
  assert((await missing).message.includes('vhost nowhere not found'), (await missing).message);
});

check('five hundred channels are open at once', () =>
  withConnection(async connection => {
    const channels = [];
    for (let number = 0; number < 500; number++) channels.push(await connection.channel());
    equal(new Set(channels.map(({ id }) => id)).size, 500);
    const queue = await ownQueue(channels[499]);
    for (const channel of channels) await channel.basicPublish('', queue, 'x');
    await awaitCount(channels[0], queue, 500);
  }),
);

check('heartbeats keep an idle connection alive', () =>
  withConnection(
    async connection => {
      equal(connection.heartbeat, 1);
      await new Promise(resolve => setTimeout(resolve, 3500)); // idleness itself is what is checked: more than two intervals must pass
      await ownQueue(await connection.channel());
    },
    `${process.env.BROKER_URL ?? 'amqp://guest:guest@127.0.0.1:5672'}/?heartbeat=1`,
  ),
);

await main();
