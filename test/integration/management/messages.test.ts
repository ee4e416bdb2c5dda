import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tableToJson } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

interface ShownMessage {
  readonly id: string;
  readonly payload: string;
  readonly properties: unknown;
  readonly exchange: string;
  readonly routing_key: string;
  readonly redelivered: boolean;
}

const queue = '/api/queues/%2F/q';

async function publish(http: HttpClient, payload: string, properties: object = {}, key = 'q', exchange = 'amq.default'): Promise<void> {
  const body = { properties, routing_key: key, payload, payload_encoding: 'string' };
  assert.deepEqual((await http.post(`/api/exchanges/%2F/${exchange}/publish`, body)).json, { routed: true });
}

async function shown(http: HttpClient, path = `${queue}/messages`): Promise<ShownMessage[]> {
  const answer = await http.get(path);
  assert.equal(answer.status, 200, answer.text);
  return answer.json as ShownMessage[];
}

async function payloads(http: HttpClient, path?: string): Promise<string[]> {
  return (await shown(http, path)).map(({ payload }) => payload);
}

async function filled(http: HttpClient, name: string, count: number, args: object = {}): Promise<void> {
  assert.equal((await http.put(`/api/queues/%2F/${name}`, { arguments: args })).status, 201);
  for (let i = 1; i <= count; i++) await publish(http, `${name}${i}`, {}, name);
}

describe('looking at messages', () => {
  test('shows them from the head and changes nothing', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await filled(http, 'q', 5);
      const before = structuredClone(broker.core.vhosts.get('/')?.queues.get('q')?.counters);
      assert.deepEqual(await payloads(http), ['q1', 'q2', 'q3', 'q4', 'q5']);
      assert.deepEqual(await payloads(http, `${queue}/messages?offset=1&count=2`), ['q2', 'q3']);
      assert.deepEqual(await payloads(http, `${queue}/messages?offset=5`), []);
      assert.deepEqual(await payloads(http, `${queue}/messages?count=0`), []);
      assert.deepEqual(structuredClone(broker.core.vhosts.get('/')?.queues.get('q')?.counters), before);
      const [first] = await shown(http);
      assert.deepEqual(
        { ...first, id: '' },
        {
          id: '',
          state: 'ready',
          payload: 'q1',
          payload_encoding: 'string',
          payload_bytes: 2,
          properties: [],
          exchange: '',
          routing_key: 'q',
          redelivered: false,
        },
      );
    });
  });

  test('finds them by payload and by header values', async () => {
    await withManagement({}, async ({ http }) => {
      await http.put(queue, {});
      await publish(http, 'an Apple');
      await publish(http, 'a pear', { headers: { fruit: { kind: ['x', 'APPLE pie'] } } });
      await publish(http, 'a plum', { headers: { apple: 'name only' } });
      assert.deepEqual(await payloads(http, `${queue}/messages?search=apple`), ['an Apple', 'a pear']);
      assert.deepEqual(await payloads(http, `${queue}/messages?search=apple&offset=1`), ['a pear']);
      assert.deepEqual(await payloads(http, `${queue}/messages?search=nothing`), []);
    });
  });

  test('shows what was delivered and waits for its acknowledgement', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await filled(http, 'q', 3);
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      client.send(methods.encodeBasicGet(1, { queue: 'q', noAck: false }));
      await client.nextDelivery(1);
      assert.deepEqual(await payloads(http, `${queue}/messages?state=unacked`), ['q1']);
      assert.deepEqual(await payloads(http), ['q2', 'q3']);
      const [unacked] = await shown(http, `${queue}/messages?state=unacked`);
      assert.equal((await http.delete(`${queue}/messages/${unacked?.id}`)).status, 409);
      await client.end();
    });
  });

  test('shows dead letters that are kept until their targets have taken them, which are no deliveries', async () => {
    await withManagement({}, async ({ http, broker }) => {
      const safe = { 'x-overflow': 'reject-publish', 'x-dead-letter-exchange': 'none', 'x-dead-letter-strategy': 'at-least-once' };
      assert.equal((await http.put(queue, { durable: true, arguments: { ...safe, 'x-queue-type': 'quorum' } })).status, 201);
      await publish(http, 'dies');
      await publish(http, 'lives');
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      client.send(methods.encodeBasicGet(1, { queue: 'q', noAck: false }));
      await client.nextDelivery(1);
      client.send(methods.encodeBasicReject(1, { deliveryTag: 1, requeue: false }));
      await waitUntil(() => broker.core.vhosts.get('/')?.queues.get('q')?.dyingCount === 1);
      const [dead] = await shown(http, `${queue}/messages?state=dead-lettered`);
      assert.equal(dead?.payload, 'dies');
      assert.deepEqual(await payloads(http, `${queue}/messages?state=unacked`), []);
      assert.deepEqual(await payloads(http), ['lives']);
      await client.end();
    });
  });

  test('checks what is asked for', async () => {
    await withManagement({}, async ({ http }) => {
      await http.put(queue, {});
      for (const query of ['offset=-1', 'offset=x', 'count=-1', 'count=501', 'count=1.5', 'state=dreaming']) {
        assert.equal((await http.get(`${queue}/messages?${query}`)).status, 400, query);
      }
      assert.equal((await http.get('/api/queues/%2F/nope/messages')).status, 404);
      await http.put('/api/users/bob', { password: 'bob', tags: 'management' });
      await http.put('/api/permissions/%2F/bob', { configure: '.*', write: '.*', read: '^other' });
      assert.equal((await http.get(`${queue}/messages`, { user: 'bob:bob' })).status, 401);
    });
  });
});

