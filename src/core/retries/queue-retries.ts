import { type FieldTable, int } from '../../base/field-table.ts';
import { CallbackTimer } from '../../base/timer-queue.ts';
import { DueHeap, grown } from '../delays/due-heap.ts';
import type { HeldMessage } from '../delays/held-messages.ts';
import type { Rename } from '../messages/message-ref.ts';
import { Publication } from '../messages/publication.ts';
import { rewriteProperties } from '../messages/rewrite-properties.ts';
import { fillFromStore } from '../messages/stored-publication.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { Entry, metaLogged, metaPersistent, metaRedelivered, priorityOf } from '../queues/entry.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { Queue } from '../queues/queue.ts';
import type { RetryDelays } from './retry-delays.ts';

export const retryCountHeader = 'x-retry-count';
/** Messages that come back in one go before others have their turn. */
const batchMax = 1000;

/** A message that waits, in a list. */
export interface WaitingRetry {
  readonly entry: Readonly<Entry>;
  /** When it comes back, in the clock's milliseconds. */
  readonly dueMillis: number;
  /** Which try that will be. */
  readonly retryCount: number;
}

/**
 * Messages of a queue that were rejected and wait to be tried again. They keep their place in the queue and are not ready; about two
 * hundred bytes each are kept here, and theirs can be put away to disk meanwhile. When its time has come the message is written anew, with the
 * number of the try in a header, so that every protocol shows it.
 */
export class QueueRetries {
  readonly #queue: Queue;
  readonly #context: QueueContext;
  readonly #log: QueueLog | null;
  readonly #comeBack: (entry: Entry) => void;
  /** By place: what waits. */
  readonly #heap = new DueHeap();
  // By slot of the heap.
  #refs = new Int32Array(64);
  #metas = new Float64Array(64);
  #bytes = new Float64Array(64);
  #expiries = new Float64Array(64);
  /** How often a message was tried again, by its place, as long as it is in the queue. */
  readonly #counts = new Map<number, number>();
  /** Slots of what waits, by place. */
  readonly #slots = new Map<number, number>();
  readonly #timer = new CallbackTimer(() => this.#release());
  readonly #scratch = new Publication();
  readonly #entry = new Entry();
  #isFetching = false;
  #isClosed = false;
  heldBytes = 0;

  /** `comeBack` gives a message its place among the ready ones back. */
  constructor(queue: Queue, context: QueueContext, log: QueueLog | null, comeBack: (entry: Entry) => void) {
    this.#queue = queue;
    this.#context = context;
    this.#log = log;
    this.#comeBack = comeBack;
  }

  /** Messages that wait. */
  get heldCount(): number {
    return this.#heap.count;
  }

