// Exchanges, queues and bindings through amqplib's promise API.
import { assert, check, equal, main, once, unique } from '../support/checks.js';
import {
  awaitCount,
  closesChannel,
  getOne,
  ownQueue,
  quietChannel,
  withChannel,
  withConfirmChannel,
  withConnection,
  withExchange,
  withSharedQueue,
} from './session.js';

check('every kind of exchange can be asserted twice, checked and deleted', () =>
  withChannel(async channel => {
    for (const kind of ['direct', 'fanout', 'topic', 'headers']) {
      const name = unique(kind);
      equal(await channel.assertExchange(name, kind), { exchange: name });
      await channel.assertExchange(name, kind);
      await channel.checkExchange(name);
      await channel.deleteExchange(name);
    }
  }),
);

check('asserting an exchange with another type closes the channel with 406', () =>
  withExchange('direct', {}, name =>
    closesChannel(
      406,
      `PRECONDITION_FAILED - inequivalent arg 'type' for exchange '${name}' in vhost '/': received 'topic' but current is 'direct'`,
      channel => channel.assertExchange(name, 'topic', { durable: false }),
    ),
  ),
);

check('an unknown type of exchange closes the connection with 503', () =>
  withConnection(async connection => {
    const closed = once(connection, 'error');
    const channel = await quietChannel(connection);
    channel.assertExchange(unique('odd'), 'bogus').catch(() => {});
    const [error] = await closed;
    equal([error.code, error.message.includes(`"COMMAND_INVALID - unknown exchange type 'bogus'"`) || error.message], [503, true]);
  }),
);

check('checking a missing queue or exchange closes the channel with 404', async () => {
  const name = unique('missing');
  await closesChannel(404, `NOT_FOUND - no queue '${name}' in vhost '/'`, channel => channel.checkQueue(name));
  await closesChannel(404, `NOT_FOUND - no exchange '${name}' in vhost '/'`, channel => channel.checkExchange(name));
});

check('assertQueue answers with name, messages and consumers', () =>
  withSharedQueue('counts', {}, queue =>
    withChannel(async channel => {
      for (let number = 0; number < 3; number++) channel.sendToQueue(queue, Buffer.from('x'));
      await awaitCount(channel, queue, 3);
      await channel.prefetch(1);
      await channel.consume(queue, () => {});
      equal(await channel.assertQueue(queue, { durable: false }), { queue, messageCount: 2, consumerCount: 1 });
    }),
  ),
);

check('asserting a queue with other options closes the channel with 406', () =>
  withSharedQueue('ttl', { messageTtl: 60000 }, async queue => {
    await closesChannel(
      406,
      `PRECONDITION_FAILED - inequivalent arg 'durable' for queue '${queue}' in vhost '/': received 'true' but current is 'false'`,
      channel => channel.assertQueue(queue),
    );
    await closesChannel(
      406,
      `PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue '${queue}' in vhost '/': received '5' but current is '60000'`,
      channel => channel.assertQueue(queue, { durable: false, messageTtl: 5 }),
    );
    await closesChannel(
      406,
      `PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue '${queue}' in vhost '/': received the value '5' of type 'byte' but current is none`,
      channel => channel.assertQueue(queue, { durable: false, messageTtl: 60000, maxLength: 5 }),
    );
  }),
);

check('a number is the same argument whatever its width on the wire', () =>
  withSharedQueue('width', { arguments: { 'x-max-length': { '!': 'int64', value: 5 } } }, queue =>
    withChannel(async channel => {
      equal((await channel.assertQueue(queue, { durable: false, maxLength: 5 })).queue, queue);
    }),
  ),
);

check('negative, zero and wrongly typed arguments are refused', async () => {
  const name = unique('argument');
  const refusal = (argument, why) => `PRECONDITION_FAILED - invalid arg '${argument}' for queue '${name}' in vhost '/': ${why}`;
  const declare = options => channel => channel.assertQueue(name, { exclusive: true, ...options });
  await closesChannel(406, refusal('x-message-ttl', '{value_negative,-1}'), declare({ messageTtl: -1 }));
  await closesChannel(406, refusal('x-expires', '{value_zero,0}'), declare({ expires: 0 }));
  await closesChannel(406, refusal('x-max-priority', '{max_value_exceeded,300}'), declare({ maxPriority: 300 }));
  await closesChannel(406, refusal('x-overflow', 'invalid_overflow'), declare({ overflow: 'spill' }));
  await closesChannel(406, refusal('x-dead-letter-routing-key', 'routing_key_but_no_dlx_defined'), declare({ deadLetterRoutingKey: 'k' }));
});

check('an exclusive queue is locked for others and gone with its connection', async () => {
  const name = unique('exclusive');
  await withChannel(async owner => {
    await owner.assertQueue(name, { exclusive: true });
    await closesChannel(
      405,
      `RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '${name}' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.`,
      channel => channel.checkQueue(name),
    );
  });
  await closesChannel(404, `NOT_FOUND - no queue '${name}' in vhost '/'`, channel => channel.checkQueue(name));
});

check('an auto-delete queue goes with its last consumer', () =>
  withChannel(async channel => {
    const name = unique('auto');
    await channel.assertQueue(name, { autoDelete: true, durable: false });
    const { consumerTag } = await channel.consume(name, () => {});
    await channel.cancel(consumerTag);
    await closesChannel(404, `NOT_FOUND - no queue '${name}' in vhost '/'`, other => other.checkQueue(name));
  }),
);

check('purge and delete tell how many messages went', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    for (let number = 0; number < 4; number++) channel.sendToQueue(queue, Buffer.from('x'));
    equal(await channel.purgeQueue(queue), { messageCount: 4 });
    channel.sendToQueue(queue, Buffer.from('x'));
    equal(await channel.deleteQueue(queue), { messageCount: 1 });
  }),
);