test('one message is deleted by its id, once', async () => {
  await withManagement({}, async ({ http }) => {
    await filled(http, 'q', 3);
    const messages = await shown(http);
    assert.equal((await http.delete(`${queue}/messages/${messages[1]?.id}`)).status, 204);
    assert.deepEqual(await payloads(http), ['q1', 'q3']);
    assert.equal((await http.delete(`${queue}/messages/${messages[1]?.id}`)).status, 404);
    for (const id of ['x', '0-999999', '-1', '0-0', '999-1']) assert.equal((await http.delete(`${queue}/messages/${id}`)).status, 404, id);
    assert.equal(((await http.get(queue)).json as { messages: number }).messages, 2);
  });
});

describe('moving messages', () => {
  test('takes them from the head to the end of the other queue, as they are', async () => {
    await withManagement({}, async ({ http }) => {
      await http.put(queue, {});
      await http.put('/api/exchanges/%2F/e', { type: 'direct' });
      await http.post('/api/bindings/%2F/e/e/q/q', { routing_key: 'key' });
      await publish(http, 'one', { headers: { a: 1 }, message_id: 'm', delivery_mode: 2, priority: 4 }, 'key', 'e');
      await publish(http, 'two');
      await publish(http, 'three');
      await filled(http, 'other', 1);
      const dry = await http.post(`${queue}/move`, { destination: 'other', count: 2, dry_run: true });
      assert.deepEqual(dry.json, { moved: 2 });
      assert.equal((await payloads(http)).length, 3);
      const moved = await http.post(`${queue}/move`, { destination: 'other', count: 2 });
      assert.deepEqual([moved.status, moved.json], [200, { moved: 2 }]);
      assert.deepEqual(await payloads(http), ['three']);
      const there = await shown(http, '/api/queues/%2F/other/messages');
      assert.deepEqual(
        there.map(({ payload }) => payload),
        ['other1', 'one', 'two'],
      );
      assert.deepEqual(there[1]?.properties, { message_id: 'm', priority: 4, delivery_mode: 2, headers: { a: 1 } });
      assert.equal(there[1]?.exchange, 'e');
      assert.equal(there[1]?.routing_key, 'key');
    });
  });

  test('takes those that are named, in the order named', async () => {
    await withManagement({}, async ({ http }) => {
      await filled(http, 'q', 4);
      await http.put('/api/queues/%2F/other', {});
      const ids = (await shown(http)).map(({ id }) => id);
      const moved = await http.post(`${queue}/move`, { destination: 'other', ids: [ids[2], '0-99999', ids[0]] });
      assert.deepEqual(moved.json, { moved: 2 });
      assert.deepEqual(await payloads(http, '/api/queues/%2F/other/messages'), ['q3', 'q1']);
      assert.deepEqual(await payloads(http), ['q2', 'q4']);
    });
  });

  test('leaves at the source what a full destination refuses', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await filled(http, 'q', 5);
      await http.put('/api/queues/%2F/dead', {});
      await http.put('/api/queues/%2F/full', {
        arguments: {
          'x-max-length': 2,
          'x-overflow': 'reject-publish-dlx',
          'x-dead-letter-exchange': '',
          'x-dead-letter-routing-key': 'dead',
        },
      });
      assert.deepEqual((await http.post(`${queue}/move`, { destination: 'full' })).json, { moved: 2 });
      assert.deepEqual(await payloads(http), ['q3', 'q4', 'q5']);
      assert.equal(broker.core.vhosts.get('/')?.queues.get('dead')?.readyCount, 0);
    });
  });

  test('publishes to an exchange with the keys the messages have, and keeps those that reach nothing', async () => {
    await withManagement({}, async ({ http }) => {
      await http.put(queue, {});
      await http.put('/api/queues/%2F/to', {});
      await http.put('/api/exchanges/%2F/in', { type: 'fanout' });
      await http.put('/api/exchanges/%2F/out', { type: 'topic' });
      await http.post('/api/bindings/%2F/e/in/q/q', { routing_key: '' });
      await http.post('/api/bindings/%2F/e/out/q/to', { routing_key: 'a.*' });
      for (const [payload, key] of [
        ['one', 'a.x'],
        ['two', 'b.x'],
        ['three', 'a.y'],
      ] as const)
        await publish(http, payload, {}, key, 'in');
      assert.deepEqual((await http.post(`${queue}/move`, { exchange: 'out' })).json, { moved: 2 });
      assert.deepEqual(await payloads(http, '/api/queues/%2F/to/messages'), ['one', 'three']);
      assert.equal((await shown(http, '/api/queues/%2F/to/messages'))[0]?.exchange, 'out');
      assert.deepEqual(await payloads(http), ['two']);
    });
  });

  test('keeps to a rate', async () => {
    await withManagement({}, async ({ http }) => {
      await filled(http, 'q', 8);
      await http.put('/api/queues/%2F/other', {});
      const start = performance.now();
      assert.deepEqual((await http.post(`${queue}/move`, { destination: 'other', rate: 50 })).json, { moved: 8 });
      assert.ok(performance.now() - start >= 135, 'seven intervals of 20 ms at the least');
    });
  });

  test('checks what is asked for, and who asks', async () => {
    await withManagement({}, async ({ http }) => {
      await filled(http, 'q', 1);
      for (const body of [
        {},
        { destination: 'q', exchange: 'e' },
        { destination: 'q', count: -1 },
        { destination: 'q', ids: ['x'] },
        { destination: 'q', ids: 'x' },
      ]) {
        assert.equal((await http.post(`${queue}/move`, body)).status, 400, JSON.stringify(body));
      }
      assert.equal((await http.post(`${queue}/move`, { destination: 'nope' })).status, 404);
      assert.equal((await http.post(`${queue}/move`, { exchange: 'nope' })).status, 404);
      await http.put('/api/users/bob', { password: 'bob', tags: 'management' });
      await http.put('/api/permissions/%2F/bob', { configure: '.*', write: '^nothing', read: '.*' });
      assert.equal((await http.post(`${queue}/move`, { destination: 'q' }, { user: 'bob:bob' })).status, 401);
      assert.deepEqual(await payloads(http), ['q1']);
    });
  });

  test('moves many without holding up others', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await http.put(queue, {});
      await http.put('/api/queues/%2F/other', {});
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      for (let i = 0; i < 5000; i++) client.publish(1, { routingKey: 'q', body: `m${i}` });
      await client.call(methods.encodeConfirmSelect(1, { nowait: false }), methods.ConfirmSelectOk);
      const moving = http.post(`${queue}/move`, { destination: 'other' });
      assert.equal((await http.get('/api/whoami')).status, 200);
      assert.deepEqual((await moving).json, { moved: 5000 });
      assert.deepEqual(await payloads(http, '/api/queues/%2F/other/messages?offset=4999'), ['m4999']);
      await client.end();
    });
  });
});

