import { type FieldTable, int, table } from '../../base/field-table.ts';
import type { ExchangeHome } from '../exchanges/exchange-home.ts';
import { blindKeysOf, routingKeyOf } from '../messages/envelope.ts';
import { expirationMillis } from '../messages/expiration.ts';
import type { MessageRef, RefHolder, RefOwner, Rename } from '../messages/message-ref.ts';
import type { MessageStore } from '../messages/message-store.ts';
import { fromDelay, Publication } from '../messages/publication.ts';
import { fillFromStore } from '../messages/stored-publication.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { metaLogged, metaPersistent } from '../queues/entry.ts';
import type { Restorable } from '../queues/queue.ts';
import { textsOf } from '../messages/sender-selected.ts';
import { delayHeader, delayOf } from './delay.ts';
import { DueHeap, grown } from './due-heap.ts';

/** A held message in a list. */
export interface HeldMessage {
  /** Names it for `cancel` and `reschedule`. */
  readonly number: number;
  /** When it is released, in the clock's milliseconds. */
  readonly dueMillis: number;
  /** Names its bytes until the next turn. */
  readonly ref: MessageRef;
  readonly bodyBytes: number;
}

/** A message whose time has come, ready to be published. */
export interface ReleasedMessage {
  readonly keys: readonly string[];
  readonly publication: Publication;
}

/**
 * Messages that wait for their time, each with a number that is not given again while the broker runs. Their bytes are in the message store
 * and can be put away to disk, some thirty bytes each are in columns here, so that a million of them is nothing unusual. Persistent ones are
 * in the log as the entries of a queue are, with the time they are due in place of an expiry.
 */
export class HeldMessages implements RefHolder, RefOwner, Restorable {
  /** Names this in the log; 0 until there was a persistent message. */
  id = 0;
  /** The exchange is deleted. */
  isDeleted = false;
  readonly retries = null;
  readonly holdsMessages = true;
  readonly #home: ExchangeHome;
  readonly #claimId: () => number;
  /** Called when recovery has put everything back. */
  onRestored: () => void = () => {};
  readonly #heap = new DueHeap();
  /** By slot of the heap. */
  #refs = new Int32Array(64);
  #bodyBytes = new Float64Array(64);
  #lastNumber = 0;
  readonly #scratch = new Publication();
  /** What `take` gave out and `drop` lets go of. */
  #takenRef: MessageRef = 0;
  #takenBytes = 0;
  #takenNumber = 0;
  totalBytes = 0;

  /** `claimId` gives a number for the log; 0 where nothing is durable. */
  constructor(home: ExchangeHome, claimId: () => number) {
    this.#home = home;
    this.#claimId = claimId;
    this.#scratch.origin = fromDelay;
  }

  get count(): number {
    return this.#heap.count;
  }

  /** Infinity when nothing is held. */
  get nextDueMillis(): number {
    const slot = this.#heap.first;
    return slot < 0 ? Infinity : this.#heap.due(slot);
  }

  /** Keeps a copy of the message; returns its number. */
  hold(p: Publication, dueMillis: number): number {
    const isLogged = p.isPersistent && this.#log !== null && (this.id ||= this.#claimId()) !== 0;
    const ref = this.#store.append(p, 1, this.#home.clock.nowMillis, isLogged);
    const slot = this.#add(++this.#lastNumber, ref, p.bodyBytes, dueMillis);
    if (isLogged) this.#recordDue(slot);
    return this.#lastNumber;
  }

