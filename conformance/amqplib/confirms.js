// Publisher confirms through amqplib.
import { check, equal, errorOf, main, unique } from '../support/checks.js';
import { getOne, ownQueue, withConfirmChannel, withConnection } from './session.js';

/** A promise of the outcome of one publish. */
function confirmed(channel, queue, body, options = {}) {
  return new Promise(resolve => {
    channel.sendToQueue(queue, Buffer.from(body), options, error => resolve(error ? 'nack' : 'ack'));
  });
}

check('every publish is confirmed through its callback', () =>
  withConfirmChannel(async channel => {
    const queue = await ownQueue(channel);
    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, index) => confirmed(channel, queue, String(index), { persistent: true })),
    );
    equal(new Set(outcomes), new Set(['ack']));
    equal((await channel.checkQueue(queue)).messageCount, 500);
  }),
);

check('waitForConfirms waits for a batch', () =>
  withConfirmChannel(async channel => {
    const queue = await ownQueue(channel);
    for (let number = 0; number < 500; number++) channel.sendToQueue(queue, Buffer.from('x'));
    await channel.waitForConfirms();
    equal((await channel.checkQueue(queue)).messageCount, 500);
  }),
);

check('messages to durable queues are confirmed as well', () =>
  withConfirmChannel(async channel => {
    const queue = unique('durable');
    await channel.assertQueue(queue, { durable: true });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => confirmed(channel, queue, 'x', { persistent: true })));
    equal(new Set(outcomes), new Set(['ack']));
    await channel.deleteQueue(queue);
  }),
);

check('a full queue with reject-publish answers with a nack', () =>
  withConfirmChannel(async channel => {
    for (const overflow of ['reject-publish', 'reject-publish-dlx']) {
      const deadLetters = await ownQueue(channel);
      const queue = await ownQueue(channel, { maxLength: 2, overflow, deadLetterExchange: '', deadLetterRoutingKey: deadLetters });
      const outcomes = [];
      for (const body of ['1', '2', '3', '4']) outcomes.push(await confirmed(channel, queue, body));
      equal(outcomes, ['ack', 'ack', 'nack', 'nack'], overflow);
      equal((await getOne(channel, queue)).content.toString(), '1');
      equal(await confirmed(channel, queue, '5'), 'ack');
      equal(
        (await channel.checkQueue(deadLetters)).messageCount,
        overflow === 'reject-publish-dlx' ? 2 : 0,
        `dead letters with ${overflow}`,
      );
    }
  }),
);

check('waitForConfirms fails when a message was refused', () =>
  withConfirmChannel(async channel => {
    const queue = await ownQueue(channel, { maxLength: 1, overflow: 'reject-publish' });
    for (let number = 0; number < 3; number++) channel.sendToQueue(queue, Buffer.from('x'));
    equal((await errorOf(() => channel.waitForConfirms())).message, 'message nacked');
  }),
);

check('a message nobody gets is confirmed; a mandatory one is returned before', () =>
  withConfirmChannel(async channel => {
    const events = [];
    channel.on('return', message => events.push(`return ${message.fields.replyText}`));
    await new Promise(resolve => {
      channel.publish('amq.direct', unique('nobody'), Buffer.from('x'), {}, () => resolve(events.push('ack')));
    });
    await new Promise(resolve => {
      channel.publish('amq.direct', unique('nobody'), Buffer.from('x'), { mandatory: true }, () => resolve(events.push('ack')));
    });
    equal(events, ['ack', 'return NO_ROUTE', 'ack']);
  }),
);

check('confirms of several channels do not mix', () =>
  withConnection(async connection => {
    const channels = await Promise.all(Array.from({ length: 10 }, () => connection.createConfirmChannel()));
    const queues = await Promise.all(channels.map(channel => ownQueue(channel)));
    await Promise.all(
      channels.map(async (channel, index) => {
        for (let number = 0; number < 100 + index; number++) channel.sendToQueue(queues[index], Buffer.from('x'));
        await channel.waitForConfirms();
      }),
    );
    for (const [index, channel] of channels.entries()) equal((await channel.checkQueue(queues[index])).messageCount, 100 + index);
  }),
);

check('large messages are confirmed', () =>
  withConfirmChannel(async channel => {
    const queue = await ownQueue(channel);
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => confirmed(channel, queue, Buffer.alloc(1024 * 1024))));
    equal(outcomes, ['ack', 'ack', 'ack', 'ack', 'ack']);
  }),
);

await main();
