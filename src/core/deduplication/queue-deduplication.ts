import type { FieldTable } from '../../base/field-table.ts';
import type { Publication } from '../messages/publication.ts';
import type { Clock } from '../ports/clock.ts';
import type { MessageFormat } from '../ports/message-format.ts';
import { cacheTtlName, deduplicationArguments, positiveOf, wantsDeduplication } from './deduplication-arguments.ts';
import { deduplicationValue } from './deduplication-value.ts';
import { RecentValues } from './recent-values.ts';

/** Size of the memory of a queue that has a time to live for values but no size. */
const sizeDefault = 1_000_000;

/**
 * Tells a queue which messages are duplicates. Without cache arguments a message is one while the queue still holds another with its value;
 * with them for as long as the value is remembered, consumed or not. [rabbitmq-message-deduplication]
 */
export class QueueDeduplication {
  readonly #clock: Clock;
  readonly #format: (tag: number) => MessageFormat;
  readonly #header: string;
  readonly #recent: RecentValues | null;
  /** Values of the messages in the queue, and the messages that have them. */
  readonly #held = new Map<string, number>();
  readonly #valueOf = new Map<number, string>();
  /** What `isDuplicate` found out about the message that is on its way into the queue. */
  #value: string | null = null;
  #ttlMillis: number | null = null;
  /** Duplicates dropped. */
  droppedCount = 0;

  constructor(args: FieldTable, clock: Clock, format: (tag: number) => MessageFormat) {
    const { header, sizeMax, ttlMillis } = deduplicationArguments(args);
    this.#clock = clock;
    this.#format = format;
    this.#header = header;
    this.#recent = sizeMax === null && ttlMillis === null ? null : new RecentValues(sizeMax ?? sizeDefault, ttlMillis ?? Infinity);
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

  /** The message is in the queue, at this place. */
  entered(priority: number, sequence: number): void {
    const value = this.#value;
    this.#value = null;
    if (value === null) return;
    if (this.#recent !== null) {
      this.#recent.add(value, this.#clock.nowMillis, this.#ttlMillis);
      return;
    }
    const place = placeOf(priority, sequence);
    this.#held.set(value, place);
    this.#valueOf.set(place, value);
  }

  /** The message of this place is in the queue no longer, or is on its way out: another with its value is no duplicate. */
  left(priority: number, sequence: number): void {
    const place = placeOf(priority, sequence);
    const value = this.#valueOf.get(place);
    if (value === undefined) return;
    this.#valueOf.delete(place);
    if (this.#held.get(value) === place) this.#held.delete(value);
  }
}

/** Sequence numbers begin anew for every priority. */
function placeOf(priority: number, sequence: number): number {
  return sequence * 256 + priority;
}

/** For a queue with these arguments; null for one that takes everything. */
export function queueDeduplication(args: FieldTable, clock: Clock, format: (tag: number) => MessageFormat): QueueDeduplication | null {
  return wantsDeduplication(args) ? new QueueDeduplication(args, clock, format) : null;
}
