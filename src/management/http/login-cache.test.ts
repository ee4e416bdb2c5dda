import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoginCache } from './login-cache.ts';

const user = { name: 'bob', tags: ['management'] };

test('a login is remembered for a minute, for the same name, password and nearness', () => {
  const cache = new LoginCache();
  cache.add('bob', 'secret', true, 1, 0, user);
  assert.equal(cache.find('bob', 'secret', true, 1, 59_999), user);
  assert.equal(cache.find('bob', 'secret', true, 1, 60_000), null);
  assert.equal(cache.find('bob', 'wrong', true, 1, 1), null);
  assert.equal(cache.find('bo', 'bsecret', true, 1, 1), null);
  assert.equal(cache.find('bob', 'secret', false, 1, 1), null, 'what was proven on this machine is not proven from elsewhere');
});

test('any change of a user makes it void', () => {
  const cache = new LoginCache();
  cache.add('bob', 'secret', true, 1, 0, user);
  assert.equal(cache.find('bob', 'secret', true, 2, 1), null);
});

test('it does not grow without bound', () => {
  const cache = new LoginCache();
  for (let i = 0; i < 5000; i++) cache.add(`user${i}`, 'x', true, 1, 0, user);
  assert.equal(cache.find('user4999', 'x', true, 1, 1), user);
  assert.equal(cache.find('user0', 'x', true, 1, 1), null);
});
