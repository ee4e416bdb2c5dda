// Looking into a broker without changing anything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { long, longstr } from '../../../src/base/field-table.ts';
import type { Delivery } from '../../support/amqp-driver.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { basicAck, basicConsume, basicReject, exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { withBroker, withClient } from '../../support/with-broker.ts';

const tagOf = (delivery: Delivery): number => (delivery.kind === 'deliver' ? delivery.args.deliveryTag : 0);

test('a queue tells its messages, consumers and bindings', async () => {
  await withClient(async (client, broker) => {
    const queue = broker.vhost().queue('orders');
    assert.equal(queue.exists, false);
    assert.equal(queue.depth, 0);
    await client.call(exchangeDeclare(1, { exchange: 'shop', type: 'topic' }), methods.ExchangeDeclareOk);
    await client.call(queueDeclare(1, { queue: 'orders' }), methods.QueueDeclareOk);
    await client.call(queueBind(1, { queue: 'orders', exchange: 'shop', routingKey: 'order.#' }), methods.QueueBindOk);
    client.publish(1, {
      exchange: 'shop',
      routingKey: 'order.eu',
      body: '{"id":1}',
      properties: { headers: new Map([['tries', long(2)]]), messageId: 'm1' },
    });
    client.publish(1, { exchange: 'shop', routingKey: 'order.us', body: '{"id":2}' });
    const received = await queue.received(2);
    assert.deepEqual(received[0]?.json(), { id: 1 });
    assert.deepEqual(received[0]?.headers, { tries: 2 });
    assert.equal(queue.depth, 2);
    const [first] = await queue.messages({ count: 1 });
    assert.equal(first?.routingKey, 'order.eu');
    assert.equal(first?.properties.messageId, 'm1');
    assert.equal((await queue.messages({ search: '"id":2' })).length, 1);
    assert.deepEqual(queue.bindings, [
      { exchange: '', routingKey: 'orders', arguments: {} },
      { exchange: 'shop', routingKey: 'order.#', arguments: {} },
    ]);
    assert.equal(queue.depth, 2, 'looking took something away');

    await client.call(basicConsume(1, { queue: 'orders', consumerTag: 'c' }), methods.BasicConsumeOk);
    await client.nextDelivery(1);
    await client.nextDelivery(1);
    assert.equal(queue.consumers[0]?.tag, 'c');
    assert.equal(queue.consumers[0]?.unackedCount, 2);
    assert.equal((await queue.messages({ state: 'unacked' })).length, 2);
    await assert.rejects(broker.idle({ timeoutMillis: 50 }), /queue 'orders' in vhost '\/' has 2 unacknowledged messages/);
    client.send(basicAck(1, 0, true));
    await broker.idle();
    assert.equal(queue.depth, 0);
  });
});

test('the history says where each message went and what became of it', async () => {
  await withClient(async (client, broker) => {
    const args = new Map(Object.entries({ 'x-dead-letter-exchange': longstr(''), 'x-dead-letter-routing-key': longstr('dead') }));
    await client.call(queueDeclare(1, { queue: 'dead' }), methods.QueueDeclareOk);
    await client.call(queueDeclare(1, { queue: 'work', arguments: args }), methods.QueueDeclareOk);
    await client.call(queueDeclare(1, { queue: 'audit' }), methods.QueueDeclareOk);
    await client.call(exchangeDeclare(1, { exchange: 'all', type: 'fanout' }), methods.ExchangeDeclareOk);
    for (const queue of ['work', 'audit']) await client.call(queueBind(1, { queue, exchange: 'all' }), methods.QueueBindOk);
    await client.call(basicConsume(1, { queue: 'work' }), methods.BasicConsumeOk);
    for (const body of ['good', 'bad', 'open']) client.publish(1, { exchange: 'all', routingKey: '', body });
    client.publish(1, { routingKey: 'nowhere', body: 'lost' });
    await broker.vhost().queue('audit').received(3);
    const tags = [];
    for (let i = 0; i < 3; i++) tags.push(tagOf(await client.nextDelivery(1)));
    client.send(basicAck(1, tags[0] as number));
    client.send(basicReject(1, tags[1] as number, false));
    await broker.vhost().queue('dead').received(1);

    const [good, bad, open, lost] = broker.published();
    assert.deepEqual(good?.queues.toSorted(), ['audit', 'work']);
    assert.equal(good?.fateIn('work'), 'acked');
    assert.equal(good?.fateIn('audit'), 'ready');
    assert.equal(bad?.fateIn('work'), 'rejected');
    const letter = bad?.copies.find(copy => copy.queue === 'work')?.deadLetter;
    assert.equal(letter?.text, 'bad');
    assert.equal(letter?.origin, 'dead letter');
    assert.deepEqual(letter?.queues, ['dead']);
    assert.equal(open?.fateIn('work'), 'unacked');
    assert.equal(lost?.isUnroutable, true);
    assert.match(String(bad), /^all '' "bad" \[.*work: rejected -> dead.*\]$/);
    assert.match(String(lost), /unroutable/);
  });
});

test('what does not arrive is said, with what did', async () => {
  await withClient(async (client, broker) => {
    await client.call(queueDeclare(1, { queue: 'orders' }), methods.QueueDeclareOk);
    client.publish(1, { routingKey: 'orders', body: 'one' });
    client.publish(1, { routingKey: 'oders', body: 'two' });
    const error = await broker
      .vhost()
      .queue('orders')
      .received(2, { timeoutMillis: 100 })
      .then(
        () => null,
        (reason: Error) => reason,
      );
    assert.match(error?.message ?? '', /queue 'orders' in vhost '\/' \(1 ready.*received 1 of 2 messages within 100 ms/);
    assert.match(error?.message ?? '', /"one"/);
    assert.match(error?.message ?? '', /'oders' "two" \[unroutable\]/);
  });
});

test('a history forgets the oldest, and can be left out', async () => {
  await withClient(
    async (client, broker) => {
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      for (let i = 0; i < 100; i++) client.publish(1, { routingKey: 'q', body: String(i) });
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      const texts = broker.published().map(({ text }) => text);
      assert.deepEqual(
        texts,
        Array.from({ length: 10 }, (_, index) => String(90 + index)),
      );
      assert.equal(broker.published()[0], broker.published()[0], 'a message is the same object whenever it is asked for');
      await broker.reset();
      assert.equal(broker.published().length, 0);
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      for (let i = 0; i < 12; i++) client.publish(1, { routingKey: 'q', body: String(i) });
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      assert.deepEqual(
        (await broker.vhost().queue('q').received(10)).map(({ text }) => text),
        Array.from({ length: 10 }, (_, index) => String(2 + index)),
      );
    },
    { history: { messagesMax: 10 } },
  );
  await withClient(
    async (client, broker) => {
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      const body = 'x'.repeat(40_000);
      for (let i = 0; i < 10; i++) client.publish(1, { routingKey: 'q', body: i % 2 === 0 ? body : 'small' });
      await client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
      assert.deepEqual(
        broker.published().map(({ text }) => text),
        ['small', body, 'small', body, 'small'],
      );
    },
    { history: { bytesMax: 100_000 } },
  );
  await withBroker(
    async broker => {
      assert.throws(() => broker.published(), /start it with \{ history: true \}/);
      await assert.rejects(broker.vhost().queue('q').received(1), /start it with \{ history: true \}/);
    },
    { history: false },
  );
});
