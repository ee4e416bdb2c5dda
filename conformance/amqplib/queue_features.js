// Expiry, dead letters, limits, priorities and direct reply-to through amqplib's options.
import { assert, check, equal, eventually, main, unique } from '../support/checks.js';
import { awaitCount, closesChannel, getOne, ownQueue, quietChannel, withChannel, withConfirmChannel, withConnection } from './session.js';

check('messages expire by messageTtl of the queue and by their own expiration', () =>
  withChannel(async channel => {
    const byQueue = await ownQueue(channel, { messageTtl: 50 });
    const byMessage = await ownQueue(channel);
    channel.sendToQueue(byQueue, Buffer.from('x'));
    channel.sendToQueue(byMessage, Buffer.from('x'), { expiration: 50 });
    channel.sendToQueue(byMessage, Buffer.from('stays'));
    await awaitCount(channel, byQueue, 0);
    await awaitCount(channel, byMessage, 1);
    equal((await getOne(channel, byMessage)).content.toString(), 'stays');
  }),
);

check('dead letters carry their history', () =>
  withChannel(async channel => {
    const target = await ownQueue(channel);
    const source = await ownQueue(channel, { deadLetterExchange: 'amq.direct', messageTtl: 20 });
    await channel.bindQueue(target, 'amq.direct', source);
    channel.sendToQueue(source, Buffer.from('x'), { headers: { kept: 1 } });
    const { fields, properties } = await getOne(channel, target);
    equal([fields.exchange, fields.routingKey], ['amq.direct', source]);
    const [{ time, ...death }] = properties.headers['x-death'];
    equal(typeof time.value, 'number');
    equal({ ...death }, { count: 1, reason: 'expired', queue: source, exchange: '', 'routing-keys': [source] });
    equal(
      [properties.headers.kept, properties.headers['x-first-death-queue'], properties.headers['x-first-death-reason']],
      [1, source, 'expired'],
    );
  }),
);

check('rejected and dropped messages are dead-lettered with their reasons', () =>
  withConfirmChannel(async channel => {
    const target = await ownQueue(channel);
    const dead = { deadLetterExchange: '', deadLetterRoutingKey: target };
    const rejecting = await ownQueue(channel, dead);
    channel.sendToQueue(rejecting, Buffer.from('rejected'));
    channel.nack(await getOne(channel, rejecting, {}), false, false);
    equal((await getOne(channel, target)).properties.headers['x-death'][0].reason, 'rejected');
    const short = await ownQueue(channel, { ...dead, maxLength: 1 });
    channel.sendToQueue(short, Buffer.from('first'));
    channel.sendToQueue(short, Buffer.from('second'));
    const message = await getOne(channel, target);
    equal([message.content.toString(), message.properties.headers['x-death'][0].reason], ['first', 'maxlen']);
  }),
);

check('a dead-letter exchange that does not exist swallows messages', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel, { deadLetterExchange: unique('missing'), messageTtl: 10 });
    channel.sendToQueue(queue, Buffer.from('x'));
    await awaitCount(channel, queue, 0);
  }),
);

check('maxPriority orders messages by priority', () =>
  withConfirmChannel(async channel => {
    const queue = await ownQueue(channel, { maxPriority: 5 });
    for (const [body, priority] of [['none'], ['low', 1], ['high', 5], ['middle', 3], ['high too', 9], ['low too', 1]])
      channel.sendToQueue(queue, Buffer.from(body), { priority });
    await channel.waitForConfirms();
    const got = [];
    for (let number = 0; number < 6; number++) got.push((await channel.get(queue, { noAck: true })).content.toString());
    equal(got, ['high', 'high too', 'middle', 'low', 'low too', 'none']);
  }),
);

check('a queue nobody uses expires', () =>
  withChannel(async channel => {
    const queue = unique('expires');
    await channel.assertQueue(queue, { expires: 100, durable: false });
    await eventually(async () => {
      try {
        await withConnection(async connection => (await quietChannel(connection)).bindQueue(queue, 'amq.direct', 'x'));
        return false;
      } catch (error) {
        return error.message.includes('404');
      }
    }, 'the queue to be gone');
  }),
);

