// AMQPSession of @cloudamqp/amqp-client: handles for queues and exchanges, RPC, and recovery after a cut.
import { AMQPSession } from '@cloudamqp/amqp-client';
import { builtinCoders, builtinParsers } from '@cloudamqp/amqp-client';
import { brokerUrl, check, equal, eventually, main, unique } from '../support/checks.js';
import { Relay } from '../support/relay.js';

async function withSession(action, options = {}, url = brokerUrl) {
  const session = await AMQPSession.connect(url, { logger: null, reconnectInterval: 20, maxReconnectInterval: 100, ...options });
  try {
    return await action(session);
  } finally {
    await session.stop();
  }
}

check('a queue handle publishes, gets and subscribes', () =>
  withSession(async session => {
    const queue = await session.queue(unique('handle'), { durable: false, autoDelete: true });
    await queue.publish('one', { messageId: 'm' });
    const message = await queue.get();
    equal([message.bodyString(), message.properties.messageId], ['one', 'm']);
    const got = [];
    const subscription = await queue.subscribe({ prefetch: 2 }, async delivered => void got.push(delivered.bodyString()));
    for (const body of ['a', 'b', 'c']) await queue.publish(body);
    await eventually(() => got.length === 3, 'three messages');
    equal(got, ['a', 'b', 'c']);
    await subscription.cancel();
  }),
);

check('an exchange handle routes by key', () =>
  withSession(async session => {
    const events = await session.topicExchange(unique('events'), { durable: false, autoDelete: true });
    const queue = await session.queue(unique('signups'), { durable: false, autoDelete: true });
    await queue.bind(events, 'user.*');
    await events.publish('seen', { routingKey: 'user.created' });
    await events.publish('not seen', { routingKey: 'order.created' });
    equal((await queue.consumeOne({ timeout: 5000 })).bodyString(), 'seen');
    equal((await queue.delete()).messageCount, 0);
  }),
);

check('codecs encode and decode bodies', () =>
  withSession(
    async session => {
      const queue = await session.queue(unique('codec'), { durable: false, autoDelete: true });
      await queue.publish({ task: 'resize', id: 42 });
      const message = await queue.consumeOne({ timeout: 5000 });
      equal(
        [message.body, message.properties.contentType, message.properties.contentEncoding],
        [{ task: 'resize', id: 42 }, 'application/json', 'gzip'],
      );
      await queue.delete();
    },
    { parsers: builtinParsers, coders: builtinCoders, defaultContentType: 'application/json', defaultContentEncoding: 'gzip' },
  ),
);

check('RPC by direct reply-to', () =>
  withSession(async session => {
    const queue = unique('rpc');
    const server = await session.rpcServer(queue, async message => `processed:${message.bodyString()}`);
    equal((await session.rpcCall(queue, 'hello', { timeout: 5000 })).bodyString(), 'processed:hello');
    const client = await session.rpcClient();
    const replies = await Promise.all(Array.from({ length: 20 }, (_, index) => client.call(queue, String(index), { timeout: 5000 })));
    equal(
      replies.map(reply => reply.bodyString()),
      Array.from({ length: 20 }, (_, index) => `processed:${index}`),
    );
    await client.close();
    await server.close();
    await (await session.queue(queue)).delete();
  }),
);

check('a subscription and an RPC server recover after cuts', async () => {
  const relay = new Relay(brokerUrl);
  await relay.accept();
  const got = [];
  let connects = 0;
  await withSession(
    async session => {
      const queue = await session.queue(unique('recovered'), { durable: false, arguments: { 'x-expires': 60_000 } });
      await queue.subscribe(async message => void got.push(message.bodyString()));
      await queue.publish('before');
      await eventually(() => got.length === 1, 'the first message');
      relay.cut();
      await eventually(() => connects === 2, 'the second connection');
      await eventually(
        () =>
          queue.publish('after').then(
            () => true,
            () => false,
          ),
        'a publish',
      );
      await eventually(() => got.includes('after'), 'the second message');
      await relay.refuse();
      await relay.accept();
      await eventually(() => connects === 3, 'the third connection');
      await eventually(
        () =>
          queue.publish('later').then(
            () => true,
            () => false,
          ),
        'a publish',
      );
      await eventually(() => got.includes('later'), 'the third message');
      await queue.delete();
    },
    { onconnect: () => void (connects += 1) },
    relay.url,
  );
  await relay.refuse();
});

await main();
