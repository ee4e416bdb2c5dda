// Connections through amqplib: opening, refusal, limits, heartbeats, closing.
import { setTimeout as delay } from 'node:timers/promises';
import { assert, brokerUrl, check, equal, errorOf, eventually, main, once } from '../support/checks.js';
import { amqp, getOne, ownQueue, withConnection } from './session.js';

const { hostname, port } = new URL(brokerUrl);

async function echo(connection) {
  const channel = await connection.createChannel();
  const queue = await ownQueue(channel);
  channel.sendToQueue(queue, Buffer.from('echo'));
  equal((await getOne(channel, queue)).content.toString(), 'echo');
  await channel.close();
}

check('a URL may name the virtual host as %2F, and settings as parameters', async () => {
  await withConnection(echo, {}, `amqp://guest:guest@${hostname}:${port}/%2F`);
  await withConnection(echo, {}, `amqp://guest:guest@${hostname}:${port}/?heartbeat=5&frameMax=8192&channelMax=20`);
});

check('a connection can be described by an object', () =>
  withConnection(
    echo,
    {},
    { protocol: 'amqp', hostname, port: Number(port), username: 'guest', password: 'guest', vhost: '/', heartbeat: 5 },
  ),
);

check('the server properties say who it is and what it can do', () =>
  withConnection(async connection => {
    const { serverProperties } = connection.connection;
    equal(serverProperties.product, 'RabbitMQ');
    assert(/^[34]\.\d+\.\d+/.test(serverProperties.version), serverProperties.version);
    for (const capability of [
      'publisher_confirms',
      'exchange_exchange_bindings',
      'basic.nack',
      'consumer_cancel_notify',
      'connection.blocked',
      'consumer_priorities',
      'authentication_failure_close',
      'per_consumer_qos',
      'direct_reply_to',
    ]) {
      equal(serverProperties.capabilities[capability], true, capability);
    }
  }),
);

check('a wrong password is refused with 403', async () => {
  const error = await errorOf(() => amqp.connect(`amqp://guest:wrong@${hostname}:${port}`));
  assert(
    error.message.includes('403') &&
      error.message.includes(
        'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.',
      ),
    error.message,
  );
});

check('AMQPLAIN works as a mechanism', () => withConnection(echo, { credentials: amqp.credentials.amqplain('guest', 'guest') }));

check('an unknown virtual host is refused', async () => {
  const error = await errorOf(() => amqp.connect(`amqp://guest:guest@${hostname}:${port}/nowhere`));
  // amqplib tells neither code nor text here
  equal(error.message, 'Expected ConnectionOpenOk; got <ConnectionClose channel:0>');
});

check('frame size, channels and heartbeat are negotiated', async () => {
  await withConnection(async connection => {
    equal([connection.connection.frameMax, connection.connection.channelMax, connection.connection.heartbeat], [131_072, 2047, 60]);
  });
  await withConnection(
    async connection => {
      equal([connection.connection.frameMax, connection.connection.channelMax, connection.connection.heartbeat], [8192, 20, 5]);
      const channel = await connection.createChannel();
      const queue = await ownQueue(channel);
      channel.sendToQueue(queue, Buffer.alloc(100_000, 'x'));
      equal((await getOne(channel, queue)).content.length, 100_000);
    },
    {},
    `${brokerUrl}/?heartbeat=5&frameMax=8192&channelMax=20`,
  );
});

check('a thousand channels work on one connection', () =>
  withConnection(async connection => {
    const channels = [];
    for (let number = 0; number < 10; number++)
      channels.push(...(await Promise.all(Array.from({ length: 100 }, () => connection.createChannel()))));
    const queue = await ownQueue(channels[0]);
    let count = 0;
    await channels[0].consume(queue, () => (count += 1), { noAck: true });
    for (const channel of channels) channel.sendToQueue(queue, Buffer.from('x'));
    await Promise.all(channels.slice(1).map(channel => channel.close()));
    await eventually(() => count === 1000, '1000 messages');
  }),
);

check('fifty connections open at once', async () => {
  const connections = await Promise.all(Array.from({ length: 50 }, () => amqp.connect(brokerUrl)));
  await Promise.all(connections.map(echo));
  await Promise.all(connections.map(connection => connection.close()));
});

check('heartbeats keep an idle connection alive', () =>
  withConnection(
    async connection => {
      let failure = null;
      connection.on('error', error => (failure = error));
      await delay(3500); // idleness itself is what is checked: more than two intervals must pass
      equal(failure, null);
      await echo(connection);
    },
    {},
    `${brokerUrl}?heartbeat=1`,
  ),
);

check('a closed connection refuses further work and says so', async () => {
  const connection = await amqp.connect(brokerUrl);
  const closed = once(connection, 'close');
  const channel = await connection.createChannel();
  const channelClosed = once(channel, 'close');
  await connection.close();
  await closed;
  await channelClosed;
  assert((await errorOf(() => connection.createChannel())).message.startsWith('Connection closed'), 'no error');
});

check('a closed channel leaves its number to the next', () =>
  withConnection(async connection => {
    for (let number = 0; number < 100; number++) {
      const channel = await connection.createChannel();
      equal(channel.ch, 1);
      await channel.close();
    }
  }),
);

check('events of a blocked connection can be listened for', () =>
  withConnection(async connection => {
    connection.on('blocked', () => {});
    connection.on('unblocked', () => {});
    await echo(connection);
  }),
);

check('update-secret is answered', () =>
  withConnection(async connection => {
    await connection.updateSecret(Buffer.from('guest'), 'a conformance check');
    await echo(connection);
  }),
);

await main();