describe('explaining routing', () => {
  interface Explained {
    readonly queues: string[];
    readonly bindings: { source: string; destination: string; routing_key: string; properties_key: string }[];
  }

  async function explain(http: HttpClient, exchange: string, body: object): Promise<Explained> {
    const answer = await http.post(`/api/exchanges/%2F/${exchange}/explain`, body);
    assert.equal(answer.status, 200, answer.text);
    return answer.json as Explained;
  }

  test('tells the queues that a publish would reach, and the bindings, over exchanges and alternates; nothing is published', async () => {
    await withManagement({}, async ({ http, broker }) => {
      for (const name of ['a', 'b', 'c', 'lost']) await http.put(`/api/queues/%2F/${name}`, {});
      await http.put('/api/exchanges/%2F/topic', { type: 'topic', arguments: { 'alternate-exchange': 'rest' } });
      await http.put('/api/exchanges/%2F/rest', { type: 'fanout' });
      await http.put('/api/exchanges/%2F/next', { type: 'headers' });
      const bind = (path: string, body: object): Promise<unknown> => http.post(`/api/bindings/%2F/e/${path}`, body);
      await bind('topic/q/a', { routing_key: 'x.*' });
      await bind('topic/q/a', { routing_key: '#.y' });
      await bind('topic/q/b', { routing_key: 'z' });
      await bind('topic/e/next', { routing_key: 'x.#' });
      await bind('next/q/c', { routing_key: '', arguments: { 'x-match': 'all', kind: 'k' } });
      await bind('next/e/topic', { routing_key: '' });
      await bind('rest/q/lost', { routing_key: '' });
      const both = await explain(http, 'topic', { routing_key: 'x.y', headers: { kind: 'k' } });
      assert.deepEqual(both.queues.sort(), ['a', 'c']);
      assert.deepEqual(both.bindings.map(({ source, destination, routing_key: key }) => `${source} ${key} ${destination}`).sort(), [
        'next  c',
        'next  topic',
        'topic #.y a',
        'topic x.# next',
        'topic x.* a',
      ]);
      assert.deepEqual((await explain(http, 'topic', { routing_key: 'x.y' })).queues, ['a']);
      assert.deepEqual((await explain(http, 'topic', { routing_key: 'nowhere' })).queues, ['lost']);
      assert.deepEqual((await explain(http, 'amq.default', { routing_key: 'b' })).queues, ['b']);
      assert.deepEqual(await explain(http, 'amq.default', { routing_key: 'nope' }), { queues: [], bindings: [] });
      const copies = await explain(http, 'amq.default', { routing_key: 'b', headers: { CC: ['c'] } });
      assert.deepEqual(copies.queues.sort(), ['b', 'c']);
      for (const each of broker.core.vhosts.get('/')?.queues.values() ?? []) assert.equal(each.messageCount, 0);
      assert.equal((await http.post('/api/exchanges/%2F/nope/explain', {})).status, 404);
    });
  });

  test('of an exchange that hashes it tells the binding that is chosen', async () => {
    await withManagement({}, async ({ http }) => {
      await http.put('/api/exchanges/%2F/hash', { type: 'x-consistent-hash' });
      for (const name of ['h1', 'h2', 'h3']) {
        await http.put(`/api/queues/%2F/${name}`, {});
        await http.post(`/api/bindings/%2F/e/hash/q/${name}`, { routing_key: '10' });
      }
      const { queues, bindings } = await explain(http, 'hash', { routing_key: 'some key' });
      assert.equal(queues.length, 1);
      assert.equal(bindings.length, 1);
      await http.post('/api/exchanges/%2F/hash/publish', {
        properties: {},
        routing_key: 'some key',
        payload: 'x',
        payload_encoding: 'string',
      });
      assert.equal(((await http.get(`/api/queues/%2F/${queues[0]}`)).json as { messages: number }).messages, 1);
    });
  });
});

