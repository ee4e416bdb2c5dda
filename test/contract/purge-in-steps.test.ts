// A purge, and the deletion of a long queue, are one moment for all who look; only the memory of the messages is given back in steps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FieldTable, int, longstr } from '../../src/base/field-table.ts';
import { brokerActor } from '../../src/core/actor.ts';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import { Route } from '../../src/core/exchanges/route.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import { isMessageQueueType } from '../../src/core/queues/message-queue-type.ts';
import { MessageQueue } from '../../src/core/queues/message-queue.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { forSeeds, Random } from '../support/random.ts';
import { spendBudget } from '../support/spend-budget.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

/** More than is let go of at once where nothing is left of a turn's budget. */
const many = 40_000;

class World {
  readonly broker: SimDurableBroker;
  readonly queue: Queue;
  readonly #p = new Publication();

  constructor(args: FieldTable = new Map(), files?: SimFiles, settings = {}) {
    this.broker = new SimDurableBroker(files, { settings });
    const { core } = this.broker;
    const vhost = core.vhosts.get('/') ?? assert.fail();
    const declaration = { name: 'q', isDurable: true, owner: null, isAutoDelete: false, arguments: args };
    this.queue = vhost.queues.get('q') ?? core.topology.declareQueue(vhost, declaration, brokerActor);
    this.broker.finishDisk();
    core.turn.begin();
  }

  publish(id: number, options: { isPersistent?: boolean; priority?: number; group?: string; value?: string } = {}): void {
    const { isPersistent = true, priority = 0, group, value } = options;
    const p = this.#p;
    p.envelope = Buffer.from('\0\x01q');
    p.envelopeBytes = 3;
    const headers = new Map([
      ...(group === undefined ? [] : [['group', longstr(group)] as const]),
      ...(value === undefined ? [] : [['x-deduplication-header', longstr(value)] as const]),
    ]);
    p.properties = encodeProperties({ deliveryMode: isPersistent ? 2 : 1, headers });
    p.propertiesBytes = p.properties.length;
    p.body = Buffer.alloc(8);
    p.body.writeUInt32BE(id);
    p.bodyBytes = 8;
    p.format = 1;
    p.isPersistent = isPersistent;
    p.priority = priority;
    p.ttlMillis = -1;
    const { core } = this.broker;
    const vhost = core.vhosts.get('/') ?? assert.fail();
    core.publisher.publish(vhost, vhost.defaultExchange, new Route([this.queue]), p);
  }

  fill(count: number): void {
    for (let id = 1; id <= count; id++) this.publish(id);
  }

  idOf(entry: Entry): number {
    const { store } = this.broker.core;
    if (!store.isResident(entry.ref)) store.fetch(entry.ref, () => {});
    while (!store.isResident(entry.ref)) assert.ok(this.broker.files.step());
    assert.ok(store.isIntact(entry.ref));
    store.locate(entry.ref);
    return store.bytes.readUInt32BE(store.bodyStart);
  }

  ready(): number[] {
    const ids: number[] = [];
    this.queue.forEachReady(entry => ids.push(this.idOf(entry)) > 0);
    return ids;
  }

  /** What the queue holds after a power cut at this moment. */
  afterPowerCut(): number[] {
    return new World(new Map(), this.broker.files.clone(new Random(1)).cutPower({ data: 'none', names: 'none' })).ready();
  }

  take(): { entry: Entry; id: number } | null {
    const entry = new Entry();
    return this.queue.take(entry, false) ? { entry, id: this.idOf(entry) } : null;
  }
}

