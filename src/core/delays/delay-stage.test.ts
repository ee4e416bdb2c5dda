import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { array, bool, type Field, type FieldTable, int, long, longstr } from '../../base/field-table.ts';
import { fromDeadLetter } from '../messages/publication.ts';
import type { Queue } from '../queues/queue.ts';
import { Entry } from '../queues/entry.ts';

function make(inner = 'direct'): {
  broker: CoreBroker;
  queue: Queue;
  held: () => number;
  send: (delay: Field | null, body: string, key?: string) => number;
} {
  const broker = new CoreBroker();
  const exchange = broker.exchange('x', 'x-delayed-message', new Map([['x-delayed-type', longstr(inner)]]));
  const queue = broker.queue('q');
  broker.bind('x', queue, 'k');
  return {
    broker,
    queue,
    held: () => exchange.delay?.held.count ?? -1,
    send: (delay, body, key = 'k') =>
      broker.publish({ exchange: 'x', key, body, properties: delay === null ? {} : { headers: new Map([['x-delay', delay]]) } }),
  };
}

describe('x-delayed-message', () => {
  test('holds a message for its time, not a millisecond less, and counts it in no queue', () => {
    const { broker, queue, held, send } = make();
    assert.equal(send(long(1000), 'a'), 1, 'it is not unroutable');
    assert.deepEqual([held(), queue.readyCount], [1, 0]);
    broker.advance(999);
    assert.deepEqual([held(), queue.readyCount], [1, 0]);
    broker.advance(1);
    assert.deepEqual([held(), queue.readyCount], [0, 1]);
    assert.deepEqual(broker.take(queue), ['a']);
    assert.equal(broker.core.store.liveCount, 0);
  });

  test('releases in the order of time, and of arrival among equal times', () => {
    const { broker, queue, send } = make();
    send(long(300), 'third');
    send(long(100), 'first');
    send(null, 'at once');
    send(long(200), 'second');
    for (let i = 0; i < 50; i++) send(long(400), String(i));
    broker.advance(1000);
    assert.deepEqual(broker.take(queue), ['at once', 'first', 'second', 'third', ...Array.from({ length: 50 }, (_, i) => String(i))]);
  });

  test('takes numbers of every kind, and refuses what is no delay', () => {
    const { broker, queue, held, send } = make();
    for (const delay of [
      int(5),
      long(5),
      { type: 'b', value: 5 },
      { type: 'd', value: 5.9 },
      longstr('5'),
      { type: 'D', value: { scale: 1, value: 50 } },
    ] as Field[])
      assert.equal(send(delay, 'x'), 1);
    assert.equal(held(), 6);
    broker.advance(5);
    assert.equal(queue.readyCount, 6);
    assert.equal(send(long(0), 'now'), 1);
    assert.equal(queue.readyCount, 7);
    assert.equal(send(long(4294967295), 'longest'), 1);
    const refusals: Field[] = [
      long(-1),
      long(4294967296),
      long(10n ** 17n),
      longstr('soon'),
      longstr(''),
      longstr('-5'),
      bool(true),
      { type: 'd', value: Number.NaN },
      { type: 'd', value: Number.POSITIVE_INFINITY },
      { type: 'V', value: null },
      { type: 'T', value: 5 },
      array([long(5)]),
    ];
    for (const delay of refusals) {
      const p = broker.publication({ exchange: 'x', key: 'k', properties: { headers: new Map([['x-delay', delay]]) } });
      const route = broker.vhost.router.route(broker.vhost.exchanges.get('x') ?? assert.fail(), ['k'], p);
      assert.match(route.refusal ?? '', /^invalid header 'x-delay'/, JSON.stringify(delay.type));
    }
    assert.deepEqual([held(), queue.readyCount], [1, 7]);
  });

  test('shows the delay to the consumer with its sign changed', () => {
    const { broker, queue, send } = make();
    send(longstr('250'), 'a');
    broker.advance(250);
    const entry = new Entry();
    assert.ok(queue.take(entry, true));
    const { store } = broker.core;
    store.locate(entry.ref);
    const headers = broker.core.format(store.format).headers(store.bytes, store.propertiesStart, store.propertiesBytes);
    assert.deepEqual(headers?.get('x-delay'), int(-250));
    queue.release(entry);
  });

  test('routes by the bindings there are when the time has come', () => {
    const { broker, queue, send } = make('topic');
    const late = broker.queue('late');
    send(long(100), 'a');
    broker.unbind('x', queue, 'k');
    broker.bind('x', late, '#');
    broker.advance(100);
    assert.deepEqual([broker.take(queue), broker.take(late)], [[], ['a']]);
  });

  test('routes by all keys of the message, and by its headers', () => {
    const broker = new CoreBroker();
    broker.exchange('x', 'x-delayed-message', new Map([['x-delayed-type', longstr('direct')]]));
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    broker.bind('x', a, 'a');
    broker.bind('x', b, 'b');
    const headers: FieldTable = new Map([
      ['x-delay', long(10)],
      ['CC', array([longstr('b')])],
    ]);
    broker.publish({ exchange: 'x', key: 'a', copies: ['b'], body: 'm', properties: { headers } });
    broker.advance(10);
    assert.deepEqual([broker.take(a), broker.take(b)], [['m'], ['m']]);
  });

  test('counts time to live from the release, and keeps the priority', () => {
    const broker = new CoreBroker();
    broker.exchange('x', 'x-delayed-message', new Map([['x-delayed-type', longstr('fanout')]]));
    const queue = broker.queue('q', new Map([['x-max-priority', long(9)]]));
    broker.bind('x', queue);
    const headers: FieldTable = new Map([['x-delay', long(100)]]);
    broker.publish({ exchange: 'x', body: 'low', properties: { headers, priority: 1 } });
    broker.publish({ exchange: 'x', body: 'high', properties: { headers, priority: 5, expiration: '50' } });
    broker.advance(100);
    assert.equal(queue.readyCount, 2);
    broker.advance(49);
    assert.equal(queue.readyCount, 2);
    broker.advance(2);
    assert.deepEqual(broker.take(queue), ['low']);
  });

  test('a message that was held passes at once when it comes back as a dead letter', () => {
    const { broker, queue, held } = make();
    const p = broker.publication({ exchange: 'x', key: 'k', body: 'dead', properties: { headers: new Map([['x-delay', int(-100)]]) } });
    p.origin = fromDeadLetter;
    const exchange = broker.vhost.exchanges.get('x') ?? assert.fail();
    broker.core.publisher.publish(broker.vhost, exchange, broker.vhost.router.route(exchange, ['k'], p), p);
    assert.deepEqual([held(), broker.take(queue)], [0, ['dead']]);
  });

  test('a dead letter that was never held is held: that is how retries are delayed', () => {
    const { broker, queue, held } = make();
    const source = broker.queue(
      'source',
      new Map<string, Field>([
        ['x-dead-letter-exchange', longstr('x')],
        ['x-dead-letter-routing-key', longstr('k')],
      ]),
    );
    broker.publish({ key: 'source', body: 'again', properties: { headers: new Map([['x-delay', long(500)]]) } });
    for (let round = 0; round < 2; round++) {
      const entry = new Entry();
      assert.ok(source.take(entry, false));
      source.settle(entry, 'rejected');
      broker.advance(0);
      assert.equal(held(), 1 - round, 'held the first time, let pass the second');
      broker.advance(500);
      assert.deepEqual(broker.take(queue), ['again']);
      if (round === 0) broker.publish({ key: 'source', body: 'again', properties: { headers: new Map([['x-delay', int(-500)]]) } });
    }
  });

  test('the held can be listed, cancelled and put off', () => {
    const { broker, queue, held, send } = make();
    send(long(300), 'c');
    send(long(100), 'aa');
    send(long(200), 'b');
    const delay = broker.vhost.exchanges.get('x')?.delay ?? assert.fail();
    const now = broker.clock.nowMillis;
    const shown = delay.held.list(0, 10).map(({ number, dueMillis, bodyBytes }) => [number, dueMillis, bodyBytes]);
    assert.deepEqual(shown, [
      [2, now + 100, 2],
      [3, now + 200, 1],
      [1, now + 300, 1],
    ]);
    assert.deepEqual(
      delay.held.list(1, 1).map(({ number }) => number),
      [3],
    );
    assert.equal(delay.cancel(3), true);
    assert.equal(delay.cancel(3), false);
    assert.equal(delay.reschedule(2, now + 400), true);
    assert.equal(delay.reschedule(9, now), false);
    assert.equal(held(), 2);
    broker.advance(350);
    assert.deepEqual(broker.take(queue), ['c']);
    broker.advance(50);
    assert.deepEqual(broker.take(queue), ['aa']);
    assert.deepEqual([delay.held.totalBytes, broker.core.store.liveCount], [0, 0]);
  });

  test('a deleted exchange, or vhost, takes what it holds with it', () => {
    for (const remove of ['exchange', 'vhost'] as const) {
      const { broker, queue, send } = make();
      for (let i = 0; i < 100; i++) send(long(100), 'x');
      if (remove === 'exchange') broker.vhost.removeExchange(broker.vhost.exchanges.get('x') ?? assert.fail());
      else broker.core.deleteVhost('/');
      assert.equal(broker.core.store.liveCount, 0);
      broker.advance(1000);
      assert.equal(queue.readyCount, 0);
    }
  });

  test('memory is compacted around what is held', () => {
    const { broker, queue, send } = make();
    const body = 'b'.repeat(2000);
    for (let i = 0; i < 3000; i++) {
      send(i % 10 === 0 ? long(1000) : null, i % 10 === 0 ? String(i) : body);
    }
    broker.core.topology.purgeQueue(broker.vhost, 'q', { user: '', owner: null, isBroker: true });
    assert.ok(broker.core.compactMemory(0) > 0);
    broker.advance(1000);
    assert.deepEqual(
      broker.take(queue),
      Array.from({ length: 300 }, (_, i) => String(i * 10)),
    );
  });

  test('a hundred thousand that are due at once are released in turns, in order', () => {
    const { broker, queue, send } = make();
    for (let i = 0; i < 100_000; i++) send(long(1000), String(i));
    broker.clock.advance(1000);
    broker.core.turn.run();
    assert.ok(queue.readyCount > 0 && queue.readyCount < 10_000, String(queue.readyCount));
    for (let turn = 0; turn < 200 && queue.readyCount < 100_000; turn++) broker.advance(1);
    assert.deepEqual(
      broker.take(queue),
      Array.from({ length: 100_000 }, (_, i) => String(i)),
    );
  });

  test('the type to route by has to be one', () => {
    const broker = new CoreBroker();
    const declare = (args: FieldTable) => () => broker.exchange('y', 'x-delayed-message', args);
    const text = "Invalid argument, 'x-delayed-type' must be an existing exchange type";
    assert.throws(declare(new Map()), { code: 'PRECONDITION_FAILED', text });
    assert.throws(declare(new Map([['x-delayed-type', long(5)]])), { code: 'PRECONDITION_FAILED', text });
    assert.throws(declare(new Map([['x-delayed-type', longstr('x-delayed-message')]])), { code: 'PRECONDITION_FAILED', text });
    assert.throws(declare(new Map([['x-delayed-type', longstr('nonsense')]])), {
      code: 'COMMAND_INVALID',
      text: "unknown exchange type 'nonsense'",
    });
    assert.throws(
      declare(
        new Map([
          ['x-delayed-type', longstr('x-consistent-hash')],
          ['hash-property', longstr('foo')],
        ]),
      ),
      { text: 'Unsupported property: foo' },
    );
    assert.throws(() => make('x-consistent-hash'), { text: 'The binding key must be an integer: <<"k">>' });
  });
});
