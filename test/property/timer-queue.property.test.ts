import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timer, TimerQueue } from '../../src/base/timer-queue.ts';
import { forSeeds } from '../support/random.ts';

class Numbered extends Timer {
  readonly number: number;
  readonly #fired: number[];

  constructor(number: number, fired: number[]) {
    super();
    this.number = number;
    this.#fired = fired;
  }

  fire(): void {
    this.#fired.push(this.number);
  }
}

test('the timer queue fires what a sorted list would, under sets, moves, clears and runs at random', () => {
  forSeeds(150, random => {
    const queue = new TimerQueue();
    const fired: number[] = [];
    const timers = Array.from({ length: random.between(1, 40) }, (_, i) => new Numbered(i, fired));
    const due = new Map<number, number>();
    let now = 0;
    for (let step = 0; step < 200; step++) {
      const timer = random.pick(timers);
      const action = random.weighted({ set: 5, clear: 2, run: 2 });
      if (action === 'set') {
        // Few distinct times, so that equal ones are common; some in the past.
        const at = now + random.between(-2, 20);
        queue.set(timer, at);
        due.set(timer.number, at);
      } else if (action === 'clear') {
        queue.clear(timer);
        due.delete(timer.number);
      } else {
        now += random.below(8);
        const countMax = random.chance(0.3) ? random.between(1, 5) : Infinity;
        const expected = [...due].filter(([, at]) => at <= now).sort(([, a], [, b]) => a - b);
        fired.length = 0;
        const hasMore = queue.run(now, countMax);
        const times = fired.map(number => due.get(number));
        assert.deepEqual(
          times,
          expected.slice(0, countMax).map(([, at]) => at),
        );
        assert.equal(hasMore, expected.length > countMax);
        for (const number of fired) assert.ok(due.delete(number), 'a timer fired twice');
      }
      assert.equal(queue.size, due.size);
      assert.equal(queue.nextDueMillis, Math.min(Infinity, ...due.values()));
      for (const each of timers) assert.equal(each.isSet, due.has(each.number));
    }
  });
});
