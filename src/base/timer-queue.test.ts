import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallbackTimer, TimerQueue } from './timer-queue.ts';

test('timers fire in the order of their times, whatever the order they were set in', () => {
  const queue = new TimerQueue();
  const fired: number[] = [];
  for (const due of [50, 10, 40, 10, 30, 20]) queue.set(new CallbackTimer(() => fired.push(due)), due);
  assert.equal(queue.nextDueMillis, 10);
  assert.equal(queue.run(35), false);
  assert.deepEqual(fired, [10, 10, 20, 30]);
  assert.equal(queue.nextDueMillis, 40);
  queue.run(50);
  assert.deepEqual(fired, [10, 10, 20, 30, 40, 50]);
  assert.equal(queue.size, 0);
  assert.equal(queue.nextDueMillis, Infinity);
});

test('a timer that is set again moves, and one that is cleared does not fire', () => {
  const queue = new TimerQueue();
  const fired: string[] = [];
  const moved = new CallbackTimer(() => fired.push('moved'));
  const cleared = new CallbackTimer(() => fired.push('cleared'));
  queue.set(moved, 10);
  queue.set(cleared, 20);
  queue.set(moved, 30);
  queue.clear(cleared);
  queue.clear(cleared);
  assert.equal(cleared.isSet, false);
  assert.equal(queue.size, 1);
  queue.run(29);
  assert.deepEqual(fired, []);
  queue.run(30);
  assert.deepEqual(fired, ['moved']);
  assert.equal(moved.isSet, false);
});

test('a timer may set itself again, and clear others, while it fires', () => {
  const queue = new TimerQueue();
  let count = 0;
  const other = new CallbackTimer(() => assert.fail('was cleared'));
  const repeated = new CallbackTimer(now => {
    queue.clear(other);
    if (++count < 3) queue.set(repeated, now + 10);
  });
  queue.set(repeated, 10);
  queue.set(other, 10);
  for (let now = 0; now <= 100; now += 5) queue.run(now);
  assert.equal(count, 3);
});

test('run fires at most as many as it is told and says that more are due', () => {
  const queue = new TimerQueue();
  let count = 0;
  for (let i = 0; i < 5; i++) queue.set(new CallbackTimer(() => count++), 1);
  assert.equal(queue.run(1, 3), true);
  assert.equal(count, 3);
  assert.equal(queue.run(1, 3), false);
  assert.equal(count, 5);
});

test('a timer that is set from its own fire for a time that has come fires in the next run, after others', () => {
  const queue = new TimerQueue();
  const fired: string[] = [];
  const again: CallbackTimer = new CallbackTimer(now => {
    fired.push(`again ${now}`);
    if (fired.length < 4) queue.set(again, now - 1);
  });
  queue.set(again, 5);
  queue.set(new CallbackTimer(now => fired.push(`other ${now}`)), 10);
  assert.equal(queue.run(10), true);
  assert.deepEqual(fired, ['again 10', 'other 10']);
  assert.deepEqual([again.isSet, queue.size, queue.nextDueMillis], [true, 1, 9]);
  assert.equal(queue.run(10), true);
  assert.equal(queue.run(11), false);
  assert.deepEqual(fired, ['again 10', 'other 10', 'again 10', 'again 11']);
  assert.equal(again.isSet, false);
});

test('a timer that was put off can be cleared, and set for another time', () => {
  const queue = new TimerQueue();
  const fired: number[] = [];
  const one: CallbackTimer = new CallbackTimer(now => fired.push(now));
  queue.set(
    new CallbackTimer(() => {
      queue.set(one, 0);
      assert.ok(one.isSet);
      queue.clear(one);
      assert.equal(one.isSet, false);
      queue.set(one, 0);
      queue.set(one, 30);
    }),
    1,
  );
  assert.equal(queue.run(10), false);
  assert.deepEqual([queue.size, queue.nextDueMillis], [1, 30]);
  queue.run(30);
  assert.deepEqual(fired, [30]);
});