test('a purge in steps is over for everybody at once: what comes while messages are let go of stays', () => {
  const world = new World();
  const { broker, queue } = world;
  const { leftovers, store } = broker.core;
  world.fill(many);
  const unacked = world.take() ?? assert.fail();
  spendBudget(world.broker.core);
  assert.equal(queue.purge(), many - 1);
  assert.ok(leftovers.count > 1000, `${leftovers.count} messages are still to be let go of`);
  assert.deepEqual([queue.readyCount, queue.readyBytes, queue.messageCount], [0, 0, 1]);
  assert.equal(world.take(), null);
  world.publish(many + 1);
  world.publish(many + 2);
  assert.equal(world.take()?.id, many + 1);
  queue.settle(unacked.entry, 'returned');
  assert.deepEqual(world.ready(), [1, many + 2]);
  const got: number[] = [];
  const sink = { canTake: true, deliver: (_: Consumer, entry: Entry) => void got.push(world.idOf(entry)), cancelled: () => {} };
  const options = { tag: 'c', noAck: true, isExclusive: false, priority: 0, prefetchCount: 0, arguments: new Map() };
  queue.attach(new Consumer(queue, sink, new SharedPrefetch(), options));
  broker.finishDisk();
  assert.deepEqual(got, [1, many + 2]);
  assert.deepEqual([leftovers.count, store.liveCount], [0, 1]);
});

test('a purge during the steps of another, and the deletion of the queue, let go of everything', () => {
  const world = new World();
  const { broker, queue } = world;
  const { leftovers, store } = broker.core;
  world.fill(many);
  spendBudget(world.broker.core);
  assert.equal(queue.purge(), many);
  world.fill(many);
  assert.equal(queue.purge(), many);
  world.fill(many);
  assert.ok(leftovers.count > many);
  broker.core.vhosts.get('/')?.removeQueue(queue);
  assert.ok(leftovers.count > 2 * many);
  broker.finishDisk();
  assert.deepEqual([leftovers.count, store.liveCount, store.liveBytes], [0, 0, 0]);
});

test('up to a thousand messages are let go of before the purge returns', () => {
  for (const [count, left] of [
    [1000, 0],
    [1001, 1001],
  ] as const) {
    const world = new World();
    const { works, leftovers, store } = world.broker.core;
    world.fill(count);
    // Nothing is begun while a work that never ends has the turn.
    Object.defineProperty(works, 'start', { value: () => {} });
    world.queue.purge();
    assert.deepEqual([leftovers.count, store.liveCount], [left, left]);
  }
});

test('a power cut while purged messages are let go of brings none of them back, and all before the purge was written', () => {
  const world = new World();
  const { broker, queue } = world;
  world.fill(many);
  const unacked = world.take() ?? assert.fail();
  broker.finishDisk();
  world.broker.core.turn.begin();
  spendBudget(world.broker.core);
  queue.purge();
  world.publish(many + 1);
  assert.equal(world.afterPowerCut().length, many);
  // Only the disk goes on: no step is done meanwhile.
  const { leftovers } = broker.core;
  const left = leftovers.count;
  broker.core.log.commit(() => {}, null);
  while (broker.files.step());
  assert.equal(leftovers.count, left);
  assert.ok(left > 1000);
  const found = world.afterPowerCut();
  assert.equal(found.length, 2);
  assert.deepEqual(found, [unacked.id, many + 1]);
});

test('messages that are moved while they are let go of are not written to the log again', () => {
  const world = new World();
  const { broker, queue } = world;
  const { core } = broker;
  world.fill(many);
  broker.finishDisk();
  core.turn.begin();
  spendBudget(world.broker.core);
  queue.purge();
  world.publish(many + 1);
  let renamed = 0;
  for (const holder of core.refHolders()) {
    holder.relocate((ref, owner) => {
      if (owner === null) renamed++;
      return ref;
    });
  }
  assert.equal(renamed, core.leftovers.count);
  assert.ok(renamed > 1000);
});

