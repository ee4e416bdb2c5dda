import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { type Field, longstr } from '../../base/field-table.ts';
import { Consumer, SharedPrefetch } from '../consumer.ts';
import type { DeliverySink } from '../delivery-sink.ts';
import { Entry } from './entry.ts';
import type { Queue } from './queue.ts';

const single: readonly (readonly [string, Field])[] = [['x-single-active-consumer', { type: 't', value: true }]];
const quorum = [...single, ['x-queue-type', longstr('quorum')]] as const;

/** A consumer that keeps what it gets, two at most. */
class Worker implements DeliverySink {
  canTake = true;
  readonly consumer: Consumer;
  readonly #queue: Queue;
  readonly held: Entry[] = [];

  constructor(queue: Queue, priority: number) {
    const options = { tag: `p${priority}`, noAck: false, isExclusive: false, priority, prefetchCount: 2, arguments: new Map() };
    this.#queue = queue;
    this.consumer = new Consumer(queue, this, new SharedPrefetch(), options);
    queue.attach(this.consumer);
  }

  deliver(_consumer: Consumer, entry: Entry): void {
    this.held.push(Object.assign(new Entry(), entry));
  }

  cancelled(): void {}

  settle(): void {
    this.#queue.settle(this.held.shift() ?? assert.fail('nothing to settle'), 'accepted');
    this.consumer.gaveBack(1);
  }
}

function make(args: readonly (readonly [string, Field])[]): { broker: CoreBroker; queue: Queue; send: (count: number) => void } {
  const broker = new CoreBroker();
  const queue = broker.queue('q', new Map(args));
  const send = (count: number): void => {
    for (let i = 0; i < count; i++) broker.publish({ key: 'q', body: 'm' });
    broker.advance(0);
  };
  return { broker, queue, send };
}

describe('a single active consumer', () => {
  test('of a quorum queue gives way to one of a higher priority when it has settled what it has', () => {
    const { broker, queue, send } = make(quorum);
    const low = new Worker(queue, 1);
    send(5);
    assert.equal(low.held.length, 2);
    const high = new Worker(queue, 5);
    const equal = new Worker(queue, 5);
    const held = (): number[] => {
      broker.advance(0);
      return [low, high, equal].map(worker => worker.held.length);
    };
    assert.deepEqual(held(), [2, 0, 0]);
    low.settle();
    assert.deepEqual(held(), [1, 0, 0], 'it gets nothing more');
    low.settle();
    assert.deepEqual(held(), [0, 2, 0], 'the first of those of the highest priority is active');
    assert.deepEqual(
      [low, high, equal].map(worker => worker.consumer.isActive),
      [false, true, false],
    );
    queue.detach(high.consumer);
    assert.deepEqual(held(), [0, 2, 1]);
  });

  test('of a quorum queue gives way at once when it has nothing', () => {
    const { broker, queue, send } = make(quorum);
    const low = new Worker(queue, 0);
    const high = new Worker(queue, 1);
    const lower = new Worker(queue, -1);
    send(1);
    broker.advance(0);
    assert.deepEqual([low.held.length, high.held.length, lower.held.length], [0, 1, 0]);
  });

  test('that is leaving stays when the one of a higher priority goes, and is replaced when it goes itself', () => {
    const { broker, queue, send } = make(quorum);
    const low = new Worker(queue, 1);
    send(6);
    const high = new Worker(queue, 2);
    queue.detach(high.consumer);
    assert.equal(low.consumer.isActive, false, 'until it has settled what it has');
    low.settle();
    low.settle();
    broker.advance(0);
    assert.deepEqual([low.held.length, low.consumer.isActive], [2, true]);
    const other = new Worker(queue, 3);
    queue.detach(low.consumer);
    broker.advance(0);
    assert.equal(other.held.length, 2, 'a consumer that is gone is not waited for');
  });

  test('of a classic queue stays, and the one of the highest priority follows it', () => {
    const { broker, queue, send } = make(single);
    const first = new Worker(queue, 1);
    const second = new Worker(queue, 2);
    const third = new Worker(queue, 3);
    send(1);
    assert.deepEqual([first.held.length, second.held.length, third.held.length], [1, 0, 0]);
    queue.detach(first.consumer);
    send(1);
    broker.advance(0);
    assert.deepEqual([second.held.length, third.held.length], [0, 1]);
  });
});
