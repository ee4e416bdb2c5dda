// What people are told to do: separate connections for publishing and consuming, acknowledgements in batches, bounded and lazy queues,
// one queue per consumer, persistent messages only where they are needed; and a headers exchange that sorts documents.
import amqp from 'amqplib';
import { brokerUrl, check, equal, eventually, main, unique } from '../../support/checks.js';

async function withTwoConnections(action) {
  const publishing = await amqp.connect(brokerUrl);
  const consuming = await amqp.connect(brokerUrl);
  try {
    await action(await publishing.createConfirmChannel(), await consuming.createChannel());
  } finally {
    await Promise.all([publishing.close(), consuming.close()]);
  }
}

check('acknowledgements in batches of 50 with a prefetch of 100 empty a queue of 5,000', () =>
  withTwoConnections(async (out, into) => {
    const queue = unique('batches');
    await into.assertQueue(queue, { exclusive: false, autoDelete: true, durable: false });
    await into.prefetch(100);
    let count = 0;
    let most = 0;
    let unacknowledged = 0;
    await into.consume(queue, message => {
      count += 1;
      unacknowledged += 1;
      most = Math.max(most, unacknowledged);
      if (count % 50 === 0) {
        into.ack(message, true);
        unacknowledged = 0;
      }
    });
    for (let number = 0; number < 5000; number++) out.sendToQueue(queue, Buffer.from(String(number)));
    await out.waitForConfirms();
    await eventually(() => count === 5000, '5,000 messages');
    equal((await into.checkQueue(queue)).messageCount, 0);
    equal(most <= 100, true, `at most 100 unacknowledged, saw ${most}`);
  }),
);

check('a bounded queue keeps the newest, a TTL forgets the old, a lazy queue holds many', () =>
  withTwoConnections(async (out, into) => {
    const { queue: bounded } = await into.assertQueue('', { autoDelete: true, durable: false, maxLength: 100 });
    const { queue: fresh } = await into.assertQueue('', { autoDelete: true, durable: false, messageTtl: 100 });
    const { queue: lazy } = await into.assertQueue('', { autoDelete: true, durable: false, arguments: { 'x-queue-mode': 'lazy' } });
    for (let number = 0; number < 1000; number++)
      for (const queue of [bounded, fresh, lazy]) out.sendToQueue(queue, Buffer.from(String(number)));
    await out.waitForConfirms();
    equal((await into.checkQueue(bounded)).messageCount, 100);
    equal((await into.get(bounded, { noAck: true })).content.toString(), '900');
    equal((await into.checkQueue(lazy)).messageCount, 1000);
    await eventually(async () => (await into.checkQueue(fresh)).messageCount === 0, 'the old messages to be forgotten');
    for (const queue of [bounded, fresh, lazy]) await into.deleteQueue(queue);
  }),
);

check('work spread over one queue per worker by a direct exchange keeps the order of each customer', () =>
  withTwoConnections(async (out, into) => {
    const exchange = unique('spread');
    await into.assertExchange(exchange, 'direct', { autoDelete: true, durable: false });
    const seen = new Map();
    for (let worker = 0; worker < 4; worker++) {
      const { queue } = await into.assertQueue('', { exclusive: true });
      await into.bindQueue(queue, exchange, `shard.${worker}`);
      await into.consume(
        queue,
        message => {
          const [customer, number] = message.content.toString().split(' ');
          seen.set(customer, [...(seen.get(customer) ?? []), Number(number)]);
        },
        { noAck: true },
      );
    }
    for (let number = 0; number < 400; number++) {
      const customer = number % 10;
      out.publish(exchange, `shard.${customer % 4}`, Buffer.from(`customer${customer} ${number}`));
    }
    await out.waitForConfirms();
    await eventually(() => [...seen.values()].flat().length === 400, '400 messages');
    for (const numbers of seen.values())
      equal(
        numbers,
        numbers.toSorted((one, other) => one - other),
      );
  }),
);

check('a headers exchange sorts documents for those who print, archive or index them', () =>
  withTwoConnections(async (out, into) => {
    const exchange = unique('documents');
    await into.assertExchange(exchange, 'headers', { autoDelete: true, durable: false });
    const got = { print: [], archive: [], index: [] };
    const wanted = {
      print: { 'x-match': 'all', format: 'pdf', type: 'report' },
      archive: { 'x-match': 'any', type: 'report', keep: true },
      index: { 'x-match': 'all', text: null },
    };
    for (const [name, headers] of Object.entries(wanted)) {
      const { queue } = await into.assertQueue('', { exclusive: true });
      await into.bindQueue(queue, exchange, '', headers);
      await into.consume(queue, message => got[name].push(message.content.toString()), { noAck: true });
    }
    const documents = {
      a: { format: 'pdf', type: 'report' },
      b: { format: 'zip', type: 'report' },
      c: { format: 'pdf', keep: true, text: 'yes' },
      d: { format: 'pdf' },
    };
    for (const [name, headers] of Object.entries(documents)) out.publish(exchange, '', Buffer.from(name), { headers });
    await out.waitForConfirms();
    await eventually(() => got.print.length + got.archive.length + got.index.length === 5, 'five deliveries');
    equal(got, { print: ['a'], archive: ['a', 'b', 'c'], index: ['c'] });
  }),
);

await main();
