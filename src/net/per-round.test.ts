import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { PerRound } from './per-round.ts';

test('so many are acted on at once, the others in the rounds that follow, in order', async () => {
  const seen: number[] = [];
  const queue = new PerRound<number>(3, item => seen.push(item));
  for (let i = 0; i < 8; i++) queue.add(i);
  assert.deepEqual(seen, [0, 1, 2]);
  await nextRound();
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5]);
  queue.add(8);
  assert.equal(seen.length, 6, 'none overtakes those that wait');
  await nextRound();
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('what comes in another round is acted on at once', async () => {
  const seen: number[] = [];
  const queue = new PerRound<number>(1, item => seen.push(item));
  for (let i = 0; i < 4; i++) {
    queue.add(i);
    assert.equal(seen.length, i + 1);
    await nextRound();
  }
});

test('what an act adds waits like the rest', async () => {
  const seen: number[] = [];
  const queue: PerRound<number> = new PerRound<number>(2, item => {
    seen.push(item);
    if (item < 3) queue.add(item + 10);
  });
  for (let i = 0; i < 3; i++) queue.add(i);
  while (seen.length < 6) await nextRound();
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [0, 1, 2, 10, 11, 12],
  );
});
