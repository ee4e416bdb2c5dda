// Very many deliveries of a channel are settled in steps: nobody gets a message out of turn meanwhile, and what the client asks behind it finds all settled.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import { Route } from '../../src/core/exchanges/route.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { deliveryCount, type Entry, metaRedelivered } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { settledAtOnceMax } from '../../src/protocols/amqp091/settling.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { basicAck, basicConsume, basicGet, basicNack, queueDeclare, queuePurge } from '../support/amqp-requests.ts';
import { Random } from '../support/random.ts';
import { SimClient } from '../support/sim-client.ts';
import { spendBudget } from '../support/spend-budget.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

const many = 20_000;

class World {
  readonly broker: SimDurableBroker;
  readonly client: SimClient;
  readonly queue: Queue;

  /** A client has `count` unacknowledged messages of a queue. */
  constructor(count: number, files?: SimFiles) {
    this.broker = new SimDurableBroker(files);
    const { core } = this.broker;
    this.client = SimClient.connect(this.broker);
    this.client.openChannel(1);
    this.client.send(queueDeclare(1, { queue: 'q', durable: true }));
    this.broker.finishDisk();
    this.queue = core.vhosts.get('/')?.queues.get('q') ?? assert.fail();
    core.turn.begin();
    for (let id = 1; id <= count; id++) this.publish(id);
    if (count > 0) this.client.send(basicConsume(1, { queue: 'q', consumerTag: 'c' }));
    this.broker.finishDisk();
    this.client.takeAll();
    assert.equal(this.queue.unackedCount, count);
    core.turn.begin();
  }

  publish(id: number): void {
    const p = new Publication();
    p.envelope = Buffer.from('\0\x01q');
    p.envelopeBytes = 3;
    p.properties = encodeProperties({ deliveryMode: 2 });
    p.propertiesBytes = p.properties.length;
    p.body = Buffer.alloc(8);
    p.body.writeUInt32BE(id);
    p.bodyBytes = 8;
    p.format = 1;
    p.isPersistent = true;
    const { core } = this.broker;
    const vhost = core.vhosts.get('/') ?? assert.fail();
    core.publisher.publish(vhost, vhost.defaultExchange, new Route([this.queue]), p);
  }

  idOf(entry: Entry): number {
    const { store } = this.broker.core;
    if (!store.isResident(entry.ref)) store.fetch(entry.ref, () => {});
    while (!store.isResident(entry.ref)) assert.ok(this.broker.files.step());
    store.locate(entry.ref);
    return store.bytes.readUInt32BE(store.bodyStart);
  }

  /** Another consumer of the queue, with the numbers of what it gets. */
  consume(): number[] {
    const got: number[] = [];
    const sink = { canTake: true, deliver: (_: Consumer, entry: Entry) => void got.push(this.idOf(entry)), cancelled: () => {} };
    const options = { tag: 'other', noAck: true, isExclusive: false, priority: 0, prefetchCount: 0, arguments: new Map() };
    this.queue.attach(new Consumer(this.queue, sink, new SharedPrefetch(), options));
    return got;
  }

  /** One turn, in which no step is done. */
  turn(): void {
    this.broker.core.turn.run();
  }

