// hot path: see docs/STYLE.md
import type { FieldTable } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { Consumer } from '../consumer.ts';
import { deathReasons } from '../dead-letter.ts';
import { flowBytesHigh, flowMessagesHigh } from '../flow-control.ts';
import { groupHeaderArgument } from '../groups/group-arguments.ts';
import type { GroupLists } from '../groups/group-lists.ts';
import { GroupPump } from '../groups/group-pump.ts';
import type { Publication } from '../messages/publication.ts';
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { queueTerm } from '../resource-name.ts';
import type { QueueRetries } from '../retries/queue-retries.ts';
import { changeInPlace } from '../shape/in-place.ts';
import type { ShapeChange } from '../shape/shape-change.ts';
import type { ConsumerRota } from './consumer-rota.ts';
import { Entry, metaDeathShift, metaHasTtl, metaLogged, metaPersistent, metaPriorityShift, metaRedelivered, priorityOf } from './entry.ts';
import { EntryRecord } from './entry-record.ts';
import { ExpiryWatch } from './expiry-watch.ts';
import { enforceLimit, shrink, wouldOverflow } from './length-limit.ts';
import { isMessageQueueType, type MessageQueueOptions } from './message-queue-type.ts';
import { QueueConsumers } from './queue-consumers.ts';
import type { QueueContext } from './queue-context.ts';
import { QueueHead } from './queue-head.ts';
import { QueueLease } from './queue-lease.ts';
import type { QueuePause } from './queue-pause.ts';
import { QueueReturns, type ReturnsHome } from './queue-returns.ts';
import type { QueueType } from './queue-type.ts';
import { Queue, type Outcome, type QueueDeclaration } from './queue.ts';
import { keptSettings, type QueueSettings } from './queue-settings.ts';
import type { ListMove, VisitMoved } from './list-move.ts';
import type { ReadyLists } from './ready-lists.ts';
import { ReadyMessages } from './ready-messages.ts';

/**
 * A queue that has each message until somebody has taken it: first in, first out, with priorities, time to live, length limits and
 * dead-lettering. Classic queues, and quorum queues on one node; what tells these apart is the order of their lists and what their types'
 * capabilities say. [RabbitMQ docs: classic queues, quorum queues]
 */
export class MessageQueue extends Queue {
  readonly #ready: ReadyMessages;
  /** For a queue with message groups. */
  #groupPump: GroupPump | null;
  readonly #consumers: QueueConsumers;
  /** That of the consumers. */
  readonly #rota: ConsumerRota;
  #unackedCount = 0;
  #unackedBytes = 0;
  // What an idle queue can do without is made when it is needed: idle queues are many.
  #lease: QueueLease | null = null;
  #expiry: ExpiryWatch | null = null;
  #head: QueueHead | null = null;
  readonly #entry = new Entry();
  /** Where persistent messages are recorded; null for a queue that does not outlive the broker. */
  readonly #log: QueueLog | null;
  #returns: QueueReturns | null = null;
  /** How many give deliveries back: see Queue.startReturning. */
  #returningCount = 0;
  /** To be called when nobody does any more. */
  #waiting: (() => void)[] | null = null;
  /** Whether the log may have given a number to several messages, of different priorities. */
  #hasSharedNumbers = false;
  /** The log for what is not on the hot path. */
  #record: EntryRecord | null = null;

  constructor(
    type: QueueType,
    vhostName: string,
    id: number,
    declaration: QueueDeclaration,
    settings: QueueSettings,
    options: MessageQueueOptions,
    context: QueueContext,
  ) {
    super(type, vhostName, id, declaration, context);
    this.#ready = new ReadyMessages(options.lists);
    this.#consumers = new QueueConsumers(this, options.hasSingleActiveConsumer);
    this.#rota = this.#consumers.rota;
    this.#groupPump = this.#groupPumpOf(options);
    this.settings = keptSettings(settings);
    this.#log = this.isDurable && !this.isExclusive ? context.log : null;
    this.#armLease();
  }

  get isLogging(): boolean {
    return this.#log !== null;
  }

  get readyCount(): number {
    return this.#ready.count;
  }

  get unackedCount(): number {
    return this.#unackedCount;
  }

  get readyBytes(): number {
    return this.#ready.bytes;
  }

  get unackedBytes(): number {
    return this.#unackedBytes;
  }

  get consumerCount(): number {
    return this.#consumers.count;
  }

  get exclusiveConsumer(): Consumer | null {
    return this.#consumers.exclusive;
  }

