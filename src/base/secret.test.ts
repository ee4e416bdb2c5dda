import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { Secret } from './secret.ts';

test('a secret gives its text to reveal only', () => {
  assert.equal(new Secret('C4NARY').reveal(), 'C4NARY');
});

test('no way of printing a secret shows its text', () => {
  const secret = new Secret('C4NARY');
  const holder = { user: 'guest', password: secret, list: [secret], map: new Map([['key', secret]]) };
  const printed = [
    String(secret),
    `${String(secret)}`,
    JSON.stringify(holder),
    inspect(secret),
    inspect(secret, { showHidden: true, depth: null, getters: true }),
    inspect(holder, { depth: null, showHidden: true }),
    format('%s %o %O %j', secret, secret, holder, holder),
    JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
    Object.values(secret).join(),
    new Error(`login failed: ${String(secret)}`).stack ?? '',
  ].join('\n');
  assert.doesNotMatch(printed, /C4NARY/);
  assert.match(JSON.stringify(holder), /"password":"\*\*\*"/);
});

test('a copy made by spread or structuredClone has no text', () => {
  const secret = new Secret('C4NARY');
  assert.deepEqual({ ...secret }, {});
  assert.doesNotMatch(inspect(structuredClone(secret)), /C4NARY/);
});
