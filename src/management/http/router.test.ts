import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Method, Route } from './route.ts';
import { parameterNames, Router } from './router.ts';

function route(method: Method, path: string): Route {
  return {
    method,
    path,
    tag: 'management',
    vhost: 'none',
    permission: 'none',
    summary: '',
    body: null,
    takesLargeBody: false,
    handle: () => ({ status: 200 }),
  };
}

const router = new Router([
  route('GET', '/api/users'),
  route('GET', '/api/users/without-permissions'),
  route('GET', '/api/users/:user'),
  route('PUT', '/api/users/:user'),
  route('GET', '/api/connections/:name'),
  route('GET', '/api/connections/username/:username'),
  route('GET', '/api/queues/:vhost/:name'),
]);

function found(path: string): string | null {
  const match = router.match(path);
  const [first] = match?.routes.values() ?? [];
  return first === undefined ? null : [first.path, ...(match?.values ?? [])].join(' | ');
}

test('literal segments go before parameters', () => {
  assert.equal(found('/api/users/without-permissions'), '/api/users/without-permissions');
  assert.equal(found('/api/users/bob'), '/api/users/:user | bob');
  assert.equal(found('/api/connections/username/bob'), '/api/connections/username/:username | bob');
  assert.equal(found('/api/connections/username'), '/api/connections/:name | username', 'a connection may have that name');
});

test('segments are decoded once, whatever is in them', () => {
  assert.equal(found('/api/queues/%2F/a'), '/api/queues/:vhost/:name | / | a');
  assert.equal(found('/api/queues/%2F/a%252F'), '/api/queues/:vhost/:name | / | a%2F');
  assert.equal(found('/api/queues/%2F/..'), '/api/queues/:vhost/:name | / | ..', 'dots are a name like any other');
  assert.equal(found('/api/queues/%2F/%2E%2E'), '/api/queues/:vhost/:name | / | ..');
  assert.equal(found('/api/queues/%2F/a%3Fb%23c'), '/api/queues/:vhost/:name | / | a?b#c');
  assert.throws(() => router.match('/api/queues/%2F/%FF'), URIError);
  assert.throws(() => router.match('/api/queues/%2F/%'), URIError);
});

test('a slash at the end makes no difference, an empty segment is no name', () => {
  assert.equal(found('/api/users/'), '/api/users');
  assert.equal(found('/api/users/bob/'), '/api/users/:user | bob');
  assert.equal(found('/api/users//'), null);
  assert.equal(found('/api/queues//q'), null);
  assert.equal(found('/api/nope'), null);
  assert.equal(found('/api'), null);
  assert.equal(found(''), null);
});

test('a path has all its methods', () => {
  assert.deepEqual([...(router.match('/api/users/x')?.routes.keys() ?? [])], ['GET', 'PUT']);
  assert.throws(() => new Router([route('GET', '/a/:b'), route('GET', '/a/:c')]), /two routes/);
  assert.deepEqual(parameterNames('/api/queues/:vhost/:name/get'), ['vhost', 'name']);
});
