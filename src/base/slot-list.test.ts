import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlotList } from './slot-list.ts';

test('objects are in the list from add to remove', () => {
  const list = new SlotList<{ name: string }>();
  const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  const slots = [a, b, c].map(item => list.add(item));
  assert.equal(new Set(slots).size, 3);
  assert.deepEqual([...list], [a, b, c]);
  list.remove(slots[1] as number);
  assert.equal(list.size, 2);
  assert.deepEqual([...list], [a, c]);
});

test('slots are used again, so that the list is no longer than there ever were objects at once', () => {
  const list = new SlotList<object>();
  const slots = [list.add({}), list.add({})];
  for (let i = 0; i < 1000; i++) {
    list.remove(slots.shift() as number);
    const slot = list.add({});
    assert.ok(slot < 2);
    slots.push(slot);
  }
  assert.equal(list.size, 2);
});

test('what is removed while the list is walked through is left out', () => {
  const list = new SlotList<{ slot: number }>();
  for (let i = 0; i < 10; i++) {
    const item = { slot: -1 };
    item.slot = list.add(item);
  }
  const seen: number[] = [];
  for (const item of list) {
    seen.push(item.slot);
    list.remove(item.slot);
    if (item.slot % 2 === 0) list.remove(item.slot + 1);
  }
  assert.deepEqual(seen, [0, 2, 4, 6, 8]);
  assert.equal(list.size, 0);
  assert.deepEqual([...list], []);
});

test('removing a slot twice does not give it to two', () => {
  const list = new SlotList<object>();
  const slot = list.add({});
  list.remove(slot);
  list.remove(slot);
  assert.notEqual(list.add({}), list.add({}));
  assert.equal(list.size, 2);
});

test('all are visited but those that are removed before their turn', () => {
  const list = new SlotList<{ slot: number }>();
  for (let i = 0; i < 10; i++) {
    const item = { slot: 0 };
    item.slot = list.add(item);
  }
  const seen: number[] = [];
  list.visit(({ slot }) => {
    seen.push(slot);
    if (slot % 3 === 0) list.remove(slot + 1);
  });
  assert.deepEqual(seen, [0, 2, 3, 5, 6, 8, 9]);
  assert.equal(list.size, 7);
});
