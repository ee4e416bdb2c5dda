import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { bool, long, longstr, type Field, type FieldTable } from '../../base/field-table.ts';

const length = (field: Field): FieldTable => new Map([['x-recent-history-length', field]]);

function make(args: FieldTable = new Map()): { broker: CoreBroker; publish: (from: number, to: number, headers?: FieldTable) => void } {
  const broker = new CoreBroker();
  broker.exchange('x', 'x-recent-history', args);
  return {
    broker,
    publish(from, to, headers) {
      for (let i = from; i <= to; i++)
        broker.publish({ exchange: 'x', key: `k${i}`, body: String(i), properties: headers === undefined ? {} : { headers } });
    },
  };
}

describe('x-recent-history', () => {
  test('a queue that is bound gets the last twenty messages, oldest first, and then all', () => {
    const { broker, publish } = make();
    publish(1, 30);
    const queue = broker.queue('q');
    broker.bind('x', queue, 'any');
    publish(31, 32);
    assert.deepEqual(
      broker.take(queue),
      Array.from({ length: 22 }, (_, i) => String(11 + i)),
    );
  });

  test('the length is an argument, a positive integer', () => {
    const { broker, publish } = make(length(long(3)));
    publish(1, 5);
    const queue = broker.queue('q');
    broker.bind('x', queue);
    assert.deepEqual(broker.take(queue), ['3', '4', '5']);
    const texts: [Field, string][] = [
      [long(0), '0'],
      [long(-1), '-1'],
      [longstr('5'), '<<"5">>'],
      [bool(true), 'true'],
    ];
    for (const [field, shown] of texts)
      assert.throws(() => make(length(field)), {
        code: 'PRECONDITION_FAILED',
        text: `Invalid argument ${shown}, 'x-recent-history-length' must be a positive integer`,
      });
  });

  test('a message that says so is routed but not kept', () => {
    const { broker, publish } = make();
    const first = broker.queue('first');
    broker.bind('x', first);
    publish(1, 1);
    publish(2, 2, new Map([['x-recent-history-no-store', bool(true)]]));
    publish(3, 3, new Map([['x-recent-history-no-store', bool(false)]]));
    assert.deepEqual(broker.take(first), ['1', '2', '3']);
    const second = broker.queue('second');
    broker.bind('x', second);
    assert.deepEqual(broker.take(second), ['1', '3']);
  });

  test('every new binding brings the history again, a repeated one does not', () => {
    const { broker, publish } = make();
    publish(1, 1);
    const queue = broker.queue('q');
    broker.bind('x', queue, 'a');
    broker.bind('x', queue, 'a');
    assert.deepEqual(broker.take(queue), ['1']);
    broker.bind('x', queue, 'b');
    assert.deepEqual(broker.take(queue), ['1']);
  });

  test('an exchange that is bound routes the history by its own rule and the keys of the messages', () => {
    const { broker, publish } = make();
    publish(1, 3);
    const next = broker.exchange('next', 'direct');
    const queue = broker.queue('q');
    broker.bind('next', queue, 'k2');
    broker.bind('x', next);
    assert.deepEqual(broker.take(queue), ['2']);
  });

  test('keys, properties and priority are those of the message', () => {
    const broker = new CoreBroker();
    broker.exchange('x', 'x-recent-history');
    const queue = broker.queue('q', new Map([['x-max-priority', long(5)]]));
    broker.publish({ exchange: 'x', key: 'low', body: 'low', properties: { priority: 1, messageId: 'a' } });
    broker.publish({ exchange: 'x', key: 'high', body: 'high', properties: { priority: 3 } });
    broker.bind('x', queue);
    assert.deepEqual(broker.take(queue), ['high', 'low']);
  });

  test('what was kept is a copy, and old messages are let go', () => {
    const { broker, publish } = make(length(long(5)));
    publish(1, 10_000);
    const queue = broker.queue('q');
    broker.bind('x', queue);
    assert.deepEqual(broker.take(queue), ['9996', '9997', '9998', '9999', '10000']);
    assert.equal(broker.core.store.liveCount, 0);
  });

  test('large messages push out old ones before the length is reached', () => {
    const { broker } = make(length(long(1_000_000)));
    const body = 'b'.repeat(10 * 1024 * 1024);
    for (let i = 0; i < 10; i++) broker.publish({ exchange: 'x', body });
    const queue = broker.queue('q');
    broker.bind('x', queue);
    assert.equal(queue.readyCount, 6);
  });
});
