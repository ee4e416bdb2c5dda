// amqplib's callback API.
import { brokerUrl, check, equal, main, unique } from '../support/checks.js';
import { callbackApi } from './session.js';

/** Opens a connection and a channel; whatever fails in a callback rejects the promise. */
function flow(steps) {
  return new Promise((resolve, reject) => {
    const guard = action => (error, value) => {
      if (error) return reject(error);
      try {
        return action(value);
      } catch (thrown) {
        return reject(thrown);
      }
    };
    callbackApi.connect(
      brokerUrl,
      guard(connection => {
        connection.on('error', () => {});
        const done = result => connection.close(() => resolve(result));
        connection.createChannel(
          guard(channel => {
            channel.on('error', () => {});
            steps({ connection, channel, guard, done });
          }),
        );
      }),
    );
  });
}

check('declare, bind, publish, consume and acknowledge', async () => {
  const bodies = await flow(({ channel, guard, done }) => {
    const exchange = unique('callback');
    const got = [];
    channel.assertExchange(
      exchange,
      'topic',
      { autoDelete: true, durable: false },
      guard(() => {
        channel.assertQueue(
          '',
          { exclusive: true },
          guard(({ queue }) => {
            channel.bindQueue(
              queue,
              exchange,
              'k.*',
              {},
              guard(() => {
                channel.consume(
                  queue,
                  message => {
                    got.push(message.content.toString());
                    channel.ack(message);
                    if (got.length === 3) done(got);
                  },
                  {},
                  guard(() => {
                    for (const body of ['1', '2', '3']) channel.publish(exchange, `k.${body}`, Buffer.from(body));
                  }),
                );
              }),
            );
          }),
        );
      }),
    );
  });
  equal(bodies, ['1', '2', '3']);
});

check('get gives a message or false', async () => {
  const results = await flow(({ channel, guard, done }) => {
    channel.assertQueue(
      '',
      { exclusive: true },
      guard(({ queue }) => {
        channel.get(
          queue,
          {},
          guard(nothing => {
            channel.sendToQueue(queue, Buffer.from('x'));
            const poll = () =>
              channel.get(
                queue,
                { noAck: true },
                guard(message => (message ? done([nothing, message.content.toString()]) : poll())),
              );
            poll();
          }),
        );
      }),
    );
  });
  equal(results, [false, 'x']);
});

check('purge and delete give counts', async () => {
  const results = await flow(({ channel, guard, done }) => {
    channel.assertQueue(
      '',
      { exclusive: true },
      guard(({ queue }) => {
        for (let number = 0; number < 3; number++) channel.sendToQueue(queue, Buffer.from('x'));
        channel.purgeQueue(
          queue,
          guard(purged =>
            channel.deleteQueue(
              queue,
              {},
              guard(deleted => done([purged.messageCount, deleted.messageCount])),
            ),
          ),
        );
      }),
    );
  });
  equal(results, [3, 0]);
});

check('confirms call back, nacks with an error', async () => {
  const outcomes = await flow(({ connection, guard, done }) => {
    connection.createConfirmChannel(
      guard(channel => {
        channel.assertQueue(
          '',
          { exclusive: true, maxLength: 2, overflow: 'reject-publish' },
          guard(({ queue }) => {
            const results = [];
            const settled = error => {
              results.push(error ? 'nack' : 'ack');
              if (results.length === 4) done(results.toSorted((one, other) => one.localeCompare(other)));
            };
            for (let number = 0; number < 4; number++) channel.sendToQueue(queue, Buffer.from('x'), {}, settled);
          }),
        );
      }),
    );
  });
  equal(outcomes, ['ack', 'ack', 'nack', 'nack']);
});

check('waitForConfirms calls back when all are confirmed', async () => {
  const count = await flow(({ connection, guard, done }) => {
    connection.createConfirmChannel(
      guard(channel => {
        channel.assertQueue(
          '',
          { exclusive: true },
          guard(({ queue }) => {
            for (let number = 0; number < 100; number++) channel.sendToQueue(queue, Buffer.from('x'));
            channel.waitForConfirms(
              guard(() =>
                channel.checkQueue(
                  queue,
                  guard(({ messageCount }) => done(messageCount)),
                ),
              ),
            );
          }),
        );
      }),
    );
  });
  equal(count, 100);
});

check('a channel error comes as an event and to the pending call', async () => {
  const seen = await flow(({ channel, done, connection, guard }) => {
    const seen = new Set();
    const saw = what => {
      seen.add(what);
      if (seen.size === 2) connection.createChannel(guard(() => done([...seen])));
    };
    channel.on('error', error => saw(error.code));
    channel.checkQueue(unique('missing'), error => saw(error ? 'call' : 'no error'));
  });
  equal(new Set(seen), new Set([404, 'call']));
});

check('returned messages come as events', async () => {
  const text = await flow(({ channel, done }) => {
    channel.on('return', message => done([message.fields.replyText, message.content.toString()]));
    channel.publish('amq.direct', unique('nobody'), Buffer.from('back'), { mandatory: true });
  });
  equal(text, ['NO_ROUTE', 'back']);
});

check('a connection that is refused calls back with an error', async () => {
  const { hostname, port } = new URL(brokerUrl);
  const error = await new Promise(resolve => callbackApi.connect(`amqp://guest:wrong@${hostname}:${port}`, resolve));
  equal(error.message.includes('ACCESS-REFUSED') || error.message.includes('ACCESS_REFUSED') || error.message, true);
});

await main();
