import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Heap, HeapWatch } from './heap-watch.ts';

class FakeHeap implements Heap {
  liveBytes = 0;
  garbageBytes = 0;
  collectCount = 0;
  collectionMillis = 0;
  nowMillis = 0;

  heap() {
    return { usedBytes: this.liveBytes + this.garbageBytes, limitBytes: 1000 };
  }

  collectGarbage(): void {
    this.collectCount++;
    this.garbageBytes = 0;
    this.nowMillis += this.collectionMillis;
  }
}

function setUp() {
  const heap = new FakeHeap();
  const watch = new HeapWatch(heap, () => heap.nowMillis);
  const checkAt = (liveBytes: number, garbageBytes: number, millis: number): boolean => {
    heap.liveBytes = liveBytes;
    heap.garbageBytes = garbageBytes;
    heap.nowMillis += millis;
    return watch.check();
  };
  return { heap, checkAt };
}

test('a heap with room is not collected', () => {
  const { heap, checkAt } = setUp();
  assert.equal(checkAt(800, 7, 0), false);
  assert.equal(heap.collectCount, 0);
});

test('garbage does not make it full, what is in use does', () => {
  const { heap, checkAt } = setUp();
  assert.equal(checkAt(500, 450, 0), false);
  assert.equal(heap.collectCount, 1);
  assert.equal(checkAt(850, 100, 3000), false);
  assert.equal(checkAt(851, 100, 3000), true);
});

test('it stays full until it is well below what is allowed', () => {
  const { checkAt } = setUp();
  assert.equal(checkAt(900, 0, 0), true);
  assert.equal(checkAt(808, 0, 3000), true);
  assert.equal(checkAt(807, 0, 10), false);
});

test('collections take a tenth of the time at most', () => {
  const { heap, checkAt } = setUp();
  heap.collectionMillis = 500;
  assert.equal(checkAt(900, 0, 0), true);
  assert.equal(checkAt(820, 0, 4000), true);
  assert.equal(heap.collectCount, 1);
  assert.equal(checkAt(820, 0, 1000), true);
  assert.equal(heap.collectCount, 2);
});

test('between collections what is far above counts, until a collection says what of it is garbage', () => {
  const { heap, checkAt } = setUp();
  assert.equal(checkAt(700, 150, 0), false);
  assert.equal(checkAt(700, 190, 100), false);
  assert.equal(checkAt(700, 193, 100), true);
  assert.equal(heap.collectCount, 1);
  assert.equal(checkAt(700, 193, 2000), false);
  assert.equal(heap.collectCount, 2);
});
