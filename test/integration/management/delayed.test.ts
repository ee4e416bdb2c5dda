import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import type { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

interface Shown {
  readonly id: string;
  readonly deliver_at: number;
  readonly remaining: number;
  readonly payload: string;
  readonly routing_key: string;
}

const exchange = '/api/exchanges/%2F/later';

async function setUp(http: HttpClient): Promise<void> {
  const declared = await http.put(exchange, { type: 'x-delayed-message', durable: true, arguments: { 'x-delayed-type': 'fanout' } });
  assert.equal(declared.status, 201);
  assert.equal((await http.put('/api/queues/%2F/q', {})).status, 201);
  assert.equal((await http.post('/api/bindings/%2F/e/later/q/q', {})).status, 201);
}

async function publish(http: HttpClient, payload: string, delay: number, name = 'later'): Promise<void> {
  const body = { properties: { headers: { 'x-delay': delay } }, routing_key: 'q', payload, payload_encoding: 'string' };
  assert.deepEqual((await http.post(`/api/exchanges/%2F/${name}/publish`, body)).json, { routed: true });
}

async function list(http: HttpClient, query = '', path = exchange): Promise<Shown[]> {
  const answer = await http.get(`${path}/delayed${query}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json as Shown[];
}

describe('messages that an exchange holds', () => {
  test('are listed in the order of their release, with their time', async () => {
    await withManagement({}, async ({ http }) => {
      await setUp(http);
      assert.deepEqual(await list(http), []);
      const before = Date.now();
      for (const [payload, delay] of [
        ['c', 30_000],
        ['a', 10_000],
        ['b', 20_000],
      ] as const)
        await publish(http, payload, delay);
      const shown = await list(http);
      assert.deepEqual(
        shown.map(({ payload, routing_key: key }) => [payload, key]),
        [
          ['a', 'q'],
          ['b', 'q'],
          ['c', 'q'],
        ],
      );
      const first = shown[0] as Shown;
      assert.ok(first.deliver_at >= before + 10_000 && first.deliver_at <= Date.now() + 10_001, String(first.deliver_at - before));
      assert.ok(first.remaining > 5000 && first.remaining <= 10_000);
      assert.deepEqual(
        (await list(http, '?offset=1&count=1')).map(({ payload }) => payload),
        ['b'],
      );
      assert.equal(((await http.get(exchange)).json as { messages_delayed: number }).messages_delayed, 3);
      assert.equal(((await http.get(`${exchange}/delayed/${first.id}`)).json as Shown).payload, 'a');
      for (const query of ['?offset=-1', '?count=501', '?count=x'])
        assert.equal((await http.get(`${exchange}/delayed${query}`)).status, 400, query);
      for (const id of ['99', 'x', '-1', '1e3']) assert.equal((await http.get(`${exchange}/delayed/${id}`)).status, 404, id);
    });
  });

  test('are cancelled and put off by their id', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await setUp(http);
      for (const payload of ['a', 'b', 'c', 'd']) await publish(http, payload, 60_000);
      const [a, b, c] = (await list(http)).map(({ id }) => `${exchange}/delayed/${id}`) as [string, string, string];
      assert.equal((await http.delete(a)).status, 204);
      assert.equal((await http.delete(a)).status, 404);
      assert.equal((await http.put(b, { delay: 0 })).status, 204);
      assert.equal((await http.put(c, { deliver_at: new Date(Date.now() + 120_000).toISOString() })).status, 204);
      const queue = broker.core.vhosts.get('/')?.queues.get('q');
      await waitUntil(() => queue?.readyCount === 1);
      assert.deepEqual(
        (await list(http)).map(({ payload }) => payload),
        ['d', 'c'],
      );
      const wrong = [
        {},
        { delay: -1 },
        { delay: 4_294_967_296 },
        { delay: '5' },
        { deliver_at: 5 },
        { deliver_at: 'soon' },
        { delay: 1, deliver_at: Date.now() },
      ];
      for (const body of wrong) assert.equal((await http.put(c, body)).status, 400, JSON.stringify(body));
      assert.equal((await http.put(b, { delay: 5 })).status, 404);
    });
  });

  test('the default exchange shows what it holds where scheduled delivery is allowed', async () => {
    await withManagement({}, async ({ http }) => {
      await setUp(http);
      assert.equal((await http.put('/api/parameters/scheduled-delivery/%2F/settings', { value: { enabled: true } })).status, 201);
      assert.equal((await http.put('/api/parameters/scheduled-delivery/%2F/settings', { value: { enabled: 1 } })).status, 400);
      await publish(http, 'x', 60_000, 'amq.default');
      assert.deepEqual(
        (await list(http, '', '/api/exchanges/%2F/amq.default')).map(({ payload }) => payload),
        ['x'],
      );
      assert.deepEqual(await list(http), []);
    });
  });

  test('are for those who may read from the exchange, and to be changed by those who may write to it', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await setUp(http);
      await publish(http, 'a', 60_000);
      await http.put('/api/users/reader', { password: 'reader', tags: 'management' });
      await http.put('/api/permissions/%2F/reader', { configure: '', write: '', read: '.*' });
      const user = 'reader:reader';
      assert.equal((await http.get(`${exchange}/delayed`, { user })).status, 200);
      assert.equal((await http.delete(`${exchange}/delayed/1`, { user })).status, 401);
      assert.equal((await http.put(`${exchange}/delayed/1`, { delay: 0 }, { user })).status, 401);
      await http.put('/api/permissions/%2F/reader', { configure: '', write: '.*', read: '' });
      assert.equal((await http.get(`${exchange}/delayed`, { user })).status, 401);
      assert.equal(broker.core.vhosts.get('/')?.exchanges.get('later')?.delay?.held.count, 1);
    });
  });
});

test('messages that wait to be tried again are listed, and are neither ready nor to be deleted', async () => {
  await withManagement({}, async ({ http }) => {
    const queue = '/api/queues/%2F/work';
    assert.equal((await http.put(queue, { arguments: { 'x-retry-delays': '1m' } })).status, 201);
    assert.equal((await http.put('/api/queues/%2F/bad', { arguments: { 'x-retry-delays': 'soon' } })).status, 400);
    const body = { properties: {}, routing_key: 'work', payload: 'first', payload_encoding: 'string' };
    await http.post('/api/exchanges/%2F/amq.default/publish', body);
    await http.post('/api/exchanges/%2F/amq.default/publish', { ...body, payload: 'second' });
    await http.post(`${queue}/get`, { count: 1, ackmode: 'reject_requeue_false', encoding: 'auto' });
    const delayed = (await http.get(`${queue}/messages?state=delayed`)).json as { id: string; state: string; payload: string }[];
    assert.deepEqual(
      delayed.map(({ state, payload }) => [state, payload]),
      [['delayed', 'first']],
    );
    const ready = (await http.get(`${queue}/messages`)).json as { payload: string }[];
    assert.deepEqual(
      ready.map(({ payload }) => payload),
      ['second'],
    );
    const shown = (await http.get(queue)).json as { messages_delayed: number };
    assert.equal(shown.messages_delayed, 1);
    assert.equal((await http.delete(`${queue}/messages/${delayed[0]?.id}`)).status, 409);
    assert.equal((await http.get(`${queue}/messages?state=nonsense`)).status, 400);
  });
});

describe('messages that wait in a queue to be tried again', () => {
  const queue = '/api/queues/%2F/work';
  const first = { properties: { delivery_mode: 2 }, routing_key: 'work', payload_encoding: 'string' };

  async function reject(http: HttpClient, ...payloads: string[]): Promise<void> {
    assert.equal((await http.put(queue, { durable: true, arguments: { 'x-retry-delays': '1m,2m' } })).status, 201);
    for (const payload of payloads) await http.post('/api/exchanges/%2F/amq.default/publish', { ...first, payload });
    await http.post(`${queue}/get`, { count: payloads.length, ackmode: 'reject_requeue_false', encoding: 'auto' });
  }

  test('are hurried, put off and cancelled', async () => {
    await withManagement({}, async ({ http, broker }) => {
      assert.equal((await http.get(`${queue}/delayed`)).status, 404);
      await reject(http, 'a', 'b', 'c');
      const shown = (await http.get(`${queue}/delayed`)).json as (Shown & { retry_count: number })[];
      assert.deepEqual(
        shown.map(({ payload, retry_count: retries, remaining }) => [payload, retries, remaining > 50_000 && remaining <= 60_000]),
        [
          ['a', 1, true],
          ['b', 1, true],
          ['c', 1, true],
        ],
      );
      const [a, b, c] = shown.map(({ id }) => `${queue}/delayed/${id}`) as [string, string, string];
      assert.equal(((await http.get(b)).json as Shown).payload, 'b');
      assert.equal((await http.put(a, { delay: 0 })).status, 204);
      const found = broker.core.vhosts.get('/')?.queues.get('work');
      await waitUntil(() => found?.readyCount === 1);
      assert.equal((await http.put(b, { deliver_at: Date.now() + 7_200_000 })).status, 204);
      assert.equal((await http.delete(c)).status, 204);
      for (const gone of [a, c]) {
        assert.equal((await http.get(gone)).status, 404);
        assert.equal((await http.put(gone, { delay: 0 })).status, 404);
        assert.equal((await http.delete(gone)).status, 404);
      }
      const left = (await http.get(`${queue}/delayed?count=5`)).json as Shown[];
      assert.deepEqual(
        left.map(({ payload, remaining }) => [payload, remaining > 7_100_000]),
        [['b', true]],
      );
      const got = (await http.post(`${queue}/get`, { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' })).json as {
        payload: string;
        properties: { headers: Record<string, unknown> };
      }[];
      assert.deepEqual(
        got.map(({ payload, properties }) => [payload, properties.headers['x-retry-count']]),
        [['a', 1]],
      );
      assert.deepEqual((await http.get('/api/queues/%2F/other/delayed')).status, 404);
    });
  });

  test('keep the time they were given, and stay cancelled, over a restart', async t => {
    const dataDir = mkdtempSync(join(tmpdir(), 'warren-delayed-'));
    t.after(() => rmSync(dataDir, { recursive: true, force: true }));
    await withManagement({ broker: { dataDir } }, async ({ http }) => {
      await reject(http, 'a', 'b');
      const [a, b] = (await http.get(`${queue}/delayed`)).json as [Shown, Shown];
      assert.equal((await http.put(`${queue}/delayed/${a.id}`, { delay: 7_200_000 })).status, 204);
      assert.equal((await http.delete(`${queue}/delayed/${b.id}`)).status, 204);
    });
    await withManagement({ broker: { dataDir } }, async ({ http }) => {
      const left = (await http.get(`${queue}/delayed`)).json as (Shown & { retry_count: number })[];
      assert.deepEqual(
        left.map(({ payload, remaining, retry_count: retries }) => [payload, remaining > 7_000_000 && remaining <= 7_200_000, retries]),
        [['a', true, 1]],
      );
      assert.equal((await http.put(`${queue}/delayed/${left[0]?.id}`, { delay: 0 })).status, 204);
      const shown = await waitUntil(async () => {
        const ready = (await http.get(`${queue}/messages`)).json as { payload: string }[];
        return ready.length === 1 ? ready : null;
      });
      assert.equal(shown?.[0]?.payload, 'a');
    });
  });

  test('are for those who may read from the queue', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await reject(http, 'a');
      const [{ id }] = (await http.get(`${queue}/delayed`)).json as [Shown];
      await http.put('/api/users/writer', { password: 'writer', tags: 'management' });
      await http.put('/api/permissions/%2F/writer', { configure: '.*', write: '.*', read: '' });
      const user = 'writer:writer';
      assert.equal((await http.get(`${queue}/delayed`, { user })).status, 401);
      assert.equal((await http.put(`${queue}/delayed/${id}`, { delay: 0 }, { user })).status, 401);
      assert.equal((await http.delete(`${queue}/delayed/${id}`, { user })).status, 401);
      assert.equal(broker.core.vhosts.get('/')?.queues.get('work')?.retries?.heldCount, 1);
    });
  });
});
