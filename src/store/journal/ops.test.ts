import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ops, opWords, readOps } from './ops.ts';

function read(ops: Ops): string[] {
  const seen: string[] = [];
  const isUnderstood = readOps(ops.words, 0, ops.length, {
    onEnqueue: (...values) => void seen.push(`enqueue ${values.join()}`),
    onSettle: (...values) => void seen.push(`settle ${values.join()}`),
    onMetadata: json => void seen.push(`metadata ${json}`),
    onFlags: (...values) => void seen.push(`flags ${values.join()}`),
    onWait: (...values) => void seen.push(`wait ${values.join()}`),
    onTaken: (...values) => void seen.push(`taken ${values.join()}`),
    onMove: (...values) => void seen.push(`move ${values.join()}`),
    onClean: () => void seen.push('clean'),
    onBegin: () => void seen.push('begin'),
  });
  assert.ok(isUnderstood);
  return seen;
}

test('operations come back as they were written, with numbers beyond 32 bits', () => {
  const ops = new Ops();
  ops.enqueue(7, 9, 2 ** 40 + 3, 12, 65_535, 1000, 0);
  ops.enqueue(7, 0, 1, 12, 4, 0, 1_800_000_000_123);
  ops.metadata('{"kind":"queue.put","name":"grün"}');
  ops.flags(7, 9, 2 ** 40 + 3, 0x1_0001);
  ops.wait(7, 9, 2 ** 40 + 3, 1_800_000_000_123.5, 300);
  ops.wait(7, 0, 1, 0, 2);
  ops.taken(7, 9, 2 ** 40 + 3, 12);
  ops.move(7, 9, 2 ** 40 + 3, 2 ** 41, 12, 5, 1000, 1_800_000_000_122.5, 0x3_0009);
  ops.move(7, 0, 1, 2, 12, 5, 0, 0, 0);
  ops.begin();
  ops.nothing();
  ops.clean();
  assert.deepEqual(read(ops), [
    `enqueue 7,9,${2 ** 40 + 3},12,65535,1000,0`,
    'enqueue 7,0,1,12,4,0,1800000000123',
    'metadata {"kind":"queue.put","name":"grün"}',
    `flags 7,9,${2 ** 40 + 3},65537`,
    `wait 7,9,${2 ** 40 + 3},1800000000124,300`,
    'wait 7,0,1,0,2',
    `taken 7,9,${2 ** 40 + 3},12`,
    `move 7,9,${2 ** 40 + 3},${2 ** 41},12,5,1000,1800000000123,${0x3_0009}`,
    'move 7,0,1,2,12,5,0,0,0',
    'begin',
    'clean',
  ]);
});

test('settlements in order become one range; another queue, priority or place begins a new one', () => {
  const ops = new Ops();
  for (const sequence of [5, 6, 7]) ops.settle(1, 0, sequence);
  ops.settle(1, 0, 9);
  ops.settle(1, 2, 10);
  ops.settle(2, 2, 11);
  assert.deepEqual(read(ops), ['settle 1,0,5,3', 'settle 1,0,9,1', 'settle 1,2,10,1', 'settle 2,2,11,1']);
});

test('an operation between two settlements keeps them apart', () => {
  const ops = new Ops();
  ops.settle(1, 0, 5);
  ops.enqueue(1, 0, 8, 0, 4, 1, 0);
  ops.settle(1, 0, 6);
  assert.equal(read(ops).length, 3);
});

test('nothing is done of operations of which one is not understood', () => {
  const words = Uint32Array.of(5, 200);
  const called = (): void => assert.fail('an operation was done');
  const visitor = {
    onEnqueue: called,
    onSettle: called,
    onMetadata: called,
    onFlags: called,
    onWait: called,
    onTaken: called,
    onMove: called,
    onClean: called,
    onBegin: called,
  };
  assert.equal(readOps(words, 0, 2, visitor), false);
  // Cut in the middle.
  const ops = new Ops();
  ops.settle(1, 0, 5);
  assert.equal(readOps(ops.words, 0, ops.length - 1, visitor), false);
});

test('what is no operation is not understood', () => {
  assert.equal(opWords(Uint32Array.of(0), 0), 0);
  assert.equal(opWords(Uint32Array.of(200), 0), 0);
});
