import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { TimerQueue } from '../base/timer-queue.ts';
import { FlowControl, flowBytesHigh, flowMessagesHigh } from './flow-control.ts';
import { QueueCounters } from './queues/queue-counters.ts';
import type { Queue } from './queues/queue.ts';

class Publisher {
  holdCount = 0;

  hold(): void {
    this.holdCount++;
  }

  release(): void {
    this.holdCount--;
  }
}

class Bench {
  readonly clock = new FakeClock();
  readonly timers = new TimerQueue();
  readonly flow = new FlowControl(this.clock, this.timers);
  readonly publisher = new Publisher();
  readonly state = {
    name: 'q',
    consumerCount: 1,
    paused: null as { sinceMillis: number; by: string } | null,
    readyCount: flowMessagesHigh + 1000,
    readyBytes: 0,
    isDeleted: false,
    counters: new QueueCounters(),
  };
  readonly queue = this.state as unknown as Queue;

  pass(millis: number, delivered = 0): void {
    this.state.counters.deliveredNoAck += delivered;
    this.state.readyCount -= delivered;
    this.clock.advance(millis);
    this.clock.refresh();
    this.timers.run(this.clock.nowMillis);
  }
}

test('a publisher is held while the queue is long and being emptied at speed, and released when it is short', () => {
  const bench = new Bench();
  bench.flow.consider(bench.queue, bench.publisher);
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 1);
  for (let i = 0; i < 4; i++) {
    bench.pass(5, 1000);
    assert.equal(bench.publisher.holdCount, 1);
  }
  bench.pass(5, 2000);
  assert.equal(bench.publisher.holdCount, 0);
  assert.equal(bench.timers.size, 0);
  assert.equal(bench.flow.heldCount, 1);
});

/** Milliseconds until the publisher is let go by consumers that take three messages every 4 ms. */
function heldMillis(bench: Bench): number {
  let millis = 0;
  for (; bench.publisher.holdCount > 0; millis += 4) bench.pass(4, 3);
  return millis;
}

test('slow consumers hold nobody up for long, and less and less often', () => {
  const bench = new Bench();
  for (const exemptMillis of [25, 50, 100, 200]) {
    bench.flow.consider(bench.queue, bench.publisher);
    assert.equal(bench.publisher.holdCount, 1);
    assert.equal(heldMillis(bench), 20);
    bench.pass(exemptMillis - 1);
    bench.flow.consider(bench.queue, bench.publisher);
    assert.equal(bench.publisher.holdCount, 0);
    bench.pass(1);
  }
});

test('publishers are left alone for eight seconds at most', () => {
  const bench = new Bench();
  for (let i = 0; i < 12; i++) {
    bench.flow.consider(bench.queue, bench.publisher);
    heldMillis(bench);
    bench.pass(8000);
  }
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 1);
});

test('a fast consumer may pause for some milliseconds: the publisher waits, and is not left alone for long afterwards', () => {
  const bench = new Bench();
  bench.flow.consider(bench.queue, bench.publisher);
  for (let i = 0; i < 5; i++) {
    bench.pass(16, 0);
    assert.equal(bench.publisher.holdCount, 1);
    bench.pass(4, 500);
    assert.equal(bench.publisher.holdCount, 1);
  }
  heldMillis(bench);
  bench.pass(25);
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 1);
  assert.equal(bench.timers.size, 1);
});

test('nobody is held for a queue without consumers', () => {
  const bench = new Bench();
  bench.state.consumerCount = 0;
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 0);
});

test('bytes count as messages do', () => {
  const bench = new Bench();
  bench.state.readyCount = 10;
  bench.state.readyBytes = flowBytesHigh + 1_000_000;
  bench.flow.consider(bench.queue, bench.publisher);
  bench.state.readyBytes -= 500_000;
  bench.pass(5);
  assert.equal(bench.publisher.holdCount, 1);
  bench.state.readyBytes = flowBytesHigh / 2;
  bench.pass(5);
  assert.equal(bench.publisher.holdCount, 0);
});

test('a publisher that is held by two queues goes on when both let go', () => {
  const bench = new Bench();
  const other = new Bench();
  bench.flow.consider(bench.queue, bench.publisher);
  bench.flow.consider(other.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 2);
  other.state.counters.deliveredNoAck += 1000;
  bench.pass(5, 6000);
  assert.equal(bench.publisher.holdCount, 1);
});

test('a queue that is deleted lets its publishers go and is forgotten, held up or not', () => {
  for (const isHeld of [true, false]) {
    const bench = new Bench();
    bench.flow.consider(bench.queue, bench.publisher);
    if (!isHeld) heldMillis(bench);
    bench.state.isDeleted = true;
    bench.flow.forgetQueue(bench.queue);
    assert.equal(bench.publisher.holdCount, 0);
    assert.equal(bench.flow.watchedCount, 0);
    bench.pass(1000);
    assert.equal(bench.timers.size, 0);
  }
});

test('a publisher whose connection is gone is not released', () => {
  const bench = new Bench();
  bench.flow.consider(bench.queue, bench.publisher);
  bench.flow.forget(bench.publisher);
  bench.pass(5);
  assert.equal(bench.publisher.holdCount, 1);
});

test('nobody is held for the consumers of a queue that is paused', () => {
  const bench = new Bench();
  bench.state.paused = { sinceMillis: 0, by: 'guest' };
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 0);
  bench.state.paused = null;
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 1);
});
