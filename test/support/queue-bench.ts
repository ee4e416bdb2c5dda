import assert from 'node:assert/strict';
import type { FieldTable } from '../../src/base/field-table.ts';
import { brokerActor } from '../../src/core/actor.ts';
import { BrokerError } from '../../src/core/broker-error.ts';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import { Route } from '../../src/core/exchanges/route.ts';
import { Publication } from '../../src/core/messages/publication.ts';
import { deliveryCount, Entry, metaRedelivered, priorityOf } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import type { Vhost } from '../../src/core/vhost.ts';
import { type ModelConsumer, QueueModel, type ModelSettings } from './queue-model.ts';
import { forSeeds, type Random } from './random.ts';
import { SimBroker } from './sim-broker.ts';

/** A queue of a real broker beside its model. */
export class QueueBench {
  readonly random: Random;
  readonly broker = new SimBroker();
  readonly vhost = this.broker.core.vhosts.get('/') as Vhost;
  readonly settings: ModelSettings;
  readonly queue: Queue;
  readonly model: QueueModel;
  readonly consumers = new Map<ModelConsumer, Consumer>();
  /** Deliveries that wait for a settlement: message id -> what was delivered to whom; null for what was got. */
  readonly unacked = new Map<number, { consumer: ModelConsumer | null; entry: Entry }>();
  readonly dead: string[] = [];
  readonly #p = new Publication();
  #lastId = 0;
  #lastConsumer = 0;

  constructor(random: Random, settings: ModelSettings, args: FieldTable) {
    this.random = random;
    this.settings = settings;
    this.model = new QueueModel(this.settings);
    const { deadLetters, topology } = this.broker.core;
    const add = deadLetters.add.bind(deadLetters);
    deadLetters.add = (queue, entry, reason) => {
      this.dead.push(`${this.#idOf(entry)} ${reason}`);
      add(queue, entry, reason);
    };
    const addPublication = deadLetters.addPublication.bind(deadLetters);
    deadLetters.addPublication = (queue, p) => {
      this.dead.push(`${p.body.readUInt32BE(p.bodyStart)} maxlen`);
      addPublication(queue, p);
    };
    const declaration = { name: 'q', isDurable: true, owner: null, isAutoDelete: false, arguments: args };
    this.queue = topology.declareQueue(this.vhost, declaration, brokerActor);
  }

  get now(): number {
    return this.broker.clock.millis;
  }

  publish(): void {
    const id = ++this.#lastId;
    const bytes = 4 + this.random.pick([0, 10, 50, 200]);
    const p = this.#p;
    p.envelope = Buffer.from('\0\x01q');
    p.envelopeBytes = 3;
    p.properties = Buffer.alloc(2);
    p.propertiesBytes = 2;
    p.body = Buffer.alloc(bytes);
    p.body.writeUInt32BE(id);
    p.bodyBytes = bytes;
    p.format = 1;
    p.priority = this.random.pick([0, 0, 1, 3, 9, 255]);
    p.ttlMillis = this.random.pick([-1, -1, -1, 0, 5, 50]);
    const { model, queue } = this;
    const isTight = model.isFullFor(bytes);
    let wasTooLong = false;
    const admits = queue.admits.bind(queue);
    queue.admits = publication => {
      const isAdmitted = admits(publication);
      // What consumers can take at once does not count: the queue has just handed out all it could.
      if (isTight) model.rest(this.now);
      assert.equal(isAdmitted, !model.isFullFor(bytes));
      if (isAdmitted) model.push(id, p.priority, bytes, p.ttlMillis, this.now);
      else model.refuse(id);
      wasTooLong = model.isTooLong;
      return isAdmitted;
    };
    this.broker.core.publisher.publish(this.vhost, this.vhost.defaultExchange, new Route([queue]), p);
    queue.admits = admits;
    if (!wasTooLong) return;
    model.rest(this.now);
    model.dropHeads();
  }

