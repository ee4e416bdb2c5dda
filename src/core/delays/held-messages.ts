import { type FieldTable, int } from '../../base/field-table.ts';
import type { ExchangeHome } from '../exchanges/exchange-home.ts';
import { blindKeysOf, exchangeOf, routingKeyOf } from '../messages/envelope.ts';
import { expirationMillis } from '../messages/expiration.ts';
import type { MessageRef, MessageStore, RefHolder, Rename } from '../messages/message-store.ts';
import { fromDelay, Publication } from '../messages/publication.ts';
import { rewriteProperties } from '../messages/rewrite-properties.ts';
import { textsOf } from '../messages/sender-selected.ts';
import { delayHeader, delayOf } from './delay.ts';
import { DueHeap, grown } from './due-heap.ts';

/** A held message in a list. */
export interface HeldMessage {
  /** Names it for `cancel` and `reschedule`. */
  readonly number: number;
  /** When it is released, in the clock's milliseconds. */
  readonly dueMillis: number;
  readonly exchange: string;
  readonly routingKey: string;
  readonly bodyBytes: number;
}

/** A message whose time has come, ready to be published. */
export interface ReleasedMessage {
  readonly keys: readonly string[];
  readonly publication: Publication;
}

/**
 * Messages that wait for their time, each with a number that is never given again. Their bytes are in the message store, some thirty bytes
 * each in columns here, so that a million of them is nothing unusual.
 */
export class HeldMessages implements RefHolder {
  readonly #home: ExchangeHome;
  readonly #heap = new DueHeap();
  /** By slot of the heap. */
  #refs = new Int32Array(64);
  #bodyBytes = new Float64Array(64);
  #lastNumber = 0;
  readonly #scratch = new Publication();
  /** What `take` gave out and `drop` lets go of. */
  #takenRef: MessageRef = 0;
  #takenBytes = 0;
  totalBytes = 0;

  constructor(home: ExchangeHome) {
    this.#home = home;
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
  hold(_keys: readonly string[], p: Publication, dueMillis: number): number {
    const ref = this.#store.append(p, 1, this.#home.clock.nowMillis, false);
    const number = ++this.#lastNumber;
    const slot = this.#heap.add(number, dueMillis);
    while (slot >= this.#refs.length) {
      this.#refs = grown(this.#refs, Int32Array);
      this.#bodyBytes = grown(this.#bodyBytes, Float64Array);
    }
    this.#refs[slot] = ref;
    this.#bodyBytes[slot] = p.bodyBytes;
    this.totalBytes += p.bodyBytes;
    return number;
  }

  /** Takes the message that is due first, which must be there. It is valid until `drop`, to be called before the next. */
  take(): ReleasedMessage {
    const slot = this.#heap.first;
    this.#takenRef = this.#refs[slot] as number;
    this.#takenBytes = this.#bodyBytes[slot] as number;
    this.#heap.remove(slot);
    this.totalBytes -= this.#takenBytes;
    return this.#publicationOf(this.#takenRef);
  }

  drop(): void {
    this.#store.release(this.#takenRef, this.#takenBytes);
    this.#scratch.parts = null;
    this.#takenRef = 0;
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
    return true;
  }

  clear(): void {
    while (this.#heap.first >= 0) this.#remove(this.#heap.first);
  }

  /** Held messages in the order of their release, from `offset` on. */
  list(offset: number, count: number): HeldMessage[] {
    return this.#heap
      .firstSlots(offset + count)
      .slice(offset)
      .map(slot => {
        const { envelope, envelopeStart } = this.#locate(this.#refs[slot] as number);
        return {
          number: this.#heap.number(slot),
          dueMillis: this.#heap.due(slot),
          exchange: exchangeOf(envelope, envelopeStart),
          routingKey: routingKeyOf(envelope, envelopeStart),
          bodyBytes: this.#bodyBytes[slot] as number,
        };
      });
  }

  relocate(rename: Rename): void {
    for (const slot of this.#heap.slots()) {
      this.#refs[slot] = rename(
        this.#refs[slot] as number,
        null,
        0,
        this.#heap.number(slot),
        this.#bodyBytes[slot] as number,
        this.#heap.due(slot),
      );
    }
  }

  get #store(): MessageStore {
    return this.#home.store;
  }

  #remove(slot: number): void {
    const bytes = this.#bodyBytes[slot] as number;
    this.#store.release(this.#refs[slot] as number, bytes);
    this.totalBytes -= bytes;
    this.#heap.remove(slot);
  }

  #locate(ref: MessageRef): { envelope: Buffer; envelopeStart: number; properties: Buffer; propertiesStart: number } {
    const store = this.#store;
    store.locate(ref);
    const { loose } = store;
    if (loose !== null) return { envelope: loose.envelope, envelopeStart: 0, properties: loose.properties, propertiesStart: 0 };
    return {
      envelope: store.bytes,
      envelopeStart: store.envelopeStart,
      properties: store.bytes,
      propertiesStart: store.propertiesStart,
    };
  }

  #publicationOf(ref: MessageRef): ReleasedMessage {
    const store = this.#store;
    const { envelope, envelopeStart, properties, propertiesStart } = this.#locate(ref);
    const format = this.#home.format(store.format);
    const { propertiesBytes, envelopeBytes } = store;
    const described = format.describe(properties, propertiesStart, propertiesBytes);
    const old = described.get('headers')?.value;
    const headers: FieldTable = new Map(old instanceof Map ? old : []);
    const keys = [
      routingKeyOf(envelope, envelopeStart),
      ...textsOf(headers.get('CC')),
      ...blindKeysOf(envelope, envelopeStart, envelopeBytes),
    ];
    // Consumers see by the sign that the message was held, and how long. [rabbitmq_delayed_message_exchange]
    headers.set(delayHeader, int(-(delayOf(headers) ?? 0)));
    const p = this.#scratch;
    p.envelope = Buffer.from(envelope.subarray(envelopeStart, envelopeStart + envelopeBytes));
    p.envelopeBytes = envelopeBytes;
    p.properties = properties;
    p.propertiesStart = propertiesStart;
    p.propertiesBytes = propertiesBytes;
    p.format = format.tag;
    rewriteProperties(p, format, this.#home.pivot(), { headers, removeExpiration: false });
    p.bodyBytes = store.bodyBytes;
    if (store.loose === null) {
      p.body = store.bytes;
      p.bodyStart = store.bodyStart;
      p.parts = null;
    } else {
      p.parts = store.loose.parts as Buffer[];
    }
    p.isPersistent = described.get('delivery_mode')?.value === 2;
    p.priority = Number(described.get('priority')?.value ?? 0);
    const expiration = described.get('expiration')?.value;
    // Time to live counts from when the message is in a queue.
    p.ttlMillis = typeof expiration === 'string' ? expirationMillis(expiration) : -1;
    return { keys, publication: p };
  }
}
