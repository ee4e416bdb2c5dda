import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import net from 'node:net';
import { describe, test } from 'node:test';
import type { AuditEntry } from '../../../src/management/audit-log.ts';
import { gunzipSync } from 'node:zlib';
import { waitUntil } from '../../support/wait-until.ts';
import { withManagement } from './with-management.ts';

describe('logins', () => {
  test('a request without credentials, or with wrong ones, is asked for them', async () => {
    await withManagement({}, async ({ http }) => {
      for (const user of [null, 'guest:bad', 'nobody:x', 'guest:']) {
        const answer = await http.get('/api/whoami', { user });
        assert.equal(answer.status, 401, String(user));
        assert.equal(answer.headers['www-authenticate'], 'Basic realm="RabbitMQ Management"');
        assert.deepEqual(answer.json, { error: 'not_authorized', reason: 'Login failed' });
      }
      assert.equal((await http.get('/api/whoami', { user: null, headers: { authorization: 'Basic !!!' } })).status, 400);
      assert.equal((await http.get('/api/whoami', { user: null, headers: { authorization: 'Bearer x' } })).status, 401);
    });
  });

  test("a page's own requests bring up no login window", async () => {
    await withManagement({}, async ({ http }) => {
      const answer = await http.get('/api/whoami', { user: null, headers: { 'sec-fetch-mode': 'cors' } });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], undefined);
    });
  });

  test('a login that is remembered ends when the password changes or the user goes', async () => {
    await withManagement({}, async ({ http }) => {
      await http.put('/api/users/bob', { password: 'one', tags: 'management' });
      assert.equal((await http.get('/api/whoami', { user: 'bob:one' })).status, 200);
      assert.equal((await http.get('/api/whoami', { user: 'bob:one' })).status, 200);
      await http.put('/api/users/bob', { password: 'two', tags: 'management' });
      assert.equal((await http.get('/api/whoami', { user: 'bob:one' })).status, 401);
      assert.equal((await http.get('/api/whoami', { user: 'bob:two' })).status, 200);
      await http.put('/api/users/bob', { password: 'two', tags: '' });
      assert.equal((await http.get('/api/whoami', { user: 'bob:two' })).status, 401, 'tags count at once');
      await http.delete('/api/users/bob');
      assert.equal((await http.get('/api/whoami', { user: 'bob:two' })).status, 401);
    });
  });

  test('a session begins with name and password, and ends when it is ended or the password changes', async () => {
    await withManagement({}, async ({ http }) => {
      const form = 'username=guest&password=guest';
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const refused = await http.request('POST', '/api/login', { user: null, body: 'username=guest&password=bad', headers });
      assert.equal(refused.status, 401);
      assert.equal(refused.headers['set-cookie'], undefined);
      const login = async (): Promise<string> => {
        const answer = await http.request('POST', '/api/login', { user: null, body: form, headers });
        assert.equal(answer.status, 200);
        const [cookie = ''] = answer.headers['set-cookie'] ?? [];
        assert.match(cookie, /^warren_session=[\w-]{43}; Path=\/; Max-Age=28800; HttpOnly; SameSite=Strict$/);
        return cookie.split(';')[0] ?? '';
      };
      const whoami = async (cookie: string): Promise<number> => (await http.get('/api/whoami', { user: null, headers: { cookie } })).status;
      const first = await login();
      assert.equal(await whoami(first), 200);
      await http.request('DELETE', '/api/login', { user: null, headers: { cookie: first } });
      assert.equal(await whoami(first), 401);
      const second = await login();
      await http.put('/api/users/guest', { password: 'guest', tags: 'administrator' });
      assert.equal(await whoami(second), 401);
      assert.equal(await whoami('warren_session=forged'), 401);
    });
  });

  test('logins and changes are audited, passwords are not', async () => {
    const entries: AuditEntry[] = [];
    await withManagement({ options: { audit: { note: entry => entries.push(entry) } } }, async ({ http }) => {
      await http.get('/api/whoami', { user: 'guest:C4NARY' });
      await http.put('/api/users/bob', { password: 'C4NARY', tags: '' });
      await http.get('/api/users/bob');
      await http.delete('/api/users/nobody');
    });
    assert.deepEqual(
      entries.map(({ user, action, outcome }) => `${user} ${action} ${outcome}`),
      [
        'guest login refused',
        'guest login done',
        'guest PUT /api/users/bob done',
        // A user was changed: no login is remembered any more.
        'guest login done',
        'guest DELETE /api/users/nobody refused',
      ],
    );
    assert.ok(entries.every(entry => entry.peerAddress === '127.0.0.1'));
    assert.doesNotMatch(JSON.stringify(entries), /C4NARY/);
  });
});

