import { accessRefused } from '../broker-error.ts';
import type { Consumer } from '../consumer.ts';
import { ConsumerRota } from './consumer-rota.ts';
import type { Queue } from './queue.ts';

/** Of all queues that never had a consumer; nothing is put into it. */
const nobody: Consumer[] = [];

/** The consumers of a queue: all of them, in the order in which they came, and in its rota those that have credit. */
export class QueueConsumers {
  readonly rota = new ConsumerRota();
  readonly #queue: Queue;
  #hasSingleActive: boolean;
  #all: Consumer[] = nobody;
  /** The one that was active gets nothing more, and another is active when it has settled what it has. */
  #leaving: Consumer | null = null;
  /** Whether there ever was one. */
  hadOne = false;

  constructor(queue: Queue, hasSingleActive: boolean) {
    this.#queue = queue;
    this.#hasSingleActive = hasSingleActive;
  }

  get count(): number {
    return this.#all.length;
  }

  /** The only consumer there may be (exclusive), or null. */
  get exclusive(): Consumer | null {
    const first = this.#all[0];
    return first !== undefined && this.#isExclusive(first) ? first : null;
  }

  all(): Iterable<Consumer> {
    return this.#all;
  }

  /** @throws BrokerError ACCESS_REFUSED when an exclusive consumer is or would be in the way. */
  check(consumer: Consumer): void {
    // A single active consumer is exclusive already. [RabbitMQ docs: single active consumer]
    if (this.exclusive !== null || (this.#isExclusive(consumer) && (this.#all.length > 0 || this.#hasSingleActive))) {
      const { name, vhostName } = this.#queue;
      throw accessRefused(`queue '${name}' in vhost '${vhostName}' in exclusive use`);
    }
  }

  add(consumer: Consumer): void {
    this.hadOne = true;
    if (this.#hasSingleActive) consumer.isActive = this.#all.length === 0;
    if (this.#all === nobody) this.#all = [consumer];
    else this.#all.push(consumer);
    if (consumer.isActive) consumer.refresh();
    else this.#takeOver();
  }

  /** Returns whether the consumer was the last. */
  remove(consumer: Consumer): boolean {
    this.rota.remove(consumer);
    const index = this.#all.indexOf(consumer);
    if (index < 0) return false;
    this.#all.splice(index, 1);
    if (this.#hasSingleActive && (consumer.isActive || consumer === this.#leaving)) this.#activateNext();
    return this.#all.length === 0;
  }

  /** A consumer that is not active has settled all it had. */
  drained(consumer: Consumer): void {
    if (consumer === this.#leaving) this.#activateNext();
  }

  /** The queue is of another shape: one consumer is active from now on, the one that was, or all are. */
  setSingleActive(hasSingleActive: boolean): void {
    this.#hasSingleActive = hasSingleActive;
    const active = this.#all.find(consumer => consumer.isActive) ?? this.#next();
    this.#leaving = null;
    for (const consumer of this.#all) {
      consumer.isActive = !hasSingleActive || consumer === active;
      if (consumer.isActive) consumer.refresh();
      else this.rota.remove(consumer);
    }
    if (hasSingleActive) this.#takeOver();
  }

  /** The queue is deleted. */
  cancelAll(): void {
    const all = this.#all;
    this.#all = nobody;
    this.#leaving = null;
    for (const consumer of all) {
      this.rota.remove(consumer);
      consumer.isCancelled = true;
      consumer.sink.cancelled(consumer, 'queue-deleted');
    }
  }

  #isExclusive(consumer: Consumer): boolean {
    return consumer.isExclusive && this.#queue.type.capabilities.hasExclusiveConsumers;
  }

  /** One of a higher priority than the active one's takes over, when that has settled what it has. [RabbitMQ 4.0: rabbit_fifo] */
  #takeOver(): void {
    if (!this.#queue.type.capabilities.hasPriorityTakeover) return;
    const active = this.#all.find(consumer => consumer.isActive);
    if (active === undefined || this.#next() === active) return;
    active.isActive = false;
    this.rota.remove(active);
    if (active.unackedCount === 0) this.#activateNext();
    else this.#leaving = active;
  }

  #activateNext(): void {
    this.#leaving = null;
    const next = this.#next();
    if (next === undefined) return;
    next.isActive = true;
    next.refresh();
  }

  /** The first of those of the highest priority. [RabbitMQ: rabbit_queue_consumers, get_consumer] */
  #next(): Consumer | undefined {
    let best = this.#all[0];
    for (const consumer of this.#all) if (best === undefined || consumer.priority > best.priority) best = consumer;
    return best;
  }
}
