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

test('slow consumers hold nobody up for long', () => {
  const bench = new Bench();
  bench.flow.consider(bench.queue, bench.publisher);
  bench.pass(5, 3);
  assert.equal(bench.publisher.holdCount, 0);
  // And not again at once.
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 0);
  bench.pass(1000);
  bench.flow.consider(bench.queue, bench.publisher);
  assert.equal(bench.publisher.holdCount, 1);
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
    if (!isHeld) bench.pass(5);
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