  attach(): void {
    if (this.model.consumers.length >= 4) return;
    const { random } = this;
    const consumer: ModelConsumer = {
      name: `c${++this.#lastConsumer}`,
      priority: random.pick([0, 0, 0, 1, -1]),
      prefetch: random.pick([0, 1, 2, 5]),
      noAck: random.chance(0.2),
      isActive: false,
      unacked: 0,
    };
    const sink = { canTake: true, deliver: (_: Consumer, entry: Entry) => this.#delivered(consumer, entry), cancelled: () => {} };
    const isExclusive = this.settings.order === 'classic' && random.chance(0.1);
    const options = {
      tag: consumer.name,
      isExclusive,
      noAck: consumer.noAck,
      priority: consumer.priority,
      prefetchCount: consumer.prefetch,
    };
    const real = new Consumer(this.queue, sink, new SharedPrefetch(), { ...options, arguments: new Map() });
    const isShared = this.model.consumers.length > 0 || this.model.settings.isSingleActive;
    const isInTheWay = this.queue.exclusiveConsumer !== null || (isExclusive && isShared);
    if (isInTheWay) {
      assert.throws(() => this.queue.attach(real), BrokerError);
      return;
    }
    this.model.attach(consumer);
    this.consumers.set(consumer, real);
    this.queue.attach(real);
  }

  detach(): void {
    if (this.model.consumers.length === 0) return;
    const consumer = this.random.pick(this.model.consumers);
    this.model.detach(consumer);
    this.queue.detach(this.consumers.get(consumer) as Consumer);
  }

  get(): void {
    const noAck = this.random.chance(0.3);
    const entry = new Entry();
    const expected = this.model.get(this.now, noAck);
    assert.equal(this.queue.take(entry, noAck), expected !== null);
    this.broker.core.turn.queueReady(this.queue);
    if (expected === null) return;
    this.#checkEntry(entry, expected);
    if (noAck) this.broker.core.store.release(entry.ref, entry.bytes);
    else this.unacked.set(expected.id, { consumer: null, entry });
  }

  settle(): void {
    if (this.unacked.size === 0) return;
    const id = this.random.pick([...this.unacked.keys()]);
    const { consumer, entry } = this.unacked.get(id) as { consumer: ModelConsumer | null; entry: Entry };
    this.unacked.delete(id);
    const outcome = this.random.weighted({ accepted: 4, returned: 3, rejected: 1 });
    const isTight = outcome === 'returned' && this.model.isTightFor(id);
    this.queue.settle(entry, outcome);
    // What could be handed out before the message came back has been.
    if (isTight) this.model.rest(this.now);
    this.model.settle(id, outcome, this.now);
    if (consumer === null) return;
    this.model.gaveBack(consumer);
    this.consumers.get(consumer)?.gaveBack(1);
  }

  purge(): void {
    assert.equal(this.queue.purge(), this.model.purge());
  }

  pass(): void {
    this.broker.advance(this.random.between(1, 30));
    this.model.rest(this.now);
  }

  /** Lets both hand out what they can, and compares all there is to see. */
  compare(): void {
    this.broker.settle();
    const { model, queue } = this;
    model.rest(this.now);
    assert.deepEqual(this.dead.sort(), model.dead.sort());
    this.dead.length = 0;
    model.dead = [];
    const seen: string[] = [];
    queue.forEachReady(entry => {
      seen.push(this.#describe(this.#idOf(entry), entry));
      return true;
    });
    assert.deepEqual(
      seen,
      model.ready.map(message => `${message.id} ${message.redelivered} ${message.returns} ${message.bytes} ${message.expiryMillis}`),
    );
    const places: { priority: number; sequence: number }[] = [];
    const behind: string[] = [];
    const skip = seen.length >> 1;
    queue.forEachReady(entry => {
      behind.push(this.#describe(this.#idOf(entry), entry));
      return places.push({ priority: priorityOf(entry.meta), sequence: entry.sequence }) > 0;
    }, skip);
    assert.deepEqual(behind, seen.slice(skip));
    const found = new Entry();
    for (const [index, { priority, sequence }] of places.entries()) {
      assert.ok(queue.findReady(priority, sequence, found));
      assert.equal(this.#describe(this.#idOf(found), found), behind[index]);
    }
    assert.equal(queue.findReady(0, queue.nextPlace, found), false);
    assert.equal(queue.readyCount, model.ready.length);
    assert.equal(queue.readyBytes, model.readyBytes);
    assert.equal(queue.unackedCount, model.unacked.size);
    assert.equal(
      queue.unackedBytes,
      [...model.unacked.values()].reduce((sum, message) => sum + message.bytes, 0),
    );
    assert.equal(queue.consumerCount, model.consumers.length);
    assert.equal(this.broker.core.store.liveCount, model.ready.length + model.unacked.size, 'messages are alive that no queue has');
  }

  /** Called by the queue for each delivery: the model must agree. */
  #delivered(consumer: ModelConsumer, entry: Entry): void {
    const expected = this.model.deliverTo(consumer, this.now);
    this.#checkEntry(entry, expected);
    if (!consumer.noAck) this.unacked.set(expected.id, { consumer, entry: Object.assign(new Entry(), entry) });
  }

  #checkEntry(entry: Entry, expected: { id: number; redelivered: boolean; returns: number; bytes: number; expiryMillis: number }): void {
    const { id, redelivered, returns, bytes, expiryMillis } = expected;
    assert.equal(this.#describe(this.#idOf(entry), entry), `${id} ${redelivered} ${returns} ${bytes} ${expiryMillis}`);
  }

  #describe(id: number, entry: Entry): string {
    return `${id} ${(entry.meta & metaRedelivered) !== 0} ${deliveryCount(entry.meta)} ${entry.bytes} ${entry.expiryMillis}`;
  }

  #idOf(entry: Entry): number {
    const { store } = this.broker.core;
    store.locate(entry.ref);
    return store.bytes.readUInt32BE(store.bodyStart);
  }
}

/** Does whatever may be done to queues, made by `make` from a seed each, and compares with the model after each step. */
export function compareWithModel(make: (random: Random) => QueueBench): void {
  forSeeds(250, random => {
    const bench = make(random);
    const weights = {
      publish: random.between(2, 8),
      attach: 1,
      detach: random.between(0, 1),
      get: random.between(0, 2),
      settle: random.between(1, 6),
      purge: random.chance(0.2) ? 1 : 0,
      pass: random.between(0, 3),
    };
    for (let step = 0; step < 120; step++) {
      const actions = random.chance(0.7) ? 1 : random.between(2, 6);
      for (let i = 0; i < actions; i++) {
        // As a session does before it acts on input.
        bench.broker.core.turn.begin();
        bench[random.weighted(weights)]();
      }
      bench.compare();
    }
  });
}