test('what is published over HTTP is in the firehose, and events name the user who asked', async () => {
  await withManagement({}, async ({ broker, http }) => {
    const client = await AmqpDriver.connect({ port: broker.port });
    try {
      await client.openChannel(1);
      await client.call(queueDeclare(1, { queue: 'copies', exclusive: true }), methods.QueueDeclareOk);
      await client.call(queueBind(1, { queue: 'copies', exchange: 'amq.rabbitmq.trace', routingKey: 'publish.#' }), methods.QueueBindOk);
      await client.call(queueBind(1, { queue: 'copies', exchange: 'amq.rabbitmq.event', routingKey: 'user.created' }), methods.QueueBindOk);
      client.send(basicConsume(1, { queue: 'copies', noAck: true }));
      await client.expect(methods.BasicConsumeOk);
      await http.put('/api/vhosts/%2F', { tracing: true });
      await http.post('/api/exchanges/%2F/amq.fanout/publish', {
        properties: {},
        routing_key: 'k',
        payload: 'hello',
        payload_encoding: 'string',
      });
      const traced = await client.nextDelivery();
      assert.equal(traced.args.routingKey, 'publish.amq.fanout');
      assert.equal(traced.body.toString(), 'hello');
      assert.equal(tableToJson(traced.properties.headers ?? new Map())['user'], 'guest');
      await http.put('/api/users/new', { password: 'x', tags: '' });
      const event = await client.nextDelivery();
      assert.equal(tableToJson(event.properties.headers ?? new Map())['user_who_performed_action'], 'guest');
    } finally {
      client.destroy();
    }
  });
});
