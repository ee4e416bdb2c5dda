import assert from 'node:assert/strict';
import type { BrokerCore } from '../../src/core/broker.ts';
import type { Consumer } from '../../src/core/consumer.ts';
import { type Entry, metaRedelivered, priorityOf } from '../../src/core/queues/entry.ts';
import type { Outcome, Queue, RestorableQueue } from '../../src/core/queues/queue.ts';

/** One message in one queue. */
export interface Copy {
  readonly id: number;
  readonly queue: QueueRecord;
  readonly level: number;
  readonly place: number;
  state: 'ready' | 'unacked' | 'settling' | 'waiting' | 'dying' | 'gone';
  /** Who has it and will settle it. */
  holder: Consumer | null;
  wasDelivered: boolean;
  /** When it is tried again. */
  dueMillis: number;
  /** How it ended. */
  fate: string;
}

/** What became of a publish, as the broker handled it. */
export interface PublishRecord {
  readonly routedCount: number;
  readonly isRefused: boolean;
}

/** What a queue holds, written down from the outside: at the port that the queue has to the rest of the broker. */
export class QueueRecord {
  readonly queue: Queue;
  readonly copies = new Map<string, Copy>();
  readonly ready = new Set<Copy>();
  /** What was rejected and is tried again later. */
  readonly waiting = new Set<Copy>();
  /** What came back to a quorum queue, in the order in which it did. */
  readonly returned: Copy[] = [];
  readonly hasGroups: boolean;
  readonly isQuorum: boolean;
  unackedCount = 0;
  /** Why messages are let go of at this moment; '' for what is said by settlements. */
  cause = '';
  /** A number is given once in a queue, whatever the priority. */
  #lastPlace = 0;

  constructor(queue: Queue) {
    this.queue = queue;
    this.hasGroups = queue.arguments.has('x-group-header');
    this.isQuorum = queue.arguments.get('x-queue-type')?.value === 'quorum';
  }

  add(id: number, priority: number): Copy {
    const level = this.levelOf(priority);
    return this.restore(id, level, this.#lastPlace + 1);
  }

  restore(id: number, level: number, place: number): Copy {
    this.#lastPlace = Math.max(place, this.#lastPlace);
    const copy: Copy = { id, queue: this, level, place, state: 'ready', holder: null, wasDelivered: false, dueMillis: 0, fate: '' };
    this.copies.set(`${level}/${place}`, copy);
    this.ready.add(copy);
    return copy;
  }

  levelOf(priority: number): number {
    return (this.queue as RestorableQueue).levelOf(priority);
  }

  copyOf(entry: Entry): Copy {
    const copy = this.copies.get(`${this.levelOf(priorityOf(entry.meta))}/${entry.sequence}`);
    assert.ok(copy !== undefined, `queue ${this.queue.name} speaks of a message that was never in it`);
    return copy;
  }

  /** Whether messages leave in the order of priority and place and no other. */
  get isStrict(): boolean {
    return !this.hasGroups && !this.isQuorum;
  }

  /** Notes what has come back to be tried again. */
  refresh(): void {
    if (this.waiting.size === 0) return;
    const places = new Set<string>();
    this.queue.retries?.forEach(({ entry }) => places.add(`${this.levelOf(priorityOf(entry.meta))}/${entry.sequence}`));
    const back = [...this.waiting].filter(copy => !places.has(`${copy.level}/${copy.place}`));
    // Those of one millisecond come in the order of their places.
    back.sort((a, b) => a.dueMillis - b.dueMillis || a.place - b.place);
    for (const copy of back) {
      this.waiting.delete(copy);
      copy.state = 'ready';
      this.cameBack(copy);
    }
  }

  /** Notes that a message waits to be tried again. */
  waits(copy: Copy): void {
    copy.state = 'waiting';
    this.waiting.add(copy);
    this.queue.retries?.forEach(({ entry, dueMillis }) => {
      if (entry.sequence === copy.place) copy.dueMillis = dueMillis;
    });
  }

  cameBack(copy: Copy): void {
    this.ready.add(copy);
    if (this.isQuorum && !this.hasGroups) this.returned.push(copy);
  }

  left(copy: Copy): void {
    this.ready.delete(copy);
    const index = this.returned.indexOf(copy);
    if (index >= 0) this.returned.splice(index, 1);
  }

  /** Whether a copy may be delivered next; `isBefore` says of two copies whether order is kept between them. */
  mayBeNext(copy: Copy, isOrdered: (other: Copy) => boolean): boolean {
    if (this.isStrict) return this.next() === copy;
    // What comes back to a quorum queue goes before all others, in the order in which it came.
    if (this.returned.length > 0) return this.returned[0] === copy;
    for (const other of this.ready) if (other.place < copy.place && other.level === copy.level && isOrdered(other)) return false;
    return true;
  }

  /** The copy that has to be delivered next: of the highest priority, the one with the lowest place. */
  next(): Copy | null {
    let next: Copy | null = null;
    for (const copy of this.ready) {
      if (next === null || copy.level > next.level || (copy.level === next.level && copy.place < next.place)) next = copy;
    }
    return next;
  }
}

/** A delivery that was handed to a channel and has to come out at its client in this order. */
export interface Outgoing {
  readonly copy: Copy;
  readonly deliveryTag: number;
  readonly consumerTag: string;
  readonly redelivered: boolean;
}

/**
 * The whole truth about messages, kept beside the broker while it works, with the rules that must hold at each event. What clients see is
 * compared with it (actor.ts).
 */
export class Ledger {
  readonly publishes = new Map<number, PublishRecord>();
  readonly queues = new Map<Queue, QueueRecord>();
  /** Groups of messages, by message. */
  readonly groups = new Map<number, number>();
  /** Deliveries on their way, by `port/channel` of the client. */
  readonly #outgoing = new Map<string, Outgoing[]>();
  counts = { published: 0, delivered: 0, redelivered: 0, accepted: 0, died: 0, purged: 0, deleted: 0, retried: 0, grouped: 0 };
  readonly #idOf: (entry: Entry) => number;

