// A queue with message groups, retries and parking, worked on by consumers who do what they like, against rules that a reader can check.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, type FieldTable, long, longstr } from '../../src/base/field-table.ts';
import { Consumer, SharedPrefetch } from '../../src/core/consumer.ts';
import type { DeliverySink } from '../../src/core/delivery-sink.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { CoreBroker } from '../support/core-broker.ts';
import { forSeeds, type Random } from '../support/random.ts';

const delays = [100, 300];

/** What is known of a message by who published and settled it. */
interface Known {
  readonly key: string;
  readonly number: number;
  state: 'ready' | 'unacked' | 'waiting' | 'done';
  retries: number;
  dueMillis: number;
  consumer: Consumer | null;
}

interface Delivered {
  readonly message: Known;
  readonly entry: Entry;
}

class World implements DeliverySink {
  canTake = true;
  readonly broker = new CoreBroker();
  readonly random: Random;
  readonly queue: Queue;
  readonly messages: Known[] = [];
  readonly byConsumer = new Map<Consumer, Delivered[]>();
  readonly hasGroups: boolean;

  constructor(random: Random) {
    this.random = random;
    this.hasGroups = random.chance(0.8);
    const args: [string, Field][] = [['x-retry-delays', longstr(delays.join(','))]];
    if (this.hasGroups) args.push(['x-group-header', longstr('key')]);
    if (random.chance(0.3)) args.push(['x-queue-type', longstr('quorum')], ['x-delivery-limit', long(-1)]);
    this.queue = this.broker.queue('q', new Map(args));
  }

  attach(): void {
    const options = {
      noAck: false,
      isExclusive: false,
      priority: this.random.below(2),
      prefetchCount: this.random.between(1, 4),
      arguments: new Map(),
    };
    const consumer = new Consumer(this.queue, this, new SharedPrefetch(), { tag: String(this.byConsumer.size), ...options });
    this.byConsumer.set(consumer, []);
    this.queue.attach(consumer);
    this.settle();
  }

  publish(): void {
    const number = this.messages.length;
    const key = this.random.chance(0.1) ? '' : `k${this.random.below(5)}`;
    this.messages.push({ key, number, state: 'ready', retries: 0, dueMillis: 0, consumer: null });
    const headers: FieldTable = new Map(key === '' ? [] : [['key', longstr(key)]]);
    this.broker.publish({ key: 'q', body: String(number), properties: { headers } });
    this.settle();
  }

  deliver(consumer: Consumer, entry: Entry): void {
    const { store } = this.broker.core;
    store.locate(entry.ref);
    const number = Number(store.bytes.toString('utf8', store.bodyStart, store.bodyStart + store.bodyBytes));
    const headers = this.broker.core.format(store.format).headers(store.bytes, store.propertiesStart, store.propertiesBytes);
    const message = this.messages[number] as Known;
    if (message.state === 'waiting' && message.dueMillis <= this.broker.clock.nowMillis) message.state = 'ready';
    assert.equal(message.state, 'ready', `${number} is delivered though it is not ready`);
    assert.equal(Number(headers?.get('x-retry-count')?.value ?? 0), message.retries, 'x-retry-count');
    if (this.hasGroups && message.key !== '') {
      for (const other of this.messages) {
        if (other.key !== message.key || other === message) continue;
        if (other.number < message.number)
          assert.ok(other.state === 'done' || other.state === 'unacked', `${number} overtakes ${other.number}, which is ${other.state}`);
        if (other.state === 'unacked')
          assert.equal(other.consumer, consumer, `${number} and ${other.number} of one key are with two consumers`);
      }
    }
    message.state = 'unacked';
    message.consumer = consumer;
    (this.byConsumer.get(consumer) as Delivered[]).push({ message, entry: Object.assign(new Entry(), entry) });
  }

  cancelled(): void {}

  /** Settles one delivery, the first of its consumer or any other. */
  settleOne(outcome: 'accepted' | 'returned' | 'rejected'): void {
    const busy = [...this.byConsumer].filter(([, deliveries]) => deliveries.length > 0);
    if (busy.length === 0) return;
    const [consumer, deliveries] = this.random.pick(busy);
    const index = this.random.chance(0.7) ? 0 : this.random.below(deliveries.length);
    const [{ message, entry }] = deliveries.splice(index, 1) as [Delivered];
    message.consumer = null;
    if (outcome === 'returned') message.state = 'ready';
    else if (outcome === 'accepted' || message.retries >= delays.length) message.state = 'done';
    else {
      message.state = 'waiting';
      message.dueMillis = this.broker.clock.nowMillis + (delays[message.retries++] as number);
    }
    this.queue.settle(entry, outcome);
    consumer.gaveBack(1);
    this.settle();
  }

  /** A consumer goes, and what it had comes back. */
  detach(): void {
    if (this.byConsumer.size < 2) return;
    const [consumer, deliveries] = this.random.pick([...this.byConsumer]);
    this.queue.detach(consumer);
    this.byConsumer.delete(consumer);
    for (const { message, entry } of deliveries) {
      message.state = 'ready';
      message.consumer = null;
      this.queue.settle(entry, 'returned');
    }
    this.settle();
  }

  settle(millis = 0): void {
    this.broker.advance(millis);
    this.check();
  }

  check(): void {
    const now = this.broker.clock.nowMillis;
    const count = (state: Known['state']): number => this.messages.filter(message => message.state === state).length;
    // What came back a moment ago is ready, whether it was seen or not.
    for (const message of this.messages) if (message.state === 'waiting' && message.dueMillis <= now - 2) message.state = 'ready';
    assert.equal(this.queue.unackedCount, count('unacked'));
    assert.equal(this.queue.readyCount + (this.queue.retries?.heldCount ?? 0), count('ready') + count('waiting'));
  }
}

test('order per key, one consumer per key, delays and counts hold whatever consumers do; nothing is lost or stays behind', () => {
  forSeeds(150, random => {
    const world = new World(random);
    world.attach();
    for (let step = 0; step < 250; step++) {
      switch (random.weighted({ publish: 5, accept: 4, return: 2, reject: 2, attach: 0.3, detach: 0.3, wait: 1 })) {
        case 'publish':
          world.publish();
          break;
        case 'accept':
          world.settleOne('accepted');
          break;
        case 'return':
          world.settleOne('returned');
          break;
        case 'reject':
          world.settleOne('rejected');
          break;
        case 'attach':
          if (world.byConsumer.size < 6) world.attach();
          break;
        case 'detach':
          world.detach();
          break;
        case 'wait':
          world.settle(random.between(1, 200));
          break;
      }
    }
    for (let round = 0; world.messages.some(({ state }) => state !== 'done'); round++) {
      assert.ok(round < 2000, `seed ${random.seed}: messages stay behind`);
      world.settleOne('accepted');
      if (world.queue.unackedCount === 0) world.settle(400);
    }
    assert.deepEqual([world.queue.messageCount, world.broker.core.store.liveCount, world.queue.groups?.table.size ?? 0], [0, 0, 0]);
    assert.equal(world.broker.core.counters.internalErrors, 0);
  });
});
