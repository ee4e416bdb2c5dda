// hot path: see docs/STYLE.md
import { CallbackTimer } from '../../base/timer-queue.ts';
import { Entry } from './entry.ts';
import type { QueueContext } from './queue-context.ts';
import type { ReadyLists } from './ready-lists.ts';

/** Expired messages that one timer event removes before others get their turn. */
const expireBatchMax = 10_000;

/**
 * Takes what has expired from the head of a queue when its time has come; messages behind an unexpired head wait, also those of a lower
 * priority. [RabbitMQ docs: TTL, priority queues]
 */
export class ExpiryWatch {
  readonly #context: QueueContext;
  readonly #expire: (entry: Entry) => void;
  readonly #entry = new Entry();
  #lists: ReadyLists | null = null;
  /** Made with the first message that waits for its time. */
  #timer: CallbackTimer | null = null;

  /** `expire` is given what was taken out. */
  constructor(context: QueueContext, expire: (entry: Entry) => void) {
    this.#context = context;
    this.#expire = expire;
  }

  /** Drops what has expired at the head and sets the timer for the next. */
  look(lists: ReadyLists): void {
    this.#lists = lists;
    const now = this.#context.clock.nowMillis;
    const entry = this.#entry;
    for (let count = 0; !lists.isEmpty; count++) {
      lists.peek(entry);
      if (entry.expiryMillis === 0) break;
      if (entry.expiryMillis > now || count >= expireBatchMax) {
        this.#timer ??= new CallbackTimer(() => this.look(this.#lists as ReadyLists));
        this.#context.timers.set(this.#timer, Math.max(entry.expiryMillis, now));
        return;
      }
      lists.shift(entry);
      this.#expire(entry);
    }
    this.clear();
  }

  clear(): void {
    if (this.#timer !== null) this.#context.timers.clear(this.#timer);
  }
}
