// Streams through amqplib: reading from everywhere, again and again.
import { check, equal, eventually, main, unique } from '../support/checks.js';
import { closesChannel, withChannel, withConfirmChannel } from './session.js';

const stream = { durable: true, arguments: { 'x-queue-type': 'stream' } };

/** A stream with the given messages, for the length of `use`. */
async function withStream(bodies, use) {
  const queue = unique('stream');
  await withConfirmChannel(async channel => {
    await channel.assertQueue(queue, stream);
    try {
      for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { headers: { kept: body } });
      await channel.waitForConfirms();
      await use(queue, channel);
    } finally {
      await channel.deleteQueue(queue);
    }
  });
}

/** What a consumer that begins there gets first. */
function read(queue, offset, count) {
  return withChannel(async channel => {
    await channel.prefetch(100);
    const messages = [];
    const args = offset === undefined ? {} : { 'x-stream-offset': offset };
    await channel.consume(
      queue,
      message => {
        messages.push(message);
        channel.ack(message);
      },
      { arguments: args },
    );
    await eventually(() => messages.length >= count, `${count} messages`);
    return messages.slice(0, count);
  });
}

const numbers = (from, to) => Array.from({ length: to - from }, (_, index) => String(from + index));
const bodies = messages => messages.map(message => message.content.toString());

check('a stream is read from the first message on, twice', () =>
  withStream(numbers(0, 300), async queue => {
    for (let time = 0; time < 2; time++) {
      const messages = await read(queue, 'first', 300);
      equal(bodies(messages), numbers(0, 300));
      equal(
        messages.map(({ properties }) => properties.headers['x-stream-offset']),
        numbers(0, 300).map(Number),
      );
      equal(messages[7].properties.headers.kept, '7');
    }
  }),
);

check('a stream is read from an offset, from a time and from an age', () =>
  withStream(numbers(0, 50), async queue => {
    equal(bodies(await read(queue, 30, 20)), numbers(30, 50));
    equal(bodies(await read(queue, { '!': 'timestamp', value: 1_000_000 }, 50)), numbers(0, 50));
    equal(bodies(await read(queue, '1h', 50)), numbers(0, 50));
  }),
);

check('a consumer without an offset gets what comes next', () =>
  withStream(numbers(0, 5), (queue, publisher) =>
    withChannel(async channel => {
      await channel.prefetch(10);
      const got = [];
      await channel.consume(queue, message => got.push(message.content.toString()));
      publisher.sendToQueue(queue, Buffer.from('new'));
      await eventually(() => got.length > 0, 'the new message');
      equal(got, ['new']);
    }),
  ),
);

check('a consumer needs a prefetch', () =>
  withStream([], queue =>
    closesChannel(406, `PRECONDITION_FAILED - consumer prefetch count is not set for 'queue '${queue}' in vhost '/''`, channel =>
      channel.consume(queue, () => {}),
    ),
  ),
);

await main();
