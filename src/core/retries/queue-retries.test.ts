import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { type Field, longstr, long } from '../../base/field-table.ts';
import { Entry, metaRedelivered } from '../queues/entry.ts';
import type { Queue } from '../queues/queue.ts';

function make(
  delays: Field = longstr('100,300,900'),
  more: readonly (readonly [string, Field])[] = [],
): { broker: CoreBroker; queue: Queue } {
  const broker = new CoreBroker();
  return { broker, queue: broker.queue('q', new Map([['x-retry-delays', delays], ...more])) };
}

function taken(queue: Queue): Entry {
  const entry = new Entry();
  assert.ok(queue.take(entry, false), 'there is a message');
  return entry;
}

function retryCount(broker: CoreBroker, entry: Entry): unknown {
  const { store } = broker.core;
  store.locate(entry.ref);
  const headers = broker.core.format(store.format).headers(store.bytes, store.propertiesStart, store.propertiesBytes);
  return headers?.get('x-retry-count')?.value;
}

describe('x-retry-delays', () => {
  test('brings a rejected message back after each delay in turn, then drops it', () => {
    const { broker, queue } = make();
    broker.publish({ key: 'q', body: 'a' });
    let entry = taken(queue);
    assert.equal(retryCount(broker, entry), undefined);
    for (const [index, delay] of [100, 300, 900].entries()) {
      queue.settle(entry, 'rejected');
      assert.deepEqual([queue.readyCount, queue.unackedCount, queue.retries?.heldCount, queue.retries?.heldBytes], [0, 0, 1, 1]);
      broker.advance(delay - 1);
      assert.equal(queue.readyCount, 0, 'not a millisecond early');
      broker.advance(1);
      assert.deepEqual([queue.readyCount, queue.retries?.heldCount, queue.retries?.heldBytes], [1, 0, 0]);
      entry = taken(queue);
      assert.equal(retryCount(broker, entry), index + 1);
      assert.ok((entry.meta & metaRedelivered) !== 0);
    }
    queue.settle(entry, 'rejected');
    broker.advance(10_000);
    assert.deepEqual([queue.messageCount, broker.core.store.liveCount], [0, 0]);
  });

  test('dead-letters the message when the last try fails, with reason rejected', () => {
    const { broker, queue } = make(long(50), [
      ['x-dead-letter-exchange', longstr('')],
      ['x-dead-letter-routing-key', longstr('dead')],
    ]);
    const dead = broker.queue('dead');
    broker.publish({ key: 'q', body: 'a', properties: { headers: new Map([['mine', longstr('kept')]]) } });
    queue.settle(taken(queue), 'rejected');
    broker.advance(50);
    assert.equal(dead.readyCount, 0);
    queue.settle(taken(queue), 'rejected');
    broker.advance(0);
    const entry = taken(dead);
    const { store } = broker.core;
    store.locate(entry.ref);
    const headers = broker.core.format(store.format).headers(store.bytes, store.propertiesStart, store.propertiesBytes);
    assert.deepEqual(
      ['mine', 'x-retry-count', 'x-first-death-reason'].map(name => headers?.get(name)?.value),
      ['kept', 1, 'rejected'],
    );
  });

  test('a message that is put back does not count, nor does a header that its publisher wrote', () => {
    const { broker, queue } = make();
    broker.publish({ key: 'q', properties: { headers: new Map([['x-retry-count', long(3)]]) } });
    queue.settle(taken(queue), 'returned');
    assert.equal(queue.readyCount, 1);
    queue.settle(taken(queue), 'rejected');
    broker.advance(100);
    const entry = taken(queue);
    assert.equal(retryCount(broker, entry), 1);
    queue.settle(entry, 'returned');
    queue.settle(taken(queue), 'rejected');
    broker.advance(299);
    assert.equal(queue.readyCount, 0);
    broker.advance(1);
    assert.equal(retryCount(broker, taken(queue)), 2);
  });

  test('gives each message its place back', () => {
    const { broker, queue } = make();
    for (const body of ['1', '2', '3', '4']) broker.publish({ key: 'q', body });
    const [first, , third] = [taken(queue), taken(queue), taken(queue)] as [Entry, Entry, Entry];
    queue.settle(third, 'rejected');
    queue.settle(first, 'rejected');
    broker.publish({ key: 'q', body: '5' });
    broker.advance(100);
    assert.deepEqual(broker.take(queue), ['1', '3', '4', '5']);
  });

  test('every message counts for itself, and one that was acknowledged is forgotten', () => {
    const { broker, queue } = make();
    broker.publish({ key: 'q', body: 'a' });
    broker.publish({ key: 'q', body: 'b' });
    queue.settle(taken(queue), 'rejected');
    broker.advance(100);
    const [a, b] = [taken(queue), taken(queue)];
    assert.deepEqual([retryCount(broker, a), retryCount(broker, b)], [1, undefined]);
    queue.settle(a, 'accepted');
    queue.settle(b, 'rejected');
    broker.advance(100);
    queue.settle(taken(queue), 'accepted');
    assert.equal(broker.core.store.liveCount, 0);
  });

  test('a policy switches it on and off for a queue that is there', () => {
    const broker = new CoreBroker();
    const queue = broker.queue('q');
    const put = (value: string): void =>
      void broker.core.policies.put('policy', '/', 'p', { pattern: '.*', definition: { 'retry-delays': value }, applyTo: 'queues' });
    put('1s');
    broker.publish({ key: 'q' });
    queue.settle(taken(queue), 'rejected');
    assert.equal(queue.retries?.heldCount, 1);
    broker.core.policies.delete('policy', '/', 'p');
    broker.advance(1000);
    queue.settle(taken(queue), 'rejected');
    assert.deepEqual([queue.messageCount, queue.retries?.heldCount], [0, 0]);
    assert.throws(() => put('tomorrow'), /is not a valid list of retry delays/);
  });

  test('a message whose time to live ends meanwhile expires when it comes back', () => {
    const { broker, queue } = make(long(1000), [
      ['x-message-ttl', long(500)],
      ['x-dead-letter-exchange', longstr('')],
      ['x-dead-letter-routing-key', longstr('dead')],
    ]);
    const dead = broker.queue('dead');
    broker.publish({ key: 'q' });
    queue.settle(taken(queue), 'rejected');
    broker.advance(1000);
    broker.advance(1);
    assert.deepEqual([queue.readyCount, dead.readyCount], [0, 1]);
  });

  test('what waits is not purged, keeps the queue from being deleted as empty, and goes with it', () => {
    const { broker, queue } = make();
    broker.publish({ key: 'q' });
    queue.settle(taken(queue), 'rejected');
    assert.equal(queue.purge(), 0);
    const actor = { isBroker: true, user: '', owner: null } as never;
    assert.throws(() => broker.core.topology.deleteQueue(broker.vhost, 'q', { ifEmpty: true, ifUnused: false }, actor), /not empty/);
    broker.core.topology.deleteQueue(broker.vhost, 'q', { ifEmpty: false, ifUnused: false }, actor);
    assert.equal(broker.core.store.liveCount, 0);
    broker.advance(1000);
    assert.equal(broker.core.counters.internalErrors, 0);
  });

  test('large bodies and bodies in memory that is compacted come back whole', () => {
    const { broker, queue } = make(long(1000));
    const bodies = Array.from({ length: 300 }, (_, i) => `${i}:${'x'.repeat(i === 150 ? 300_000 : 10_000)}`);
    for (const body of bodies) broker.publish({ key: 'q', body });
    const entries = bodies.map(() => taken(queue));
    for (const [index, entry] of entries.entries()) queue.settle(entry, index % 10 === 0 ? 'rejected' : 'accepted');
    broker.core.compactMemory(0);
    broker.advance(1000);
    const { store } = broker.core;
    const seen: string[] = [];
    for (let i = 0; i < 30; i++) {
      const entry = taken(queue);
      store.locate(entry.ref);
      const body =
        store.loose === null
          ? store.bytes.subarray(store.bodyStart, store.bodyStart + store.bodyBytes)
          : (store.loose.body?.toBuffer() ?? Buffer.alloc(0));
      seen.push(body.toString());
      queue.settle(entry, 'accepted');
    }
    assert.deepEqual(
      seen,
      bodies.filter((_, index) => index % 10 === 0),
    );
    assert.equal(store.liveCount, 0);
  });

  test('delays that make no sense are refused at the declaration', () => {
    assert.throws(() => make(longstr('soon')), /invalid arg 'x-retry-delays' for queue 'q' in vhost '\/': "'soon' is no retry delay/);
  });
});

test('the jitter of delays is drawn from the broker, so that a seed repeats it', () => {
  const dueAfter = (seed: number): readonly number[] => {
    const broker = new CoreBroker([], seed);
    const queue = broker.queue('q', new Map([['x-retry-delays', longstr('exponential(first=1h,count=2,jitter=50%)')]]));
    for (let i = 0; i < 5; i++) broker.publish({ key: 'q' });
    for (let i = 0; i < 5; i++) queue.settle(taken(queue), 'rejected');
    return (queue.retries?.list(0, 5) ?? []).map(({ dueMillis }) => dueMillis - broker.core.clock.nowMillis);
  };
  const delays = dueAfter(7);
  assert.equal(new Set(delays).size, 5);
  assert.ok(delays.every(millis => millis >= 1_800_000 && millis <= 5_400_000));
  assert.deepEqual(dueAfter(7), delays);
  assert.notDeepEqual(dueAfter(8), delays);
});

describe('a message that waits to be tried again', () => {
  function waiting(broker: CoreBroker, queue: Queue, ...bodies: string[]): number[] {
    for (const body of bodies) broker.publish({ key: 'q', body });
    for (const _ of bodies) queue.settle(taken(queue), 'rejected');
    return (queue.retries?.list(0, 100) ?? []).map(({ number }) => number);
  }

  test('is listed with those due first at the head, from an offset on', () => {
    const { broker, queue } = make(longstr('100,300'));
    const [a = 0, b = 0, c = 0] = waiting(broker, queue, 'a', 'b', 'c');
    assert.equal(queue.retries?.reschedule(a, broker.core.clock.nowMillis + 500), true);
    assert.deepEqual(
      queue.retries?.list(1, 5).map(({ number, bodyBytes }) => [number, bodyBytes]),
      [
        [c, 1],
        [a, 1],
      ],
    );
    assert.equal(queue.retries?.find(b)?.number, b);
    assert.equal(queue.retries?.retryCountOf(b), 1);
    assert.equal(queue.retries?.find(99_999), null);
  });

  test('comes back when it is told to, now or later, with its count', () => {
    const { broker, queue } = make(longstr('100,300'));
    const [a = 0, b = 0] = waiting(broker, queue, 'a', 'b');
    const { nowMillis } = broker.core.clock;
    assert.equal(queue.retries?.reschedule(a, nowMillis), true);
    assert.equal(queue.retries?.reschedule(b, nowMillis + 1000), true);
    broker.advance(1);
    assert.deepEqual([queue.readyCount, queue.retries?.heldCount], [1, 1]);
    assert.equal(retryCount(broker, taken(queue)), 1);
    broker.advance(998);
    assert.equal(queue.readyCount, 0);
    broker.advance(1);
    assert.equal(queue.readyCount, 1);
    assert.equal(queue.retries?.reschedule(a, nowMillis), false, 'it does not wait any more');
  });

  test('is dropped when it is cancelled, and is no dead letter', () => {
    const { broker, queue } = make(longstr('100,300'), [
      ['x-dead-letter-exchange', longstr('')],
      ['x-dead-letter-routing-key', longstr('dead')],
    ]);
    const dead = broker.queue('dead');
    const [a = 0] = waiting(broker, queue, 'a', 'b');
    assert.equal(queue.retries?.cancel(a), true);
    assert.equal(queue.retries?.cancel(a), false);
    assert.deepEqual([queue.retries?.heldCount, queue.retries?.heldBytes, dead.readyCount], [1, 1, 0]);
    broker.advance(100);
    assert.deepEqual(broker.take(queue), ['b']);
    assert.equal(broker.core.store.liveCount, 0);
  });
});