  consumers(): Iterable<Consumer> {
    return this.#consumers.all();
  }

  override touch(): void {
    super.touch();
    this.#armLease();
  }

  admits(p: Publication): boolean {
    const settings = this.settings;
    if (settings.overflow === 'drop-head' || !wouldOverflow(this, this.#ready, p.bodyBytes)) return true;
    // What consumers can take at once does not count: in the order of events it has left the queue already.
    this.pump(Infinity);
    if (!wouldOverflow(this, this.#ready, p.bodyBytes)) return true;
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
    const sequence = this.#ready.lists.push(ref, meta, p.bodyBytes, expiryMillis, p.priority);
    if (this.deduplication !== null) this.deduplication.entered(p.priority, sequence, log !== null);
    if (log !== null) log.enqueued(this.id, p.priority, sequence, ref, p.bodyBytes, this.#wallTime(expiryMillis));
    this.#ready.bytes += p.bodyBytes;
    this.counters.published++;
    if (!this.isMarkedReady) this.context.turn.queueReady(this);
    if (p.publisher !== null && (this.#ready.lists.length > flowMessagesHigh || this.#ready.bytes > flowBytesHigh))
      this.context.flow.consider(this, p.publisher);
    if (settings.lengthMax >= 0 || settings.lengthBytesMax >= 0) enforceLimit(this, this.#ready, this.context.deadLetters, this.#entry);
  }

  attach(consumer: Consumer): void {
    this.#consumers.check(consumer);
    this.touch();
    this.#consumers.add(consumer);
  }

  detach(consumer: Consumer): void {
    consumer.isCancelled = true;
    if (!this.#consumers.remove(consumer)) return;
    this.touch();
    if (this.isAutoDelete && !this.isDeleted) this.context.removeQueue(this, 'auto-delete');
  }

  consumerReady(consumer: Consumer): void {
    this.#rota.add(consumer);
    if (this.#groupPump !== null) this.#groupPump.groups.consumerReady(consumer);
    if (!this.isMarkedReady && !this.#ready.lists.isEmpty) this.context.turn.queueReady(this);
  }

  override consumerDrained(consumer: Consumer): void {
    this.#consumers.drained(consumer);
  }

  pump(budget: number): boolean {
    if (this.#ready.move !== null || this.#returningCount > 0) return false;
    if (this.#groupPump !== null) return this.#pumpGroups(this.#groupPump, budget);
    const lists = this.#ready.lists;
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
      if (!this.context.store.isAllThere && !this.#headMade().isThere(lists)) return false;
      lists.shift(entry);
      if (entry.expiryMillis !== 0 && entry.expiryMillis < now) {
        this.#expire(entry);
        continue;
      }
      this.#ready.bytes -= entry.bytes;
      this.#deliver(consumer, entry);
      this.#rota.rotate(consumer);
    }
    if (lists.hasExpiries) this.#expiryMade().look(lists);
    return this.#ready.isShrinking && shrink(this, this.#ready, this.context.deadLetters, entry);
  }

  override setPaused(paused: QueuePause | null): void {
    this.#rota.hold(paused !== null);
    super.setPaused(paused);
  }

  take(into: Entry, noAck: boolean): boolean {
    this.touch();
    const now = this.context.clock.nowMillis;
    for (;;) {
      // A queue on its way out has nothing for those who waited for it.
      if (
        this.isDeleted ||
        this.paused !== null ||
        this.#ready.lists.isEmpty ||
        (this.#groupPump !== null && !this.#groupPump.take(into, noAck))
      ) {
        this.counters.gotEmpty++;
        return false;
      }
      if (this.#groupPump === null) this.#ready.lists.shift(into);
      if (into.expiryMillis === 0 || into.expiryMillis > now) break;
      this.#expire(into);
    }
    this.#ready.bytes -= into.bytes;
    if (this.#ready.lists.hasExpiries) this.#expiryMade().look(this.#ready.lists);
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
    if (this.#groupPump === null) {
      this.#settle(entry, outcome);
      return;
    }
    const { sequence } = entry;
    const heldCount = this.retries?.heldCount ?? 0;
    this.#settle(entry, outcome);
    this.#groupPump.groups.settled(sequence, (this.retries?.heldCount ?? 0) > heldCount);
    // Those behind it may go to others now.
    if (!this.isMarkedReady && !this.#ready.lists.isEmpty) this.context.turn.queueReady(this);
  }

  #settle(entry: Entry, outcome: Outcome): void {
    this.#unackedCount--;
    this.#unackedBytes -= entry.bytes;
    if (outcome === 'accepted') {
      this.counters.acked++;
      this.release(entry);
    } else if (this.isDeleted) {
      this.release(entry);
    } else if (outcome === 'rejected') {
      this.#returnsMade().reject(entry);
    } else {
      this.#returnsMade().comeBack(entry);
    }
  }

  purge(): number {
    const ready = this.#ready;
    const { count } = ready;
    ready.move?.noteTaken();
    // What is known of each is known for as long as it is there.
    if (this.deduplication !== null || this.retries !== null)
      ready.forEach(this.#entry, ({ meta, sequence }) => {
        this.deduplication?.left(priorityOf(meta), sequence);
        this.retries?.left(priorityOf(meta), sequence);
        return true;
      });
    if (this.#log !== null) this.#recordPurge(this.#log);
    this.#letGoAll();
    return count;
  }

  #recordPurge(log: QueueLog): void {
    const ready = this.#ready;
    if (ready.move === null) {
      ready.lists.forEachRun((priority, first, count) => log.settledRun(this.id, priority, first, count));
      return;
    }
    // Lists of another shape have other levels than the log.
    ready.forEach(this.#entry, ({ meta, sequence }) => {
      if ((meta & metaLogged) !== 0) log.settled(this.id, priorityOf(meta), sequence);
      return true;
    });
  }

  /** Lets go of all that is ready, in steps where it is much. */
  #letGoAll(): void {
    for (const list of this.#ready.detach()) this.context.letGo(list);
  }

  forEachReady(visit: (entry: Entry) => boolean, skip = 0): void {
    this.#ready.forEach(this.#entry, visit, skip);
  }

  findReady(priority: number, sequence: number, into: Entry): boolean {
    return this.#ready.find(priority, sequence, into);
  }

  relocate(rename: Rename, slabs: ReadonlySet<number> | null = null): void {
    this.#ready.relocate(rename, this, slabs);
    this.retries?.relocate(rename);
    this.deduplication?.kept?.relocate(rename);
    this.marks?.relocate(rename);
  }

  applySettings(settings: QueueSettings): void {
    const hadTtl = this.settings.messageTtlMillis;
    this.settings = keptSettings(settings);
    if (settings.messageTtlMillis >= 0 && settings.messageTtlMillis !== hadTtl)
      this.#ready.limitExpiries(this.context.clock.nowMillis + settings.messageTtlMillis);
    this.#armLease();
    enforceLimit(this, this.#ready, this.context.deadLetters, this.#entry);
    this.context.turn.queueReady(this);
  }

  override reshape(type: QueueType, args: FieldTable, record: () => void): ShapeChange | null {
    if (!isMessageQueueType(type)) return null;
    this.checkNumbers();
    return changeInPlace(this, type, args, this.context, record);
  }

  /** @throws BrokerError PRECONDITION_FAILED while messages of an older version's log may have the same number in other levels */
  checkNumbers(): void {
    if (!this.#hasSharedNumbers || !this.arguments.has('x-max-priority')) return;
    if (this.messageCount + this.dyingCount + (this.retries?.heldCount ?? 0) > 0)
      throw preconditionFailed(
        `cannot change ${queueTerm(this.name, this.vhostName)}: it has priorities and messages that an older version numbered by priority`,
      );
    this.#hasSharedNumbers = false;
  }

  /** Ready messages are being sorted into other lists, and nothing is handed out. */
  get isMoving(): boolean {
    return this.#ready.move !== null;
  }

  /** See ReadyMessages. */
  startMoving(to: ReadyLists, onTaken: () => void): void {
    this.#ready.startMoving(to, onTaken);
  }

  /** See ReadyMessages. */
  moveSome(countMax: number, bytesMax: number, visit: VisitMoved): boolean | null {
    return this.#ready.moveSome(countMax, bytesMax, visit);
  }

  /** Goes on as before, with the lists as they are: what was moved goes first. */
  stopMoving(): void {
    const move = this.#ready.stopMoving();
    if (move !== null) this.#goOn(move);
  }

  /** A message that was shown on its way to other lists has expired. */
  expireMoved(entry: Entry): void {
    this.#expire(entry);
  }

  /** Another queue has its place, and has what was ready: nothing more comes from here but what deliveries that wait become. */
  override supersede(): void {
    this.isDeleted = true;
    this.#expiry?.clear();
    this.#lease?.clear();
    this.#consumers.cancelAll();
    this.retries?.close();
    this.deduplication?.kept?.close();
    this.marks?.close();
  }

  /** Lets go of up to so many ready messages of a queue that was superseded; returns whether that was all. */
  dropSome(countMax: number): boolean {
    return this.#ready.dropSome(countMax, entry => this.release(entry));
  }

  /** Puts a message into the log that was not to outlive the broker. */
  keep(entry: Entry): void {
    if (this.#log === null || (entry.meta & metaLogged) !== 0) return;
    this.#recordMade()?.keep(entry);
    if ((entry.meta & metaLogged) !== 0) this.deduplication?.logged(priorityOf(entry.meta), entry.sequence);
  }

  /** Is of another type and has other arguments from now on; `isStill`: with the same lists, else with those that all was moved to. */
  takeShape(type: QueueType, args: FieldTable, options: MessageQueueOptions, isStill: boolean): void {
    const groupHeader = this.arguments.get(groupHeaderArgument)?.value;
    this.become(type, args);
    let move: ListMove | null = null;
    if (!isStill) {
      move = this.#ready.takeLists(options.lists);
      const before = args.get(groupHeaderArgument)?.value === groupHeader ? this.groups : null;
      this.#groupPump = this.#groupPumpOf(options);
      if (before !== null) this.groups?.takeOver(before);
      else this.groups?.holdUnknown(this.#waitingPlaces());
    }
    this.#consumers.setSingleActive(options.hasSingleActiveConsumer);
    this.#goOn(move);
  }

  /** Messages that wait to be tried again. */
  #waitingPlaces(): [place: number, priority: number][] {
    const places: [number, number][] = [];
    this.retries?.forEach(({ entry }) => void places.push([entry.sequence, priorityOf(entry.meta)]));
    return places;
  }

  #goOn(move: ListMove | null): void {
    move?.end();
    this.context.turn.queueReady(this);
  }

  close(): void {
    this.isDeleted = true;
    this.change?.giveUp('it was deleted meanwhile');
    this.#expiry?.clear();
    this.#lease?.clear();
    this.#consumers.cancelAll();
    this.#letGoAll();
    this.retries?.close();
    this.deduplication?.kept?.close();
    this.marks?.close();
  }

  override get retries(): QueueRetries | null {
    return this.#returns === null ? null : this.#returns.retries;
  }

  #returnsMade(): QueueReturns {
    return (this.#returns ??= new QueueReturns(this, this.context, this.#log, this.#returnsHome()));
  }

  #returnsHome(): ReturnsHome {
    const groupPump = (): GroupPump | null => this.#groupPump;
    const record = (): EntryRecord | null => this.#recordMade();
    return {
      ready: this.#ready,
      get groupPump() {
        return groupPump();
      },
      get record() {
        return record();
      },
      keep: entry => this.keep(entry),
      lookForExpired: () => this.#expiryMade().look(this.#ready.lists),
    };
  }

  #expiryMade(): ExpiryWatch {
    return (this.#expiry ??= new ExpiryWatch(this.context, entry => this.#expire(entry)));
  }

  #headMade(): QueueHead {
    return (this.#head ??= new QueueHead(
      this,
      this.context,
      entry => this.#dropDamaged(entry),
      entry => this.#expire(entry),
    ));
  }

  #recordMade(): EntryRecord | null {
    return this.#log === null ? null : (this.#record ??= new EntryRecord(this.id, this.#log, this.context));
  }

  #armLease(): void {
    if (this.settings.expiresMillis < 0 && this.#lease === null) return;
    this.#lease ??= new QueueLease(this, this.context);
    this.#lease.arm();
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
    this.#recordMade()?.noted(entry);
  }

  override noteTaken(entry: Readonly<Entry>, targetId: number): void {
    this.#recordMade()?.taken(entry, targetId);
  }

  release(entry: Entry): void {
    if (this.deduplication !== null) this.deduplication.left(priorityOf(entry.meta), entry.sequence);
    if (this.#returns !== null && this.#returns.retries !== null) this.#returns.retries.left(priorityOf(entry.meta), entry.sequence);
    if (this.#groupPump !== null) this.#groupPump.groups.left(entry.sequence);
    // A deleted queue's entries went with it.
    if ((entry.meta & metaLogged) !== 0 && !this.isDeleted) this.#log?.settled(this.id, priorityOf(entry.meta), entry.sequence);
    this.context.store.release(entry.ref, entry.bytes);
  }

  override startReturning(): void {
    this.#returningCount++;
  }

  override endReturning(): void {
    if (--this.#returningCount > 0) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    this.context.turn.queueReady(this);
    for (const then of waiting) then();
  }

  fetchHead(then: () => void): boolean {
    if (this.#returningCount > 0) {
      (this.#waiting ??= []).push(then);
      return false;
    }
    if (this.#ready.move !== null) {
      this.#ready.move.whenOver(then);
      return false;
    }
    if (this.#groupPump !== null) return this.#groupPump.fetchHead(this.#entry, then);
    return this.#headMade().fetchAlive(this.#ready.lists, then);
  }

  #groupPumpOf({ groups, groupParkAfter }: MessageQueueOptions): GroupPump | null {
    if (groups === null) return null;
    groups.table.onPark = (key, isParked) => this.context.groupParked(this, key, isParked);
    groups.refOfHeld = (priority, place) => this.retries?.refOf(priority, place) ?? null;
    return new GroupPump(groups, groupParkAfter, this.context, {
      rota: this.#rota,
      deliver: (consumer, entry) => {
        this.#ready.bytes -= entry.bytes;
        this.#deliver(consumer, entry);
      },
      expire: entry => this.#expire(entry),
      dropDamaged: entry => this.#dropDamaged(entry),
      fetch: ref => this.#headMade().fetch(ref),
    });
  }

  #pumpGroups(pump: GroupPump, budget: number): boolean {
    const hasMore = pump.pump(this.#entry, budget);
    if (!hasMore && this.#ready.lists.hasExpiries) this.#expiryMade().look(this.#ready.lists);
    return hasMore || (this.#ready.isShrinking && shrink(this, this.#ready, this.context.deadLetters, this.#entry));
  }

  /** A damaged message that was taken out goes. */
  #dropDamaged(entry: Entry): void {
    this.#ready.bytes -= entry.bytes;
    this.context.messageDamaged(this, entry);
    this.release(entry);
  }

  override get groups(): GroupLists | null {
    return this.#groupPump?.groups ?? null;
  }

  /** Recovery: puts a message back to its place. */
  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    const reason = deathReasons[((meta >>> metaDeathShift) & 7) - 1];
    if (reason !== undefined) {
      this.context.deadLetters.add(this, { ref, meta: meta | (priority << metaPriorityShift), bytes, sequence, expiryMillis }, reason);
      return;
    }
    this.#ready.lists.restore(priority, sequence, ref, meta, bytes, expiryMillis);
    this.#ready.bytes += bytes;
    this.context.turn.queueReady(this);
  }

  restoreRetry(priority: number, sequence: number, retryCount: number, dueMillis: number): void {
    const entry = this.#entry;
    if (dueMillis !== 0 && this.removeRestored(priority, sequence, entry)) {
      this.#returnsMade().retriesMade().restore(entry, retryCount, dueMillis);
      this.#groupPump?.groups.restoreHeld(priority, sequence);
    } else this.#returnsMade().retriesMade().restoreCount(priority, sequence, retryCount);
  }

  restoreTaken(priority: number, sequence: number, targetIds: readonly number[]): void {
    this.context.deadLetters.restoreTaken(this, priority, sequence, targetIds);
  }

  levelOf(priority: number): number {
    return this.#ready.lists.levelOf(priority);
  }

  override get nextPlace(): number {
    return this.#ready.lists.nextSequence;
  }

  override placeOf(entry: Entry): number {
    return entry.sequence;
  }

  restored(areNumbersShared: boolean): void {
    this.#hasSharedNumbers = areNumbersShared;
    // A shorter time to live that came by a policy is not recorded with each message.
    const { messageTtlMillis } = this.settings;
    if (messageTtlMillis >= 0) this.#ready.lists.limitExpiries(this.context.clock.nowMillis + messageTtlMillis);
    // What a crash found too long is still too long.
    this.#ready.isShrinking = true;
  }

  removeRestored(priority: number, sequence: number, into: Entry): boolean {
    return this.#ready.remove(priority, sequence, into);
  }

  #wallTime(expiryMillis: number): number {
    const { clock } = this.context;
    return expiryMillis === 0 ? 0 : clock.wallMillis + (expiryMillis - clock.nowMillis);
  }

  #expire(entry: Entry): void {
    this.#ready.bytes -= entry.bytes;
    this.context.deadLetters.add(this, entry, 'expired');
  }
}
