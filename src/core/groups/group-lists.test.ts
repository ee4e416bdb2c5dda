import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import { array, type Field, long, longstr } from '../../base/field-table.ts';
import { Consumer, type ConsumerOptions, SharedPrefetch } from '../consumer.ts';
import type { DeliverySink } from '../delivery-sink.ts';
import { Entry } from '../queues/entry.ts';
import type { Queue } from '../queues/queue.ts';
import { quorumQueueType } from '../queues/quorum-queue-type.ts';
import { groupKey } from './group-key.ts';
import { parkedGroupsMax } from './group-table.ts';

/** A consumer that keeps what it gets. */
class Worker implements DeliverySink {
  canTake = true;
  readonly consumer: Consumer;
  readonly #broker: CoreBroker;
  readonly entries: Entry[] = [];
  readonly bodies: string[] = [];

  constructor(broker: CoreBroker, queue: Queue, options: Partial<ConsumerOptions> = {}) {
    this.#broker = broker;
    const given = { tag: 'w', noAck: false, isExclusive: false, priority: 0, prefetchCount: 1, arguments: new Map(), ...options };
    this.consumer = new Consumer(queue, this, new SharedPrefetch(), given);
    queue.attach(this.consumer);
  }

  deliver(_consumer: Consumer, entry: Entry): void {
    const { store } = this.#broker.core;
    store.locate(entry.ref);
    this.bodies.push(store.bytes.toString('utf8', store.bodyStart, store.bodyStart + store.bodyBytes));
    if (!this.consumer.noAck) this.entries.push(Object.assign(new Entry(), entry));
  }

  cancelled(): void {}

  settle(outcome: 'accepted' | 'rejected' | 'returned' = 'accepted'): void {
    const entry = this.entries.shift() ?? assert.fail('nothing to settle');
    this.consumer.queue.settle(entry, outcome);
    this.consumer.gaveBack(1);
    this.#broker.advance(0);
  }
}

function make(...more: readonly (readonly [string, Field])[]): { broker: CoreBroker; queue: Queue; send: (...bodies: string[]) => void } {
  const broker = new CoreBroker();
  const queue = broker.queue('q', new Map([['x-group-header', longstr('key')], ...more]));
  /** 'a1' is of group a; '-1' of none. */
  const send = (...bodies: string[]): void => {
    for (const body of bodies) {
      const key = body[0] as string;
      broker.publish({ key: 'q', body, properties: key === '-' ? {} : { headers: new Map([['key', longstr(key)]]) } });
    }
    broker.advance(0);
  };
  return { broker, queue, send };
}

