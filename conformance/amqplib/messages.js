// Messages and their settlement through amqplib's promise API.
import { randomBytes } from 'node:crypto';
import { assert, check, equal, eventually, main, once } from '../support/checks.js';
import { awaitCount, closesChannel, getOne, ownQueue, withChannel, withConnection, withSharedQueue } from './session.js';

async function roundTrip(channel, body, options) {
  const queue = await ownQueue(channel);
  channel.sendToQueue(queue, body, options);
  return getOne(channel, queue);
}

check('bodies come back byte for byte, from empty to several frames', () =>
  withChannel(async channel => {
    for (const size of [0, 1, 131_063, 131_064, 131_065, 262_128, 300_000]) {
      const body = randomBytes(size);
      const message = await roundTrip(channel, body);
      assert(message.content.equals(body), `a body of ${size} bytes changed`);
    }
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    assert((await roundTrip(channel, bytes)).content.equals(bytes), 'bytes changed');
  }),
);

check('bodies of 1 MiB and 10 MiB come back whole', () =>
  withChannel(async channel => {
    for (const mebibytes of [1, 10]) {
      const body = randomBytes(mebibytes * 1024 * 1024);
      assert((await roundTrip(channel, body)).content.equals(body), `a body of ${mebibytes} MiB changed`);
    }
  }),
);

check('all properties come back', () =>
  withChannel(async channel => {
    const sent = {
      contentType: 'application/json',
      contentEncoding: 'gzip',
      headers: { a: 'b' },
      deliveryMode: 2,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '60000',
      messageId: 'm',
      timestamp: 1_700_000_000,
      type: 't',
      userId: 'guest',
      appId: 'app',
    };
    const { properties } = await roundTrip(channel, Buffer.from('x'), { ...sent, persistent: true });
    for (const [name, value] of Object.entries(sent)) {
      if (name === 'headers') equal({ ...properties.headers }, value, name);
      else equal(properties[name], value, name);
    }
  }),
);

check('properties that were not set stay unset', () =>
  withChannel(async channel => {
    const { properties } = await roundTrip(channel, Buffer.from('x'));
    const set = Object.entries(properties).filter(([name, value]) => value !== undefined && name !== 'headers');
    // amqplib always sends a header table
    equal(set, []);
    equal({ ...properties.headers }, {});
  }),
);

check('header values of every type amqplib can write come back', () =>
  withChannel(async channel => {
    const headers = {
      text: 'täxt 🐇',
      yes: true,
      no: false,
      nothing: null,
      byte: -5,
      short: 300,
      int: -70_000,
      long: 2 ** 45,
      negative: -(2 ** 45),
      double: 1.25,
      bytes: Buffer.from([0, 255, 206]),
      list: [1, 'two', [3.5, null], { deep: { er: 'x' } }],
      table: { empty: {} },
      when: { '!': 'timestamp', value: 1_700_000_000 },
      float: { '!': 'float', value: 0.5 },
      decimal: { '!': 'decimal', value: { digits: 1234, places: 2 } },
    };
    const got = (await roundTrip(channel, Buffer.from('x'), { headers })).properties.headers;
    for (const [name, value] of Object.entries(headers)) {
      const expected = name === 'float' ? 0.5 : value;
      equal(JSON.parse(JSON.stringify(got[name])), JSON.parse(JSON.stringify(expected)), name);
    }
  }),
);

check('a header table of 60 KiB passes', () =>
  withChannel(async channel => {
    const headers = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`key ${index}`, 'v'.repeat(1000)]));
    const message = await roundTrip(channel, Buffer.from('x'), { headers });
    equal({ ...message.properties.headers }, headers);
  }),
);

check('get tells the exchange, the key and how many are left', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    await channel.bindQueue(queue, 'amq.topic', 'get.#');
    for (const key of ['get.1', 'get.2']) channel.publish('amq.topic', key, Buffer.from(key));
    await awaitCount(channel, queue, 2);
    const { fields } = await channel.get(queue, { noAck: true });
    equal({ ...fields }, { deliveryTag: 1, redelivered: false, exchange: 'amq.topic', routingKey: 'get.1', messageCount: 1 });
    assert(await channel.get(queue, { noAck: true }), 'the second message is missing');
    equal(await channel.get(queue, { noAck: true }), false);
  }),
);

