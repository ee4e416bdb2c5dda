import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { type ManagedBroker, withManagement } from './with-management.ts';

interface Told {
  readonly watch: number;
  readonly status: number;
  readonly body: unknown;
}

/** A stream of events, with what it has told so far. */
class Stream {
  readonly told: Told[] = [];
  readonly ends: string[] = [];
  readonly response: http.IncomingMessage;
  #rest = '';
  isOver = false;

  constructor(response: http.IncomingMessage) {
    this.response = response;
    response.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
    response.on('close', () => (this.isOver = true));
    response.on('error', () => {});
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split('\n\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const data = part.split('\n').find(line => line.startsWith('data: '));
      if (data === undefined) continue;
      if (part.startsWith('event: end')) this.ends.push(data);
      else this.told.push(JSON.parse(data.slice('data: '.length)) as Told);
    }
  }
}

function open({ management }: ManagedBroker, query: string, headers: http.OutgoingHttpHeaders = basic('guest:guest')): Promise<Stream> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: management.port, path: `/api/events?${query}`, headers, agent: false }, response =>
        resolve(new Stream(response)),
      )
      .on('error', reject);
  });
}

function basic(credentials: string): http.OutgoingHttpHeaders {
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

const watchOf = (...paths: string[]): string => paths.map(path => `watch=${encodeURIComponent(path)}`).join('&');

test('a stream of events tells what GET answers, and again only when it has changed', async () => {
  await withManagement({}, async managed => {
    await managed.http.put('/api/queues/%2F/a', {});
    const stream = await open(managed, `${watchOf('/api/queues/%2F?columns=name', '/api/queues/%2F/missing')}&interval=1`);
    assert.equal(stream.response.headers['content-type'], 'text/event-stream');
    assert.equal(stream.response.headers['content-encoding'], undefined);
    await waitUntil(() => stream.told.length === 2);
    assert.deepEqual(stream.told[0], { watch: 0, status: 200, body: [{ name: 'a' }] });
    assert.equal(stream.told[1]?.status, 404);
    await managed.http.put('/api/queues/%2F/missing', {});
    await waitUntil(() => stream.told.length === 4);
    assert.deepEqual(stream.told[2], { watch: 0, status: 200, body: [{ name: 'a' }, { name: 'missing' }] });
    assert.equal(stream.told[3]?.status, 200);
    stream.response.destroy();
  });
});

test('a stream has the rights of its user, as they are at each round, and ends with the login', async () => {
  await withManagement({}, async managed => {
    const { http: api } = managed;
    await api.put('/api/users/eve', { password: 'eve', tags: 'management' });
    const stream = await open(managed, `${watchOf('/api/queues/%2F', '/api/users')}&interval=1`, basic('eve:eve'));
    await waitUntil(() => stream.told.length === 2);
    assert.deepEqual(
      stream.told.map(({ status }) => status),
      [401, 401],
    );
    await api.put('/api/permissions/%2F/eve', { configure: '', write: '', read: '' });
    await waitUntil(() => stream.told.length === 3);
    assert.deepEqual(stream.told[2], { watch: 0, status: 200, body: [] });
    await api.delete('/api/users/eve');
    await waitUntil(() => stream.isOver);
    assert.deepEqual(stream.ends, ['data: "login"']);
  });
});

test('a stream takes 1 to 12 paths of the API, which are read only and need a login', async () => {
  await withManagement({}, async managed => {
    const statusOf = async (query: string): Promise<number> => {
      const { response } = await open(managed, query);
      response.destroy();
      return response.statusCode ?? 0;
    };
    assert.equal(await statusOf(watchOf(...Array.from({ length: 12 }, () => '/api/overview'))), 200);
    assert.equal(await statusOf(watchOf(...Array.from({ length: 13 }, () => '/api/overview'))), 400);
    assert.equal(await statusOf(''), 400);
    for (const path of [
      '/api/events',
      '/api/openapi.json',
      '/api/rebalance/queues',
      '/metrics',
      '/api/none',
      '/api/queues/%ff',
      `/api/queues/${'a'.repeat(4096)}`,
    ])
      assert.equal(await statusOf(watchOf(path)), 400, path);
    for (const interval of ['0', '61', 'x'])
      assert.equal(await statusOf(`${watchOf('/api/overview')}&interval=${interval}`), 400, interval);
    assert.equal(await statusOf(`${watchOf('/api/overview')}&interval=60`), 200);
    const { response } = await open(managed, watchOf('/api/overview'), {});
    assert.equal(response.statusCode, 401);
  });
});

test('a list that is too long for a stream is refused, and nothing of it is kept', async () => {
  await withManagement({}, async managed => {
    const { vhosts, topology } = managed.broker.core;
    const vhost = vhosts.get('/');
    assert.ok(vhost !== undefined);
    for (let i = 0; i < 2500; i++) {
      topology.declareQueue(
        vhost,
        { name: `queue-${i}`, isDurable: false, isAutoDelete: false, owner: null, arguments: new Map() },
        { user: 'guest', owner: null, isBroker: true },
      );
    }
    const stream = await open(managed, watchOf('/api/queues', '/api/queues?page=1&page_size=10&columns=name'));
    await waitUntil(() => stream.told.length === 2, { timeoutMillis: 10_000 });
    assert.equal(stream.told[0]?.status, 413);
    assert.equal(stream.told[1]?.status, 200);
    stream.response.destroy();
  });
});

test('no more than 256 streams are open at a time, and a place is free again when a client goes', async () => {
  await withManagement({}, async managed => {
    const query = `${watchOf('/api/whoami')}&interval=1`;
    const streams = await Promise.all(Array.from({ length: 256 }, () => open(managed, query)));
    await waitUntil(() => streams.every(({ told }) => told.length === 1), { timeoutMillis: 10_000 });
    const refused = await open(managed, query);
    assert.equal(refused.response.statusCode, 503);
    streams.pop()?.response.destroy();
    await waitUntil(async () => {
      const { response } = await open(managed, query);
      if (response.statusCode === 503) response.resume();
      else response.destroy();
      return response.statusCode === 200;
    });
    for (const { response } of streams) response.destroy();
  });
});
