// amqplib's own recovery of connections (since 1.1): the connection is cut, channels and consumers are set up again.
import { assert, brokerUrl, check, equal, eventually, main, unique } from '../support/checks.js';
import { Relay } from '../support/relay.js';
import { amqp } from './session.js';

check('after a cut the connection recovers, sets up again and goes on', async () => {
  const relay = new Relay(brokerUrl);
  await relay.accept();
  const queue = unique('recovery');
  const got = [];
  let channel = null;
  let setups = 0;
  const connection = await amqp.connect(relay.url, {
    recovery: {
      initialDelay: 20,
      maxDelay: 100,
      setup: async model => {
        channel = await model.createConfirmChannel();
        channel.on('error', () => {});
        await channel.assertQueue(queue, { durable: false, expires: 60_000 });
        await channel.consume(queue, message => {
          if (!message) return;
          got.push(message.content.toString());
          channel.ack(message);
        });
        setups += 1;
      },
    },
  });
  connection.on('error', () => {});
  const send = async body => {
    channel.sendToQueue(queue, Buffer.from(body));
    await channel.waitForConfirms();
  };
  await eventually(() => setups === 1, 'the first setup');
  await send('before');
  await eventually(() => got.length === 1, 'the first message');
  relay.cut();
  await eventually(() => setups === 2, 'the second setup');
  await send('after');
  await eventually(() => got.includes('after'), 'the second message');
  await relay.refuse();
  await relay.accept();
  await eventually(() => setups === 3, 'the third setup');
  await send('after a longer time');
  await eventually(() => got.includes('after a longer time'), 'the third message');
  equal([...new Set(got)], ['before', 'after', 'after a longer time']);
  assert(relay.connections >= 3, `${relay.connections} connections`);
  await channel.deleteQueue(queue);
  await connection.close();
  await relay.refuse();
});

await main();
