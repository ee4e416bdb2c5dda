import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sessions } from './sessions.ts';

test('a token stands for a user until its time is over, it is ended, or the user is', () => {
  const sessions = new Sessions(1000);
  const token = sessions.begin('bob', 0);
  const other = sessions.begin('bob', 0);
  assert.match(token, /^[\w-]{43}$/);
  assert.notEqual(token, other);
  assert.equal(sessions.find(token, 999)?.username, 'bob');
  assert.equal(sessions.find(token, 1000), null);
  assert.equal(sessions.find('nope', 0), null);
  sessions.end(token);
  assert.equal(sessions.find(token, 1), null);
  sessions.endUser('bob');
  assert.equal(sessions.find(other, 1), null);
});

test('there are never more than ten thousand', () => {
  const sessions = new Sessions(1000);
  const first = sessions.begin('a', 0);
  for (let i = 0; i < 10_000; i++) sessions.begin('b', 1);
  assert.equal(sessions.find(first, 2), null);
});
