// Every route, asked by those who must not: nothing is told of what is not theirs, and nothing changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Route } from '../../../src/management/http/route.ts';
import { routes } from '../../../src/management/http/routes.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import type { Answer, HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

/** In the names of all that only some may see. */
const hidden = 'hidden';

/** What the parameters of paths stand for: things there are, of others. */
const named: Readonly<Record<string, string>> = {
  vhost: 'hidden-vhost',
  user: 'hidden-user',
  component: 'vhost-limits',
  username: 'hidden-user',
  exchange: 'hidden-exchange',
  queue: 'hidden-queue',
  source: 'hidden-exchange',
  destination: 'hidden-queue',
  policy: 'hidden-policy',
};

function pathOf(route: Route): string {
  return route.path.replace(/:(\w+)/g, (_match, name: string) => named[name] ?? 'hidden-name');
}

const everything = { configure: '.*', write: '.*', read: '.*' };

async function setUp(http: HttpClient): Promise<void> {
  const put = async (path: string, body: unknown): Promise<void> => {
    const { status, text } = await http.put(path, body);
    assert.ok(status === 201 || status === 204, `${path}: ${status} ${text}`);
  };
  await put('/api/vhosts/hidden-vhost', {});
  await put('/api/vhosts/own', {});
  await put('/api/users/hidden-user', { password: 'secret', tags: 'administrator' });
  for (const tag of ['untagged', 'management', 'policymaker', 'monitoring']) {
    await put(`/api/users/${tag}`, { password: 'x', tags: tag === 'untagged' ? '' : tag });
    await put(`/api/permissions/own/${tag}`, everything);
  }
  await put('/api/permissions/hidden-vhost/hidden-user', everything);
  await put('/api/permissions/hidden-vhost/guest', everything);
  await put('/api/topic-permissions/hidden-vhost/hidden-user', { exchange: 'hidden-exchange', write: '.*', read: '.*' });
  await put('/api/queues/hidden-vhost/hidden-queue', {});
  await put('/api/exchanges/hidden-vhost/hidden-exchange', { type: 'topic' });
  await http.post('/api/bindings/hidden-vhost/e/hidden-exchange/q/hidden-queue', { routing_key: 'hidden-key' });
  await put('/api/policies/hidden-vhost/hidden-policy', { pattern: 'hidden', definition: { 'max-length': 10 } });
  await put('/api/operator-policies/hidden-vhost/hidden-policy', { pattern: 'hidden', definition: { 'max-length': 10 } });
  await put('/api/vhost-limits/hidden-vhost/max-queues', { value: 10 });
  await put('/api/user-limits/hidden-user/max-channels', { value: 10 });
  await put('/api/global-parameters/hidden-name', { value: 'hidden' });
  const body = { properties: {}, routing_key: 'hidden-queue', payload: 'hidden', payload_encoding: 'string' };
  await http.post('/api/exchanges/hidden-vhost/amq.default/publish', body);
}

/** What all of it must not change. */
async function stateOf(http: HttpClient): Promise<string> {
  const definitions = (await http.get('/api/definitions')).text;
  const messages = (await http.get('/api/queues/hidden-vhost/hidden-queue?columns=messages')).text;
  const connections = ((await http.get('/api/connections')).json as unknown[]).length;
  return JSON.stringify([definitions, messages, connections]);
}

type Asked = readonly [route: Route, name: string, answer: Answer];

async function askAll(http: HttpClient, user: string | null): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const route of routes) {
    // Global parameters are of no virtual host: they are the policymakers' own. [RabbitMQ: is_authorized_global_parameters]
    if (user === 'policymaker:x' && route.path.startsWith('/api/global-parameters')) continue;
    const path = pathOf(route);
    const answer = await http.request(route.method, path, { user, ...(route.method === 'GET' ? {} : { body: {} }) });
    assert.notEqual(answer.status, 500, `${route.method} ${path}: ${answer.text}`);
    asked.push([route, `${String(user)}: ${route.method} ${path} answers ${answer.status} ${answer.text.slice(0, 200)}`, answer]);
  }
  return asked;
}

test('nobody sees or changes what is not theirs', async () => {
  await withManagement({}, async ({ broker, http }) => {
    await setUp(http);
    const connection = await AmqpDriver.connect({ port: broker.port, vhost: 'hidden-vhost' });
    await connection.openChannel(1);
    const before = await stateOf(http);
    assert.match(before, /hidden-key/);

    for (const user of [null, 'untagged:x', 'untagged:wrong', 'nobody:x']) {
      for (const [{ tag }, name, { status, text }] of await askAll(http, user)) {
        if (tag !== 'anybody') assert.equal(status, 401, name);
        else if (!text.includes('"openapi"')) assert.ok(!text.includes(hidden), name);
      }
    }
    for (const user of ['management:x', 'policymaker:x']) {
      for (const [route, name, { status, text }] of await askAll(http, user)) {
        // Errors name what was asked for.
        if (status < 300 && route.tag !== 'anybody') assert.ok(!text.includes(hidden), name);
        if (route.path.includes(':vhost') && route.tag !== 'anybody') assert.equal(status, 401, name);
        if (route.method !== 'GET') assert.ok(status >= 400 || route.path === '/api/login', name);
      }
    }
    for (const [route, name, { status }] of await askAll(http, 'monitoring:x')) {
      if (route.method !== 'GET') assert.ok(status >= 400 || route.path === '/api/login', name);
      if (/users|permissions|definitions$|policies/.test(route.path) && route.path.includes(':')) assert.notEqual(status, 200, name);
    }

    assert.equal(await stateOf(http), before);
    await connection.end();
  });
});

test('who may not read from a queue is told so in the words of the broker', async () => {
  await withManagement({}, async ({ http }) => {
    await http.put('/api/users/bob', { password: 'bob', tags: 'management' });
    await http.put('/api/permissions/%2F/bob', { configure: '', write: '', read: '^mine' });
    await http.put('/api/queues/%2F/theirs', {});
    const body = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' };
    const answer = await http.request('POST', '/api/queues/%2F/theirs/get', { user: 'bob:bob', body });
    const reason = "ACCESS_REFUSED - read access to queue 'theirs' in vhost '/' refused for user 'bob'";
    assert.deepEqual([answer.status, answer.json], [401, { error: 'not_authorised', reason }]);
  });
});
