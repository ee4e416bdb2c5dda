import { accessRefused } from '../broker-error.ts';
import type { Consumer } from '../consumer.ts';
import { ConsumerRota } from './consumer-rota.ts';
import type { Queue } from './queue.ts';

/** The consumers of a queue: all of them, in the order in which they came, and in its rota those that have credit. */
export class QueueConsumers {
  readonly rota = new ConsumerRota();
  readonly #queue: Queue;
  #hasSingleActive: boolean;
  #all: Consumer[] = [];
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
    this.#all.push(consumer);
    consumer.refresh();
  }

  /** Returns whether the consumer was the last. */
  remove(consumer: Consumer): boolean {
    this.rota.remove(consumer);
    const index = this.#all.indexOf(consumer);
    if (index < 0) return false;
    this.#all.splice(index, 1);
    if (this.#hasSingleActive && consumer.isActive) this.#activateNext();
    return this.#all.length === 0;
  }

  /** The queue is of another shape: one consumer is active from now on, the one that was, or all are. */
  setSingleActive(hasSingleActive: boolean): void {
    this.#hasSingleActive = hasSingleActive;
    const active = this.#all.find(consumer => consumer.isActive);
    for (const consumer of this.#all) {
      consumer.isActive = !hasSingleActive || consumer === active;
      if (consumer.isActive) consumer.refresh();
      else this.rota.remove(consumer);
    }
  }

  /** The queue is deleted. */
  cancelAll(): void {
    const all = this.#all;
    this.#all = [];
    for (const consumer of all) {
      this.rota.remove(consumer);
      consumer.isCancelled = true;
      consumer.sink.cancelled(consumer, 'queue-deleted');
    }
  }

  #isExclusive(consumer: Consumer): boolean {
    return consumer.isExclusive && this.#queue.type.capabilities.hasExclusiveConsumers;
  }

  #activateNext(): void {
    const next = this.#all[0];
    if (next === undefined) return;
    next.isActive = true;
    next.refresh();
  }
}