  reopened(): World {
    return new World(0, this.broker.files.clone(new Random(1)).cutPower({ data: 'none', names: 'none' }));
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** As deepEqual, of very many, whose differences would take minutes to show. */
function assertSame(found: readonly number[], expected: readonly number[]): void {
  assert.equal(found.length, expected.length);
  const at = found.findIndex((each, index) => each !== expected[index]);
  assert.equal(at, -1, `at ${at} stands ${found[at]} in place of ${expected[at]}`);
}

function assertUnderWay({ queue }: World): void {
  assert.ok(queue.unackedCount > 1000 && queue.unackedCount < many, `${queue.unackedCount} are unacknowledged`);
}

test('no consumer gets a message of a client that has left before all are back, nor one that came later', () => {
  const world = new World(many);
  const { broker, client, queue } = world;
  spendBudget(world.broker.core);
  client.socket.reset();
  while (broker.ticks.length > 0) broker.ticks.shift()?.();
  assertUnderWay(world);
  assert.equal(queue.messageCount, many);
  world.publish(many + 1);
  const got = world.consume();
  world.turn();
  assert.deepEqual(got, []);
  broker.settle();
  assertSame(got, numbers(1, many + 1));
  assert.deepEqual([queue.unackedCount, broker.core.store.liveCount], [0, 0]);
});

test('whoever asks for a message while very many come back gets the first of them', () => {
  const world = new World(many);
  const { broker, client } = world;
  const getter = SimClient.connect(broker);
  getter.openChannel(1);
  broker.core.turn.begin();
  spendBudget(world.broker.core);
  client.socket.receive(basicAck(1, 1));
  client.socket.reset();
  while (broker.ticks.length > 0) broker.ticks.shift()?.();
  assertUnderWay(world);
  getter.socket.receive(basicGet(1, 'q', true));
  while (broker.ticks.length > 0) broker.ticks.shift()?.();
  world.turn();
  assert.equal(getter.takeDelivery(), null);
  broker.finishDisk();
  assert.equal(getter.takeDelivery()?.body.readUInt32BE(0), 2);
});

test('what a client asks behind a settlement of very many finds all settled', () => {
  for (const [settlement, ready] of [
    [basicAck(1, many, true), 0],
    [basicNack(1, 0, { multiple: true, requeue: false }), 0],
    [basicNack(1, many - 1, { multiple: true, requeue: true }), many - 1],
  ] as const) {
    const world = new World(many);
    const { broker, client, queue } = world;
    spendBudget(world.broker.core);
    client.send(methods.encodeBasicCancel(1, { consumerTag: 'c', nowait: false }));
    spendBudget(world.broker.core);
    client.socket.receive(Buffer.concat([settlement, queueDeclare(1, { queue: 'q', passive: true }), queuePurge(1, { queue: 'q' })]));
    broker.ticks.shift()?.();
    assertUnderWay(world);
    broker.finishDisk();
    client.expect(methods.BasicCancelOk);
    assert.equal(client.expect(methods.QueueDeclareOk).messageCount, ready);
    assert.equal(client.expect(methods.QueuePurgeOk).messageCount, ready);
    assert.equal(queue.messageCount, ready === 0 ? 0 : 1);
  }
});

test('a client that leaves while its acknowledgement of very many is acted on has acknowledged them, and the rest goes back', () => {
  const world = new World(many);
  const { broker, client, queue } = world;
  spendBudget(world.broker.core);
  client.socket.receive(basicAck(1, many - 5, true));
  broker.ticks.shift()?.();
  assertUnderWay(world);
  client.socket.reset();
  while (broker.ticks.length > 0) broker.ticks.shift()?.();
  assertUnderWay(world);
  const got = world.consume();
  broker.finishDisk();
  assert.deepEqual(got, numbers(many - 4, many));
  assert.deepEqual([queue.messageCount, broker.core.store.liveCount], [0, 0]);
});

test('channel.close, connection.close and basic.recover are answered when all is back', () => {
  const close = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };
  for (const [request, answer] of [
    [methods.encodeChannelClose(1, close), methods.ChannelCloseOk],
    [methods.encodeConnectionClose(0, close), methods.ConnectionCloseOk],
    [methods.encodeBasicRecover(1, { requeue: true }), methods.BasicRecoverOk],
  ] as const) {
    const world = new World(many);
    const { broker, client, queue } = world;
    spendBudget(world.broker.core);
    client.socket.receive(request);
    broker.ticks.shift()?.();
    world.turn();
    assertUnderWay(world);
    assert.equal(client.frames.length, 0);
    broker.finishDisk();
    client.expect(answer);
    if (answer === methods.BasicRecoverOk) {
      const bodies = client.takeAll().filter(({ type }) => type === 3);
      assertSame(
        bodies.map(({ payload }) => payload.readUInt32BE(0)),
        numbers(1, many),
      );
    } else {
      assert.equal(queue.readyCount, many);
    }
  }
});

test('the queue may be purged, or deleted, while it gets deliveries back', () => {
  for (const isDeleted of [false, true]) {
    const world = new World(many);
    const { broker, client, queue } = world;
    spendBudget(world.broker.core);
    client.socket.reset();
    while (broker.ticks.length > 0) broker.ticks.shift()?.();
    assertUnderWay(world);
    const waiting = queue.unackedCount;
    if (isDeleted) broker.core.vhosts.get('/')?.removeQueue(queue);
    else assert.equal(queue.purge(), many - waiting);
    broker.finishDisk();
    const left = isDeleted ? 0 : waiting;
    assert.deepEqual([queue.readyCount, queue.unackedCount, broker.core.store.liveCount], [left, 0, left]);
    if (!isDeleted) assert.equal(world.reopened().queue.readyCount, left);
  }
});

test('what is given back of a client that has left is found, once, when messages are moved', () => {
  for (const closed of ['channel', 'connection'] as const) {
    const world = new World(many);
    const { broker, client, queue } = world;
    const visited = (): number => {
      let count = 0;
      for (const holder of broker.core.refHolders()) {
        holder.relocate(ref => {
          count++;
          return ref;
        });
      }
      return count;
    };
    spendBudget(world.broker.core);
    if (closed === 'connection') client.socket.reset();
    else client.socket.receive(methods.encodeChannelClose(1, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }));
    while (broker.ticks.length > 0) broker.ticks.shift()?.();
    assertUnderWay(world);
    assert.equal(visited(), many);
    broker.finishDisk();
    assert.equal(queue.readyCount, many);
    assert.equal(visited(), many);
  }
});

