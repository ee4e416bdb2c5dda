// hot path: see docs/STYLE.md
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { FieldTable } from '../../base/field-table.ts';
import { accessRefused, preconditionFailed } from '../broker-error.ts';
import type { Consumer } from '../consumer.ts';
import { deathReasons } from '../dead-letter.ts';
import { flowBytesHigh, flowMessagesHigh } from '../flow-control.ts';
import type { Publication } from '../messages/publication.ts';
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { queueTerm } from '../resource-name.ts';
import { QueueRetries } from '../retries/queue-retries.ts';
import type { RetryDelays } from '../retries/retry-delays.ts';
import { ConsumerRota } from './consumer-rota.ts';
import {
  countedDelivery,
  deliveryCount,
  Entry,
  metaHasTtl,
  metaDeathShift,
  metaLogged,
  metaPersistent,
  metaPriorityShift,
  metaRedelivered,
  priorityOf,
} from './entry.ts';
import { EntryRecord } from './entry-record.ts';
import type { QueueContext } from './queue-context.ts';
import type { QueueType } from './queue-type.ts';
import { Queue, type Outcome, type QueueDeclaration } from './queue.ts';
import type { QueueSettings } from './queue-settings.ts';
import { getters } from '../groups/group.ts';
import type { GroupLists } from '../groups/group-lists.ts';
import type { ReadyLists } from './ready-lists.ts';

/** Expired messages that one timer event removes before others get their turn. */
const expireBatchMax = 10_000;
/** Entries looked at when limits are enforced at once on a queue that became too long. */
const enforceBatchMax = 10_000;

/** More than there are priorities. */
const levelsMax = 256;

/** What differs between queues by type and declaration. */
export interface ClassicOptions {
  /** In what order messages go out; empty. */
  readonly lists: ReadyLists;
  readonly hasSingleActiveConsumer: boolean;
  /** The same lists when they have message groups; null for a queue without. */
  readonly groups: GroupLists | null;
  /** Returns of a message after which its group is parked; 0: never. */
  readonly groupParkAfter: number;
}

/** A type whose queues keep their messages this way: they can become queues of another such type. */
export interface ClassicQueueType extends QueueType {
  options(args: FieldTable, context: QueueContext): ClassicOptions;
}

function isClassic(type: QueueType): type is ClassicQueueType {
  return 'options' in type;
}

/**
 * First in, first out, with priorities, time to live, length limits and dead-lettering: classic queues, and quorum queues on one node. What
 * tells these apart is the order of their lists and what their types' capabilities say. [RabbitMQ docs: classic queues, quorum queues]
 */
export class ClassicQueue extends Queue {
  #lists: ReadyLists;
  #hasSingleActiveConsumer: boolean;
  #groups: GroupLists | null;
  #groupParkAfter: number;
  readonly #rota = new ConsumerRota();
  #consumers: Consumer[] = [];
  #readyBytes = 0;
  #unackedCount = 0;
  #unackedBytes = 0;
  #hadConsumer = false;
  #expiryTimer: CallbackTimer | null = null;
  #leaseTimer: CallbackTimer | null = null;
  readonly #entry = new Entry();
  /** Where persistent messages are recorded; null for a queue that does not outlive the broker. */
  readonly #log: QueueLog | null;
  /** Made with the first message that is to be tried again. */
  #retries: QueueRetries | null = null;
  /** The same for what is not on the hot path. */
  readonly #record: EntryRecord | null;
  /** The head's bytes are on their way from disk. */
  #isFetching = false;

  constructor(
    type: QueueType,
    vhostName: string,
    id: number,
    declaration: QueueDeclaration,
    settings: QueueSettings,
    options: ClassicOptions,
    context: QueueContext,
  ) {
    super(type, vhostName, id, declaration, context);
    this.#lists = options.lists;
    this.#hasSingleActiveConsumer = options.hasSingleActiveConsumer;
    this.#groups = options.groups;
    this.#groupParkAfter = options.groupParkAfter;
    this.settings = settings;
    this.#log = this.isDurable && !this.isExclusive ? context.log : null;
    this.#record = this.#log === null ? null : new EntryRecord(id, this.#log, context);
    this.#armLease();
  }

