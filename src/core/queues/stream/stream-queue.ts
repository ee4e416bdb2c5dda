// hot path: see docs/STYLE.md
import { CallbackTimer } from '../../../base/timer-queue.ts';
import type { FieldTable } from '../../../base/field-table.ts';
import { notImplemented, preconditionFailed } from '../../broker-error.ts';
import type { Consumer } from '../../consumer.ts';
import { sameDeduplication } from '../../deduplication/deduplication-arguments.ts';
import { queueDeduplication } from '../../deduplication/queue-deduplication.ts';
import type { Rename } from '../../messages/message-ref.ts';
import { Publication } from '../../messages/publication.ts';
import type { StreamLog, StreamReader, StreamRetention } from '../../ports/stream-log.ts';
import { queueTerm } from '../../resource-name.ts';
import { ShapeChange } from '../../shape/shape-change.ts';
import { allAtOnce } from '../../stepped-work.ts';
import { Entry, metaPersistent } from '../entry.ts';
import type { QueueContext } from '../queue-context.ts';
import type { QueueSettings } from '../queue-settings.ts';
import type { QueueType } from '../queue-type.ts';
import { type Outcome, type OwnLogFacts, Queue, type QueueDeclaration } from '../queue.ts';
import { StreamCursor } from './stream-cursor.ts';
import { streamFilter, streamStart } from './stream-offset.ts';

/** [RabbitMQ: osiris, DEFAULT_MAX_SEGMENT_SIZE_B and DEFAULT_FILTER_SIZE] */
const segmentBytesDefault = 500_000_000;
const filterBytesDefault = 16;
/** How often a stream with an age limit looks for segments that are over it. */
const ageCheckMillis = 10_000;
/** A consumer gets at least so many messages when its turn has come, however many there are. */
const shareMin = 32;

/** Hears what becomes of a stream. */
export interface StreamFollower {
  /** A message was added, which is not durable yet. */
  added(p: Publication, offset: number): void;
  /** More is durable. */
  durable(): void;
}

/**
 * A stream: a log of its own that consumers read from where they like, without taking anything away. What they acknowledge is only their
 * credit. What is not durable yet is not delivered, so that an offset never names two messages. [RabbitMQ docs: streams]
 */
export class StreamQueue extends Queue {
  override readonly hasOwnLog = true;
  readonly log: StreamLog;
  readonly #cursors = new Map<Consumer, StreamCursor>();
  #ready: StreamCursor[] = [];
  #pumping: StreamCursor[] = [];
  readonly #entry = new Entry();
  readonly #ageTimer: CallbackTimer;
  /** Somebody who reads along without being a consumer. */
  follower: StreamFollower | null = null;
  /** For messages of other formats. */
  #converted: Publication | null = null;

  constructor(
    type: QueueType,
    vhostName: string,
    id: number,
    declaration: QueueDeclaration,
    settings: QueueSettings,
    context: QueueContext,
  ) {
    super(type, vhostName, id, declaration, context);
    if (context.streams === null) throw preconditionFailed(`${queueTerm(declaration.name, vhostName)}: this broker keeps no streams`);
    this.settings = settings;
    this.#ageTimer = new CallbackTimer(() => this.#watchAge());
    this.log = context.streams.open(id, retentionOf(settings));
    this.log.onDurable = () => this.#wakeWaiting();
    this.#armAge();
  }

  get readyCount(): number {
    return this.log.endOffset - this.log.firstOffset;
  }

  get readyBytes(): number {
    return this.log.bytes;
  }

  // What was delivered is still there for everybody. [RabbitMQ: rabbit_stream_queue, info]
  get unackedCount(): number {
    return 0;
  }

  get unackedBytes(): number {
    return 0;
  }

  get consumerCount(): number {
    return this.#cursors.size;
  }

  get exclusiveConsumer(): Consumer | null {
    return null;
  }

  get isLogging(): boolean {
    return false;
  }

  consumers(): Iterable<Consumer> {
    return this.#cursors.keys();
  }

  override get ownLog(): OwnLogFacts {
    return this.log;
  }

