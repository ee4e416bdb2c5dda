import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicGet, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withStomp } from '../../support/with-stomp.ts';
import { QueueBindOk, QueueDeclareOk } from '../../../src/wire/amqp091/methods.gen.ts';
import type { Delivery } from '../../support/amqp-driver.ts';
import { array, int, longstr, table } from '../../../src/base/field-table.ts';

function getOne(amqp: AmqpDriver, queue: string): Promise<Delivery> {
  amqp.send(basicGet(1, queue, true));
  return amqp.nextDelivery(1);
}

test('a message goes from SEND to MESSAGE through a queue that the first of them declares, durable', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    client.send('SEND', { destination: '/queue/orders', 'content-type': 'text/plain' }, 'first');
    await client.request('SUBSCRIBE', { id: '7', destination: '/queue/orders' });
    const message = await client.expect('MESSAGE');
    assert.equal(message.body, 'first');
    assert.deepEqual(
      [message.headers.subscription, message.headers.destination, message.headers.redelivered, message.headers['content-type']],
      ['7', '/queue/orders', 'false', 'text/plain'],
    );
    assert.match(message.headers['message-id'] ?? '', /^T_7@@session-[\w-]{22}@@1$/);
    assert.equal(message.headers.ack, undefined);
    const queue = broker.core.vhosts.get('/')?.queues.get('orders');
    assert.deepEqual([queue?.isDurable, queue?.isAutoDelete, queue?.isExclusive], [true, false, false]);
  });
});

test('bodies with NUL, empty bodies and bodies of megabytes arrive as they were sent', async () => {
  await withStomp(async ({ open }) => {
    const client = await open();
    await client.request('SUBSCRIBE', { id: '0', destination: '/queue/q' });
    const bodies = ['', 'a\0b\0', 'x'.repeat(70_000), 'ü'.repeat(1_500_000)];
    for (const body of bodies) {
      client.send('SEND', { destination: '/queue/q', 'content-length': String(Buffer.byteLength(body)) }, body);
      const message = await client.expect('MESSAGE');
      assert.ok(message.body === body, `body of ${body.length} characters`);
    }
  });
});

test('headers become AMQP properties, and AMQP properties headers', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    const amqp = await AmqpDriver.connect({ port: broker.port });
    try {
      await amqp.openChannel(1);
      await client.request(
        'SEND',
        {
          destination: '/queue/both',
          'content-type': 'text/html',
          'content-encoding': 'gzip',
          persistent: 'true',
          priority: '7',
          'correlation-id': 'c1',
          'reply-to': '/queue/answers',
          expiration: '60000',
          'amqp-message-id': 'm1',
          timestamp: '1234',
          type: 'order',
          'user-id': 'guest',
          'app-id': 'shop',
          'x-colour': 'a\\cb\\n\\\\',
        },
        'body',
      );
      const got = await getOne(amqp, 'both');
      const { headers, ...properties } = got.properties;
      assert.deepEqual(properties, {
        contentType: 'text/html',
        contentEncoding: 'gzip',
        deliveryMode: 2,
        priority: 7,
        correlationId: 'c1',
        replyTo: '/queue/answers',
        expiration: '60000',
        messageId: 'm1',
        timestamp: 1234,
        type: 'order',
        userId: 'guest',
        appId: 'shop',
      });
      assert.deepEqual(headers?.get('x-colour'), longstr('a:b\n\\'));
      await client.request('SUBSCRIBE', { id: '0', destination: '/queue/both' });
      amqp.publish(1, {
        routingKey: 'both',
        properties: {
          ...properties,
          replyTo: 'some.queue',
          headers: new Map([
            ['text', longstr('with:colon\nand line')],
            ['number', int(-5)],
            ['list', array([int(1)])],
            ['table', table(new Map())],
            ['subscription', longstr('spoofed')],
            ['message-id', longstr('spoofed')],
          ]),
        },
        body: 'answer',
      });
      const { headers: received, body } = await client.expect('MESSAGE');
      assert.equal(body, 'answer');
      const { 'message-id': id, ...rest } = received;
      assert.match(id ?? '', /^T_0@@/);
      assert.deepEqual(
        { ...rest },
        {
          subscription: '0',
          redelivered: 'false',
          destination: '/queue/both',
          'content-type': 'text/html',
          'content-encoding': 'gzip',
          'correlation-id': 'c1',
          'reply-to': '/reply-queue/some.queue',
          expiration: '60000',
          'amqp-message-id': 'm1',
          type: 'order',
          'user-id': 'guest',
          'app-id': 'shop',
          persistent: 'true',
          priority: '7',
          timestamp: '1234',
          text: 'with:colon\nand line',
          number: '-5',
          'content-length': '6',
        },
      );
    } finally {
      amqp.destroy();
    }
  });
});

