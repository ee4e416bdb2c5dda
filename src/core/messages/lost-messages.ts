import type { BrokerCounters } from '../broker-counters.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Logger } from '../ports/logger.ts';
import type { Entry } from '../queues/entry.ts';
import type { Queue } from '../queues/queue.ts';
import type { Vhost } from '../vhost.ts';
import type { MessageRef } from './message-ref.ts';

/** Messages that the broker has to give up: each is counted and told in the log, so that none goes in silence. */
export class LostMessages {
  readonly #counters: BrokerCounters;
  readonly #logger: Logger;
  /** Told of every message that was read back and is not what was stored, before it goes. */
  onDamaged: (ref: MessageRef) => void = () => {};

  constructor(counters: BrokerCounters, logger: Logger) {
    this.#counters = counters;
    this.#logger = logger;
  }

  damagedInQueue(queue: Queue, entry: Entry): void {
    this.#damaged(entry.ref, `a message of ${entry.bytes} bytes in queue '${queue.name}' in vhost '${queue.vhostName}'`);
  }

  damagedInExchange(vhost: Vhost, exchange: Exchange, ref: MessageRef): void {
    this.#damaged(ref, `a message held by exchange '${exchange.name}' in vhost '${vhost.name}'`);
  }

  /** A dead letter that cannot be made: too large with its new headers, or an error of ours. */
  notDeadLettered(queue: Queue, error: unknown): void {
    const text = `a message of queue '${queue.name}' in vhost '${queue.vhostName}' cannot be dead-lettered and was dropped`;
    if (error instanceof RangeError) {
      this.#logger.warning('queue', `${text}: ${error.message}`);
      return;
    }
    this.#counters.internalErrors++;
    this.#logger.error('queue', text, error);
  }

  #damaged(ref: MessageRef, what: string): void {
    this.#counters.damagedMessages++;
    this.onDamaged(ref);
    this.#logger.error('store', `${what} is damaged on disk and was dropped`);
  }
}
