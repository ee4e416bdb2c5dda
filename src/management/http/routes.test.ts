import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeApi } from './openapi.ts';
import { Router } from './router.ts';
import { routes } from './routes.ts';

test('every route says what a user needs for it', () => {
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    assert.ok(['anybody', 'management', 'policymaker', 'monitoring', 'administrator'].includes(route.tag), name);
    assert.ok(['none', 'member', 'observer'].includes(route.vhost), name);
    assert.notEqual(route.permission, '', name);
    assert.notEqual(route.summary, '', name);
    assert.match(route.path, /^\/api(?:\/|$)/, name);
  }
});

test('only what must be open is open to anybody, and nothing of it changes the broker', () => {
  const open = routes.filter(route => route.tag === 'anybody').map(route => `${route.method} ${route.path}`);
  assert.deepEqual(open, [
    'GET /api/auth',
    'POST /api/login',
    'DELETE /api/login',
    'GET /api',
    'GET /api/index.html',
    'GET /api/openapi.json',
  ]);
});

test('whoever changes something in a virtual host must belong to it or be an administrator', () => {
  for (const route of routes) {
    if (route.method === 'GET' || !route.path.includes(':vhost') || route.tag === 'administrator') continue;
    assert.equal(route.vhost, 'member', `${route.method} ${route.path}`);
  }
});

test('no two routes are the same', () => {
  assert.doesNotThrow(() => new Router(routes));
});

test('the OpenAPI document has every route, its parameters and its body, and nothing else', () => {
  const document = JSON.parse(JSON.stringify(describeApi(routes))) as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; parameters: { name: string; in: string }[]; requestBody?: unknown }>>;
  };
  assert.match(document.openapi, /^3\.1\./);
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`),
  );
  const expected = routes.map(route => `${route.method} ${route.path.replace(/:(\w+)/g, '{$1}')}`);
  assert.deepEqual(described.sort(), expected.sort());
  const ids = new Set<string>();
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    const operation = document.paths[path]?.[route.method.toLowerCase()];
    assert.ok(operation !== undefined);
    assert.ok(!ids.has(operation.operationId), operation.operationId);
    ids.add(operation.operationId);
    const inPath = operation.parameters.filter(parameter => parameter.in === 'path').map(parameter => `{${parameter.name}}`);
    assert.deepEqual(inPath, path.match(/\{\w+\}/g) ?? []);
    assert.equal(operation.requestBody !== undefined, route.body !== null);
  }
});