describe('message groups', () => {
  test('one consumer has a key as long as it has unacknowledged messages of it; others get the other keys', () => {
    const { broker, queue, send } = make();
    const [first, second] = [new Worker(broker, queue), new Worker(broker, queue)];
    send('a1', 'a2', 'b1', 'a3', 'b2');
    assert.deepEqual([first.bodies, second.bodies], [['a1'], ['b1']]);
    second.settle();
    assert.deepEqual(second.bodies, ['b1', 'b2'], 'a2 waits for a1');
    second.settle();
    assert.equal(second.bodies.length, 2);
    first.settle();
    assert.deepEqual(first.bodies.concat(second.bodies).sort(), ['a1', 'a2', 'b1', 'b2']);
    assert.equal(queue.readyCount, 1);
  });

  test('who has the key gets what comes behind, as far as it has credit', () => {
    const { broker, queue, send } = make();
    const first = new Worker(broker, queue, { prefetchCount: 2 });
    const second = new Worker(broker, queue, { prefetchCount: 2 });
    send('a1', 'a2', 'a3', 'a4');
    assert.deepEqual([first.bodies, second.bodies], [['a1', 'a2'], []]);
    first.settle();
    assert.deepEqual([first.bodies, second.bodies], [['a1', 'a2', 'a3'], []]);
  });

  test('messages without a key go to anybody', () => {
    const { broker, queue, send } = make();
    const workers = [new Worker(broker, queue), new Worker(broker, queue)];
    send('-1', '-2', '-3');
    assert.deepEqual(
      workers.map(({ bodies }) => bodies),
      [['-1'], ['-2']],
    );
  });

  test('a message that comes back is the first of its group again', () => {
    const { broker, queue, send } = make();
    const first = new Worker(broker, queue, { prefetchCount: 3 });
    send('a1', 'a2', 'a3', 'a4');
    assert.deepEqual(first.bodies, ['a1', 'a2', 'a3']);
    const second = new Worker(broker, queue, { prefetchCount: 10 });
    queue.detach(first.consumer);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(second.bodies, [], 'the group is not free yet');
      first.settle('returned');
    }
    assert.deepEqual(second.bodies, ['a1', 'a2', 'a3', 'a4']);
  });

  test('a consumer that is cancelled keeps its groups until it has acknowledged', () => {
    const { broker, queue, send } = make();
    const [first, second] = [new Worker(broker, queue), new Worker(broker, queue)];
    send('a1', 'a2');
    queue.detach(first.consumer);
    broker.advance(0);
    assert.deepEqual(second.bodies, []);
    first.settle();
    assert.deepEqual(second.bodies, ['a2']);
  });

  test('a rejected message that is to be tried again holds up those behind it', () => {
    const { broker, queue, send } = make(['x-retry-delays', long(100)]);
    const [first, second] = [new Worker(broker, queue), new Worker(broker, queue)];
    send('a1', 'a2', 'b1');
    first.settle('rejected');
    second.settle();
    assert.deepEqual([first.bodies, second.bodies], [['a1'], ['b1']]);
    broker.advance(100);
    first.settle('rejected');
    assert.deepEqual(first.bodies.concat(second.bodies).sort(), ['a1', 'a1', 'a2', 'b1'], 'after the last try the next one goes on');
  });

  test('a message that is cancelled while it waits to be tried again lets those behind it go', () => {
    const { broker, queue, send } = make(['x-retry-delays', long(60_000)]);
    const worker = new Worker(broker, queue);
    send('a1', 'a2');
    worker.settle('rejected');
    assert.deepEqual(worker.bodies, ['a1']);
    const [waiting] = queue.retries?.list(0, 1) ?? [];
    assert.equal(queue.retries?.cancel(waiting?.number ?? -1), true);
    broker.advance(1);
    assert.deepEqual(worker.bodies, ['a1', 'a2']);
    worker.settle();
    assert.deepEqual([queue.groups?.table.size, broker.core.store.liveCount], [0, 0]);
  });

  test('who gets single messages has their groups, too', () => {
    const { broker, queue, send } = make();
    send('a1', 'b1', 'a2');
    const got = new Entry();
    assert.ok(queue.take(got, false));
    const worker = new Worker(broker, queue, { prefetchCount: 9 });
    broker.advance(0);
    assert.deepEqual(worker.bodies, ['b1']);
    const second = new Entry();
    assert.ok(queue.take(second, true), 'getters have the group together');
    assert.equal(queue.take(second, true), false);
    queue.settle(got, 'returned');
    broker.advance(0);
    assert.deepEqual(worker.bodies, ['b1', 'a1']);
  });

  test('consumers without acknowledgements get messages in order and own nothing', () => {
    const { broker, queue, send } = make();
    const worker = new Worker(broker, queue, { noAck: true });
    send('a1', 'b1', 'a2', '-1', 'a3');
    assert.deepEqual(worker.bodies, ['a1', 'b1', 'a2', '-1', 'a3']);
    assert.deepEqual([queue.groups?.table.size, broker.core.store.liveCount], [0, 0]);
  });

  test('a message that comes back too often parks its group until somebody lets it go on', () => {
    const { broker, queue, send } = make(['x-group-park-after', long(2)]);
    const worker = new Worker(broker, queue);
    send('a1', 'a2', 'b1');
    worker.settle('returned');
    assert.deepEqual(worker.bodies, ['a1', 'a1']);
    worker.settle('returned');
    assert.deepEqual(worker.bodies, ['a1', 'a1', 'b1'], 'group a is parked');
    worker.settle();
    assert.equal(queue.readyCount, 2);
    const group = queue.groups?.table.get('a') ?? assert.fail();
    assert.ok(group.isParked);
    queue.groups?.table.park(group, false);
    broker.core.turn.queueReady(queue);
    broker.advance(0);
    assert.deepEqual(worker.bodies.at(-1), 'a1');
    worker.settle();
    worker.settle();
    assert.deepEqual([worker.bodies.at(-1), queue.groups?.table.size, broker.core.store.liveCount], ['a2', 0, 0]);
  });

  test('of parked groups without messages only so many are kept, those that were parked last', () => {
    const { broker, queue, send } = make();
    const groups = queue.groups ?? assert.fail();
    send('a1');
    groups.table.park(groups.table.get('a') ?? assert.fail(), true);
    for (let i = 1; i < parkedGroupsMax; i++) groups.table.restorePark(`empty${i}`, true);
    assert.equal(groups.table.size, parkedGroupsMax);
    const changes: string[] = [];
    groups.table.onPark = (key, isParked) => changes.push(`${key} ${isParked}`);
    send('b1');
    groups.table.park(groups.table.get('b') ?? assert.fail(), true);
    assert.deepEqual(changes, ['b true', 'empty1 false'], 'a group with messages stays parked');
    assert.equal(groups.table.size, parkedGroupsMax);
    groups.table.park(groups.table.get('b') ?? assert.fail(), true);
    assert.equal(changes.length, 2);
    const worker = new Worker(broker, queue, { prefetchCount: 9 });
    broker.advance(0);
    assert.deepEqual(worker.bodies, []);
  });

  test('what is parked stays parked in a queue of another shape that has groups by the same header', () => {
    const { broker, queue, send } = make();
    send('a1', 'b1');
    queue.groups?.table.park(queue.groups.table.get('a') ?? assert.fail(), true);
    const shape = (...args: [string, Field][]): void => {
      assert.equal(broker.vhost.reshapeQueue(queue, quorumQueueType, new Map(args))?.outcome?.queue, queue);
    };
    shape(['x-queue-type', longstr('quorum')], ['x-group-header', longstr('key')]);
    const worker = new Worker(broker, queue, { prefetchCount: 9 });
    broker.advance(0);
    assert.deepEqual(worker.bodies, ['b1']);
    shape(['x-queue-type', longstr('quorum')], ['x-group-header', longstr('other')]);
    broker.advance(0);
    assert.deepEqual(worker.bodies, ['b1', 'a1']);
  });

  test('expiry, limits, purge and deletion of single messages leave no traces', () => {
    const { broker, queue, send } = make(['x-message-ttl', long(100)], ['x-max-length', long(3)]);
    send('a1', 'a2', 'b1', 'a3');
    assert.equal(queue.readyCount, 3, 'a1 was dropped');
    const worker = new Worker(broker, queue);
    broker.advance(0);
    assert.deepEqual(worker.bodies, ['a2']);
    broker.advance(101);
    assert.equal(queue.readyCount, 0);
    worker.settle();
    send('c1');
    assert.deepEqual(worker.bodies, ['a2', 'c1']);
    send('c2', 'd1');
    queue.purge();
    worker.settle();
    send('e1');
    assert.deepEqual(worker.bodies, ['a2', 'c1', 'e1']);
    worker.settle();
    assert.deepEqual([queue.groups?.table.size, broker.core.store.liveCount], [0, 0]);
  });

  test('a queue that drops its head for ever without a consumer does not grow', () => {
    const { broker, queue } = make(['x-max-length', long(10)]);
    for (let i = 0; i < 20_000; i++)
      broker.publish({ key: 'q', body: 'x', properties: { headers: new Map([['key', longstr(`k${i % 500}`)]]) } });
    let places = 0;
    for (const group of queue.groups?.table.all() ?? []) places += group.placeCount;
    assert.ok(places < 5000, `${places} places`);
    assert.ok((queue.groups?.table.size ?? 0) <= 500);
  });

  test('quorum queues have them as well', () => {
    const { broker, queue, send } = make(['x-queue-type', longstr('quorum')]);
    const [first, second] = [new Worker(broker, queue), new Worker(broker, queue)];
    send('a1', 'a2', 'b1');
    assert.deepEqual([queue.type.name, first.bodies, second.bodies], ['quorum', ['a1'], ['b1']]);
  });

  test('arguments that make no sense are refused', () => {
    assert.throws(() => make(['x-max-priority', long(5)]), /invalid arg 'x-group-header'.*no priorities/);
    assert.throws(() => make(['x-group-park-after', long(0)]), /value_zero/);
    const broker = new CoreBroker();
    for (const [name, value] of [
      ['x-group-header', longstr('')],
      ['x-group-header', long(1)],
      ['x-group-header', longstr('h'.repeat(256))],
      ['x-group-park-after', long(1)],
    ] as const)
      assert.throws(() => broker.queue('y', new Map([[name, value]])), /invalid arg/);
  });
});

test('keys are texts, numbers and the like; long ones are known by their hash', () => {
  const key = (field: Field): string | null => groupKey(new Map([['k', field]]), 'k');
  assert.deepEqual([key(longstr('x')), key(long(5)), key(longstr('5')), key({ type: 't', value: true })], ['x', '5', '5', 'true']);
  assert.match(key(longstr('l'.repeat(201))) ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.match(key({ type: 'x', value: Buffer.from('b') }) ?? '', /^sha256:/);
  assert.deepEqual(
    [key(array([])), key({ type: 'V', value: null }), groupKey(null, 'k'), groupKey(new Map(), 'k')],
    [null, null, null, null],
  );
});
