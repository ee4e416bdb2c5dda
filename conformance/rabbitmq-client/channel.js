// The raw channels of rabbitmq-client.
import { randomBytes } from 'node:crypto';
import { Connection } from 'rabbitmq-client';
import { assert, brokerUrl, check, equal, eventually, main, once, unique } from '../support/checks.js';
import { awaitCount, closesChannel, getOne, ownQueue, withChannel, withConnection } from './session.js';

check('queues and exchanges are declared, bound, unbound and deleted', () =>
  withChannel(async channel => {
    const exchange = unique('exchange');
    const inner = unique('inner');
    const queue = unique('queue');
    equal(await channel.queueDeclare({ queue, autoDelete: true }), { queue, messageCount: 0, consumerCount: 0 });
    await channel.exchangeDeclare({ exchange, type: 'topic', autoDelete: true });
    await channel.exchangeDeclare({ exchange: inner, type: 'fanout', autoDelete: true });
    await channel.exchangeBind({ source: exchange, destination: inner, routingKey: 'a.#' });
    await channel.queueBind({ queue, exchange: inner });
    await channel.basicPublish({ exchange, routingKey: 'a.b.c' }, 'through');
    await channel.basicPublish({ exchange, routingKey: 'b' }, 'not');
    equal((await getOne(channel, queue)).body, 'through');
    equal(await channel.basicGet(queue), undefined);
    await channel.queueUnbind({ queue, exchange: inner });
    equal(await channel.queueDelete(queue), { messageCount: 0 });
    await closesChannel('NOT_FOUND', `NOT_FOUND - no queue '${queue}' in vhost '/'`, other => other.queueDeclare({ queue, passive: true }));
  }),
);

check('a channel closed by the broker says why', async () => {
  const queue = unique('queue');
  await withChannel(async channel => {
    await channel.queueDeclare({ queue, exclusive: true });
    await closesChannel(
      'RESOURCE_LOCKED',
      `RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '${queue}' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
      other => other.queueDeclare({ queue, passive: true }),
    );
    await closesChannel(
      'PRECONDITION_FAILED',
      `PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'amq.topic' in vhost '/': received 'fanout' but current is 'topic'`,
      other => other.exchangeDeclare({ exchange: 'amq.topic', type: 'fanout', durable: true }),
    );
    await closesChannel('ACCESS_REFUSED', `ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'`, other =>
      other.queueDeclare('amq.mine'),
    );
  });
});

check('bodies and properties come back as they were', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    for (const size of [0, 1, 131_064, 131_065, 1024 * 1024, 10 * 1024 * 1024]) {
      const body = randomBytes(size);
      await channel.basicPublish({ routingKey: queue }, body);
      assert((await getOne(channel, queue)).body.equals(body), `a body of ${size} bytes changed`);
    }
    await channel.basicPublish({ routingKey: queue }, { json: ['body', 1, null] });
    const json = await getOne(channel, queue);
    equal([json.body, json.contentType], [{ json: ['body', 1, null] }, 'application/json']);
    const properties = {
      contentType: 'text/plain',
      headers: { text: 'ü', number: 42, big: 2 ** 40, half: 0.5, yes: true, list: [1, 'a'], deep: { er: 1 }, none: null },
      durable: true,
      priority: 4,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '60000',
      messageId: 'm',
      timestamp: 1_700_000_000,
      type: 't',
      userId: 'guest',
      appId: 'a',
    };
    await channel.basicPublish({ routingKey: queue, ...properties }, 'x');
    const got = await getOne(channel, queue);
    for (const [name, value] of Object.entries(properties)) equal(got[name], value, name);
  }),
);

check('publishing with confirms resolves; a refusal rejects', () =>
  withChannel(async channel => {
    await channel.confirmSelect();
    const queue = await ownQueue(channel, { 'x-max-length': 5, 'x-overflow': 'reject-publish' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => channel.basicPublish({ routingKey: queue }, String(index))),
    );
    equal(
      outcomes.map(({ status }) => status),
      [...Array(5).fill('fulfilled'), ...Array(3).fill('rejected')],
    );
    equal(outcomes[7].reason.code, 'NACK');
    equal((await channel.queueDeclare({ queue, passive: true })).messageCount, 5);
  }),
);

