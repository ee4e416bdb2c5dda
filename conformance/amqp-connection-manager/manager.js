// amqp-connection-manager: channels that are set up again after the connection was lost, and messages kept meanwhile.
import amqp from 'amqp-connection-manager';
import { assert, brokerUrl, check, equal, eventually, main, once, unique } from '../support/checks.js';
import { Relay } from '../support/relay.js';

async function withManager(action, url = brokerUrl) {
  const manager = amqp.connect(Array.isArray(url) ? url : [url], { heartbeatIntervalInSeconds: 5, reconnectTimeInSeconds: 0.05 });
  manager.on('connectFailed', () => {});
  try {
    return await action(manager);
  } finally {
    await manager.close();
  }
}

async function withRelay(action) {
  const relay = new Relay(brokerUrl);
  await relay.accept();
  try {
    return await action(relay);
  } finally {
    relay.cut();
    await relay.refuse().catch(() => {});
  }
}

check('a channel publishes JSON and consumes', () =>
  withManager(async manager => {
    const queue = unique('manager');
    const got = [];
    const channel = manager.createChannel({ json: true, setup: raw => raw.assertQueue(queue, { exclusive: true }) });
    await channel.waitForConnect();
    await channel.consume(queue, message => {
      got.push(JSON.parse(message.content.toString()));
      channel.ack(message);
    });
    equal(await channel.sendToQueue(queue, { hello: 'world' }, { persistent: true }), true);
    await eventually(() => got.length === 1, 'the message');
    equal(got, [{ hello: 'world' }]);
  }),
);

check('a message the broker refuses rejects its promise', () =>
  withManager(async manager => {
    const queue = unique('full');
    const channel = manager.createChannel({
      setup: raw => raw.assertQueue(queue, { exclusive: true, maxLength: 1, overflow: 'reject-publish' }),
    });
    await channel.sendToQueue(queue, Buffer.from('1'));
    const outcome = await channel.sendToQueue(queue, Buffer.from('2')).then(
      () => 'confirmed',
      error => error.message,
    );
    equal(outcome, 'message nacked');
  }),
);

check('setup functions can be added and removed while connected', () =>
  withManager(async manager => {
    const channel = manager.createChannel({ setup: () => {} });
    await channel.waitForConnect();
    const queue = unique('added');
    const setup = async raw => void (await raw.assertQueue(queue, { exclusive: true }));
    await channel.addSetup(setup);
    equal((await channel.checkQueue(queue)).queue, queue);
    await channel.removeSetup(setup, async raw => void (await raw.deleteQueue(queue)));
    const other = manager.createChannel({ setup: raw => raw.assertQueue(unique('other'), { exclusive: true }) });
    await other.waitForConnect();
  }),
);

check('after a cut everything is set up again and consumers go on', () =>
  withRelay(relay =>
    withManager(async manager => {
      const queue = unique('cut');
      const got = new Set();
      let setups = 0;
      let disconnects = 0;
      manager.on('disconnect', () => (disconnects += 1));
      const channel = manager.createChannel({
        setup: async raw => {
          await raw.assertQueue(queue, { durable: false, expires: 60_000 });
          await raw.consume(queue, message => {
            if (message === null) return; // the queue was deleted
            got.add(message.content.toString());
            raw.ack(message);
          });
          setups += 1;
        },
      });
      await channel.waitForConnect();
      for (const [round, body] of ['before', 'after', 'again'].entries()) {
        await channel.sendToQueue(queue, Buffer.from(body));
        await eventually(() => got.has(body), `«${body}»`);
        equal([setups, disconnects], [round + 1, round]);
        const connected = once(manager, 'connect');
        relay.cut();
        await connected;
        await eventually(() => setups === round + 2, 'the next setup');
      }
      await channel.deleteQueue(queue);
    }, relay.url),
  ),
);

check('messages sent while the broker is away are sent when it is back', () =>
  withRelay(relay =>
    withManager(async manager => {
      const queue = unique('away');
      const channel = manager.createChannel({ setup: raw => raw.assertQueue(queue, { durable: false, expires: 60_000 }) });
      await channel.waitForConnect();
      const disconnected = once(manager, 'disconnect');
      await relay.refuse();
      await disconnected;
      equal(manager.isConnected(), false);
      const sent = Promise.all(Array.from({ length: 50 }, (_, index) => channel.sendToQueue(queue, Buffer.from(String(index)))));
      await eventually(() => channel.queueLength() === 50, '50 messages kept');
      await relay.accept();
      equal((await sent).length, 50);
      equal((await channel.checkQueue(queue)).messageCount, 50);
      const bodies = [];
      for (let number = 0; number < 50; number++) bodies.push(Number((await channel.get(queue, { noAck: true })).content));
      equal(
        bodies,
        Array.from({ length: 50 }, (_, index) => index),
      );
      await channel.deleteQueue(queue);
    }, relay.url),
  ),
);

check('started before the broker, it connects when there is one', () =>
  withRelay(async relay => {
    const url = relay.url;
    await relay.refuse();
    await withManager(async manager => {
      let failures = 0;
      manager.on('connectFailed', () => (failures += 1));
      const queue = unique('early');
      const channel = manager.createChannel({ setup: raw => raw.assertQueue(queue, { exclusive: true }) });
      const sent = channel.sendToQueue(queue, Buffer.from('early bird'));
      await eventually(() => failures >= 3, 'three failed attempts');
      await relay.accept();
      await sent;
      equal((await channel.get(queue, { noAck: true })).content.toString(), 'early bird');
    }, url);
  }),
);

check('it takes the next address when one does not answer', () =>
  withRelay(async relay => {
    const dead = relay.url;
    await relay.refuse();
    await withManager(
      async manager => {
        const channel = manager.createChannel({ setup: raw => raw.assertQueue(unique('next'), { exclusive: true }) });
        await channel.waitForConnect();
        assert(manager.isConnected(), 'not connected');
      },
      [dead, brokerUrl],
    );
  }),
);

await main();
