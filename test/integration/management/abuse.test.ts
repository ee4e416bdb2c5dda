// Requests that no honest client sends, byte by byte: each gets its refusal, and the next client its answer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type ManagedBroker, withManagement } from './with-management.ts';

const credentials = `Authorization: Basic ${Buffer.from('guest:guest').toString('base64')}\r\n`;

/** Sends a request as it is and returns status and body of the answer. */
async function send(port: number, line: string, headers = '', body: string | Buffer = ''): Promise<{ status: number; body: string }> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${credentials}${headers}\r\n`);
  socket.write(body);
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString();
  return { status: Number(text.split(' ')[1]), body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

function put({ management }: ManagedBroker, path: string, body: string | Buffer): Promise<{ status: number; body: string }> {
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  return send(management.port, `PUT ${path}`, headers, body);
}

test('a request whose length can be read in two ways is refused, and nothing of it is done', async () => {
  await withManagement({}, async ({ management, broker, http }) => {
    const line = 'PUT /api/queues/%2F/smuggled';
    const { port } = management;
    assert.equal((await send(port, line, 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')).status, 400);
    assert.equal((await send(port, line, 'Content-Length: 2\r\nContent-Length: 3\r\n', '{} ')).status, 400);
    assert.equal((await send(port, line, 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')).status, 400);
    assert.equal((await send(port, line, 'Content-Length: -1\r\n')).status, 400);
    assert.equal(broker.core.vhosts.get('/')?.queues.size, 0);
    assert.equal((await http.get('/api/whoami')).status, 200);
  });
});

test('headers are limited in number and in bytes', async () => {
  await withManagement({}, async ({ management: { port }, http }) => {
    const many = Array.from({ length: 10_000 }, (_, index) => `h${index}: 1\r\n`).join('');
    assert.equal((await send(port, 'GET /api/whoami', many)).status, 431);
    assert.equal((await send(port, 'GET /api/whoami', `x: ${'a'.repeat(100_000)}\r\n`)).status, 431);
    assert.equal((await http.get('/api/whoami')).status, 200);
  });
});

test('JSON is read to a depth of 64, and keys that reach for prototypes are refused', async () => {
  await withManagement({}, async managed => {
    const nested = (depth: number): string => `{"arguments":{"x":${'['.repeat(depth)}${']'.repeat(depth)}}}`;
    assert.equal((await put(managed, '/api/queues/%2F/shallow', nested(20))).status, 201);
    for (const depth of [65, 1000, 500_000]) {
      const answer = await put(managed, '/api/queues/%2F/deep', nested(depth));
      assert.deepEqual(answer, { status: 400, body: '{"error":"bad_request","reason":"nested deeper than 64"}' });
    }
    const polluted = await put(managed, '/api/queues/%2F/q', '{"__proto__":{"durable":false},"arguments":{"__proto__":{"polluted":1}}}');
    assert.deepEqual(polluted, { status: 400, body: '{"error":"bad_request","reason":"the key \\"__proto__\\" is not allowed"}' });
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    for (const body of ['[1]', '1', 'null', '{', Buffer.of(0x22, 0xff, 0x22)]) {
      assert.equal((await put(managed, '/api/queues/%2F/q', body)).status, 400, String(body));
    }
    assert.deepEqual([...(managed.broker.core.vhosts.get('/')?.queues.keys() ?? [])], ['shallow']);
  });
});

test('no pattern holds the broker up, wherever it comes from', async () => {
  await withManagement({}, async managed => {
    const { http } = managed;
    const bomb = '^(a+)+$';
    const victim = `${'a'.repeat(200)}!`;
    const began = performance.now();
    assert.equal((await http.put('/api/policies/%2F/bomb', { pattern: bomb, definition: { 'max-length': 1 } })).status, 201);
    assert.equal((await http.put('/api/operator-policies/%2F/bomb', { pattern: bomb, definition: { 'max-length': 1 } })).status, 201);
    assert.equal((await http.put(`/api/queues/%2F/${victim}`, {})).status, 201);
    assert.equal((await http.get(`/api/queues?page=1&use_regex=true&name=${encodeURIComponent(bomb)}`)).status, 200);
    const topics = { exchange: 'amq.topic', write: bomb, read: bomb };
    assert.equal((await http.put('/api/topic-permissions/%2F/guest', topics)).status, 201);
    const message = { properties: {}, routing_key: victim, payload: '', payload_encoding: 'string' };
    assert.notEqual((await http.post('/api/exchanges/%2F/amq.topic/publish', message)).status, 200);
    assert.equal((await http.put('/api/permissions/%2F/guest', { configure: bomb, write: '.*', read: '.*' })).status, 204);
    assert.notEqual((await http.put(`/api/queues/%2F/${victim}x`, {})).status, 201);
    assert.ok(performance.now() - began < 5000, 'a backtracking matcher takes longer than the universe has');
  });
});

test('no path leads out of the pages', async () => {
  await withManagement({}, async ({ management: { port } }) => {
    for (const path of [
      '/../../../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/js/..%2f..%2fetc/passwd',
      '//etc/passwd',
      '/..\\..\\etc\\passwd',
      '/%00',
    ]) {
      const answer = await send(port, `GET ${path}`);
      assert.equal(answer.status, 404, path);
      assert.doesNotMatch(answer.body, /root:/);
    }
    assert.equal((await send(port, 'GET /api/../api/whoami')).status, 404);
    assert.equal((await send(port, 'GET /api/queues/%252F')).status, 404, 'decoded once');
    for (const method of ['TRACE', 'PATCH', 'CONNECT']) assert.notEqual((await send(port, `${method} /api/whoami`)).status, 200, method);
  });
});

test('a file name that is asked for makes no header of its own', async () => {
  await withManagement({}, async ({ http }) => {
    const { status, headers } = await http.get(`/api/definitions?download=${encodeURIComponent('x"\r\nset-cookie: a=b\r\n\r\n<html>')}`);
    assert.equal(status, 200);
    assert.match(String(headers['content-disposition']), /^attachment; filename="[\w.-]+"$/);
    assert.equal(headers['set-cookie'], undefined);
  });
});

test('a reason with format strings reaches the client as it is', async () => {
  await withManagement({}, async ({ broker, http }) => {
    const client = await AmqpDriver.connect({ port: broker.port });
    const name = await waitUntil(async () => ((await http.get('/api/connections')).json as { name: string }[])[0]?.name ?? false);
    const path = `/api/connections/${encodeURIComponent(String(name))}`;
    assert.equal((await http.request('DELETE', path, { headers: { 'x-reason': '~s~n%s%n${x}' } })).status, 204);
    const { replyCode, replyText } = await client.expectConnectionClose();
    assert.deepEqual([replyCode, replyText], [320, 'CONNECTION_FORCED - ~s~n%s%n${x}']);
  });
});