describe('requests', () => {
  test('every answer has the security headers, and answers of the API are kept by nobody', async () => {
    await withManagement({}, async ({ http }) => {
      for (const answer of [await http.get('/api/overview'), await http.get('/api/nope'), await http.get('/nope')]) {
        const policy = String(answer.headers['content-security-policy']);
        assert.match(policy, /default-src 'none'/);
        assert.doesNotMatch(policy, /unsafe/);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
        assert.equal(answer.headers['x-frame-options'], 'DENY');
        assert.equal(answer.headers['referrer-policy'], 'no-referrer');
        assert.equal(answer.headers['server'], undefined);
        assert.equal(answer.headers['x-powered-by'], undefined);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
      }
      assert.equal((await http.get('/api/overview')).headers['cache-control'], 'no-store');
    });
  });

  test('pages of other origins cannot change anything, and see nothing', async () => {
    await withManagement({}, async ({ http, broker }) => {
      const headers = { origin: 'http://evil.example' };
      const put = await http.put('/api/queues/%2F/q', {}, { headers });
      assert.equal(put.status, 403);
      assert.equal(broker.core.vhosts.get('/')?.queues.size, 0);
      assert.equal((await http.get('/api/whoami', { headers })).headers['access-control-allow-origin'], undefined);
      const preflight = await http.request('OPTIONS', '/api/queues', {
        user: null,
        headers: { ...headers, 'access-control-request-method': 'GET' },
      });
      assert.equal(preflight.headers['access-control-allow-origin'], undefined);
    });
    await withManagement({ management: { cors: { allowOrigins: ['http://friend.example'], ageSecondsMax: 60 } } }, async ({ http }) => {
      const headers = { origin: 'http://friend.example' };
      assert.equal((await http.put('/api/queues/%2F/q', {}, { headers })).status, 201);
      const preflight = await http.request('OPTIONS', '/api/queues/%2F/q', {
        user: null,
        headers: { ...headers, 'access-control-request-method': 'PUT' },
      });
      assert.equal(preflight.status, 200);
      assert.equal(preflight.headers['access-control-allow-origin'], 'http://friend.example');
      assert.equal(preflight.headers['access-control-max-age'], '60');
    });
  });

  test('bodies are limited by what is received, and taken without encodings only', async () => {
    await withManagement({}, async ({ http, management }) => {
      const large = Buffer.alloc(1024 * 1024 + 1, 0x20);
      const declared = await http.put('/api/queues/%2F/q', large);
      assert.equal(declared.status, 413);
      assert.equal((declared.json as { error: string }).error, 'content_too_large');
      assert.equal(await sendChunked(management.port, large.length), 413);
      assert.equal((await http.post('/api/definitions', '{}')).status, 204);
      assert.equal((await http.post('/api/definitions', Buffer.alloc(2 * 1024 * 1024, 0x20))).status, 204, 'definitions may be larger');
      const encoded = await http.put('/api/queues/%2F/q', '{}', { headers: { 'content-encoding': 'gzip' } });
      assert.equal(encoded.status, 415);
      const identity = await http.put('/api/queues/%2F/q', '{}', { headers: { 'content-encoding': 'identity' } });
      assert.equal(identity.status, 201);
    });
  });

  test('nobody without a login makes the broker read a body', async () => {
    await withManagement({}, async ({ http }) => {
      const answer = await http.put('/api/queues/%2F/q', Buffer.alloc(1024 * 1024 + 1), { user: null });
      assert.equal(answer.status, 401);
    });
  });

  test('paths are decoded once, and names may be anything', async () => {
    await withManagement({}, async ({ http, broker }) => {
      const names = ['..', '.', 'a/b', 'a%2Fb', '%', 'ü', 'a b', 'a+b', '?#&', '__proto__', 'constructor', '\u0001\n"\\<script>'];
      for (const name of names) {
        const path = `/api/queues/%2F/${name === '..' || name === '.' ? name.replaceAll('.', '%2E') : encodeURIComponent(name)}`;
        assert.equal((await http.put(path, {})).status, 201, name);
        assert.ok(broker.core.vhosts.get('/')?.queues.has(name), name);
        assert.equal(((await http.get(path)).json as { name: string }).name, name);
      }
      const listed = (await http.get('/api/queues?columns=name')).json as { name: string }[];
      assert.deepEqual(listed.map(({ name }) => name).sort(), [...names].sort());
      for (const name of names) {
        const path = `/api/queues/%2F/${name === '..' || name === '.' ? name.replaceAll('.', '%2E') : encodeURIComponent(name)}`;
        assert.equal((await http.delete(path)).status, 204, name);
      }
      assert.equal((await http.get('/api/queues/%2F/%FF')).status, 400);
      assert.equal((await http.get('/api/queues/%2F/%ZZ')).status, 400);
      assert.equal((await http.get(`/api/queues/${'x'.repeat(20_000)}`)).status, 431);
    });
  });

  test('no header overrides the method', async () => {
    await withManagement({}, async ({ http, broker }) => {
      await http.put('/api/queues/%2F/q', {});
      await http.get('/api/queues/%2F/q', { headers: { 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE' } });
      await http.get('/api/queues/%2F/q?_method=DELETE');
      assert.equal(broker.core.vhosts.get('/')?.queues.size, 1);
    });
  });

  test('answers are compressed for those who take it', async () => {
    await withManagement({}, async ({ http, management }) => {
      for (let i = 0; i < 100; i++) await http.put(`/api/queues/%2F/q${i}`, {});
      for (const path of ['/api/queues', '/api/overview']) {
        const { headers, body } = await rawGet(management.port, path, { 'accept-encoding': 'gzip, br' });
        assert.equal(headers['content-encoding'], 'gzip');
        assert.doesNotThrow(() => JSON.parse(gunzipSync(body).toString()) as unknown);
        const plain = await rawGet(management.port, path, { 'accept-encoding': 'gzip;q=0' });
        assert.equal(plain.headers['content-encoding'], undefined);
      }
    });
  });

  test('rubbish in place of HTTP ends its connection only', async () => {
    await withManagement({}, async ({ management, http }) => {
      for (const rubbish of ['AMQP\0\0\t\x01', '\r\n\r\n', '\xff\xfe', 'GET / HTTP/9.9\r\n\r\n']) {
        const socket = net.connect(management.port, '127.0.0.1');
        await once(socket, 'connect');
        socket.on('error', () => {});
        socket.end(Buffer.from(rubbish, 'latin1'));
        await once(socket.resume(), 'close');
      }
      assert.equal((await http.get('/api/whoami')).status, 200);
    });
  });
});

test('a path prefix is before everything', async () => {
  await withManagement({ management: { pathPrefix: '/rabbit' } }, async ({ http }) => {
    assert.equal((await http.get('/rabbit/api/whoami')).status, 200);
    assert.equal((await http.get('/api/whoami')).status, 404);
    assert.equal((await http.get('/rabbitx/api/whoami')).status, 404);
  });
});

test('a password rule is kept to', async () => {
  await withManagement(
    { config: { credentialValidator: { kind: 'min_password_length', lengthMin: 8, pattern: null } } },
    async ({ http }) => {
      const short = await http.put('/api/users/bob', { password: 'short', tags: '' });
      assert.deepEqual(short.json, { error: 'bad_request', reason: 'minimum required password length is 8' });
      assert.equal((await http.put('/api/users/bob', { password: 'long enough', tags: '' })).status, 201);
    },
  );
});

test('operator policies can be made fixed', async () => {
  await withManagement({ management: { operatorPolicyChangesDisabled: true } }, async ({ http }) => {
    const policy = { pattern: '^q', definition: { 'max-length': 1 } };
    assert.equal((await http.put('/api/operator-policies/%2F/p', policy)).status, 405);
    assert.equal((await http.put('/api/policies/%2F/p', policy)).status, 201);
  });
});

test('guessing passwords from elsewhere is slow', async () => {
  const tried: string[] = [];
  const backend = {
    authenticate: ({ username }: { username: string }) => {
      tried.push(username);
      return { ok: false, reason: 'wrong', delayMillis: 30 } as const;
    },
  };
  await withManagement({ options: { auth: backend } }, async ({ http }) => {
    const start = performance.now();
    assert.equal((await http.get('/api/whoami', { user: 'a:b' })).status, 401);
    assert.ok(performance.now() - start >= 29);
    await waitUntil(() => tried.length === 1);
  });
});

function sendChunked(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
    const sending = request({ port, method: 'PUT', path: '/api/queues/%2F/q', headers: { authorization, 'transfer-encoding': 'chunked' } });
    sending.on('response', response => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sending.on('error', reject);
    for (let sent = 0; sent < bytes; sent += 65_536) sending.write(Buffer.alloc(Math.min(65_536, bytes - sent), 0x20));
    sending.end();
  });
}

async function rawGet(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, unknown>; body: Buffer }> {
  const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
  const sending = request({ port, path, headers: { authorization, ...headers } }).end();
  const [response] = (await once(sending, 'response')) as [AsyncIterable<Buffer> & { headers: Record<string, unknown> }];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { headers: response.headers, body: Buffer.concat(chunks) };
}
