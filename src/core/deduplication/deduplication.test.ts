import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { array, bool, type Field, type FieldTable, int, long, longstr, table } from '../../base/field-table.ts';
import { Entry } from '../queues/entry.ts';
import type { Queue } from '../queues/queue.ts';
import { RecentValues } from './recent-values.ts';

type Args = Record<string, Field>;
const tableOf = (args: Args): FieldTable => new Map(Object.entries(args));

function send(broker: CoreBroker, where: { exchange?: string; key?: string }, value: Field | null, body = '', more: Args = {}): number {
  const headers: FieldTable = tableOf({ ...(value === null ? {} : { 'x-deduplication-header': value }), ...more });
  return broker.publish({ ...where, body, properties: { headers } });
}

describe('an exchange that drops duplicates', () => {
  function make(
    args: Args,
    type = 'x-message-deduplication',
  ): { broker: CoreBroker; queue: Queue; sent: (value: Field | null, more?: Args) => boolean } {
    const broker = new CoreBroker();
    broker.exchange('x', type, tableOf(args));
    const queue = broker.queue('q');
    broker.bind('x', queue, 'k');
    return {
      broker,
      queue,
      sent: (value, more = {}) => {
        assert.equal(send(broker, { exchange: 'x', key: 'k' }, value, '', more), 1, 'a duplicate counts as routed');
        return broker.take(queue).length === 1;
      },
    };
  }

  test('lets each value pass once, and messages without one always', () => {
    const { sent } = make({ 'x-cache-size': long(10) });
    assert.deepEqual(
      [sent(longstr('a')), sent(longstr('a')), sent(longstr('b')), sent(longstr('a')), sent(null), sent(null)],
      [true, false, true, false, true, true],
    );
  });

  test('tells values of different types apart, and integers of different widths not', () => {
    const { sent } = make({ 'x-cache-size': long(100) });
    assert.deepEqual(
      [sent(longstr('1')), sent(long(1)), sent(int(1)), sent(bool(true)), sent(bool(true)), sent(longstr('true'))],
      [true, true, false, true, false, true],
    );
    const long1 = 'x'.repeat(500);
    assert.deepEqual([sent(longstr(long1)), sent(longstr(`${long1}y`)), sent(longstr(long1))], [true, true, false]);
    for (const none of [array([longstr('a')]), table(new Map())]) assert.deepEqual([sent(none), sent(none)], [true, true]);
  });

  test('remembers as many values as its size says, the oldest go', () => {
    const { sent } = make({ 'x-cache-size': long(3) });
    for (const value of ['a', 'b', 'c', 'd']) assert.equal(sent(longstr(value)), true);
    assert.deepEqual(
      [sent(longstr('b')), sent(longstr('c')), sent(longstr('d')), sent(longstr('a')), sent(longstr('b'))],
      [false, false, false, true, true],
    );
  });

  test('remembers values as long as its time to live says, or the message', () => {
    const { broker, sent } = make({ 'x-cache-size': long(10), 'x-cache-ttl': long(1000) });
    assert.equal(sent(longstr('a')), true);
    assert.equal(sent(longstr('b'), { 'x-cache-ttl': long(100) }), true);
    assert.equal(sent(longstr('c'), { 'x-cache-ttl': longstr('nonsense') }), true);
    broker.advance(100);
    assert.deepEqual([sent(longstr('a')), sent(longstr('b')), sent(longstr('c'))], [false, true, false]);
    broker.advance(899);
    assert.equal(sent(longstr('a')), false, 'a duplicate does not prolong it');
    broker.advance(1);
    assert.equal(sent(longstr('a')), true);
  });

  test('can be of any type', () => {
    const { broker, queue, sent } = make({ 'x-message-deduplication': bool(true) }, 'direct');
    assert.deepEqual([sent(longstr('a')), sent(longstr('a')), sent(longstr('b'))], [true, false, true]);
    send(broker, { exchange: 'x', key: 'elsewhere' }, longstr('c'));
    assert.equal(queue.readyCount, 0);
    const off = make({ 'x-message-deduplication': bool(false) }, 'direct');
    assert.deepEqual([off.sent(longstr('a')), off.sent(longstr('a'))], [true, true]);
  });

  test('can look at another header', () => {
    const { broker, queue } = make({ 'x-cache-size': long(5), 'x-deduplication-header': longstr('order') });
    for (let i = 0; i < 2; i++) send(broker, { exchange: 'x' }, null, '', { order: long(7) });
    assert.equal(queue.readyCount, 1);
  });

  test('does not drop a message that it held itself', () => {
    const broker = new CoreBroker();
    broker.exchange('x', 'x-delayed-message', tableOf({ 'x-delayed-type': longstr('fanout'), 'x-message-deduplication': bool(true) }));
    const queue = broker.queue('q');
    broker.bind('x', queue);
    for (let i = 0; i < 3; i++) send(broker, { exchange: 'x' }, longstr('a'), 'm', { 'x-delay': long(10) });
    broker.advance(10);
    assert.deepEqual(broker.take(queue), ['m']);
  });

  test('needs arguments that make sense', () => {
    const declare =
      (args: Args, type = 'x-message-deduplication') =>
      () =>
        make(args, type);
    assert.throws(declare({}), {
      code: 'PRECONDITION_FAILED',
      text: "Missing or invalid argument, 'x-cache-size' must be an integer greater than 0",
    });
    for (const size of [long(0), long(-1), longstr('many'), bool(true)])
      assert.throws(declare({ 'x-cache-size': size }), { text: "Invalid argument, 'x-cache-size' must be an integer greater than 0" });
    const size = { 'x-cache-size': longstr('10') };
    assert.throws(declare({ ...size, 'x-cache-ttl': long(0) }), {
      text: "Invalid argument, 'x-cache-ttl' must be an integer greater than 0",
    });
    assert.throws(declare({ ...size, 'x-cache-persistence': longstr('paper') }), {
      text: "Invalid argument, 'x-cache-persistence' must be either 'disk' or 'memory'",
    });
    for (const persistence of ['disk', 'memory']) assert.doesNotThrow(declare({ ...size, 'x-cache-persistence': longstr(persistence) }));
    assert.throws(declare({ 'x-message-deduplication': longstr('yes') }, 'fanout'), {
      text: "Invalid argument, 'x-message-deduplication' must be a boolean",
    });
    assert.throws(declare({ 'x-message-deduplication': bool(true), 'x-cache-size': long(0) }, 'fanout'), { code: 'PRECONDITION_FAILED' });
  });
});

