import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import type { DeliverySink } from '../../src/core/delivery-sink.ts';
import { ConsumerRota } from '../../src/core/queues/consumer-rota.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { assertLinear } from '../support/growth.ts';
import { forSeeds } from '../support/random.ts';

const sink: DeliverySink = { canTake: true, deliver() {}, cancelled() {} };

/** The rota never looks at the queue. */
const queue = {} as Queue;

function consumerOf(tag: string, priority: number): Consumer {
  const options = { tag, noAck: true, isExclusive: false, priority, prefetchCount: 0, arguments: new Map() };
  return new Consumer(queue, sink, new SharedPrefetch(), options);
}

test('the rota gives consumers by priority and in turn among equals, as a list per priority would, and nobody while it is held', () => {
  forSeeds(200, random => {
    const rota = new ConsumerRota();
    const priorities = Array.from({ length: random.between(1, 4) }, () => random.between(-3, 3));
    const all = Array.from({ length: random.between(1, 12) }, (_, i) => consumerOf(String(i), random.pick(priorities)));
    const levels = new Map<number, Consumer[]>();
    let isHeld = false;
    const first = (): Consumer | null => {
      if (isHeld) return null;
      const top = Math.max(...[...levels].filter(([, level]) => level.length > 0).map(([priority]) => priority));
      return levels.get(top)?.[0] ?? null;
    };
    const level = (consumer: Consumer): Consumer[] => {
      const known = levels.get(consumer.priority) ?? [];
      levels.set(consumer.priority, known);
      return known;
    };
    for (let step = 0; step < 300; step++) {
      const consumer = random.pick(all);
      const action = random.weighted({ add: 3, remove: 2, rotate: 6, hold: 1 });
      if (action === 'add' && !consumer.isInRota) {
        rota.add(consumer);
        level(consumer).push(consumer);
      } else if (action === 'remove') {
        rota.remove(consumer);
        levels.set(
          consumer.priority,
          level(consumer).filter(each => each !== consumer),
        );
      } else if (action === 'hold') {
        isHeld = !isHeld;
        rota.hold(isHeld);
      } else if (action === 'rotate') {
        const { current } = rota;
        if (current !== null) {
          rota.rotate(current);
          level(current).push(level(current).shift() as Consumer);
        }
      }
      assert.equal(rota.current, first());
      for (const each of all) assert.equal(each.isInRota, level(each).includes(each));
    }
  });
});

test('equals get the same number of turns, give or take one', () => {
  const rota = new ConsumerRota();
  const consumers = Array.from({ length: 7 }, (_, i) => consumerOf(String(i), 5));
  const low = consumerOf('low', 4);
  for (const consumer of [low, ...consumers]) rota.add(consumer);
  const turns = new Map<Consumer | null, number>();
  for (let i = 0; i < 1000; i++) {
    const consumer = rota.current as Consumer;
    turns.set(consumer, (turns.get(consumer) ?? 0) + 1);
    rota.rotate(consumer);
  }
  for (const consumer of consumers) assert.ok(Math.abs((turns.get(consumer) ?? 0) - 1000 / 7) <= 1);
  assert.equal(turns.has(low), false);
});

test('a hundred thousand different priorities that came and went leave nothing behind', () => {
  const steady = consumerOf('steady', 0);
  // Were every level that ever was still looked at, the time would grow with the square.
  assertLinear('priorities', 100_000, size => {
    const rota = new ConsumerRota();
    rota.add(steady);
    for (let priority = 1; priority <= size; priority++) {
      const consumer = consumerOf('passing', priority % 2 === 0 ? priority : -priority);
      rota.add(consumer);
      rota.remove(consumer);
      assert.equal(rota.current, steady);
    }
  });
});