  override readLog(offset: number, onReadable: () => void): StreamReader {
    return this.log.read({ kind: 'offset', offset }, null, onReadable);
  }

  override offsetOf(consumer: Consumer): number {
    return this.#cursors.get(consumer)?.lastOffset ?? -1;
  }

  admits(): boolean {
    return true;
  }

  enqueue(p: Publication): void {
    const pivot = this.context.pivot();
    const own = p.format === pivot.tag ? p : this.#convert(p);
    const filterValue = pivot.streamFilterValue(own.properties, own.propertiesStart, own.propertiesBytes);
    const offset = this.log.append(own, filterValue, this.context.clock.wallMillis);
    if (this.deduplication !== null) this.deduplication.entered(p.priority, offset, true);
    if (this.follower !== null) this.follower.added(own, offset);
    this.counters.published++;
  }

  /** Refusals in the order in which RabbitMQ makes them. */
  override checkConsumer(consumer: Consumer): void {
    const term = queueTerm(this.name, this.vhostName);
    if (consumer.arguments.has('x-priority'))
      throw preconditionFailed(`invalid arg 'x-priority' for ${term} of queue type ${this.type.internalName}`);
    if (consumer.prefetchCount === 0) throw preconditionFailed(`consumer prefetch count is not set for '${term}'`);
    if (consumer.noAck) throw notImplemented(`automatic acknowledgement not supported by stream queues ${term}`);
    streamStart(consumer.arguments, this.name, this.vhostName, 0);
    streamFilter(consumer.arguments, this.name, this.vhostName);
  }

