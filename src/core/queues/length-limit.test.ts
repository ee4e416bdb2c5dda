import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { int, longstr } from '../../base/field-table.ts';
import { CoreBroker } from '../../../test/support/core-broker.ts';
import type { Queue, RestorableQueue } from './queue.ts';

const many = 30_000;

class World extends CoreBroker {
  readonly queueOf: Queue;

  /** A queue with very many messages, whose bodies are their numbers. */
  constructor(args: ConstructorParameters<typeof Map<string, ReturnType<typeof longstr>>>[0] = []) {
    super();
    this.queueOf = this.queue('q', new Map(args));
    for (let i = 0; i < many; i++) this.publish({ key: 'q', body: `${i}` });
    this.settle();
    assert.equal(this.queueOf.readyCount, many);
  }

  limit(definition: Record<string, number | string>): void {
    this.core.policies.put('policy', '/', 'short', { pattern: '^q$', definition });
  }

  settle(): void {
    while (this.scheduler.runTurn());
  }
}

describe('a limit that makes a queue much too long', () => {
  test('lets all that is too much go without anybody doing anything, and little of it at once', () => {
    const world = new World();
    world.limit({ 'max-length': 3 });
    let before = world.queueOf.readyCount;
    assert.ok(before >= many - 5000, 'most is still there');
    let turns = 0;
    for (; world.scheduler.runTurn(); turns++) {
      assert.ok(before - world.queueOf.readyCount <= 5000, 'no turn drops very many');
      before = world.queueOf.readyCount;
    }
    assert.ok(turns > many / 5000);
    assert.deepEqual(world.take(world.queueOf), [many - 3, many - 2, many - 1].map(String));
  });

  test('counts bytes as well', () => {
    const world = new World();
    world.limit({ 'max-length-bytes': 12 });
    world.settle();
    assert.deepEqual(world.take(world.queueOf), [many - 2, many - 1].map(String));
  });

  test('dead-letters all of it, in order', () => {
    const world = new World([
      ['x-dead-letter-exchange', longstr('')],
      ['x-dead-letter-routing-key', longstr('dead')],
    ]);
    const dead = world.queue('dead');
    world.limit({ 'max-length': 1 });
    world.settle();
    assert.equal(world.queueOf.readyCount, 1);
    assert.deepEqual(
      world.take(dead),
      Array.from({ length: many - 1 }, (_, i) => `${i}`),
    );
  });

  test('goes on for what is published meanwhile, and keeps the last', () => {
    const world = new World();
    world.limit({ 'max-length': 2 });
    world.publish({ key: 'q', body: 'x' });
    world.scheduler.runTurn();
    world.publish({ key: 'q', body: 'y' });
    assert.ok(world.queueOf.readyCount > 10_000);
    world.settle();
    assert.deepEqual(world.take(world.queueOf), ['x', 'y']);
    for (const body of ['1', '2', '3', '4']) world.publish({ key: 'q', body });
    assert.equal(world.queueOf.readyCount, 2, 'it is enforced at once again');
  });

  test('stops where another limit says so, or none', () => {
    const definitions: Record<string, number | string>[] = [
      { 'max-length': 10_000 },
      { 'message-ttl': 1_000_000 },
      { 'max-length': 5, overflow: 'reject-publish' },
    ];
    for (const definition of definitions) {
      const world = new World();
      world.limit({ 'max-length': 2 });
      world.scheduler.runTurn();
      const left = world.queueOf.readyCount;
      assert.ok(left > 10_000);
      world.limit(definition);
      world.settle();
      const { length } = world.take(world.queueOf);
      if (definition['max-length'] === 10_000) assert.equal(length, 10_000);
      else assert.ok(length > left - 5000 && length > 10_000, `${length} of ${left}`);
    }
  });

  test('is at its end when the queue is purged or deleted meanwhile', () => {
    const world = new World();
    world.limit({ 'max-length': 2 });
    assert.ok(world.queueOf.purge() > 10_000);
    world.settle();
    for (const body of ['1', '2', '3']) world.publish({ key: 'q', body });
    assert.deepEqual(world.take(world.queueOf), ['2', '3']);
  });

  test('is enforced to the end after a restart in between', () => {
    const world = new CoreBroker();
    const queue = world.queue('q', new Map([['x-max-length', int(2)]])) as RestorableQueue;
    for (let i = 0; i < 5000; i++) {
      const p = world.publication({ key: 'q', body: `${i}` });
      queue.restore(0, i, world.core.store.append(p, 1, 0, false), 0, p.bodyBytes, 0);
    }
    queue.restored(false);
    while (world.scheduler.runTurn());
    assert.deepEqual(world.take(queue), ['4998', '4999']);
  });

  test('is enforced at once on a queue that has one more', () => {
    const world = new CoreBroker();
    const queue = world.queue('q', new Map([['x-max-length', int(2)]]));
    for (const body of ['1', '2', '3']) world.publish({ key: 'q', body });
    assert.equal(queue.readyCount, 2);
  });
});