  constructor(idOf: (entry: Entry) => number) {
    this.#idOf = idOf;
  }

  recordOf(queue: Queue): QueueRecord {
    let record = this.queues.get(queue);
    if (record === undefined) {
      record = new QueueRecord(queue);
      this.queues.set(queue, record);
    }
    return record;
  }

  outgoing(key: string): Outgoing[] {
    let list = this.#outgoing.get(key);
    if (list === undefined) {
      list = [];
      this.#outgoing.set(key, list);
    }
    return list;
  }

  forget(port: number): void {
    for (const key of this.#outgoing.keys()) if (key.startsWith(`${port}/`)) this.#outgoing.delete(key);
  }

  published(id: number, routedCount: number, isRefused: boolean): void {
    assert.ok(!this.publishes.has(id), `message ${id} was published twice`);
    this.publishes.set(id, { routedCount, isRefused });
    this.counts.published++;
  }

  enqueued(queue: Queue, id: number, priority: number): void {
    assert.ok(!queue.isDeleted, `message ${id} was put into queue ${queue.name}, which is deleted`);
    this.recordOf(queue).add(id, priority);
  }

  /** A message leaves the queue for a client. */
  delivered(queue: Queue, entry: Entry, consumer: Consumer | null, noAck: boolean): Copy {
    const record = this.recordOf(queue);
    record.refresh();
    const copy = record.copyOf(entry);
    assert.equal(copy.state, 'ready', `message ${copy.id} of queue ${queue.name} is delivered, but it is ${copy.state} ${copy.fate}`);
    assert.equal(this.#idOf(entry), copy.id, `queue ${queue.name} delivers another message's bytes`);
    const group = this.groups.get(copy.id);
    const isOrdered = (other: Copy): boolean => !record.hasGroups || (group !== undefined && this.groups.get(other.id) === group);
    assert.ok(record.mayBeNext(copy, isOrdered), `queue ${queue.name} delivers message ${copy.id} before ${record.next()?.id}`);
    if (record.hasGroups && group !== undefined && consumer !== null && !noAck) {
      this.counts.grouped++;
      for (const other of record.copies.values()) {
        if (other.holder !== null && this.groups.get(other.id) === group)
          assert.equal(other.holder, consumer, `message ${copy.id} of group ${group} goes to another consumer than message ${other.id}`);
      }
    }
    assert.equal((entry.meta & metaRedelivered) !== 0, copy.wasDelivered, `the redelivered flag of message ${copy.id} is wrong`);
    if (consumer !== null) {
      assert.ok(consumer.isActive && !consumer.isCancelled, 'a delivery to a consumer that is not active or gone');
      const { prefetchCount, shared, unackedCount } = consumer;
      // The consumer has counted this one already.
      if (!noAck) assert.ok(prefetchCount === 0 || unackedCount <= prefetchCount, 'more deliveries than the prefetch allows');
      if (!noAck) assert.ok(shared.limit === 0 || shared.unackedCount <= shared.limit, 'more deliveries than the global prefetch allows');
    }
    record.left(copy);
    copy.state = 'unacked';
    copy.holder = noAck ? null : consumer;
    if (!noAck) record.unackedCount++;
    if (copy.wasDelivered) this.counts.redelivered++;
    this.counts.delivered++;
    copy.wasDelivered = true;
    return copy;
  }

  settling(queue: Queue, entry: Entry): Copy {
    const record = this.recordOf(queue);
    record.refresh();
    const copy = record.copyOf(entry);
    assert.equal(copy.state, 'unacked', `message ${copy.id} is settled, but it is ${copy.state} ${copy.fate}`);
    copy.state = 'settling';
    copy.holder = null;
    record.unackedCount--;
    return copy;
  }

  settled(copy: Copy, outcome: Outcome): void {
    if (copy.state !== 'settling') return;
    if (outcome === 'rejected' && copy.queue.queue.arguments.has('x-retry-delays')) {
      copy.queue.waits(copy);
      this.counts.retried++;
      return;
    }
    assert.equal(outcome, 'returned', `message ${copy.id} was settled as ${outcome} and is still there`);
    copy.state = 'ready';
    copy.queue.cameBack(copy);
  }

  dying(queue: Queue, entry: Entry, reason: string): void {
    const record = this.recordOf(queue);
    record.refresh();
    const copy = record.copyOf(entry);
    assert.ok(copy.state === 'ready' || copy.state === 'settling', `message ${copy.id} dies (${reason}), but it is ${copy.state}`);
    record.left(copy);
    copy.state = 'dying';
    copy.fate = reason;
    this.counts.died++;
  }

  /** The queue lets go of a message for good. */
  released(queue: Queue, entry: Entry): void {
    // A message that reject-publish-dlx refused was never in the queue.
    if (entry.sequence === 0) return;
    const record = this.recordOf(queue);
    record.refresh();
    const copy = record.copyOf(entry);
    assert.notEqual(copy.state, 'gone', `message ${copy.id} of queue ${queue.name} is let go of twice`);
    if (copy.state === 'ready' || copy.state === 'waiting') {
      assert.notEqual(record.cause, '', `message ${copy.id} of queue ${queue.name} vanishes`);
      record.left(copy);
      record.waiting.delete(copy);
      if (record.cause === 'purged') this.counts.purged++;
      else this.counts.deleted++;
    } else if (copy.state !== 'dying') {
      this.counts.accepted++;
    }
    copy.state = 'gone';
    copy.fate ||= record.cause || 'accepted';
    record.copies.delete(`${copy.level}/${copy.place}`);
  }

  /** Compares what the queues say of themselves with what is written here, and counts references to messages. */
  check(core: BrokerCore): void {
    for (const [queue, record] of this.queues) {
      record.refresh();
      if (queue.isDeleted && record.copies.size === 0) {
        this.queues.delete(queue);
        continue;
      }
      assert.equal(queue.readyCount, queue.isDeleted ? 0 : record.ready.size, `ready messages of queue ${queue.name}`);
      assert.equal(queue.unackedCount, record.unackedCount, `unacknowledged messages of queue ${queue.name}`);
    }
    const refs = new Set<number>();
    for (const holder of core.refHolders()) {
      holder.relocate(ref => {
        refs.add(ref);
        return ref;
      });
    }
    assert.equal(core.store.liveCount, refs.size, 'messages are in memory that nobody has, or the other way round');
  }

  /** What a queue has ready, in the order of delivery. */
  expectedOrder(queue: Queue): number[] {
    return [...this.recordOf(queue).ready].sort((a, b) => b.level - a.level || a.place - b.place).map(copy => copy.id);
  }
}