  attach(consumer: Consumer): void {
    this.checkConsumer(consumer);
    const start = streamStart(consumer.arguments, this.name, this.vhostName, this.context.clock.wallMillis);
    const filter = streamFilter(consumer.arguments, this.name, this.vhostName);
    const cursor = new StreamCursor(consumer, own => this.log.read(start, filter, () => this.#wake(own)));
    this.#cursors.set(consumer, cursor);
    this.touch();
    consumer.refresh();
  }

  detach(consumer: Consumer): void {
    consumer.isCancelled = true;
    const cursor = this.#cursors.get(consumer);
    if (cursor === undefined) return;
    this.#cursors.delete(consumer);
    cursor.reader.close();
    this.touch();
  }

  consumerReady(consumer: Consumer): void {
    const cursor = this.#cursors.get(consumer);
    if (cursor === undefined) return;
    consumer.isInRota = true;
    this.#list(cursor);
  }

  pump(budget: number): boolean {
    const cursors = this.#ready;
    if (cursors.length === 0 || this.paused !== null) return false;
    this.#ready = this.#pumping;
    this.#pumping = cursors;
    const share = Math.max(shareMin, Math.floor(Math.min(budget, 1_000_000) / cursors.length));
    for (let i = 0; i < cursors.length; i++) {
      const cursor = cursors[i] as StreamCursor;
      cursor.isListed = false;
      if (!cursor.consumer.isCancelled && this.#hand(cursor, share)) this.#list(cursor);
    }
    cursors.length = 0;
    return this.#ready.length > 0;
  }

  take(): boolean {
    throw notImplemented(`basic.get not supported by stream queues ${queueTerm(this.name, this.vhostName)}`);
  }

  settle(_entry: Entry, outcome: Outcome): void {
    if (outcome === 'accepted') this.counters.acked++;
  }

  purge(): number {
    throw notImplemented(`queue.purge not supported by stream queues ${queueTerm(this.name, this.vhostName)}`);
  }

  // Messages are not in the store, so nobody can be shown or moved one by reference.
  forEachReady(): void {}

  findReady(): boolean {
    return false;
  }

  relocate(rename: Rename): void {
    this.deduplication?.kept?.relocate(rename);
  }

  release(): void {}

  fetchHead(): boolean {
    return true;
  }

  applySettings(settings: QueueSettings): void {
    this.settings = settings;
    this.log.retain(retentionOf(settings), this.context.clock.wallMillis);
    this.#armAge();
  }

  /** Other limits, and another memory of duplicates: what the stream has stays as it is. */
  override reshape(type: QueueType, args: FieldTable, record: () => void): ShapeChange | null {
    if (type !== this.type) return null;
    const change = new ShapeChange(this, type, args, (where, error) => this.context.turn.onFault(where, error));
    const known = sameDeduplication(args, this.arguments) ? this.deduplication : queueDeduplication(this, args, this.context);
    if (known !== this.deduplication && known !== null && this.deduplication !== null) allAtOnce(known.inherit(this.deduplication));
    record();
    this.become(type, args);
    if (known !== this.deduplication) {
      this.deduplication?.kept?.close();
      this.deduplication = known;
      known?.kept?.writeSome(Infinity);
    }
    change.done(this);
    return change;
  }

  close(): void {
    this.isDeleted = true;
    this.change?.giveUp('it was deleted meanwhile');
    this.context.timers.clear(this.#ageTimer);
    const cursors = [...this.#cursors.values()];
    this.#cursors.clear();
    for (const { consumer, reader } of cursors) {
      consumer.isCancelled = true;
      reader.close();
      consumer.sink.cancelled(consumer, 'queue-deleted');
    }
    this.deduplication?.kept?.close();
    this.log.onDurable = () => {};
    this.log.remove();
  }

  /** Hands up to `share` messages to one consumer; returns whether it may get more at once. */
  #hand(cursor: StreamCursor, share: number): boolean {
    const { consumer, reader } = cursor;
    const { store } = this.context;
    const entry = this.#entry;
    for (let count = 0; count < share; count++) {
      if (!consumer.hasCredit) {
        consumer.isInRota = false;
        return false;
      }
      if (!reader.next()) {
        cursor.isWaiting = true;
        return false;
      }
      store.show(reader);
      entry.ref = 0;
      entry.meta = metaPersistent;
      entry.bytes = reader.bodyBytes;
      entry.sequence = reader.offset;
      cursor.lastOffset = reader.offset;
      this.counters.delivered++;
      consumer.took();
      consumer.sink.deliver(consumer, entry);
    }
    return true;
  }

  #list(cursor: StreamCursor): void {
    if (cursor.isListed) return;
    cursor.isListed = true;
    cursor.isWaiting = false;
    this.#ready.push(cursor);
    if (!this.isMarkedReady) this.context.turn.queueReady(this);
  }

  /** Called when what a reader waited for is there: not within a turn. */
  #wake(cursor: StreamCursor): void {
    if (!cursor.isWaiting || cursor.consumer.isCancelled) return;
    this.context.turn.begin();
    this.#list(cursor);
  }

  #wakeWaiting(): void {
    for (const cursor of this.#cursors.values()) if (cursor.isWaiting) this.#list(cursor);
    this.follower?.durable();
  }

  #convert(p: Publication): Publication {
    const converted = Object.assign((this.#converted ??= new Publication()), p);
    const pivot = this.context.pivot();
    converted.properties = pivot.encode(this.context.format(p.format).describe(p.properties, p.propertiesStart, p.propertiesBytes));
    converted.propertiesStart = 0;
    converted.propertiesBytes = converted.properties.length;
    converted.format = pivot.tag;
    return converted;
  }

  #armAge(): void {
    if (this.settings.ageMillisMax < 0) this.context.timers.clear(this.#ageTimer);
    else this.setTimer(this.#ageTimer, this.context.clock.nowMillis + ageCheckMillis);
  }

  #watchAge(): void {
    this.log.retain(retentionOf(this.settings), this.context.clock.wallMillis);
    this.#armAge();
  }
}

function retentionOf(settings: QueueSettings): StreamRetention {
  const { lengthBytesMax, ageMillisMax, segmentBytesMax, filterBytes } = settings;
  return {
    bytesMax: lengthBytesMax,
    ageMillisMax,
    segmentBytesMax: segmentBytesMax < 0 ? segmentBytesDefault : segmentBytesMax,
    filterBytes: filterBytes < 0 ? filterBytesDefault : filterBytes,
  };
}
