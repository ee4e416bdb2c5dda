import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthBackend, Credentials } from '../core/ports/auth-backend.ts';
import { LoginThrottle, ThrottledBackend } from './login-throttle.ts';

test('the eleventh failure of a user from one source within a minute is not tried', () => {
  const throttle = new LoginThrottle();
  for (let attempt = 0; attempt < 10; attempt += 1) {
    assert.ok(throttle.allows('1.2.3.4', 'u', attempt));
    throttle.failed('1.2.3.4', 'u', attempt);
  }
  assert.equal(throttle.allows('1.2.3.4', 'u', 59_999), false);
  assert.equal(throttle.allows('::ffff:1.2.3.4', 'u', 59_999), false);
  assert.ok(throttle.allows('1.2.3.4', 'other', 59_999));
  assert.ok(throttle.allows('1.2.3.5', 'u', 59_999));
  assert.ok(throttle.allows('1.2.3.4', 'u', 60_000));
  throttle.failed('1.2.3.4', 'u', 60_000);
  assert.ok(throttle.allows('1.2.3.4', 'u', 60_001));
});

test('guessing many users from one source is throttled too', () => {
  const throttle = new LoginThrottle({ failuresPerSourceMax: 60 });
  for (let attempt = 0; attempt < 60; attempt += 1) throttle.failed('2001:db8::1', `u${attempt}`, 0);
  assert.equal(throttle.allows('2001:db8::2', 'new', 1), false);
  assert.ok(throttle.allows('2001:db9::2', 'new', 1));
});

test('a success forgives the failures of that user', () => {
  const throttle = new LoginThrottle();
  for (let attempt = 0; attempt < 9; attempt += 1) throttle.failed('1.2.3.4', 'u', 0);
  throttle.succeeded('1.2.3.4', 'u');
  for (let attempt = 0; attempt < 9; attempt += 1) throttle.failed('1.2.3.4', 'u', 0);
  assert.ok(throttle.allows('1.2.3.4', 'u', 0));
});

test('this machine is never throttled', () => {
  const throttle = new LoginThrottle();
  for (const address of ['127.0.0.1', '::1', 'unix', null]) {
    for (let attempt = 0; attempt < 100; attempt += 1) throttle.failed(address, 'u', 0);
    assert.ok(throttle.allows(address, 'u', 0));
  }
  assert.equal(throttle.entryCount, 0);
});

test('memory is bounded, and the newest offenders are the ones remembered', () => {
  const throttle = new LoginThrottle({ entriesMax: 100, failuresPerUserMax: 1 });
  for (let index = 0; index < 10_000; index += 1) throttle.failed(`10.${index >> 8}.${index & 255}.1`, 'u'.repeat(1000), index);
  assert.equal(throttle.entryCount, 100);
  assert.equal(throttle.allows('10.39.15.1', 'u'.repeat(1000), 10_000), false);
});

test('a throttled backend asks the inner one only while it may, whether that answers now or later', async () => {
  for (const isAsync of [false, true]) {
    let asked = 0;
    const inner: AuthBackend = {
      authenticate({ username, password }: Credentials) {
        asked += 1;
        const result =
          password === 'right'
            ? ({ ok: true, user: { name: username, tags: [] } } as const)
            : ({ ok: false, reason: 'wrong', delayMillis: 0 } as const);
        return isAsync ? Promise.resolve(result) : result;
      },
    };
    let now = 0;
    const backend = new ThrottledBackend(inner, new LoginThrottle(), () => now);
    const attempt = async (password: string): Promise<string> => {
      const answer = backend.authenticate({ username: 'u', password, peerAddress: '1.2.3.4' });
      if (!isAsync) assert.ok(!(answer instanceof Promise));
      const result = await answer;
      return result.ok ? 'ok' : `${result.reason} ${result.delayMillis}`;
    };
    for (let index = 0; index < 10; index += 1) assert.equal(await attempt('x'), 'wrong 0');
    assert.equal(await attempt('right'), "user 'u' - too many failed logins from 1.2.3.4 1000");
    assert.equal(asked, 10);
    now = 60_000;
    assert.equal(await attempt('right'), 'ok');
  }
});
