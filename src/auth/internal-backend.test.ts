import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessControl } from '../core/access/access-control.ts';
import type { AuthResult, Credentials } from '../core/ports/auth-backend.ts';
import { InternalBackend } from './internal-backend.ts';
import { hashPassword } from './password.ts';

const access = new AccessControl();
for (const [name, passwordHash, tags] of [
  ['guest', hashPassword('guest'), ['administrator']],
  ['u', hashPassword('secret', 'rabbit_password_hashing_sha512'), []],
  ['certificate-only', '', []],
  ['blank', hashPassword(''), []],
] as const) {
  const hashingAlgorithm = name === 'u' ? 'rabbit_password_hashing_sha512' : 'rabbit_password_hashing_sha256';
  access.putUser({ name, passwordHash, hashingAlgorithm, tags, limits: { maxConnections: null, maxChannels: null } });
}

function login(credentials: Partial<Credentials>, backend = new InternalBackend(access)): AuthResult {
  return backend.authenticate({ username: 'u', password: 'secret', peerAddress: '10.0.0.1', ...credentials });
}

function reason(result: AuthResult): string {
  return result.ok ? 'ok' : result.reason;
}

test('the right password lets a user in with its tags, at once', () => {
  assert.deepEqual(login({}), { ok: true, user: { name: 'u', tags: [] } });
  assert.deepEqual(login({ username: 'guest', password: Buffer.from('guest'), peerAddress: '::ffff:127.0.0.1' }), {
    ok: true,
    user: { name: 'guest', tags: ['administrator'] },
  });
});

test('wrong and unknown are refused with one text', () => {
  assert.equal(reason(login({ password: 'wrong' })), "user 'u' - invalid credentials");
  assert.equal(reason(login({ username: 'nobody' })), "user 'nobody' - invalid credentials");
  assert.equal(reason(login({ username: 'certificate-only' })), "user 'certificate-only' - invalid credentials");
  assert.equal(reason(login({ password: 'x'.repeat(5000) })), "user 'u' - invalid credentials");
  assert.equal(reason(login({ username: '__proto__' })), "user '__proto__' - invalid credentials");
});

test('a blank password is refused for everybody', () => {
  for (const username of ['u', 'blank', 'certificate-only', 'nobody'])
    assert.match(reason(login({ username, password: '' })), /blank password/);
  assert.match(reason(login({ password: new Uint8Array() })), /blank password/);
});

test('a user proven by other means needs to exist and no password', () => {
  assert.ok(login({ username: 'certificate-only', password: null }).ok);
  assert.equal(reason(login({ username: 'nobody', password: null })), "user 'nobody' - invalid credentials");
});

test('guest connects only from this machine, and only its password tells so', () => {
  for (const peerAddress of ['127.0.0.1', '::1', 'unix', null]) assert.ok(login({ username: 'guest', password: 'guest', peerAddress }).ok);
  assert.equal(reason(login({ username: 'guest', password: 'guest' })), "user 'guest' can only connect via localhost");
  assert.equal(reason(login({ username: 'guest', password: null })), "user 'guest' can only connect via localhost");
  assert.equal(reason(login({ username: 'guest', password: 'wrong' })), "user 'guest' - invalid credentials");
  assert.ok(login({ username: 'guest', password: 'guest' }, new InternalBackend(access, [])).ok);
  assert.equal(reason(login({}, new InternalBackend(access, ['u']))), "user 'u' can only connect via localhost");
});
