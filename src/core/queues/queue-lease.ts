import { CallbackTimer } from '../../base/timer-queue.ts';
import type { QueueContext } from './queue-context.ts';
import type { Queue } from './queue.ts';

/** x-expires: an unused queue is deleted; a consumer, a get or a declare is a use. [RabbitMQ docs: TTL, queue TTL] */
export class QueueLease {
  readonly #queue: Queue;
  readonly #context: QueueContext;
  #timer: CallbackTimer | null = null;

  constructor(queue: Queue, context: QueueContext) {
    this.#queue = queue;
    this.#context = context;
  }

  /** To be called when the queue was used, and when its settings have changed. */
  arm(): void {
    const { settings, lastUsedMillis } = this.#queue;
    if (settings.expiresMillis < 0) {
      this.clear();
      return;
    }
    this.#timer ??= new CallbackTimer(now => this.#check(now));
    this.#context.timers.set(this.#timer, lastUsedMillis + settings.expiresMillis);
  }

  clear(): void {
    if (this.#timer !== null) this.#context.timers.clear(this.#timer);
  }

  #check(now: number): void {
    const queue = this.#queue;
    if (queue.consumerCount > 0) queue.lastUsedMillis = now;
    const due = queue.lastUsedMillis + queue.settings.expiresMillis;
    if (due <= now) this.#context.removeQueue(queue, 'expired');
    else this.#context.timers.set(this.#timer as CallbackTimer, due);
  }
}
