import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryUse } from './memory-use.ts';

function uses(...samples: readonly (readonly [residentBytes: number, allocatedBytes: number])[]): number[] {
  const use = new MemoryUse();
  return samples.map(([residentBytes, allocatedBytes]) => use.note({ residentBytes, allocatedBytes }));
}

test('at first everything resident is in use', () => {
  assert.deepEqual(uses([70, 20]), [70]);
});

test('what is given back and stays resident is not in use', () => {
  assert.deepEqual(uses([70, 20], [470, 420], [460, 20]), [70, 470, 70]);
});

test('what is given back and leaves is not subtracted a second time', () => {
  assert.deepEqual(uses([70, 20], [470, 420], [470, 20], [80, 20]), [70, 470, 70, 70]);
});

test('allocations that are served from what was given back are in use again', () => {
  assert.deepEqual(uses([470, 420], [470, 20], [470, 220], [470, 420], [570, 520]), [470, 70, 270, 470, 570]);
});

test('memory outside of the allocations is in use', () => {
  assert.deepEqual(uses([70, 20], [570, 20], [1070, 20]), [70, 570, 1070]);
});

test('pages that nobody has touched yet are not in use', () => {
  assert.deepEqual(uses([70, 20], [70, 520], [570, 520]), [70, 70, 570]);
});
