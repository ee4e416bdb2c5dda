import type { Queue } from '../core/queues/queue.ts';
import type { SpanContext } from './span.ts';

/** A traced message in a queue, or delivered and not settled. */
export interface HeldSpan {
  /** The span that put it there: what deliveries hang below. */
  readonly above: SpanContext;
  /** Of its body: who has the place of a message that was refused has another as a rule. */
  readonly bytes: number;
  /** When it came into the queue, or came back. */
  sinceMillis: number;
  /** Its delivery under way; null while it is ready. */
  delivery: { readonly span: SpanContext; readonly atMillis: number } | null;
}

/** One that is remembered, and where; a settled one leaves its slot empty. */
interface Slot {
  readonly queue: Queue;
  readonly place: number;
  readonly span: HeldSpan;
}

/**
 * Traced messages by queue and place. There are never more than so many: the oldest are forgotten for new ones, so that a queue nobody
 * consumes costs no memory for what it holds.
 */
export class HeldSpans {
  readonly #byQueue = new WeakMap<Queue, Map<number, HeldSpan>>();
  readonly #slots: (Slot | null)[];
  #next = 0;
  #count = 0;

  constructor(countMax: number) {
    this.#slots = new Array<Slot | null>(countMax).fill(null);
  }

  /** How many are remembered, settled ones among them until their slot is needed. */
  get count(): number {
    return this.#count;
  }

  add(queue: Queue, place: number, span: HeldSpan): void {
    const forgotten = this.#slots[this.#next] ?? null;
    if (forgotten === null) this.#count++;
    else this.#forget(forgotten);
    this.#slots[this.#next] = { queue, place, span };
    this.#next = (this.#next + 1) % this.#slots.length;
    const held = this.#byQueue.get(queue);
    if (held === undefined) this.#byQueue.set(queue, new Map([[place, span]]));
    else held.set(place, span);
  }

  /** Null for a message that is not traced, or not any more. */
  find(queue: Queue, place: number, bytes: number): HeldSpan | null {
    const span = this.#byQueue.get(queue)?.get(place);
    return span !== undefined && span.bytes === bytes ? span : null;
  }

  remove(queue: Queue, place: number): void {
    this.#byQueue.get(queue)?.delete(place);
  }

  #forget({ queue, place, span }: Slot): void {
    const held = this.#byQueue.get(queue);
    // The place may be another's by now.
    if (held?.get(place) === span) held.delete(place);
  }
}
