import assert from 'node:assert/strict';
import type { BrokerCore } from '../../src/core/broker.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import type { Vhost } from '../../src/core/vhost.ts';
import { queueTypes } from '../../src/server/registry.ts';
import type { JournalStore } from '../../src/store/journal/journal-store.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicGet } from '../support/amqp-requests.ts';
import { Random } from '../support/random.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';
import { evictAll, simStore, startStore } from '../support/sim-disk.ts';
import { SimFiles } from '../support/sim-files.ts';
import { Actor, type World } from './actor.ts';
import { Ledger } from './ledger.ts';
import { checkMessage } from './message.ts';
import { idIn, observeCore, observedTypes } from './observe.ts';
import { type Plan, planFor } from './plan.ts';

export interface SimulationReport {
  readonly seed: number;
  readonly steps: number;
  readonly counts: Ledger['counts'];
  readonly commits: number;
}

const stepWeights = {
  act: 30,
  transmit: 25,
  read: 25,
  broker: 40,
  disk: 10,
  time: 3,
  connection: 1,
  stall: 1,
  memory: 1,
  evict: 1,
  alarm: 1,
  check: 2,
};

/**
 * A whole broker with clients that do what they like, in a world whose every event comes from one seed: which bytes arrive when and in which
 * pieces, who reads, when a turn runs, when the disk is done, when time passes, when a connection breaks. What must hold is checked while it
 * goes on (ledger.ts, actor-channel.ts) and at the end, when all is quiet.
 */
