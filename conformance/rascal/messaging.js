// rascal over AMQP alone: its configuration of exchanges, queues, bindings, publications and subscriptions.
import { check, equal, eventually, main, unique } from '../support/checks.js';
import { connection, next, withBroker } from './broker.js';

/** One topic exchange, one queue bound to it, one publication and one subscription. */
function plain(extra = {}) {
  const [exchange, queue] = [unique('rascal.exchange'), unique('rascal.queue')];
  return {
    vhosts: {
      '/': {
        connection: connection(),
        exchanges: { [exchange]: { type: 'topic' }, ...extra.exchanges },
        queues: { [queue]: { options: extra.queueOptions ?? {} }, ...extra.queues },
        bindings: { main: { source: exchange, destination: queue, destinationType: 'queue', bindingKey: 'a.#' }, ...extra.bindings },
      },
    },
    publications: { out: { vhost: '/', exchange, routingKey: 'a.b' }, ...extra.publications },
    subscriptions: { in: { vhost: '/', queue, prefetch: 3 }, ...extra.subscriptions },
    ...extra.root,
  };
}

check('a publication succeeds and its message arrives decoded', () =>
  withBroker(plain(), async broker => {
    const got = [];
    const subscription = await broker.subscribe('in');
    subscription.on('message', (message, content, ackOrNack) => {
      got.push([content, message.properties.contentType, message.fields.routingKey]);
      ackOrNack();
    });
    for (const content of [{ an: 'object' }, 'text', Buffer.from('bytes')]) await next(await broker.publish('out', content), 'success');
    await eventually(() => got.length === 3, 'three messages');
    equal(got[0], [{ an: 'object' }, 'application/json', 'a.b']);
    equal(got[1].slice(0, 2), ['text', 'text/plain']);
    equal(got[2][0].toString(), 'bytes');
  }),
);

check('an unroutable message is returned', () =>
  withBroker(plain(), async broker => {
    const publication = await broker.publish('out', 'nobody', { routingKey: 'z' });
    const [message] = await next(publication, 'return');
    equal([message.fields.replyCode, message.fields.replyText], [312, 'NO_ROUTE']);
  }),
);

check('a rejected message goes to the dead letter exchange', () => {
  const [dlx, dlq] = [unique('rascal.dlx'), unique('rascal.dlq')];
  return withBroker(
    plain({
      exchanges: { [dlx]: { type: 'fanout' } },
      queues: { [dlq]: {} },
      bindings: { dead: { source: dlx, destination: dlq, destinationType: 'queue' } },
      subscriptions: { dead: { vhost: '/', queue: dlq } },
      queueOptions: { arguments: { 'x-dead-letter-exchange': dlx } },
    }),
    async broker => {
      const letters = [];
      (await broker.subscribe('in')).on('message', (_message, _content, ackOrNack) => ackOrNack(new Error('no'), { strategy: 'nack' }));
      (await broker.subscribe('dead')).on('message', (message, content, ackOrNack) => {
        letters.push([content, message.properties.headers['x-death'][0].reason]);
        ackOrNack();
      });
      await next(await broker.publish('out', 'bad'), 'success');
      await eventually(() => letters.length === 1, 'the dead letter');
      equal(letters, [['bad', 'rejected']]);
    },
  );
});

check('a failed message is republished with its attempts counted', () =>
  withBroker(plain(), async broker => {
    const attempts = [];
    (await broker.subscribe('in')).on('message', (message, _content, ackOrNack) => {
      const republished = message.properties.headers.rascal?.recovery;
      attempts.push(Object.values(republished ?? {})[0]?.republished ?? 0);
      if (attempts.length < 3) ackOrNack(new Error('again'), { strategy: 'republish', attempts: 5 });
      else ackOrNack();
    });
    await next(await broker.publish('out', 'stubborn'), 'success');
    await eventually(() => attempts.length === 3, 'three attempts');
    equal(attempts, [0, 1, 2]);
  }),
);

check('a hundred publications through pooled channels all succeed', () =>
  withBroker(plain(), async broker => {
    const got = new Set();
    (await broker.subscribe('in')).on('message', (_message, content, ackOrNack) => {
      got.add(content);
      ackOrNack();
    });
    await Promise.all(Array.from({ length: 100 }, async (_, index) => next(await broker.publish('out', `message ${index}`), 'success')));
    await eventually(() => got.size === 100, '100 messages');
  }),
);

await main();
