import { Publication } from '../messages/publication.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageFormat } from '../ports/message-format.ts';
import { cacheTtlName, deduplicationArguments, positiveOf, wantsDeduplication } from './deduplication-arguments.ts';
import { deduplicationValue } from './deduplication-value.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { Queue } from '../queues/queue.ts';
import type { FieldTable } from '../../base/field-table.ts';
import { fillFromStore } from '../messages/stored-publication.ts';
import type { MessageRef } from '../messages/message-ref.ts';
import type { MessageStore } from '../messages/message-store.ts';
import type { Steps } from '../stepped-work.ts';
import { DurableValues } from './durable-values.ts';
import { RecentValues } from './recent-values.ts';

/** Size of the memory of a queue that has a time to live for values but no size. */
const sizeDefault = 1_000_000;

/**
 * Tells a queue which messages are duplicates. Without cache arguments a message is one while the queue still holds another with its value;
 * with them for as long as the value is remembered, consumed or not. [rabbitmq-message-deduplication]
 */
export class QueueDeduplication {
  readonly #clock: Clock;
  readonly #store: MessageStore;
  readonly #format: (tag: number) => MessageFormat;
  readonly #header: string;
  readonly #recent: RecentValues | null;
  /** Values of the messages in the queue, and the messages that have them. */
  readonly #held = new Map<string, number>();
  readonly #valueOf = new Map<number, string>();
  /** What is remembered over a restart; null: nothing. */
  readonly kept: DurableValues | null = null;
  /** Numbers of what is kept of messages in the queue, by place. */
  readonly #serials = new Map<number, number>();
  #lastSerial = 0;
  /** What `isDuplicate` found out about the message that is on its way into the queue. */
  #value: string | null = null;
  #ttlMillis: number | null = null;
  /** Duplicates dropped. */
  droppedCount = 0;

  constructor(queue: Queue, args: FieldTable, context: QueueContext) {
    const { header, sizeMax, ttlMillis, isOnDisk } = deduplicationArguments(args);
    const isRecent = sizeMax !== null || ttlMillis !== null;
    const { clock, store, log } = context;
    this.#clock = clock;
    this.#store = store;
    this.#format = tag => context.format(tag);
    this.#header = header;
    // What the queue still holds is a duplicate after a restart as before; what it only remembers, when it was told so.
    if (log !== null && queue.isDurable && (isOnDisk ?? !isRecent)) {
      const claimId = (): number => context.claimId(queue, 'queue.remembers');
      const beforeCommit = (act: () => void): void => context.turn.beforeCommit(act);
      this.kept = new DurableValues({ clock, store, log, claimId, beforeCommit }, (serial, text, expiry) =>
        this.#restore(serial, text, expiry),
      );
    }
    this.#recent = isRecent ? new RecentValues(sizeMax ?? sizeDefault, ttlMillis ?? Infinity, this.kept) : null;
  }