/** A queue of some shape with messages of all kinds, some of them delivered and some of those returned, and which are ready and which are not. */
function filled(world: World, random: Random): { unacked: Map<number, boolean> } {
  const unacked = new Map<number, boolean>();
  const isPersistent = new Map<number, boolean>();
  const taken: { entry: Entry; id: number }[] = [];
  const mixed = random.chance(0.5);
  for (let id = 1; id <= 600; id++) {
    isPersistent.set(id, !mixed || random.chance(0.8));
    world.publish(id, { isPersistent: isPersistent.get(id) === true, priority: random.below(10), group: `g${random.below(5)}` });
    if (random.chance(0.3)) {
      const one = world.take();
      if (one !== null) taken.push(one);
    }
    if (taken.length > 0 && random.chance(0.15)) {
      const [one] = taken.splice(random.below(taken.length), 1) as [{ entry: Entry; id: number }];
      world.queue.settle(one.entry, random.pick(['accepted', 'returned']));
    }
  }
  for (const { id } of taken) unacked.set(id, world.queue.keepsTransient || isPersistent.get(id) === true);
  return { unacked };
}

const shapes: readonly (readonly [string, FieldTable])[] = [
  ['a classic queue', new Map()],
  ['a queue with ten priorities', new Map([['x-max-priority', int(9)]])],
  ['a quorum queue', new Map([['x-queue-type', longstr('quorum')]])],
  [
    'a quorum queue without a delivery limit',
    new Map([
      ['x-queue-type', longstr('quorum')],
      ['x-delivery-limit', int(-1)],
    ]),
  ],
  ['a queue with message groups', new Map([['x-message-group-header', longstr('group')]])],
  ['a queue with retries', new Map([['x-retry-delays', longstr('1000')]])],
];

for (const [name, args] of shapes) {
  test(`after a purge of ${name} a power cut leaves what was not acknowledged, and what came later`, () => {
    forSeeds(12, random => {
      // Small blocks, most of which are on disk.
      const settings = { queueIndexBlockPlaces: 16, queueIndexBytesMax: random.pick([1000, 1_000_000]) };
      const world = new World(args, undefined, settings);
      const { broker, queue } = world;
      const { unacked } = filled(world, random);
      broker.finishDisk();
      broker.core.turn.begin();
      const count = queue.readyCount;
      assert.equal(queue.purge(), count);
      assert.deepEqual([world.ready(), queue.readyBytes], [[], 0]);
      for (let id = 1001; id <= 1003; id++) world.publish(id, { group: 'g1' });
      broker.finishDisk();
      assert.equal(broker.core.store.liveCount, unacked.size + 3);
      const kept = [...unacked].filter(([, isKept]) => isKept).map(([id]) => id);
      assert.deepEqual(
        world.afterPowerCut().toSorted((a, b) => a - b),
        [...kept, 1001, 1002, 1003].toSorted((a, b) => a - b),
      );
    });
  });
}

test('a purge during a change of shape is recorded in the levels that the log has', () => {
  const world = new World(new Map([['x-max-priority', int(9)]]));
  const { broker, queue } = world;
  const { core } = broker;
  for (let id = 1; id <= 50; id++) world.publish(id, { priority: id % 10 });
  broker.finishDisk();
  core.turn.begin();
  // By hand: a step of a change moves more than there are.
  assert.ok(queue instanceof MessageQueue && isMessageQueueType(queue.type));
  queue.startMoving(queue.type.options(new Map(), core.queueContext).lists, () => {});
  queue.moveSome(20, Infinity, () => 0);
  assert.equal(queue.readyCount, 50);
  assert.equal(queue.purge(), 50);
  broker.finishDisk();
  assert.deepEqual(world.afterPowerCut(), []);
});

test('a message is no duplicate of one that was purged, though it comes before that was let go of', () => {
  const world = new World(new Map([['x-message-deduplication', { type: 't', value: true }]]));
  const { broker, queue } = world;
  for (let id = 1; id <= many; id++) world.publish(id, { value: `v${id}` });
  spendBudget(world.broker.core);
  queue.purge();
  assert.ok(broker.core.leftovers.count > 0);
  for (const id of [1, 2, many, many]) world.publish(id, { value: `v${id}` });
  assert.deepEqual(world.ready(), [1, 2, many]);
});