test('after a power cut in the middle of an acknowledgement of very many the others are still there', () => {
  const world = new World(many);
  const { broker, client } = world;
  spendBudget(world.broker.core);
  client.socket.receive(basicAck(1, many, true));
  broker.ticks.shift()?.();
  assertUnderWay(world);
  const { unackedCount } = world.queue;
  broker.core.log.commit(() => {}, null);
  while (broker.files.step());
  const { queue } = world.reopened();
  assert.equal(queue.readyCount, unackedCount);
  broker.finishDisk();
  assert.equal(world.reopened().queue.readyCount, 0);
});

test('a stop in the middle gives everything back first: after it all have been delivered before', async () => {
  const world = new World(many);
  const { broker, client } = world;
  spendBudget(world.broker.core);
  client.socket.reset();
  while (broker.ticks.length > 0) broker.ticks.shift()?.();
  assertUnderWay(world);
  broker.core.works.finish();
  assert.deepEqual([world.queue.readyCount, broker.core.works.count], [many, 0]);
  const stopped = broker.store.stop(broker.core);
  let isStopped = false;
  void stopped.then(() => (isStopped = true));
  while (!isStopped) {
    broker.finishDisk();
    await new Promise(resolve => setImmediate(resolve));
  }
  const { queue } = new World(0, broker.files.clone(new Random(1)));
  let count = 0;
  queue.forEachReady(({ meta }) => {
    if ((meta & metaRedelivered) !== 0 && deliveryCount(meta) === 1) count++;
    return true;
  });
  assert.equal(count, many);
});

test('so many deliveries are settled at once, and one more is not', () => {
  for (const count of [settledAtOnceMax, settledAtOnceMax + 1]) {
    const world = new World(count);
    const { broker, client, queue } = world;
    spendBudget(world.broker.core);
    client.socket.receive(basicAck(1, count, true));
    broker.ticks.shift()?.();
    assert.equal(queue.unackedCount > 0, count > settledAtOnceMax);
    broker.finishDisk();
    assert.equal(queue.unackedCount, 0);
  }
});
