import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentMap } from './recent-map.ts';

test('a recent map never holds more than its bound and keeps what is used', () => {
  const map = new RecentMap<number>(100);
  map.set('kept', 1);
  for (let index = 0; index < 10_000; index += 1) {
    map.set(`k${index}`, index);
    assert.ok(map.size <= 100);
    assert.equal(map.get('kept'), 1);
    assert.equal(map.get(`k${index}`), index);
  }
  assert.equal(map.get('k0'), undefined);
  map.clear();
  assert.equal(map.size, 0);
  assert.equal(map.get('kept'), undefined);
});

test('the last value set for a key counts', () => {
  const map = new RecentMap<string>(4);
  for (const key of ['a', 'b', 'c']) map.set(key, 'old');
  map.set('a', 'new');
  assert.equal(map.get('a'), 'new');
  assert.ok(map.size <= 4);
});