check('ifEmpty and ifUnused protect queues and exchanges', () =>
  withSharedQueue('kept', {}, queue =>
    withChannel(async channel => {
      channel.sendToQueue(queue, Buffer.from('x'));
      await awaitCount(channel, queue, 1);
      await closesChannel(406, `PRECONDITION_FAILED - queue '${queue}' in vhost '/' not empty`, other =>
        other.deleteQueue(queue, { ifEmpty: true }),
      );
      await channel.consume(queue, () => {});
      await closesChannel(406, `PRECONDITION_FAILED - queue '${queue}' in vhost '/' in use`, other =>
        other.deleteQueue(queue, { ifUnused: true }),
      );
      await withExchange('fanout', {}, async exchange => {
        await channel.bindQueue(queue, exchange, '');
        await closesChannel(406, `PRECONDITION_FAILED - exchange '${exchange}' in vhost '/' in use`, other =>
          other.deleteExchange(exchange, { ifUnused: true }),
        );
      });
    }),
  ),
);

check('deleting and unbinding what is not there is no error', () =>
  withChannel(async channel => {
    equal(await channel.deleteQueue(unique('missing')), { messageCount: 0 });
    await channel.deleteExchange(unique('missing'));
    await channel.unbindQueue(await ownQueue(channel), 'amq.topic', 'never');
  }),
);

check('topic, direct, fanout and headers exchanges route as they should', () =>
  withConfirmChannel(async channel => {
    const bound = async (exchange, key, args) => {
      const queue = await ownQueue(channel);
      await channel.bindQueue(queue, exchange, key, args);
      return queue;
    };
    const fanout = unique('fanout');
    await channel.assertExchange(fanout, 'fanout', { autoDelete: true, durable: false });
    const queues = {
      'stock.*.nyse': await bound('amq.topic', 'stock.*.nyse'),
      'stock.#': await bound('amq.topic', 'stock.#'),
      direct: await bound('amq.direct', 'stock.usd.nyse'),
      fanout: await bound(fanout, 'ignored'),
      all: await bound('amq.headers', '', { 'x-match': 'all', kind: 'pdf', size: 3 }),
      any: await bound('amq.headers', '', { 'x-match': 'any', kind: 'pdf', size: 3 }),
    };
    const reached = async (exchange, key, headers) => {
      channel.publish(exchange, key, Buffer.from('x'), { headers });
      await channel.waitForConfirms();
      const names = [];
      for (const [name, queue] of Object.entries(queues)) if ((await channel.purgeQueue(queue)).messageCount > 0) names.push(name);
      return names;
    };
    equal(await reached('amq.topic', 'stock.usd.nyse'), ['stock.*.nyse', 'stock.#']);
    equal(await reached('amq.topic', 'stock'), ['stock.#']);
    equal(await reached('amq.topic', 'stocks.usd.nyse'), []);
    equal(await reached('amq.direct', 'stock.usd.nyse'), ['direct']);
    equal(await reached('amq.direct', 'stock.usd'), []);
    equal(await reached(fanout, 'anything'), ['fanout']);
    equal(await reached('amq.headers', 'k', { kind: 'pdf', size: 3 }), ['all', 'any']);
    equal(await reached('amq.headers', 'k', { kind: 'pdf', size: 4 }), ['any']);
    equal(await reached('amq.headers', 'k', { kind: 'zip' }), []);
    equal(await reached('amq.headers', 'k'), []);
  }),
);

check('exchanges can be bound to exchanges and unbound', () =>
  withExchange('direct', {}, source =>
    withExchange('fanout', {}, destination =>
      withConfirmChannel(async channel => {
        const queue = await ownQueue(channel);
        await channel.bindExchange(destination, source, 'key');
        await channel.bindQueue(queue, destination, '');
        channel.publish(source, 'key', Buffer.from('through'));
        channel.publish(source, 'other', Buffer.from('not'));
        await channel.waitForConfirms();
        equal((await getOne(channel, queue)).content.toString(), 'through');
        await channel.unbindExchange(destination, source, 'key');
        channel.publish(source, 'key', Buffer.from('cut'));
        await channel.waitForConfirms();
        equal(await channel.get(queue), false);
      }),
    ),
  ),
);

check('an alternate exchange takes what is not routed; an internal one takes no publishing', () =>
  withExchange('fanout', { internal: true }, alternate =>
    withExchange('direct', { alternateExchange: alternate }, exchange =>
      withConfirmChannel(async channel => {
        const queue = await ownQueue(channel);
        await channel.bindQueue(queue, alternate, '');
        channel.publish(exchange, 'unknown', Buffer.from('left over'));
        equal((await getOne(channel, queue)).content.toString(), 'left over');
        await closesChannel(403, `ACCESS_REFUSED - cannot publish to internal exchange '${alternate}' in vhost '/'`, other =>
          other.publish(alternate, '', Buffer.from('x')),
        );
      }),
    ),
  ),
);

check('names may hold any Unicode text up to 255 bytes', () =>
  withChannel(async channel => {
    for (const name of [`${unique('unicode')} café 鼠 🐇`, unique('x').padEnd(254, 'ñ').slice(0, 140)]) {
      equal((await channel.assertQueue(name, { exclusive: true })).queue, name);
      channel.sendToQueue(name, Buffer.from(name));
      const message = await getOne(channel, name);
      equal([message.fields.routingKey, message.content.toString()], [name, name]);
    }
    const generated = await ownQueue(channel);
    assert(/^amq\.gen-[A-Za-z0-9_-]{22}$/.test(generated), generated);
  }),
);

await main();