  /** Keeps a rejected message, if it may be tried again; whoever calls has counted it out. */
  tryLater(entry: Entry, delays: RetryDelays): boolean {
    const place = placeOf(priorityOf(entry.meta), entry.sequence);
    const count = this.#counts.get(place) ?? 0;
    const delayMillis = delays.delayAfter(count, this.#context.random());
    if (delayMillis === null) return false;
    this.#hold(entry, count + 1, this.#context.clock.nowMillis + delayMillis);
    if ((entry.meta & metaLogged) !== 0) this.record(priorityOf(entry.meta), entry.sequence);
    return true;
  }

  /** The message is at another place of the queue. */
  moved(priority: number, from: number, sequence: number): void {
    const count = this.#counts.get(placeOf(priority, from));
    if (count === undefined) return;
    this.#counts.delete(placeOf(priority, from));
    this.#counts.set(placeOf(priority, sequence), count);
  }

  /** The message has left the queue. */
  left(priority: number, sequence: number): void {
    this.#counts.delete(placeOf(priority, sequence));
  }

  /** Recovery: a message that waits. */
  restore(entry: Entry, retryCount: number, dueMillis: number): void {
    this.#hold(entry, retryCount, dueMillis);
  }

  /** Recovery: a message that has come back. */
  restoreCount(priority: number, sequence: number, retryCount: number): void {
    this.#counts.set(placeOf(priority, sequence), retryCount);
  }

  /** Says in the log what is known of a message of the log, if it is known here. */
  record(priority: number, sequence: number): void {
    const place = placeOf(priority, sequence);
    const count = this.#counts.get(place);
    if (count === undefined || this.#log === null) return;
    const slot = this.#slots.get(place);
    this.#log.waits(this.#queue.id, priority, sequence, slot === undefined ? 0 : this.#wallTime(this.#heap.due(slot)), count);
  }

  /** Names the bytes of a message that waits; null when it does not. */
  refOf(priority: number, sequence: number): number | null {
    const slot = this.#slots.get(placeOf(priority, sequence));
    return slot === undefined ? null : (this.#refs[slot] as number);
  }

  /** Visits what waits, in no order. */
  forEach(visit: (waiting: WaitingRetry) => void): void {
    for (const slot of this.#heap.slots()) {
      const entry = this.#fill(new Entry(), slot);
      visit({ entry, dueMillis: this.#heap.due(slot), retryCount: this.#counts.get(this.#heap.number(slot)) ?? 0 });
    }
  }

  /** What waits, in the order in which it comes back, from `offset` on. */
  list(offset: number, count: number): HeldMessage[] {
    return this.#heap.slotsFrom(offset, count).map(slot => this.#shown(slot));
  }

  /** A message that waits; null when there is none of the number. */
  find(number: number): HeldMessage | null {
    const slot = this.#slots.get(number);
    return slot === undefined ? null : this.#shown(slot);
  }

  /** Which try a message that waits comes back for. */
  retryCountOf(number: number): number {
    return this.#counts.get(number) ?? 0;
  }

  /** Lets a message wait until another time, in the clock's milliseconds; false when there is none of the number. */
  reschedule(number: number, dueMillis: number): boolean {
    const slot = this.#slots.get(number);
    if (slot === undefined) return false;
    this.#heap.move(slot, dueMillis);
    const entry = this.#fill(this.#entry, slot);
    if ((entry.meta & metaLogged) !== 0) this.record(priorityOf(entry.meta), entry.sequence);
    this.#arm();
    return true;
  }

  /** Drops a message that waits: it is not tried again, and is no dead letter. False when there is none of the number. */
  cancel(number: number): boolean {
    const slot = this.#slots.get(number);
    if (slot === undefined) return false;
    const entry = this.#fill(new Entry(), slot);
    this.#remove(slot);
    this.#queue.release(entry);
    // Those of its group that had to wait behind it.
    this.#context.turn.queueReady(this.#queue);
    this.#arm();
    return true;
  }

  relocate(rename: Rename): void {
    const entry = this.#entry;
    for (const slot of this.#heap.slots()) {
      this.#fill(entry, slot);
      this.#refs[slot] = rename(entry.ref, this.#queue, entry.meta, entry.sequence, entry.bytes, entry.expiryMillis);
    }
  }

  /** The queue is deleted. */
  close(): void {
    this.#isClosed = true;
    this.#context.timers.clear(this.#timer);
    while (this.#heap.first >= 0) {
      const slot = this.#heap.first;
      const entry = this.#fill(this.#entry, slot);
      this.#remove(slot);
      this.#queue.release(entry);
    }
    this.#counts.clear();
  }

  #hold(entry: Entry, retryCount: number, dueMillis: number): void {
    const place = placeOf(priorityOf(entry.meta), entry.sequence);
    const slot = this.#heap.add(place, dueMillis);
    while (slot >= this.#refs.length) {
      this.#refs = grown(this.#refs, Int32Array);
      this.#metas = grown(this.#metas, Float64Array);
      this.#bytes = grown(this.#bytes, Float64Array);
      this.#expiries = grown(this.#expiries, Float64Array);
    }
    this.#refs[slot] = entry.ref;
    this.#metas[slot] = entry.meta >>> 0;
    this.#bytes[slot] = entry.bytes;
    this.#expiries[slot] = entry.expiryMillis;
    this.heldBytes += entry.bytes;
    this.#counts.set(place, retryCount);
    this.#slots.set(place, slot);
    this.#arm();
  }

  #shown(slot: number): HeldMessage {
    const [ref, bodyBytes] = [this.#refs[slot] as number, this.#bytes[slot] as number];
    return { number: this.#heap.number(slot), dueMillis: this.#heap.due(slot), ref, bodyBytes };
  }

  #remove(slot: number): void {
    this.heldBytes -= this.#bytes[slot] as number;
    this.#slots.delete(this.#heap.number(slot));
    this.#heap.remove(slot);
  }

  #fill(entry: Entry, slot: number): Entry {
    entry.ref = this.#refs[slot] as number;
    entry.meta = this.#metas[slot] as number;
    entry.bytes = this.#bytes[slot] as number;
    entry.expiryMillis = this.#expiries[slot] as number;
    entry.sequence = Math.floor(this.#heap.number(slot) / 256);
    return entry;
  }

  #arm(): void {
    const { timers } = this.#context;
    const slot = this.#heap.first;
    if (slot < 0 || this.#isFetching || this.#isClosed) timers.clear(this.#timer);
    // What is due already is for the next turn: a batch is over, others wait.
    else timers.set(this.#timer, this.#heap.due(slot));
  }

  #release(): void {
    const { clock, store } = this.#context;
    try {
      for (let count = 0; count < batchMax && this.#heap.first >= 0 && this.#heap.due(this.#heap.first) <= clock.nowMillis; count++) {
        const slot = this.#heap.first;
        const ref = this.#refs[slot] as number;
        if (!store.isResident(ref)) {
          this.#fetch(ref);
          return;
        }
        const entry = this.#fill(new Entry(), slot);
        this.#remove(slot);
        this.#releaseOne(entry);
      }
    } finally {
      this.#arm();
    }
  }

  #fetch(ref: number): void {
    this.#isFetching = true;
    this.#context.store.fetch(ref, () => {
      this.#isFetching = false;
      this.#arm();
    });
  }

  #releaseOne(entry: Entry): void {
    const { store } = this.#context;
    if (!store.isIntact(entry.ref)) {
      this.#context.messageDamaged(this.#queue, entry);
      this.#queue.release(entry);
      return;
    }
    const priority = priorityOf(entry.meta);
    const isLogged = (entry.meta & metaLogged) !== 0;
    entry.ref = this.#rewritten(entry, this.#counts.get(placeOf(priority, entry.sequence)) ?? 1);
    entry.meta |= metaRedelivered;
    if (isLogged) {
      const expiry = entry.expiryMillis === 0 ? 0 : this.#wallTime(entry.expiryMillis);
      this.#log?.enqueued(this.#queue.id, priority, entry.sequence, entry.ref, entry.bytes, expiry);
      this.record(priority, entry.sequence);
    }
    this.#comeBack(entry);
  }

  /** Stores the message again, with the number of the try; returns its new name. */
  #rewritten(entry: Entry, retryCount: number): number {
    const { store, clock } = this.#context;
    const p = this.#scratch;
    fillFromStore(store, entry.ref, p);
    try {
      const format = this.#context.format(p.format);
      const headers: FieldTable = new Map(format.headers(p.properties, p.propertiesStart, p.propertiesBytes) ?? []);
      headers.set(retryCountHeader, int(retryCount));
      rewriteProperties(p, format, this.#context.pivot(), { headers, removeExpiration: false });
      p.isPersistent = (entry.meta & metaPersistent) !== 0;
      const ref = store.append(p, 1, clock.nowMillis, (entry.meta & metaLogged) !== 0);
      store.release(entry.ref, entry.bytes);
      return ref;
    } catch {
      // Headers that cannot be written again, or not with one more: the message comes back as it is.
      return entry.ref;
    } finally {
      p.large = null;
    }
  }

  #wallTime(millis: number): number {
    const { clock } = this.#context;
    return clock.wallMillis + (millis - clock.nowMillis);
  }
}

/** Messages of a journal before format 4 may have the same sequence number in different priorities. */
function placeOf(priority: number, sequence: number): number {
  return sequence * 256 + priority;
}