test('topics and exchanges: publish and subscribe with AMQP on the other side', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    const amqp = await AmqpDriver.connect({ port: broker.port });
    try {
      await amqp.openChannel(1);
      await client.request('SUBSCRIBE', { id: 'news', destination: '/topic/news.*' });
      await client.request('SUBSCRIBE', { id: 'logs', destination: '/exchange/amq.direct/error%2Ffatal' });
      amqp.publish(1, { exchange: 'amq.topic', routingKey: 'news.world', body: 'hello' });
      const first = await client.expect('MESSAGE');
      assert.deepEqual([first.headers.subscription, first.headers.destination, first.body], ['news', '/topic/news.world', 'hello']);
      amqp.publish(1, { exchange: 'amq.direct', routingKey: 'error/fatal', body: 'oh' });
      const second = await client.expect('MESSAGE');
      assert.deepEqual([second.headers.subscription, second.headers.destination], ['logs', '/exchange/amq.direct/error%2Ffatal']);
      await amqp.call(queueDeclare(1, { queue: 'inbox' }), QueueDeclareOk);
      await amqp.call(queueBind(1, { queue: 'inbox', exchange: 'amq.topic', routingKey: 'out.#' }), QueueBindOk);
      await client.request('SEND', { destination: '/topic/out.a.b' }, 'from stomp');
      const got = await getOne(amqp, 'inbox');
      assert.equal(String(got.body), 'from stomp');
      await client.request('SEND', { destination: '/amq/queue/inbox' }, 'direct');
      assert.equal(String((await getOne(amqp, 'inbox')).body), 'direct');
      const queues = [...(broker.core.vhosts.get('/')?.queues.values() ?? [])].filter(({ name }) => name.startsWith('stomp-subscription-'));
      assert.deepEqual(
        queues.map(({ isDurable, isAutoDelete, isExclusive }) => [isDurable, isAutoDelete, isExclusive]),
        [
          [false, true, false],
          [false, true, true],
        ],
      );
      client.destroy();
      await waitUntil(() => ![...(broker.core.vhosts.get('/')?.queues.keys() ?? [])].some(name => name.startsWith('stomp-subscription-')));
    } finally {
      amqp.destroy();
    }
  });
});

test('a durable subscription to a topic outlives its connection, under the name RabbitMQ gives it, until it is ended as durable', async () => {
  await withStomp(async ({ open, broker }) => {
    const durable = { id: 'sub1', destination: '/topic/prices', durable: 'true', 'auto-delete': 'false', ack: 'client' };
    const first = await open();
    await first.request('SUBSCRIBE', durable);
    first.send('DISCONNECT');
    await first.closed();
    const second = await open();
    await second.request('SEND', { destination: '/topic/prices' }, '42');
    await second.request('SUBSCRIBE', durable);
    assert.equal((await second.expect('MESSAGE')).body, '42');
    const queues = broker.core.vhosts.get('/')?.queues;
    // md5 of Erlang's {<<"prices">>, <<"sub1">>}, in base64 for URLs.
    assert.deepEqual([...(queues?.keys() ?? [])], ['stomp-subscription-h29OxokyK5cWNRMpexrB5g']);
    await second.request('UNSUBSCRIBE', { id: 'sub1', durable: 'true' });
    assert.equal(queues?.size, 0);
  });
});

test('queues get their properties and arguments from headers', async () => {
  await withStomp(async ({ open, broker }) => {
    const client = await open();
    await client.request('SUBSCRIBE', {
      id: '0',
      destination: '/queue/limited',
      durable: 'false',
      'auto-delete': 'true',
      exclusive: 'true',
      'x-message-ttl': '5000',
      'x-max-length': ' 10',
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': 'amq.fanout',
      'x-max-priority': '5',
      'x-priority': '3',
      'prefetch-count': '20',
    });
    const queue = broker.core.vhosts.get('/')?.queues.get('limited');
    assert.ok(queue !== undefined);
    assert.deepEqual([queue.isDurable, queue.isAutoDelete, queue.isExclusive], [false, true, true]);
    assert.deepEqual(Object.fromEntries([...queue.arguments].map(([name, { value }]) => [name, value])), {
      'x-message-ttl': 5000,
      'x-max-length': 10,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': 'amq.fanout',
      'x-max-priority': 5,
    });
    const [consumer] = queue.consumers();
    assert.deepEqual([consumer?.priority, consumer?.prefetchCount, consumer?.noAck, consumer?.tag], [3, 20, true, 'T_0']);
    await client.request('SUBSCRIBE', { id: '1', destination: '/topic/t', 'x-queue-name': 'named' });
    assert.ok(broker.core.vhosts.get('/')?.queues.has('named'));
  });
});

test('a request to a temporary queue is answered to the session that asked', async () => {
  await withStomp(async ({ open }) => {
    const [asking, answering] = [await open(), await open()];
    await answering.request('SUBSCRIBE', { id: '0', destination: '/queue/questions' });
    await asking.request('SEND', { destination: '/queue/questions', 'reply-to': '/temp-queue/mine' }, 'how many?');
    const question = await answering.expect('MESSAGE');
    assert.match(question.headers['reply-to'] ?? '', /^\/reply-queue\/stomp\.gen-/);
    await answering.request('SEND', { destination: question.headers['reply-to'] ?? '' }, 'three');
    const answer = await asking.expect('MESSAGE');
    assert.deepEqual([answer.headers.subscription, answer.body], ['/temp-queue/mine', 'three']);
    await asking.request('SEND', { destination: '/queue/questions', 'reply-to': '/temp-queue/mine' }, 'again?');
    assert.equal((await answering.expect('MESSAGE')).headers['reply-to'], question.headers['reply-to']);
  });
});

test('in 1.0 a subscription without id is called by its destination', async () => {
  await withStomp(async ({ open }) => {
    const client = await open({ 'accept-version': '1.0' });
    client.send('SUBSCRIBE', { destination: '/queue/old', ack: 'client' });
    client.send('SEND', { destination: '/queue/old', path: 'C\\cdata \\backslash' }, 'x');
    const message = await client.expect('MESSAGE');
    assert.equal(message.headers.subscription, undefined);
    assert.match(message.headers['message-id'] ?? '', /^Q_\/queue\/old@@session-/);
    assert.equal(message.headers.path, 'C:data \\backslash');
    await client.request('ACK', { 'message-id': message.headers['message-id'] ?? '' });
    await client.request('UNSUBSCRIBE', { destination: '/queue/old' });
  });
});