describe('a queue that drops duplicates', () => {
  function make(args: Args = {}): { broker: CoreBroker; queue: Queue; send: (value: Field | null, body?: string) => boolean } {
    const broker = new CoreBroker();
    const queue = broker.queue('q', tableOf({ 'x-message-deduplication': bool(true), ...args }));
    return {
      broker,
      queue,
      send: (value, body = '') => {
        const before = queue.counters.published;
        assert.equal(send(broker, { key: 'q' }, value, body), 1, 'a duplicate counts as routed');
        return queue.counters.published > before;
      },
    };
  }

  function take(queue: Queue): Entry {
    const entry = new Entry();
    assert.ok(queue.take(entry, false));
    return entry;
  }

  test('takes a value once as long as it holds it, acknowledged or not', () => {
    const { queue, send } = make();
    assert.deepEqual([send(longstr('a')), send(longstr('a')), send(longstr('b')), send(null), send(null)], [true, false, true, true, true]);
    assert.equal(queue.readyCount, 4);
    const entry = take(queue);
    assert.equal(send(longstr('a')), false, 'it is delivered but not acknowledged');
    queue.settle(entry, 'returned');
    assert.equal(send(longstr('a')), false);
    queue.settle(take(queue), 'accepted');
    assert.equal(send(longstr('a')), true);
    assert.equal(queue.deduplication?.droppedCount, 3);
  });

  test('forgets values with messages that are got, purged, expired or dropped', () => {
    const { broker, queue, send } = make({ 'x-message-ttl': long(100), 'x-max-length': long(2) });
    send(longstr('a'));
    broker.take(queue);
    assert.equal(send(longstr('a')), true);
    queue.purge();
    assert.equal(send(longstr('a')), true);
    broker.advance(200);
    assert.equal(queue.readyCount, 0);
    assert.equal(send(longstr('a')), true);
    send(longstr('b'));
    send(longstr('c'));
    broker.advance(0);
    assert.equal(send(longstr('a')), true);
  });

  test('a message that comes back to it as a dead letter is no duplicate of itself', () => {
    const { broker, queue, send } = make({ 'x-dead-letter-exchange': longstr('') });
    for (let round = 0; round < 3; round++) {
      if (round === 0) send(longstr('a'), 'm');
      queue.settle(take(queue), 'rejected');
      broker.advance(0);
      assert.equal(queue.readyCount, 1);
      assert.equal(send(longstr('a')), false);
    }
    assert.deepEqual(broker.take(queue), ['m']);
    assert.equal(send(longstr('a')), true);
  });

  test('with a cache remembers that many values for that long, consumed or not', () => {
    const { broker, queue, send } = make({ 'x-cache-size': long(2), 'x-cache-ttl': long(1000) });
    assert.equal(send(longstr('a')), true);
    broker.take(queue);
    assert.equal(send(longstr('a')), false);
    assert.deepEqual([send(longstr('b')), send(longstr('c')), send(longstr('a'))], [true, true, true]);
    broker.advance(1000);
    assert.deepEqual([send(longstr('c')), send(longstr('c'))], [true, false]);
  });

  test('takes a value that it refused for want of room', () => {
    const { broker, queue, send } = make({ 'x-max-length': long(1), 'x-overflow': longstr('reject-publish') });
    assert.equal(send(longstr('a')), true);
    assert.equal(send(longstr('b')), false);
    broker.take(queue);
    assert.equal(send(longstr('b')), true);
  });

  test('drops by itself what other queues of the route take', () => {
    const { broker, queue } = make();
    const plain = broker.queue('plain');
    broker.exchange('x', 'fanout');
    broker.bind('x', queue);
    broker.bind('x', plain);
    for (let i = 0; i < 3; i++) assert.equal(send(broker, { exchange: 'x' }, longstr('a')), 2);
    assert.deepEqual([queue.readyCount, plain.readyCount], [1, 3]);
  });

  test('tells messages of different priorities apart', () => {
    const { broker, queue } = make({ 'x-max-priority': long(5) });
    for (const priority of [0, 3]) {
      const headers = tableOf({ 'x-deduplication-header': long(priority) });
      for (let i = 0; i < 2; i++) broker.publish({ key: 'q', properties: { headers, priority } });
    }
    assert.equal(queue.readyCount, 2);
    const entry = take(queue);
    queue.settle(entry, 'accepted');
    const headers = tableOf({ 'x-deduplication-header': long(0) });
    broker.publish({ key: 'q', properties: { headers } });
    assert.equal(queue.readyCount, 1, 'the message of the other priority is still there');
  });

  test('needs arguments that make sense', () => {
    assert.throws(() => make({ 'x-message-deduplication': long(1) }), { code: 'PRECONDITION_FAILED' });
    assert.throws(() => make({ 'x-cache-size': long(0) }), { text: "Invalid argument, 'x-cache-size' must be an integer greater than 0" });
  });
});

test('a memory of values does not grow with values that are over', () => {
  const values = new RecentValues(1_000_000, 100);
  for (let i = 0; i < 50_000; i++) values.add(`v${i}`, i, null);
  assert.ok(values.size <= 101, String(values.size));
  const few = new RecentValues(10, Infinity);
  for (let i = 0; i < 50_000; i++) few.add(`v${i % 13}`, 0, null);
  assert.equal(few.size, 10);
  const mixed = new RecentValues(1000, Infinity);
  mixed.add('stays', 0, null);
  for (let i = 0; i < 50_000; i++) mixed.add('comes again', i, 1);
  assert.ok(mixed.bookedCount < 3000, String(mixed.bookedCount));
  assert.equal(mixed.has('stays', 50_000), true);
});