check('lazy mode is accepted', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel, { arguments: { 'x-queue-mode': 'lazy' } });
    channel.sendToQueue(queue, Buffer.from('x'), { persistent: true });
    equal((await getOne(channel, queue)).content.toString(), 'x');
    await closesChannel(
      406,
      `PRECONDITION_FAILED - invalid arg 'x-queue-mode' for queue 'q' in vhost '/': "unsupported queue mode 'zzz'"`,
      other => other.assertQueue('q', { exclusive: true, arguments: { 'x-queue-mode': 'zzz' } }),
    );
  }),
);

check('a single active consumer is followed by the next', () =>
  withConnection(async connection => {
    const channel = await connection.createChannel();
    const queue = await ownQueue(channel, { arguments: { 'x-single-active-consumer': true } });
    const got = { first: [], second: [] };
    const first = await channel.consume(queue, message => got.first.push(message.content.toString()), { noAck: true });
    await channel.consume(queue, message => got.second.push(message.content.toString()), { noAck: true });
    for (const body of ['1', '2', '3']) channel.sendToQueue(queue, Buffer.from(body));
    await eventually(() => got.first.length === 3, 'three messages');
    await channel.cancel(first.consumerTag);
    channel.sendToQueue(queue, Buffer.from('4'));
    await eventually(() => got.second.length === 1, 'the fourth');
    equal(got, { first: ['1', '2', '3'], second: ['4'] });
  }),
);

check('direct reply-to carries replies, many at once', () =>
  withConnection(server =>
    withConnection(async client => {
      const serving = await server.createChannel();
      const queue = await ownQueue(serving);
      await serving.consume(
        queue,
        ({ content, properties }) => {
          assert(properties.replyTo.startsWith('amq.rabbitmq.reply-to.'), properties.replyTo);
          serving.sendToQueue(properties.replyTo, Buffer.from(String(Number(content) ** 2)), { correlationId: properties.correlationId });
        },
        { noAck: true },
      );
      const asking = await client.createChannel();
      const waiting = new Map();
      await asking.consume('amq.rabbitmq.reply-to', ({ content, properties }) => waiting.get(properties.correlationId)(Number(content)), {
        noAck: true,
      });
      const ask = number =>
        new Promise(resolve => {
          waiting.set(String(number), resolve);
          asking.sendToQueue(queue, Buffer.from(String(number)), { correlationId: String(number), replyTo: 'amq.rabbitmq.reply-to' });
        });
      const numbers = Array.from({ length: 100 }, (_, index) => index);
      equal(
        await Promise.all(numbers.map(ask)),
        numbers.map(number => number ** 2),
      );
    }),
  ),
);

check('a wrong use of direct reply-to closes the channel with 406', async () => {
  await closesChannel(406, 'PRECONDITION_FAILED - reply consumer cannot acknowledge', channel =>
    channel.consume('amq.rabbitmq.reply-to', () => {}),
  );
  await closesChannel(406, 'PRECONDITION_FAILED - reply consumer already set', async channel => {
    await channel.consume('amq.rabbitmq.reply-to', () => {}, { noAck: true });
    await channel.consume('amq.rabbitmq.reply-to', () => {}, { noAck: true });
  });
  await closesChannel(406, 'PRECONDITION_FAILED - fast reply consumer does not exist', channel =>
    channel.publish('amq.direct', 'x', Buffer.from('x'), { replyTo: 'amq.rabbitmq.reply-to' }),
  );
});

check('CC and BCC reach further queues', () =>
  withConfirmChannel(async channel => {
    const queues = [await ownQueue(channel), await ownQueue(channel), await ownQueue(channel)];
    channel.sendToQueue(queues[0], Buffer.from('x'), { CC: queues[1], BCC: [queues[2]] });
    await channel.waitForConfirms();
    for (const queue of queues) equal({ ...(await getOne(channel, queue)).properties.headers }, { CC: [queues[1]] });
  }),
);

await main();
