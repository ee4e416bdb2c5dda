import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

interface Shown {
  readonly payload: string;
  readonly exchange: string;
  readonly routing_key: string;
  readonly properties: { readonly headers?: Readonly<Record<string, unknown>> };
}

const path = (queue: string): string => `/api/queues/%2F/${queue}`;

async function declare(http: HttpClient, name: string, args: object = {}): Promise<void> {
  assert.equal((await http.put(path(name), { arguments: args })).status, 201);
}

async function publish(http: HttpClient, exchange: string, key: string, payload: string, properties: object = {}): Promise<unknown> {
  const body = { properties, routing_key: key, payload, payload_encoding: 'string' };
  return (await http.post(`/api/exchanges/%2F/${exchange}/publish`, body)).json;
}

async function shown(http: HttpClient, queue: string): Promise<Shown[]> {
  return (await http.get(`${path(queue)}/messages`)).json as Shown[];
}

async function payloads(http: HttpClient, queue: string): Promise<string[]> {
  return (await shown(http, queue)).map(({ payload }) => payload);
}

/** Two queues whose rejected messages are in `dead`, and something there that never died. */
async function deadLetters(http: HttpClient): Promise<void> {
  await declare(http, 'dead');
  for (const name of ['a', 'b']) {
    await declare(http, name, { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' });
    await http.post(`/api/bindings/%2F/e/amq.topic/q/${name}`, { routing_key: `${name}.#` });
  }
  for (const name of ['a', 'b', 'a']) await publish(http, 'amq.topic', `${name}.key`, `to ${name}`, { headers: { mine: 1 } });
  await publish(http, 'amq.default', 'dead', 'stray');
  for (const name of ['a', 'b']) await http.post(`${path(name)}/get`, { count: 9, ackmode: 'reject_requeue_false', encoding: 'auto' });
  assert.deepEqual((await payloads(http, 'dead')).sort(), ['stray', 'to a', 'to a', 'to b']);
}

describe('redrive', () => {
  test('sends dead letters back to where they died, as they were, and leaves the rest', async () => {
    await withManagement({}, async ({ http }) => {
      await deadLetters(http);
      const plan = await http.post(`${path('dead')}/redrive`, { dry_run: true });
      assert.deepEqual(plan.json, { moved: 3, skipped: 1, queues: { a: 2, b: 1 } });
      assert.equal((await payloads(http, 'dead')).length, 4, 'a dry run moves nothing');
      assert.deepEqual((await http.post(`${path('dead')}/redrive`, {})).json, { moved: 3, skipped: 1, queues: { a: 2, b: 1 } });
      assert.deepEqual(await payloads(http, 'dead'), ['stray']);
      assert.deepEqual(await payloads(http, 'a'), ['to a', 'to a']);
      const [message] = await shown(http, 'b');
      assert.deepEqual([message?.exchange, message?.routing_key, message?.properties], ['amq.topic', 'b.key', { headers: { mine: 1 } }]);
    });
  });

  test('only so many, only those of one queue, only those named', async () => {
    await withManagement({}, async ({ http }) => {
      await deadLetters(http);
      assert.deepEqual((await http.post(`${path('dead')}/redrive`, { queue: 'b', dry_run: true })).json, {
        moved: 1,
        skipped: 3,
        queues: { b: 1 },
      });
      assert.deepEqual((await http.post(`${path('dead')}/redrive`, { queue: 'b' })).json, { moved: 1, skipped: 3, queues: { b: 1 } });
      assert.deepEqual(((await http.post(`${path('dead')}/redrive`, { count: 1 })).json as { moved: number }).moved, 1);
      assert.equal((await payloads(http, 'a')).length, 1);
      const last = ((await http.get(`${path('dead')}/messages`)).json as { id: string; payload: string }[]).find(
        ({ payload }) => payload === 'to a',
      );
      assert.deepEqual(((await http.post(`${path('dead')}/redrive`, { ids: [last?.id] })).json as { moved: number }).moved, 1);
      assert.deepEqual(await payloads(http, 'dead'), ['stray']);
      for (const body of [{ count: -1 }, { queue: 5 }, { ids: 'x' }, { rate: 'fast' }])
        assert.equal((await http.post(`${path('dead')}/redrive`, body)).status, 400, JSON.stringify(body));
    });
  });

  test('a queue that is gone, full or not to be written to gets nothing', async () => {
    await withManagement({}, async ({ http }) => {
      await deadLetters(http);
      await http.delete(path('b'));
      await http.put('/api/users/u', { password: 'u', tags: 'management' });
      await http.put('/api/permissions/%2F/u', { configure: '', write: '^b$', read: '.*' });
      const answer = await http.post(`${path('dead')}/redrive`, {}, { user: 'u:u' });
      assert.deepEqual(answer.json, { moved: 0, skipped: 4, queues: {} });
      assert.deepEqual((await http.post(`${path('dead')}/redrive`, {})).json, { moved: 2, skipped: 2, queues: { a: 2 } });
      assert.deepEqual((await payloads(http, 'dead')).sort(), ['stray', 'to b']);
    });
  });

  test('goes as fast as it is told', async () => {
    await withManagement({}, async ({ http }) => {
      await deadLetters(http);
      const start = performance.now();
      assert.equal(((await http.post(`${path('dead')}/redrive`, { rate: 10 })).json as { moved: number }).moved, 3);
      assert.ok(performance.now() - start >= 150);
    });
  });
});

test('a copy leaves the messages where they are', async () => {
  await withManagement({}, async ({ http }) => {
    await declare(http, 'from');
    await declare(http, 'to');
    for (let i = 0; i < 250; i++) await publish(http, 'amq.default', 'from', String(i));
    assert.deepEqual((await http.post(`${path('from')}/move`, { destination: 'to', copy: true, count: 220 })).json, { moved: 220 });
    const both = await Promise.all(
      ['from', 'to'].map(async name =>
        ((await http.get(`${path(name)}/messages?count=500`)).json as Shown[]).map(({ payload }) => payload),
      ),
    );
    const all = Array.from({ length: 250 }, (_, i) => String(i));
    assert.deepEqual(both, [all, all.slice(0, 220)]);
    assert.deepEqual(
      (await http.post(`${path('from')}/move`, { destination: 'from', copy: true })).json,
      { moved: 250 },
      'what is copied is not copied again',
    );
  });
});

describe('the unroutable log', () => {
  const log = '/api/vhosts/%2F/unroutable';

  test('tells the last messages that reached no queue, newest first', async () => {
    await withManagement({}, async ({ http }) => {
      assert.deepEqual((await http.get(log)).json, []);
      await declare(http, 'q');
      assert.deepEqual(await publish(http, 'amq.default', 'q', 'routed'), { routed: true });
      assert.deepEqual(await publish(http, 'amq.topic', 'no.body', 'first', { headers: { a: 1 } }), { routed: false });
      await publish(http, 'amq.default', 'gone', 'x'.repeat(10_000));
      const [second, first] = (await http.get(log)).json as (Shown & {
        readonly payload_bytes: number;
        readonly is_truncated: boolean;
        readonly timestamp: number;
      })[];
      assert.deepEqual(
        [first?.exchange, first?.routing_key, first?.payload, first?.properties, first?.is_truncated],
        ['amq.topic', 'no.body', 'first', { headers: { a: 1 } }, false],
      );
      assert.deepEqual([second?.routing_key, second?.payload_bytes, second?.is_truncated], ['gone', 10_000, true]);
      assert.ok(Math.abs((second?.timestamp ?? 0) - Date.now()) < 10_000);
      for (let i = 0; i < 150; i++) await publish(http, 'amq.default', 'gone', String(i));
      assert.deepEqual(
        ((await http.get(log)).json as Shown[]).map(({ payload }) => payload),
        Array.from({ length: 100 }, (_, i) => String(149 - i)),
      );
      assert.equal((await http.delete(log)).status, 204);
      assert.deepEqual((await http.get(log)).json, []);
    });
  });

  test('shows nobody what they may not read', async () => {
    await withManagement({}, async ({ http }) => {
      await publish(http, 'amq.topic', 'k', 'a');
      await publish(http, 'amq.direct', 'k', 'b');
      await http.put('/api/users/u', { password: 'u', tags: 'management' });
      await http.put('/api/permissions/%2F/u', { configure: '', write: '.*', read: '^amq.direct$' });
      const user = 'u:u';
      assert.deepEqual(
        ((await http.get(log, { user })).json as Shown[]).map(({ payload }) => payload),
        ['b'],
      );
      assert.equal((await http.delete(log, { user })).status, 401);
    });
  });
});