  #add(number: number, ref: MessageRef, bodyBytes: number, dueMillis: number): number {
    const slot = this.#heap.add(number, dueMillis);
    while (slot >= this.#refs.length) {
      this.#refs = grown(this.#refs, Int32Array);
      this.#bodyBytes = grown(this.#bodyBytes, Float64Array);
    }
    this.#refs[slot] = ref;
    this.#bodyBytes[slot] = bodyBytes;
    this.totalBytes += bodyBytes;
    return slot;
  }

  // --- recovery

  levelOf(): number {
    return 0;
  }

  restore(_priority: number, number: number, ref: MessageRef, _meta: number, bodyBytes: number, dueMillis: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, number);
    this.#add(number, ref, bodyBytes, dueMillis);
  }

  restoreRetry(): void {}

  restoreTaken(): void {}

  restored(): void {
    this.onRestored();
  }

  // --- release

  /** Name of the bytes of the message that is due first, which must be there. */
  get firstRef(): MessageRef {
    return this.#refs[this.#heap.first] as number;
  }

  /** Takes the message that is due first, which must be there. It is valid until `drop`, to be called before the next. */
  take(): ReleasedMessage {
    const slot = this.#heap.first;
    this.#takenRef = this.#refs[slot] as number;
    this.#takenBytes = this.#bodyBytes[slot] as number;
    this.#takenNumber = this.#heap.number(slot);
    this.#heap.remove(slot);
    this.totalBytes -= this.#takenBytes;
    return this.#publicationOf(this.#takenRef);
  }

  /** Lets go of what was taken. What came of it is in the log before: a crash between leaves a duplicate, never a loss. */
  drop(): void {
    if (this.#takenRef === 0) return;
    this.#settled(this.#takenRef, this.#takenNumber);
    this.#store.release(this.#takenRef, this.#takenBytes);
    this.#scratch.large = null;
    this.#takenRef = 0;
  }

  /** Lets go of the message that is due first without looking at it: it is damaged. */
  dropFirst(): void {
    this.#remove(this.#heap.first);
  }

  cancel(number: number): boolean {
    const slot = this.#heap.find(number);
    if (slot < 0) return false;
    this.#remove(slot);
    return true;
  }

  reschedule(number: number, dueMillis: number): boolean {
    const slot = this.#heap.find(number);
    if (slot < 0) return false;
    this.#heap.move(slot, dueMillis);
    if (this.#store.isInLog(this.#refs[slot] as number)) this.#recordDue(slot);
    return true;
  }

  /** The exchange is deleted: so is, in the log, all it holds. */
  clear(): void {
    this.isDeleted = true;
    for (let slot = this.#heap.first; slot >= 0; slot = this.#heap.first) {
      this.#store.release(this.#refs[slot] as number, this.#bodyBytes[slot] as number);
      this.#heap.remove(slot);
    }
    this.totalBytes = 0;
  }

  /** A held message; null when there is none of the number. */
  find(number: number): HeldMessage | null {
    const slot = this.#heap.find(number);
    return slot < 0 ? null : this.#shown(slot);
  }

  /** Held messages in the order of their release, from `offset` on. */
  list(offset: number, count: number): HeldMessage[] {
    return this.#heap.slotsFrom(offset, count).map(slot => this.#shown(slot));
  }

  relocate(rename: Rename): void {
    for (const slot of this.#heap.slots()) {
      const ref = this.#refs[slot] as number;
      const meta = this.#store.isInLog(ref) ? metaLogged | metaPersistent : 0;
      this.#refs[slot] = rename(ref, this, meta, this.#heap.number(slot), this.#bodyBytes[slot] as number, this.#heap.due(slot));
    }
  }

  #shown(slot: number): HeldMessage {
    const [ref, bodyBytes] = [this.#refs[slot] as number, this.#bodyBytes[slot] as number];
    return { number: this.#heap.number(slot), dueMillis: this.#heap.due(slot), ref, bodyBytes };
  }

  #settled(ref: MessageRef, number: number): void {
    if (this.#store.isInLog(ref)) this.#log?.settled(this.id, 0, number);
  }

  get #store(): MessageStore {
    return this.#home.store;
  }

  #remove(slot: number): void {
    const bytes = this.#bodyBytes[slot] as number;
    this.#settled(this.#refs[slot] as number, this.#heap.number(slot));
    this.#store.release(this.#refs[slot] as number, bytes);
    this.totalBytes -= bytes;
    this.#heap.remove(slot);
  }

  #publicationOf(ref: MessageRef): ReleasedMessage {
    const p = this.#scratch;
    fillFromStore(this.#store, ref, p);
    const format = this.#home.format(p.format);
    const described = format.describe(p.properties, p.propertiesStart, p.propertiesBytes);
    const old = described.get('headers')?.value;
    const headers: FieldTable = new Map(old instanceof Map ? old : []);
    const keys = [
      routingKeyOf(p.envelope, p.envelopeStart),
      ...textsOf(headers.get('CC')),
      ...blindKeysOf(p.envelope, p.envelopeStart, p.envelopeBytes),
    ];
    // Consumers see by the sign that the message was held, and how long. [rabbitmq_delayed_message_exchange]
    if (headers.has(delayHeader)) {
      headers.set(delayHeader, int(-(delayOf(headers) ?? 0)));
      described.set('headers', table(headers));
      const pivot = this.#home.pivot();
      p.properties = pivot.encode(described);
      p.propertiesStart = 0;
      p.propertiesBytes = p.properties.length;
      p.format = pivot.tag;
    }
    p.isPersistent = described.get('delivery_mode')?.value === 2;
    p.priority = Number(described.get('priority')?.value ?? 0);
    const expiration = described.get('expiration')?.value;
    // Time to live counts from when the message is in a queue.
    p.ttlMillis = typeof expiration === 'string' ? expirationMillis(expiration) : -1;
    return { keys, publication: p };
  }

  #recordDue(slot: number): void {
    const { clock } = this.#home;
    const due = clock.wallMillis + (this.#heap.due(slot) - clock.nowMillis);
    this.#log?.enqueued(this.id, 0, this.#heap.number(slot), this.#refs[slot] as number, this.#bodyBytes[slot] as number, due);
  }

  get #log(): QueueLog | null {
    return this.#home.log;
  }
}
