import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InternalBackend } from '../../auth/internal-backend.ts';
import { hashPassword } from '../../auth/password.ts';
import { AccessControl } from '../../core/access/access-control.ts';
import { defaultHashingAlgorithm, noUserLimits } from '../../core/access/user.ts';
import type { AuthBackend, Credentials } from '../../core/ports/auth-backend.ts';
import { Login } from './login.ts';
import { HttpError } from './reply.ts';

function withUsers(): AccessControl {
  const access = new AccessControl();
  for (const name of ['guest', 'bob']) {
    access.addUser({
      name,
      passwordHash: hashPassword(name),
      hashingAlgorithm: defaultHashingAlgorithm,
      tags: ['administrator'],
      limits: noUserLimits,
    });
  }
  return access;
}

class CountingBackend implements AuthBackend {
  count = 0;
  readonly #inner: AuthBackend;

  constructor(inner: AuthBackend) {
    this.#inner = inner;
  }

  authenticate(credentials: Credentials): ReturnType<AuthBackend['authenticate']> {
    this.count++;
    return this.#inner.authenticate(credentials);
  }
}

function make(): { login: Login; backend: CountingBackend; access: AccessControl } {
  const access = withUsers();
  const backend = new CountingBackend(new InternalBackend(access, ['guest']));
  const login = new Login({ backend, access, loopbackUsers: ['guest'], sessionMillis: 1000, nowMillis: () => 0, tried() {} });
  return { login, backend, access };
}

const refused = (error: unknown): boolean => error instanceof HttpError && error.status === 401;

test('a client that polls costs one look at its password', async () => {
  const { login, backend } = make();
  for (let i = 0; i < 5; i++) await login.authenticate('bob', 'bob', '10.0.0.1', true);
  assert.equal(backend.count, 1);
  assert.deepEqual(login.counters, { succeeded: 5, failed: 0 });
  for (let i = 0; i < 2; i++) await assert.rejects(login.authenticate('bob', 'wrong', '10.0.0.1', true), refused);
  assert.equal(backend.count, 3, 'refusals are not remembered');
  assert.deepEqual(login.counters, { succeeded: 5, failed: 2 });
});

test('a loopback user is let in from this machine only, by the address of the peer', async () => {
  const { login } = make();
  assert.equal((await login.authenticate('guest', 'guest', '127.0.0.1', true)).name, 'guest');
  assert.equal((await login.authenticate('guest', 'guest', '::ffff:127.0.0.1', true)).name, 'guest');
  await assert.rejects(login.authenticate('guest', 'guest', '10.0.0.1', true), refused);
  await assert.rejects(login.authenticate('guest', 'guest', '::ffff:10.0.0.1', true), refused);
});

test("a loopback user's session is of no use elsewhere", async () => {
  const { login } = make();
  const token = login.sessions.begin('guest', 0);
  assert.equal((await login.user({ kind: 'session', token }, '127.0.0.1', true)).name, 'guest');
  await assert.rejects(login.user({ kind: 'session', token }, '10.0.0.1', true), refused);
});

test("a session's user has the tags of this moment", async () => {
  const { login, access } = make();
  const token = login.sessions.begin('bob', 0);
  assert.deepEqual((await login.user({ kind: 'session', token }, '10.0.0.1', true)).tags, ['administrator']);
  access.setTags('bob', ['management']);
  await assert.rejects(login.user({ kind: 'session', token }, '10.0.0.1', true), refused, 'a change of the user ends it');
});