  /** Whether the message is to be dropped. If not, and if the queue takes it, `entered` is the next thing that happens. */
  isDuplicate(p: Publication): boolean {
    const headers = this.#format(p.format).headers(p.properties, p.propertiesStart, p.propertiesBytes);
    const value = deduplicationValue(headers, this.#header);
    this.#value = value;
    this.#ttlMillis = positiveOf(headers?.get(cacheTtlName));
    if (value === null) return false;
    const isKnown = this.#recent === null ? this.#held.has(value) : this.#recent.has(value, this.#clock.nowMillis);
    if (isKnown) this.droppedCount++;
    return isKnown;
  }

  /** The message is in the queue, at this place, and in the log or not. */
  entered(priority: number, sequence: number, isLogged: boolean): void {
    const value = this.#value;
    this.#value = null;
    if (value === null) return;
    if (this.#recent !== null) {
      this.#recent.add(value, this.#clock.nowMillis, this.#ttlMillis);
      return;
    }
    this.#hold(placeOf(priority, sequence), value);
    if (isLogged) this.logged(priority, sequence);
  }

  /** The message of this place is in the log from now on. */
  logged(priority: number, sequence: number): void {
    const place = placeOf(priority, sequence);
    const value = this.#valueOf.get(place);
    if (value === undefined || this.kept === null || this.#serials.has(place)) return;
    this.#serials.set(place, ++this.#lastSerial);
    this.kept.keep(this.#lastSerial, `${place} ${value}`, Infinity);
  }

  /** The message of this place is in the queue no longer, or is on its way out: another with its value is no duplicate. */
  left(priority: number, sequence: number): void {
    const place = placeOf(priority, sequence);
    const value = this.#valueOf.get(place);
    if (value === undefined) return;
    this.#valueOf.delete(place);
    if (this.#held.get(value) === place) this.#held.delete(value);
    const serial = this.#serials.get(place);
    if (serial === undefined) return;
    this.#serials.delete(place);
    if (this.kept !== null && !this.kept.isDeleted) this.kept.forget(serial);
  }

  /**
   * Gets to know a message that the queue has already, which must be resident; what is damaged has no value. What outlives a restart is
   * written by `kept.writeSome`.
   */
  learn(ref: MessageRef, priority: number, sequence: number, isLogged: boolean): void {
    if (!this.#store.isIntact(ref)) return;
    const p = new Publication();
    fillFromStore(this.#store, ref, p);
    this.#learn(p, priority, sequence, isLogged);
  }

  /** The same for one that is not in the store. */
  learnOf(p: Publication, priority: number, sequence: number): void {
    this.#learn(p, priority, sequence, true);
  }

  #learn(p: Publication, priority: number, sequence: number, isLogged: boolean): void {
    const headers = this.#format(p.format).headers(p.properties, p.propertiesStart, p.propertiesBytes);
    const value = deduplicationValue(headers, this.#header);
    if (value === null) return;
    if (this.#recent !== null) {
      if (!this.#recent.has(value, this.#clock.nowMillis))
        this.#recent.learn(value, this.#clock.nowMillis, positiveOf(headers?.get(cacheTtlName)));
      return;
    }
    const place = placeOf(priority, sequence);
    this.#hold(place, value);
    if (this.kept === null || !isLogged) return;
    this.#serials.set(place, ++this.#lastSerial);
    this.kept.keepLater(this.#lastSerial, `${place} ${value}`, Infinity);
  }

  /** What another memory, of the same header, remembers of messages that may be gone: this one takes it over while it is asked for more. */
  *inherit(from: QueueDeduplication): Steps {
    if (this.#recent === null || from.#recent === null || from.#header !== this.#header) return;
    for (const [value, expiryMillis] of from.#recent.values()) {
      if (expiryMillis > this.#clock.nowMillis) this.#recent.adopt(value, expiryMillis, this.#clock.nowMillis);
      yield 1;
    }
  }

  #hold(place: number, value: string): void {
    this.#held.set(value, place);
    this.#valueOf.set(place, value);
  }

  /** Recovery: what was remembered, or the value of a message that is in the queue. */
  #restore(serial: number, text: string, expiryMillis: number): void {
    if (this.#recent !== null) {
      this.#recent.restore(serial, text, expiryMillis);
      return;
    }
    const space = text.indexOf(' ');
    const place = Number(text.slice(0, space));
    this.#lastSerial = Math.max(this.#lastSerial, serial);
    this.#serials.set(place, serial);
    this.#hold(place, text.slice(space + 1));
  }
}

/** Sequence numbers begin anew for every priority. */
function placeOf(priority: number, sequence: number): number {
  return sequence * 256 + priority;
}

/** For a queue; null for one that takes everything. */
export function queueDeduplication(queue: Queue, args: FieldTable, context: QueueContext): QueueDeduplication | null {
  return wantsDeduplication(args) ? new QueueDeduplication(queue, args, context) : null;
}