check('an unroutable mandatory message is returned', () =>
  withChannel(async channel => {
    const returned = once(channel, 'return');
    channel.publish('amq.direct', 'nobody', Buffer.from('back'), { mandatory: true, messageId: 'm' });
    const [{ fields, properties, content }] = await returned;
    equal(
      [fields.replyCode, fields.replyText, fields.exchange, fields.routingKey, properties.messageId, content.toString()],
      [312, 'NO_ROUTE', 'amq.direct', 'nobody', 'm', 'back'],
    );
  }),
);

check('ack, nack and reject settle one, several or all, and requeue in place', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    for (let number = 0; number < 6; number++) channel.sendToQueue(queue, Buffer.from(String(number)));
    await awaitCount(channel, queue, 6);
    const messages = [];
    for (let number = 0; number < 6; number++) messages.push(await channel.get(queue));
    channel.reject(messages[3], true);
    channel.nack(messages[1], false, true);
    channel.ack(messages[0]);
    channel.nack(messages[2], true, false);
    await awaitCount(channel, queue, 2);
    channel.nackAll(true);
    await awaitCount(channel, queue, 4);
    const again = [];
    for (let number = 0; number < 4; number++) {
      const message = await channel.get(queue);
      again.push([message.content.toString(), message.fields.redelivered]);
    }
    equal(again, [
      ['1', true],
      ['3', true],
      ['4', true],
      ['5', true],
    ]);
    channel.ackAll();
    await awaitCount(channel, queue, 0);
  }),
);

check('recover requeues what is unsettled', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    channel.sendToQueue(queue, Buffer.from('x'));
    await getOne(channel, queue, {});
    await channel.recover();
    equal((await getOne(channel, queue)).fields.redelivered, true);
  }),
);

check('settling an unknown or settled message closes the channel with 406', async () => {
  await closesChannel(406, 'PRECONDITION_FAILED - unknown delivery tag 7', channel => channel.ack({ fields: { deliveryTag: 7 } }));
  await closesChannel(406, 'PRECONDITION_FAILED - unknown delivery tag 1', async channel => {
    const queue = await ownQueue(channel);
    channel.sendToQueue(queue, Buffer.from('x'));
    const message = await getOne(channel, queue, {});
    channel.ack(message);
    channel.nack(message);
  });
});

check('what a connection had not settled is redelivered after it', () =>
  withSharedQueue('redelivered', {}, async queue => {
    await withChannel(async channel => {
      channel.sendToQueue(queue, Buffer.from('x'));
      await getOne(channel, queue, {});
    });
    await withChannel(async channel => equal((await getOne(channel, queue)).fields.redelivered, true));
  }),
);

check('publishing to a missing exchange closes the channel and leaves the connection', () =>
  withConnection(async connection => {
    const [broken, whole] = [await connection.createChannel(), await connection.createChannel()];
    const failed = once(broken, 'error');
    broken.publish('no such exchange', 'k', Buffer.from('x'));
    const [error] = await failed;
    equal([error.code, error.message.includes(`"NOT_FOUND - no exchange 'no such exchange' in vhost '/'"`) || error.message], [404, true]);
    equal((await roundTrip(whole, Buffer.from('still here'))).content.toString(), 'still here');
  }),
);

check('50,000 small messages keep their order, with flow control on the way in', () =>
  withChannel(async channel => {
    const queue = await ownQueue(channel);
    const got = [];
    await channel.consume(queue, message => got.push(message.content.readUInt32BE(0)), { noAck: true });
    for (let number = 0; number < 50_000; number++) {
      const body = Buffer.alloc(4);
      body.writeUInt32BE(number);
      if (!channel.sendToQueue(queue, body)) await once(channel, 'drain');
    }
    await eventually(() => got.length === 50_000, '50,000 messages', 20_000);
    assert(
      got.every((number, index) => number === index),
      'the order changed',
    );
  }),
);

await main();
