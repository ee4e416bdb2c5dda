import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { SlotList } from '../base/slot-list.ts';
import { TimerQueue } from '../base/timer-queue.ts';
import { Sweeper } from './sweeper.ts';

function setUp(sweep: (nowMillis: number) => void) {
  const [clock, timers, connections] = [new FakeClock(), new TimerQueue(), new SlotList<object>()];
  const faults: unknown[] = [];
  const sweeper = new Sweeper(connections, timers, clock, {
    sweep: (_connection, now) => sweep(now),
    fault: (_connection, error) => faults.push(error),
  });
  const slot = connections.add({});
  sweeper.start();
  const passAfter = (millis: number): void => {
    clock.advance(millis);
    clock.refresh();
    timers.run(clock.nowMillis, 100);
  };
  return { timers, faults, passAfter, remove: () => connections.remove(slot) };
}

test('connections are looked after twice a second, as long as there are any', () => {
  const passes: number[] = [];
  const { timers, passAfter, remove } = setUp(now => passes.push(now));
  for (let round = 0; round < 4; round++) passAfter(500);
  assert.deepEqual(passes, [1500, 2000, 2500, 3000]);
  remove();
  passAfter(500);
  assert.equal(timers.size, 0);
});

test('a pass that is much too late is left out once, for sockets are not read yet', () => {
  const passes: number[] = [];
  const { passAfter } = setUp(now => passes.push(now));
  passAfter(500 + 1000);
  assert.deepEqual(passes, [2500], 'a second late is not much');
  passAfter(500 + 1001);
  assert.equal(passes.length, 1);
  passAfter(500);
  assert.deepEqual(passes, [2500, 4501]);
});

test('a process that is always late looks after its connections all the same', () => {
  const passes: number[] = [];
  const { passAfter } = setUp(now => passes.push(now));
  for (let round = 0; round < 6; round++) passAfter(5000);
  assert.equal(passes.length, 3);
});

test('a connection whose pass fails is told apart', () => {
  const error = new Error('ours');
  const { faults, passAfter } = setUp(() => {
    throw error;
  });
  passAfter(500);
  assert.deepEqual(faults, [error]);
});
