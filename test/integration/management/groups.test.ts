import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

const queue = '/api/queues/%2F/work';

async function publish(http: HttpClient, key: string, payload: string): Promise<void> {
  const body = { properties: { headers: { customer: key } }, routing_key: 'work', payload, payload_encoding: 'string' };
  assert.deepEqual((await http.post('/api/exchanges/%2F/amq.default/publish', body)).json, { routed: true });
}

const groups = async (http: HttpClient, query = ''): Promise<unknown> => (await http.get(`${queue}/groups${query}`)).json;
const shown = (key: string, ready: number, more: object = {}): object => ({
  key,
  messages_ready: ready,
  messages_unacknowledged: 0,
  messages_delayed: 0,
  parked: false,
  consumer_tag: null,
  ...more,
});

async function payloads(http: HttpClient, count: number, mode = 'ack_requeue_false'): Promise<string[]> {
  const got = await http.post(`${queue}/get`, { count, ackmode: mode, encoding: 'auto' });
  return (got.json as { payload: string }[]).map(({ payload }) => payload);
}

test('message groups are listed, parked and let go on', async () => {
  await withManagement({}, async ({ http }) => {
    assert.equal((await http.put(queue, { arguments: { 'x-group-header': 'customer', 'x-group-park-after': 1 } })).status, 201);
    assert.deepEqual(await groups(http), []);
    await publish(http, 'b', 'b1');
    await publish(http, 'a', 'a1');
    await publish(http, 'a', 'a2');
    assert.deepEqual(await groups(http), [shown('a', 2), shown('b', 1)]);
    assert.deepEqual(await groups(http, '?offset=1&count=1'), [shown('b', 1)]);
    assert.equal((await http.get(`${queue}/groups?count=1001`)).status, 400);
    assert.deepEqual((await http.post(`${queue}/groups/park`, { key: 'b' })).json, { parked: 1 });
    assert.deepEqual(await payloads(http, 9, 'reject_requeue_true'), ['a1', 'a2'], 'and what comes back parks its group');
    assert.deepEqual(await groups(http, '?parked=true'), [shown('a', 2, { parked: true }), shown('b', 1, { parked: true })]);
    assert.deepEqual(await payloads(http, 9), []);
    assert.deepEqual((await http.post(`${queue}/groups/unpark`, { key: 'a' })).json, { unparked: 1 });
    assert.deepEqual(await payloads(http, 9), ['a1', 'a2']);
    assert.deepEqual((await http.post(`${queue}/groups/unpark`, {})).json, { unparked: 1 });
    assert.deepEqual(await payloads(http, 9), ['b1']);
    assert.deepEqual(await groups(http), []);
    for (const [path, body] of [
      ['park', {}],
      ['park', { key: 'gone' }],
      ['unpark', { key: 'a' }],
    ] as const)
      assert.equal((await http.post(`${queue}/groups/${path}`, body)).status, 404, path);
    assert.equal((await http.post(`${queue}/groups/unpark`, { key: 5 })).status, 400);
  });
});

test('a queue without message groups has none to list', async () => {
  await withManagement({}, async ({ http }) => {
    await http.put(queue, {});
    assert.equal((await http.get(`${queue}/groups`)).status, 400);
    assert.equal((await http.get('/api/queues/%2F/none/groups')).status, 404);
  });
});