  get isLogging(): boolean {
    return this.#log !== null;
  }

  get readyCount(): number {
    return this.#lists.length;
  }

  get unackedCount(): number {
    return this.#unackedCount;
  }

  get readyBytes(): number {
    return this.#readyBytes;
  }

  get unackedBytes(): number {
    return this.#unackedBytes;
  }

  get consumerCount(): number {
    return this.#consumers.length;
  }

  get exclusiveConsumer(): Consumer | null {
    const first = this.#consumers[0];
    return first?.isExclusive && this.type.capabilities.hasExclusiveConsumers ? first : null;
  }

  consumers(): Iterable<Consumer> {
    return this.#consumers;
  }

  override touch(): void {
    super.touch();
    this.#armLease();
  }

  admits(p: Publication): boolean {
    const settings = this.settings;
    if (settings.overflow === 'drop-head' || !this.#wouldOverflow(p.bodyBytes)) return true;
    // What consumers can take at once does not count: in the order of events it has left the queue already.
    this.pump(Infinity);
    if (!this.#wouldOverflow(p.bodyBytes)) return true;
    if (settings.overflow === 'reject-publish-dlx') this.context.deadLetters.addPublication(this, p);
    this.counters.dropped++;
    return false;
  }

  enqueue(p: Publication, ref: MessageRef): void {
    const settings = this.settings;
    let ttl = p.ttlMillis;
    if (settings.messageTtlMillis >= 0 && (ttl < 0 || settings.messageTtlMillis < ttl)) ttl = settings.messageTtlMillis;
    let meta = p.isPersistent ? metaPersistent : 0;
    const log = p.isPersistent || this.keepsTransient ? this.#log : null;
    if (log !== null) meta |= metaLogged;
    let expiryMillis = 0;
    if (ttl >= 0) {
      meta |= metaHasTtl;
      expiryMillis = this.context.clock.nowMillis + ttl;
    }
    const sequence = this.#lists.push(ref, meta, p.bodyBytes, expiryMillis, p.priority);
    if (this.deduplication !== null) this.deduplication.entered(p.priority, sequence, log !== null);
    if (log !== null) log.enqueued(this.id, p.priority, sequence, ref, p.bodyBytes, this.#wallTime(expiryMillis));
    this.#readyBytes += p.bodyBytes;
    this.counters.published++;
    if (!this.isMarkedReady) this.context.turn.queueReady(this);
    if (p.publisher !== null && (this.#lists.length > flowMessagesHigh || this.#readyBytes > flowBytesHigh))
      this.context.flow.consider(this, p.publisher);
    if (settings.lengthMax >= 0 || settings.lengthBytesMax >= 0) this.#enforceLimits();
  }

  attach(consumer: Consumer): void {
    // A single active consumer is exclusive already. [RabbitMQ docs: single active consumer]
    if (this.exclusiveConsumer !== null || (this.#isExclusive(consumer) && (this.#consumers.length > 0 || this.#hasSingleActiveConsumer))) {
      throw accessRefused(`queue '${this.name}' in vhost '${this.vhostName}' in exclusive use`);
    }
    this.touch();
    this.#hadConsumer = true;
    if (this.#hasSingleActiveConsumer) consumer.isActive = this.#consumers.length === 0;
    this.#consumers.push(consumer);
    consumer.refresh();
  }

  detach(consumer: Consumer): void {
    consumer.isCancelled = true;
    this.#rota.remove(consumer);
    const index = this.#consumers.indexOf(consumer);
    if (index < 0) return;
    this.#consumers.splice(index, 1);
    if (this.#hasSingleActiveConsumer && consumer.isActive && this.#consumers.length > 0) this.#activateNext();
    if (this.#consumers.length === 0) {
      this.touch();
      if (this.isAutoDelete && this.#hadConsumer && !this.isDeleted) this.context.removeQueue(this, 'auto-delete');
    }
  }

  consumerReady(consumer: Consumer): void {
    this.#rota.add(consumer);
    if (this.#groups !== null) this.#groups.consumerReady(consumer);
    if (!this.isMarkedReady && !this.#lists.isEmpty) this.context.turn.queueReady(this);
  }

  pump(budget: number): boolean {
    if (this.#groups !== null) return this.#pumpGroups(this.#groups, budget);
    const lists = this.#lists;
    const entry = this.#entry;
    const now = this.context.clock.nowMillis;
    let left = budget;
    while (!lists.isEmpty) {
      const consumer = this.#rota.current;
      if (consumer === null) break;
      if (!consumer.hasCredit) {
        this.#rota.remove(consumer);
        continue;
      }
      if (left-- <= 0) return true;
      if (!this.context.store.isAllThere && !this.#isHeadThere()) return false;
      lists.shift(entry);
      if (entry.expiryMillis !== 0 && entry.expiryMillis < now) {
        this.#expire(entry);
        continue;
      }
      this.#readyBytes -= entry.bytes;
      this.#deliver(consumer, entry);
      this.#rota.rotate(consumer);
    }
    if (lists.hasExpiries) this.#watchHead();
    return false;
  }

  take(into: Entry, noAck: boolean): boolean {
    this.touch();
    const now = this.context.clock.nowMillis;
    for (;;) {
      if (this.#lists.isEmpty) {
        this.counters.gotEmpty++;
        return false;
      }
      if (this.#groups === null) {
        this.#lists.shift(into);
      } else {
        const group = this.#groups.nextForGetters(into);
        if (group === null) {
          this.counters.gotEmpty++;
          return false;
        }
        const isExpired = into.expiryMillis !== 0 && into.expiryMillis <= now;
        this.#groups.takeFirst(group, noAck || isExpired ? null : getters, into);
      }
      if (into.expiryMillis === 0 || into.expiryMillis > now) break;
      this.#expire(into);
    }
    this.#readyBytes -= into.bytes;
    if (this.#lists.hasExpiries) this.#watchHead();
    if ((into.meta & metaRedelivered) !== 0) this.counters.redelivered++;
    if (noAck) {
      this.counters.gotNoAck++;
    } else {
      this.counters.got++;
      this.#unackedCount++;
      this.#unackedBytes += into.bytes;
    }
    return true;
  }

  settle(entry: Entry, outcome: Outcome): void {
    if (this.#groups === null) {
      this.#settle(entry, outcome);
      return;
    }
    const { sequence } = entry;
    const heldCount = this.#retries?.heldCount ?? 0;
    this.#settle(entry, outcome);
    this.#groups.settled(sequence, (this.#retries?.heldCount ?? 0) > heldCount);
    // Those behind it may go to others now.
    if (!this.isMarkedReady && !this.#lists.isEmpty) this.context.turn.queueReady(this);
  }

  #settle(entry: Entry, outcome: Outcome): void {
    this.#unackedCount--;
    this.#unackedBytes -= entry.bytes;
    if (outcome === 'accepted') {
      this.counters.acked++;
      this.release(entry);
      return;
    }
    if (this.isDeleted) {
      this.release(entry);
      return;
    }
    if (outcome === 'rejected') {
      if (this.settings.retryDelays !== null && this.#retryLater(entry, this.settings.retryDelays)) return;
      this.counters.deadLetteredRejected++;
      this.context.deadLetters.add(this, entry, 'rejected');
      return;
    }
    entry.meta = countedDelivery(entry.meta);
    if (this.settings.deliveryLimit >= 0 && deliveryCount(entry.meta) > this.settings.deliveryLimit) {
      this.context.deadLetters.add(this, entry, 'delivery_limit');
      return;
    }
    this.#putBack(entry);
  }

  /** Gives a message its old place back. */
  #putBack(entry: Entry): void {
    const isTight = this.settings.overflow === 'drop-head' && this.#wouldOverflow(entry.bytes);
    // Before it comes back, what consumers can take at once leaves: see `admits`.
    if (isTight && this.#groups === null) this.pump(Infinity);
    this.#enlist(entry);
    if (this.#groupParkAfter > 0 && deliveryCount(entry.meta) >= this.#groupParkAfter) this.#groups?.parkLast();
    this.#readyBytes += entry.bytes;
    if (isTight) this.#dropHeads();
    // Its time may have come while it was away.
    if (entry.expiryMillis !== 0) this.#watchHead();
    if (!this.isMarkedReady) this.context.turn.queueReady(this);
  }

  purge(): number {
    const count = this.#lists.length;
    const entry = this.#entry;
    while (!this.#lists.isEmpty) {
      this.#lists.shift(entry);
      this.release(entry);
    }
    this.#readyBytes = 0;
    return count;
  }

  forEachReady(visit: (entry: Entry) => boolean): void {
    this.#lists.forEach(this.#entry, visit);
  }

  relocate(rename: Rename): void {
    this.#lists.relocate(rename, this);
    this.#retries?.relocate(rename);
    this.deduplication?.kept?.relocate(rename);
  }

  applySettings(settings: QueueSettings): void {
    const hadTtl = this.settings.messageTtlMillis;
    this.settings = settings;
    if (settings.messageTtlMillis >= 0 && settings.messageTtlMillis !== hadTtl)
      this.#lists.limitExpiries(this.context.clock.nowMillis + settings.messageTtlMillis);
    this.#armLease();
    this.#enforceLimits();
    this.context.turn.queueReady(this);
  }

  override reshape(type: QueueType, args: FieldTable, record: () => void): boolean {
    if (!isClassic(type)) return false;
    const { lists, hasSingleActiveConsumer, groups, groupParkAfter } = type.options(args, this.context);
    const old = this.#lists;
    let sequence = old.nextSequence;
    const isNumberedAnew = old.hasNumbersPerLevel;
    if (isNumberedAnew) this.#numberAnew(sequence);
    record();
    this.become(type, args);
    const entry = this.#entry;
    while (!old.isEmpty) {
      old.shift(entry);
      if (isNumberedAnew) entry.sequence = sequence++;
      if (this.keepsTransient) this.#record?.keep(entry);
      lists.restore(priorityOf(entry.meta), entry.sequence, entry.ref, entry.meta, entry.bytes, entry.expiryMillis);
    }
    // Deliveries under way have numbers too.
    lists.startAt(sequence);
    this.#lists = lists;
    this.#groups = groups;
    this.#groupParkAfter = groupParkAfter;
    this.#hasSingleActiveConsumer = hasSingleActiveConsumer;
    const active = this.#consumers.find(consumer => consumer.isActive);
    for (const consumer of this.#consumers) {
      consumer.isActive = !hasSingleActiveConsumer || consumer === active;
      if (consumer.isActive) consumer.refresh();
      else this.#rota.remove(consumer);
    }
    this.context.turn.queueReady(this);
    return true;
  }

  /** Says in the log that messages have other numbers, each its own in the whole queue: in other levels they may meet others of the same. */
  #numberAnew(first: number): void {
    const isBound = this.deduplication !== null && this.messageCount > 0;
    if (isBound || this.messageCount + this.dyingCount + (this.#retries?.heldCount ?? 0) > this.#lists.length) {
      throw preconditionFailed(
        `cannot change ${queueTerm(this.name, this.vhostName)}: it has priorities, and messages that are unacknowledged, wait or are known as duplicates`,
      );
    }
    let sequence = first;
    this.#lists.forEach(this.#entry, entry => {
      const from = entry.sequence;
      entry.sequence = sequence++;
      this.#record?.moved(from, entry);
      return true;
    });
  }

  close(): void {
    this.isDeleted = true;
    if (this.#expiryTimer !== null) this.context.timers.clear(this.#expiryTimer);
    if (this.#leaseTimer !== null) this.context.timers.clear(this.#leaseTimer);
    const consumers = this.#consumers;
    this.#consumers = [];
    for (const consumer of consumers) {
      this.#rota.remove(consumer);
      consumer.isCancelled = true;
      consumer.sink.cancelled(consumer, 'queue-deleted');
    }
    this.purge();
    this.#retries?.close();
    this.deduplication?.kept?.close();
  }

  override get retries(): QueueRetries | null {
    return this.#retries;
  }

  #retriesMade(): QueueRetries {
    return (this.#retries ??= new QueueRetries(this, this.context, this.#log, entry => this.#putBack(entry)));
  }

  /** Keeps a rejected message for another try; false when it had as many as it may have. */
  #retryLater(entry: Entry, delays: RetryDelays): boolean {
    return this.#retriesMade().tryLater(entry, delays);
  }

  #deliver(consumer: Consumer, entry: Entry): void {
    const counters = this.counters;
    if ((entry.meta & metaRedelivered) !== 0) counters.redelivered++;
    if (consumer.noAck) {
      counters.deliveredNoAck++;
      consumer.sink.deliver(consumer, entry);
      this.release(entry);
    } else {
      counters.delivered++;
      this.#unackedCount++;
      this.#unackedBytes += entry.bytes;
      consumer.took();
      consumer.sink.deliver(consumer, entry);
    }
  }

  override noteFate(entry: Entry): void {
    this.#record?.noted(entry);
  }

  release(entry: Entry): void {
    if (this.deduplication !== null) this.deduplication.left(priorityOf(entry.meta), entry.sequence);
    if (this.#retries !== null) this.#retries.left(entry);
    if (this.#groups !== null) this.#groups.left(entry.sequence);
    // A deleted queue's entries went with it.
    if ((entry.meta & metaLogged) !== 0 && !this.isDeleted) this.#log?.settled(this.id, priorityOf(entry.meta), entry.sequence);
    this.context.store.release(entry.ref, entry.bytes);
  }

  fetchHead(then: () => void): boolean {
    if (this.#groups !== null) return this.#fetchGroupHead(this.#groups, then);
    const { store, clock } = this.context;
    const entry = this.#entry;
    while (!this.#lists.isEmpty) {
      this.#lists.peek(entry);
      if (entry.expiryMillis !== 0 && entry.expiryMillis <= clock.nowMillis) {
        this.#lists.shift(entry);
        this.#expire(entry);
      } else if (!store.isResident(entry.ref)) {
        store.fetch(entry.ref, then);
        return false;
      } else if (store.isIntact(entry.ref)) {
        return true;
      } else {
        this.#dropDamaged();
      }
    }
    return true;
  }

  /** Whether what `take` takes next is in memory; see fetchHead. */
  #fetchGroupHead(groups: GroupLists, then: () => void): boolean {
    const { store } = this.context;
    const entry = this.#entry;
    for (;;) {
      const group = groups.nextForGetters(entry);
      if (group === null && !groups.isLacking) return true;
      if (!store.isResident(entry.ref)) {
        store.fetch(entry.ref, then);
        return false;
      }
      if (group === null || store.isIntact(entry.ref)) return true;
      groups.takeFirst(group, null, entry);
      this.#dropTaken(entry);
    }
  }

  /** Hands out messages of groups: as `pump` does, but each to the consumer that has its group. */
  #pumpGroups(groups: GroupLists, budget: number): boolean {
    const { store, clock } = this.context;
    const entry = this.#entry;
    const now = clock.nowMillis;
    let left = budget;
    while (!this.#lists.isEmpty) {
      const current = this.#rota.current;
      if (current === null) break;
      if (!current.hasCredit) {
        this.#rota.remove(current);
        continue;
      }
      if (left-- <= 0) return true;
      const group = groups.next(entry, this.#rota);
      if (group === null) {
        if (!groups.isLacking) return groups.hasUnknown;
        this.#fetch(entry.ref);
        return false;
      }
      if (!store.isAllThere) {
        if (!store.isResident(entry.ref)) {
          this.#fetch(entry.ref);
          return false;
        }
        if (!store.isIntact(entry.ref)) {
          groups.takeFirst(group, null, entry);
          this.#dropTaken(entry);
          continue;
        }
      }
      const isExpired = entry.expiryMillis !== 0 && entry.expiryMillis < now;
      const consumer = group.owner === null || group.owner === getters ? current : group.owner;
      groups.takeFirst(group, consumer.noAck || isExpired ? null : consumer, entry);
      if (isExpired) {
        this.#expire(entry);
        continue;
      }
      this.#readyBytes -= entry.bytes;
      this.#deliver(consumer, entry);
      if (consumer.isInRota) this.#rota.rotate(consumer);
    }
    if (this.#lists.hasExpiries) this.#watchHead();
    return false;
  }

  #fetch(ref: MessageRef): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.context.store.fetch(ref, () => {
      this.#isFetching = false;
      if (!this.isDeleted) this.context.turn.queueReady(this);
    });
  }

  /** A damaged message that was taken out goes. */
  #dropTaken(entry: Entry): void {
    this.#readyBytes -= entry.bytes;
    this.context.messageDamaged(this, entry);
    this.release(entry);
  }

  override get groups(): GroupLists | null {
    return this.#groups;
  }

  /** Recovery: puts a message back to its place. */
  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    const reason = deathReasons[((meta >>> metaDeathShift) & 7) - 1];
    if (reason !== undefined) {
      this.context.deadLetters.add(this, { ref, meta: meta | (priority << metaPriorityShift), bytes, sequence, expiryMillis }, reason);
      return;
    }
    this.#lists.restore(priority, sequence, ref, meta, bytes, expiryMillis);
    this.#readyBytes += bytes;
    this.context.turn.queueReady(this);
  }

  restoreRetry(priority: number, sequence: number, retryCount: number, dueMillis: number): void {
    const entry = this.#entry;
    if (dueMillis !== 0 && this.removeRestored(priority, sequence, entry)) this.#retriesMade().restore(entry, retryCount, dueMillis);
    else this.#retriesMade().restoreCount(priority, sequence, retryCount);
  }

  levelOf(priority: number): number {
    return this.#lists.levelOf(priority);
  }

  override nextPlace(priority: number): number {
    return this.#lists.nextSequenceAt(priority) * levelsMax + this.#lists.levelOf(priority);
  }

  override placeOf(entry: Entry): number {
    return entry.sequence * levelsMax + this.#lists.levelOf(priorityOf(entry.meta));
  }

  restored(): void {
    // A shorter time to live that came by a policy is not recorded with each message.
    const { messageTtlMillis } = this.settings;
    if (messageTtlMillis >= 0) this.#lists.limitExpiries(this.context.clock.nowMillis + messageTtlMillis);
  }

  removeRestored(priority: number, sequence: number, into: Entry): boolean {
    if (!this.#lists.remove(this.#lists.levelOf(priority), sequence, into)) return false;
    this.#readyBytes -= into.bytes;
    return true;
  }

  /** Whether the first message's bytes are in memory and sound; else they are fetched, or the damaged message is reported and dropped. */
  #isHeadThere(): boolean {
    const { store } = this.context;
    for (;;) {
      if (this.#lists.isEmpty) return false;
      this.#lists.peek(this.#entry);
      if (!store.isResident(this.#entry.ref)) {
        this.#fetch(this.#entry.ref);
        return false;
      }
      if (store.isIntact(this.#entry.ref)) return true;
      this.#dropDamaged();
    }
  }

  #dropDamaged(): void {
    const entry = this.#entry;
    this.#lists.shift(entry);
    this.#dropTaken(entry);
  }

  #wallTime(expiryMillis: number): number {
    const { clock } = this.context;
    return expiryMillis === 0 ? 0 : clock.wallMillis + (expiryMillis - clock.nowMillis);
  }

  #isExclusive(consumer: Consumer): boolean {
    return consumer.isExclusive && this.type.capabilities.hasExclusiveConsumers;
  }

  /** Puts a message that was away where the type wants it. */
  #enlist(entry: Entry): void {
    const record = this.#record;
    // It may have been delivered when the queue was of another type.
    if (this.keepsTransient) record?.keep(entry);
    // What is remembered about a message by its place holds it there.
    const isBound = this.deduplication !== null || this.retries !== null || this.#groups !== null;
    if (this.countsDeliveries && this.settings.deliveryLimit < 0 && !isBound) {
      // Without a limit it goes to the end, so that what nobody can process does not hold up the rest. [RabbitMQ docs: quorum queues, repeated requeues]
      const { sequence } = entry;
      const priority = priorityOf(entry.meta);
      entry.sequence = this.#lists.push(entry.ref, entry.meta, entry.bytes, entry.expiryMillis, priority);
      record?.moved(sequence, entry);
      return;
    }
    if (this.countsDeliveries) record?.noted(entry);
    this.#lists.putBack(entry);
  }

  #activateNext(): void {
    const next = this.#consumers[0] as Consumer;
    next.isActive = true;
    next.refresh();
  }

  #wouldOverflow(bodyBytes: number): boolean {
    const { lengthMax, lengthBytesMax } = this.settings;
    return (
      (lengthMax >= 0 && this.#lists.length + this.dyingCount + 1 > lengthMax) ||
      (lengthBytesMax >= 0 && this.#readyBytes + this.dyingBytes + bodyBytes > lengthBytesMax)
    );
  }

  #isTooLong(): boolean {
    const { lengthMax, lengthBytesMax } = this.settings;
    return (lengthMax >= 0 && this.#lists.length > lengthMax) || (lengthBytesMax >= 0 && this.#readyBytes > lengthBytesMax);
  }

  #enforceLimits(): void {
    if (this.settings.overflow !== 'drop-head' || !this.#isTooLong()) return;
    this.pump(Infinity);
    this.#dropHeads();
  }

  #dropHeads(): void {
    const entry = this.#entry;
    for (let count = 0; count < enforceBatchMax && !this.#lists.isEmpty && this.#isTooLong(); count++) {
      this.#lists.shift(entry);
      this.#readyBytes -= entry.bytes;
      this.counters.deadLetteredMaxLength++;
      this.context.deadLetters.add(this, entry, 'maxlen');
    }
  }

  #expire(entry: Entry): void {
    this.#readyBytes -= entry.bytes;
    this.counters.deadLetteredExpired++;
    this.context.deadLetters.add(this, entry, 'expired');
  }

  /**
   * Drops what has expired at the head and sets the timer for the next; messages behind an unexpired head wait, also those of a lower
   * priority. [RabbitMQ docs: TTL, priority queues]
   */
  #watchHead(): void {
    const lists = this.#lists;
    const now = this.context.clock.nowMillis;
    const entry = this.#entry;
    for (let count = 0; !lists.isEmpty; count++) {
      lists.peek(entry);
      if (entry.expiryMillis === 0) break;
      if (entry.expiryMillis > now || count >= expireBatchMax) {
        this.#expiryTimer ??= new CallbackTimer(() => this.#watchHead());
        this.setTimer(this.#expiryTimer, Math.max(entry.expiryMillis, now));
        return;
      }
      lists.shift(entry);
      this.#expire(entry);
    }
    if (this.#expiryTimer !== null) this.context.timers.clear(this.#expiryTimer);
  }

  /** x-expires: an unused queue is deleted; a consumer, a get or a declare is a use. */
  #armLease(): void {
    const expires = this.settings.expiresMillis;
    if (expires < 0) {
      if (this.#leaseTimer !== null) this.context.timers.clear(this.#leaseTimer);
      return;
    }
    this.#leaseTimer ??= new CallbackTimer(now => {
      if (this.#consumers.length > 0) this.lastUsedMillis = now;
      const due = this.lastUsedMillis + this.settings.expiresMillis;
      if (due <= now) this.context.removeQueue(this, 'expired');
      else this.setTimer(this.#leaseTimer as CallbackTimer, due);
    });
    this.setTimer(this.#leaseTimer, this.lastUsedMillis + expires);
  }
}
