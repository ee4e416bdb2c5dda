import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DueHeap } from '../../src/core/delays/due-heap.ts';
import { forSeeds } from '../support/random.ts';

test('a part of many is what sorting all would give, wherever it begins', () => {
  forSeeds(10, random => {
    const heap = new DueHeap();
    const all = Array.from({ length: 5000 }, (_, i) => ({ number: i + 1, due: random.below(random.pick([3, 100, 1e9])) }));
    for (const { number, due } of all) heap.add(number, due);
    all.sort((a, b) => a.due - b.due || a.number - b.number);
    for (let step = 0; step < 20; step++) {
      const offset = random.below(5100);
      const count = random.pick([1, 100, 6000]);
      assert.deepEqual(
        heap.slotsFrom(offset, count).map(slot => heap.number(slot)),
        all.slice(offset, offset + count).map(each => each.number),
      );
    }
  });
});

test('the heap gives out what a sorted list would, under adding, removing and moving at random', () => {
  forSeeds(200, random => {
    const heap = new DueHeap();
    const model: { number: number; due: number; slot: number }[] = [];
    let lastNumber = 0;
    const first = (): { number: number; due: number; slot: number } | undefined =>
      [...model].sort((a, b) => a.due - b.due || a.number - b.number)[0];
    for (let step = 0; step < 300; step++) {
      const action = random.weighted({ add: 5, takeFirst: 3, remove: 1, move: 2 });
      const some = model.length === 0 ? undefined : random.pick(model);
      if (action === 'add') {
        const number = ++lastNumber;
        const due = random.below(40);
        model.push({ number, due, slot: heap.add(number, due) });
      } else if (action === 'takeFirst') {
        const expected = first();
        assert.equal(heap.first, expected?.slot ?? -1);
        if (expected === undefined) continue;
        heap.remove(expected.slot);
        model.splice(model.indexOf(expected), 1);
      } else if (some !== undefined && action === 'remove') {
        heap.remove(some.slot);
        model.splice(model.indexOf(some), 1);
      } else if (some !== undefined) {
        some.due = random.below(40);
        heap.move(some.slot, some.due);
      }
      assert.equal(heap.count, model.length);
      if (some !== undefined) assert.equal(heap.find(some.number) >= 0, model.includes(some));
    }
    const order = [...model].sort((a, b) => a.due - b.due || a.number - b.number);
    assert.deepEqual(
      heap.slotsFrom(0, 2000).map(slot => heap.number(slot)),
      order.map(each => each.number),
    );
    const few = random.below(order.length + 2);
    assert.deepEqual(heap.slotsFrom(0, few), heap.slotsFrom(0, 2000).slice(0, few));
    const offset = random.below(order.length + 2);
    assert.deepEqual(heap.slotsFrom(offset, few), heap.slotsFrom(0, 2000).slice(offset, offset + few));
    assert.deepEqual(heap.slotsFrom(offset, 2000), heap.slotsFrom(0, 2000).slice(offset));
    for (const { number, due } of order) {
      assert.deepEqual([heap.number(heap.first), heap.due(heap.first)], [number, due]);
      heap.remove(heap.first);
    }
    assert.equal(heap.first, -1);
  });
});