check('an unroutable mandatory message is returned', () =>
  withChannel(async channel => {
    const returned = once(channel, 'basic.return');
    await channel.basicPublish({ exchange: 'amq.direct', routingKey: unique('nobody'), mandatory: true }, 'back');
    const [message] = await returned;
    equal([message.replyCode, message.replyText, message.body], [312, 'NO_ROUTE', 'back']);
  }),
);

check('consume, acknowledge, cancel', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    await channel.basicQos({ prefetchCount: 2 });
    const got = [];
    const { consumerTag } = await channel.basicConsume({ queue }, message => got.push(message));
    for (const body of ['1', '2', '3', '4']) await channel.basicPublish({ routingKey: queue }, body);
    await awaitCount(channel, queue, 2);
    await eventually(() => got.length === 2, 'two messages');
    channel.basicAck({ deliveryTag: got[1].deliveryTag, multiple: true });
    await eventually(() => got.length === 4, 'four messages');
    channel.basicNack({ deliveryTag: got[2].deliveryTag, requeue: false });
    channel.basicNack({ deliveryTag: got[3].deliveryTag, requeue: true });
    await eventually(() => got.length === 5, 'the requeued message');
    equal([got[4].body, got[4].redelivered], ['4', true]);
    equal(await channel.basicCancel(consumerTag), { consumerTag });
    channel.basicAck({ deliveryTag: got[4].deliveryTag });
    equal(await channel.queueDeclare({ queue, passive: true }), { queue, messageCount: 0, consumerCount: 0 });
  }),
);

check('a consumer is told that its queue was deleted', () =>
  withChannel(async (channel, connection) => {
    const queue = unique('deleted');
    await channel.queueDeclare(queue);
    const { consumerTag } = await channel.basicConsume({ queue }, () => {});
    const cancelled = once(channel, 'basic.cancel');
    await connection.queueDelete(queue);
    equal((await cancelled)[0], consumerTag);
  }),
);

check('transactions commit and roll back', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    await channel.txSelect();
    await channel.basicPublish({ routingKey: queue }, 'rolled back');
    await channel.txRollback();
    await channel.basicPublish({ routingKey: queue }, 'committed');
    equal((await channel.queueDeclare({ queue, passive: true })).messageCount, 0);
    await channel.txCommit();
    await awaitCount(channel, queue, 1);
    equal((await channel.basicGet(queue)).body, 'committed');
  }),
);

check('many channels are used at once', () =>
  withConnection(async connection => {
    const queue = unique('many');
    await connection.queueDeclare({ queue, exclusive: true });
    const channels = await Promise.all(Array.from({ length: 500 }, () => connection.acquire()));
    await Promise.all(channels.map(channel => channel.basicPublish({ routingKey: queue }, 'x')));
    await eventually(async () => (await connection.queueDeclare({ queue, passive: true })).messageCount === 500, '500 messages');
    await Promise.all(channels.map(channel => channel.close()));
  }),
);

check('a wrong password and a missing virtual host are told as errors', async () => {
  for (const [change, code] of [
    [{ password: 'wrong' }, 'ACCESS_REFUSED'],
    [{ vhost: 'nowhere' }, 'NOT_ALLOWED'],
  ]) {
    const url = new URL(brokerUrl);
    const connection = new Connection({ hostname: url.hostname, port: url.port, username: 'guest', password: 'guest', ...change });
    const [error] = await once(connection, 'error');
    equal(error.code, code);
    await connection.close();
  }
});

check('heartbeats keep an idle connection alive', () =>
  withConnection(
    async connection => {
      await new Promise(resolve => setTimeout(resolve, 3500)); // idleness itself is what is checked: more than two intervals must pass
      assert(connection.ready, 'the connection was lost');
      await connection.queueDeclare({ queue: '', exclusive: true });
    },
    { heartbeat: 1 },
  ),
);

await main();