export class Simulation implements World {
  readonly seed: number;
  readonly random: Random;
  readonly plan: Plan;
  readonly broker: SimBroker;
  readonly ledger: Ledger;
  readonly #files: SimFiles | null;
  readonly #store: JournalStore | null;
  readonly #actors: Actor[];
  #lastMessageId = 0;
  #steps = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new Random(seed);
    this.plan = planFor(this.random);
    this.#files = this.plan.hasDisk ? new SimFiles(this.random) : null;
    this.#store = this.#files === null ? null : simStore(this.#files, this.plan.bodyMemoryBytes);
    const observed = observedTypes(queueTypes, () => this.ledger);
    this.broker = new SimBroker({
      queueTypes: observed,
      // An outbox that is soon full, so that consumers are often held up.
      settings: {
        outboxBytesMax: this.random.pick([4000, 100_000, 1_048_576]),
        frameBytesMax: 8192,
        queueIndexBytesMax: 0,
        queueIndexBlockPlaces: 4,
      },
      ...(this.#store === null ? {} : { durability: this.#store.journal }),
      beforeStart: core => {
        if (this.#store !== null) startStore(this.#store, core);
      },
    });
    this.ledger = new Ledger(entry => idIn(this.core.store, entry));
    observeCore(this.core, this.ledger);
    this.#actors = Array.from({ length: this.plan.actorCount }, () => new Actor(this));
  }

  get core(): BrokerCore {
    return this.broker.core;
  }

  nextMessageId(): number {
    return ++this.#lastMessageId;
  }

  run(steps: number): SimulationReport {
    for (let i = 0; i < steps; i++) this.#step();
    this.#quiet();
    this.#end();
    const { counts } = this.ledger;
    return { seed: this.seed, steps: this.#steps, counts, commits: this.#store?.journal.commitCount ?? 0 };
  }

  #step(): void {
    this.#steps++;
    const { random, broker } = this;
    const actor = random.pick(this.#actors);
    switch (random.weighted(stepWeights)) {
      case 'act':
        if (actor.isGone) actor.connect();
        else actor.act();
        break;
      case 'transmit':
        actor.transmit(random.chance(0.3) ? random.between(1, 60) : random.between(1, 20_000));
        break;
      case 'read':
        actor.read(random.chance(0.3) ? random.between(1, 100) : 100_000);
        break;
      case 'broker':
        for (let i = random.between(1, 4); i > 0; i--) broker.step();
        break;
      case 'disk':
        for (let i = random.between(1, 4); i > 0; i--) this.#files?.step();
        break;
      case 'time':
        this.#pass(random.pick([0.5, 1, 5, 20, 200]));
        break;
      case 'connection':
        this.#disturb(actor);
        break;
      case 'stall':
        if (!actor.isGone) actor.isStalled = random.chance(0.3);
        break;
      case 'memory':
        // To be called between turns, as its timer does.
        this.core.compactMemory(random.pick([0, 1_000_000]));
        break;
      case 'evict':
        if (this.#store !== null) evictAll(this.core);
        break;
      case 'alarm':
        if (random.chance(0.2)) this.core.alarms.set('memory');
        else this.core.alarms.clear('memory');
        break;
      case 'check':
        this.ledger.check(this.core);
        break;
    }
    broker.check();
  }

  /** Moves the clock; timers that are due fire with it, what they cause is done by later steps. */
  #pass(millis: number): void {
    const { broker } = this;
    broker.clock.advance(millis);
    broker.scheduler.runTimer(broker.clock.millis);
  }

  #disturb(actor: Actor): void {
    const how = this.random.weighted({ drop: 2, hangUp: 2, close: 2 });
    if (how === 'close') actor.close();
    else actor.drop(how === 'hangUp');
  }

  /** Lets everything that is under way come to its end. */
  #quiet(): void {
    this.core.alarms.clear('memory');
    for (const actor of this.#actors) actor.isStalled = false;
    for (let round = 0; round < 3; round++) {
      if (round === 1) for (const actor of this.#actors) actor.sync();
      this.#drain();
    }
    for (const actor of this.#actors) actor.checkSynced();
    this.ledger.check(this.core);
  }

  #drain(): void {
    for (let idle = 0, count = 0; idle < 3; count++) {
      assert.ok(count < 100_000, 'the world does not come to rest');
      let isBusy = false;
      for (const actor of this.#actors) {
        if (actor.hasBytesToSend) isBusy = true;
        actor.transmit(Infinity);
        if (actor.read(Infinity)) isBusy = true;
      }
      while (this.broker.step()) isBusy = true;
      while (this.#files?.step()) isBusy = true;
      this.#pass(20);
      idle = isBusy ? 0 : idle + 1;
      this.broker.check();
    }
  }

  /** Closes everything and takes stock. */
  #end(): void {
    const { core, ledger, random } = this;
    for (const actor of this.#actors) {
      if (random.chance(0.3)) actor.drop(random.chance(0.5));
      else actor.close();
    }
    this.#drain();
    for (const actor of this.#actors) actor.drop(true);
    this.#drain();
    const vhost = core.vhosts.get('/') as Vhost;
    assert.equal(core.connections.size, 0, 'connections are left');
    assert.equal(this.broker.frontEnd.connectionCount, 0);
    assert.equal(vhost.connectionCount, 0);
    assert.equal(core.counters.channelsOpened, core.counters.channelsClosed, 'channels are left');
    ledger.check(core);
    for (const queue of vhost.queues.values()) {
      assert.equal(queue.owner, null, `the exclusive queue ${queue.name} is left`);
      assert.equal(queue.consumerCount, 0, `queue ${queue.name} has consumers`);
      assert.equal(queue.unackedCount, 0, `queue ${queue.name} has unacknowledged messages`);
    }
    assert.equal(vhost.hiddenQueues.size, 0);
    let bindings = 0;
    for (const exchange of vhost.exchanges.values()) bindings += exchange.bindings.size;
    assert.equal(vhost.bindingCount, bindings);
    this.#empty(vhost);
    assert.equal(core.store.liveCount, 0, 'messages are left');
    assert.equal(core.store.liveBytes, 0);
    assert.equal(core.store.looseMessages.bytes, 0);
  }

  /** Gets every message out of every queue, in the order in which they must come. */
  #empty(vhost: Vhost): void {
    const client = SimClient.connect(this.broker);
    client.openChannel(1);
    // What expires in one queue meanwhile may go to another.
    for (
      let pass = 0;
      pass < 20 && [...vhost.queues.values()].some(queue => queue.readyCount > 0 || (queue.retries?.heldCount ?? 0) > 0);
      pass++
    ) {
      for (const queue of Array.from(vhost.queues.values())) this.#emptyQueue(client, queue);
    }
    client.close();
    this.#drain();
  }

  #emptyQueue(client: SimClient, queue: Queue): void {
    for (;;) {
      this.#drain();
      // Time goes on, and a queue that nobody uses may be gone with it.
      if (queue.isDeleted) return;
      const [expected] = this.ledger.expectedOrder(queue);
      client.send(basicGet(1, queue.name, true));
      this.#drain();
      const delivery = client.takeDelivery(1);
      if (delivery === null) {
        client.expect(methods.BasicGetEmpty, 1);
        if (this.plan.isLossless) assert.deepEqual(this.ledger.expectedOrder(queue), [], `queue ${queue.name} says it is empty`);
        return;
      }
      const id = checkMessage(delivery.body);
      if (this.plan.isLossless && this.ledger.recordOf(queue).isStrict) assert.equal(id, expected);
    }
  }
}
