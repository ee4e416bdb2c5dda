// Consumers, publishers and RPC clients of rabbitmq-client, and their recovery after a cut.
import { ConsumerStatus } from 'rabbitmq-client';
import { assert, brokerUrl, check, equal, eventually, main, once, unique } from '../support/checks.js';
import { Relay } from '../support/relay.js';
import { withConnection } from './session.js';

check('a consumer declares what it needs and gets what a publisher sends', () =>
  withConnection(async connection => {
    const [exchange, queue] = [unique('events'), unique('users')];
    const got = [];
    const consumer = connection.createConsumer(
      {
        queue,
        queueOptions: { durable: false, autoDelete: true },
        qos: { prefetchCount: 2 },
        exchanges: [{ exchange, type: 'topic', autoDelete: true }],
        queueBindings: [{ exchange, routingKey: 'users.*' }],
      },
      async message => void got.push(message.body),
    );
    await once(consumer, 'ready');
    const publisher = connection.createPublisher({
      confirm: true,
      maxAttempts: 2,
      exchanges: [{ exchange, type: 'topic', autoDelete: true }],
    });
    await publisher.send({ exchange, routingKey: 'users.visit' }, { id: 1, name: 'Ada' });
    await publisher.send({ exchange, routingKey: 'orders.new' }, { id: 2 });
    await publisher.send(queue, 'directly');
    await eventually(() => got.length === 2, 'two messages');
    equal(got, [{ id: 1, name: 'Ada' }, 'directly']);
    await publisher.close();
    await consumer.close();
  }),
);

check('a handler decides: acknowledge, requeue or drop', () =>
  withConnection(async connection => {
    const [queue, dead] = [unique('decide'), unique('dead')];
    await connection.queueDeclare({ queue: dead, exclusive: true });
    const seen = [];
    const consumer = connection.createConsumer(
      { queue, queueOptions: { exclusive: true, arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead } } },
      async message => {
        seen.push([message.body, message.redelivered]);
        if (message.body === 'again' && !message.redelivered) return ConsumerStatus.REQUEUE;
        return message.body === 'drop' ? ConsumerStatus.DROP : ConsumerStatus.ACK;
      },
    );
    await once(consumer, 'ready');
    const publisher = connection.createPublisher({ confirm: true });
    for (const body of ['fine', 'again', 'drop']) await publisher.send(queue, body);
    await eventually(async () => (await connection.queueDeclare({ queue: dead, passive: true })).messageCount === 1, 'a dead letter');
    await eventually(() => seen.length === 4, 'four deliveries');
    equal(
      seen.filter(([body]) => body === 'again'),
      [
        ['again', false],
        ['again', true],
      ],
    );
    const letter = await connection.basicGet({ queue: dead, noAck: true });
    equal([letter.body, letter.headers['x-death'][0].reason], ['drop', 'rejected']);
    await publisher.close();
    await consumer.close();
  }),
);

check('RPC: many requests at once are answered', () =>
  withConnection(async connection => {
    const queue = unique('rpc');
    const server = connection.createConsumer({ queue, queueOptions: { exclusive: true }, concurrency: 5 }, async (message, reply) =>
      reply(message.body.map(n => n * 2)),
    );
    await once(server, 'ready');
    const client = connection.createRPCClient({ confirm: true, timeout: 10_000 });
    const replies = await Promise.all(Array.from({ length: 50 }, (_, index) => client.send(queue, [index])));
    equal(
      replies.map(({ body }) => body),
      Array.from({ length: 50 }, (_, index) => [index * 2]),
    );
    await client.close();
    await server.close();
  }),
);

check('consumer and publisher go on after cuts', async () => {
  const relay = new Relay(brokerUrl);
  await relay.accept();
  await withConnection(
    async connection => {
      const queue = unique('recovered');
      const got = new Set();
      const consumer = connection.createConsumer(
        { queue, queueOptions: { arguments: { 'x-expires': 60_000 } } },
        async message => void got.add(message.body),
      );
      consumer.on('error', () => {});
      await once(consumer, 'ready');
      const publisher = connection.createPublisher({ confirm: true, maxAttempts: 10 });
      await publisher.send(queue, 'before');
      await eventually(() => got.has('before'), 'the first message');
      relay.cut();
      await publisher.send(queue, 'after');
      await eventually(() => got.has('after'), 'the second message');
      await relay.refuse();
      const sent = publisher.send(queue, 'while away');
      await relay.accept();
      await sent;
      await eventually(() => got.has('while away'), 'the third message');
      assert(relay.connections >= 3, `${relay.connections} connections`);
      await connection.queueDelete(queue);
      await publisher.close();
      await consumer.close();
    },
    { url: relay.url },
  );
  await relay.refuse();
});

await main();
