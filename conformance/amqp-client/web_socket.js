// AMQP 0-9-1 inside WebSockets, with the client's class for browsers; Node's own WebSocket stands for the browser's.
import { AMQPClient, AMQPWebSocketClient } from '@cloudamqp/amqp-client';
import { assert, brokerUrl, check, equal, errorOf, eventually, main, unique } from '../support/checks.js';

const url = process.env.WEB_SOCKET_URL;

async function withSocket(action, options = {}) {
  const connection = await new AMQPWebSocketClient({ url, logger: null, ...options }).connect();
  try {
    return await action(connection);
  } finally {
    if (!connection.closed) await connection.close();
  }
}

check('a message is published and consumed', () =>
  withSocket(async connection => {
    const channel = await connection.channel();
    const queue = (await channel.queueDeclare('', { exclusive: true })).name;
    const received = [];
    const consumer = await channel.basicConsume(queue, { noAck: false }, message => {
      received.push([message.bodyString(), message.properties.headers.kind, message.redelivered]);
      return message.ack();
    });
    await channel.basicPublish('', queue, 'grüße', { headers: { kind: 'text' } });
    await eventually(() => received.length === 1, 'the message');
    equal(received, [['grüße', 'text', false]]);
    await consumer.cancel();
  }),
);

check('a message much larger than a frame goes both ways, confirmed', () =>
  withSocket(async connection => {
    const channel = await connection.channel();
    await channel.confirmSelect();
    const queue = (await channel.queueDeclare('', { exclusive: true })).name;
    const body = new Uint8Array(1_000_000).map((_, index) => index % 251);
    await channel.basicPublish('', queue, body);
    const message = await eventually(() => channel.basicGet(queue, { noAck: true }), 'the message');
    assert(Buffer.from(body).equals(Buffer.from(message.body)), 'the body has changed');
  }),
);

check('what is published by WebSocket is consumed over TCP, and the other way round', () =>
  withSocket(async connection => {
    const other = await new AMQPClient(brokerUrl, undefined, null).connect();
    try {
      const name = unique('bridge');
      const [here, there] = [await connection.channel(), await other.channel()];
      await here.queueDeclare(name, { durable: false, autoDelete: false });
      await here.basicPublish('', name, 'from the browser', { contentType: 'text/plain' });
      const got = await eventually(() => there.basicGet(name, { noAck: true }), 'the message');
      equal([got.bodyString(), got.properties.contentType], ['from the browser', 'text/plain']);
      await there.basicPublish('', name, 'from the server', {});
      equal((await eventually(() => here.basicGet(name, { noAck: true }), 'the answer')).bodyString(), 'from the server');
      await here.queueDelete(name);
    } finally {
      await other.close();
    }
  }),
);

check('thousands of messages arrive in order', () =>
  withSocket(async connection => {
    const channel = await connection.channel();
    const queue = (await channel.queueDeclare('', { exclusive: true })).name;
    const numbers = [];
    await channel.basicConsume(queue, { noAck: true }, message => void numbers.push(Number(message.bodyString())));
    for (let number = 0; number < 5000; number++) void channel.basicPublish('', queue, String(number));
    await eventually(() => numbers.length === 5000, '5000 messages');
    equal(
      numbers.findIndex((number, index) => number !== index),
      -1,
    );
  }),
);

check('a wrong password is refused as on TCP', async () => {
  const error = await errorOf(() => withSocket(async () => {}, { password: 'wrong' }));
  assert(error.message.includes('ACCESS_REFUSED'), error.message);
});

check('a channel error leaves the connection usable', () =>
  withSocket(async connection => {
    const channel = await connection.channel();
    const error = await errorOf(() => channel.queueDeclare(unique('absent'), { passive: true }));
    assert(error.message.includes('NOT_FOUND'), error.message);
    const next = await connection.channel();
    await next.queueDeclare('', { exclusive: true });
  }),
);

await main();
