import type { Outcome, Queue } from '../../core/queues/queue.ts';
import type { Steps } from '../../core/stepped-work.ts';
import type { Channel } from './channel.ts';

/** Deliveries of a step, and what it costs. */
const stepDeliveries = 256;
const stepCost = 16;

interface Settlement {
  readonly last: number;
  readonly outcome: Outcome;
  /** They hand nothing out meanwhile. */
  readonly returning: ReadonlySet<Queue>;
}

const none: ReadonlySet<Queue> = new Set();

/**
 * Very many deliveries of a channel are settled in steps, in their order. A queue that gets some of them back hands nothing out before it has all,
 * so that none is overtaken. The deliveries wait among the channel's until their turn comes, also when the channel is closed.
 */
export class SettlingSteps {
  readonly #channel: Channel;
  /** In the order in which they were asked for. */
  readonly #settlements: Settlement[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get isUnderWay(): boolean {
    return this.#settlements.length > 0;
  }

  /** Settles all deliveries up to one; what is little is done when this returns. */
  add(last: number, outcome: Outcome): void {
    const channel = this.#channel;
    const returning = outcome === 'returned' ? channel.unacked.queues() : none;
    for (const queue of returning) queue.startReturning();
    this.#settlements.push({ last, outcome, returning });
    if (this.#settlements.length === 1) channel.connection.broker.work('settling deliveries', this.#all(), () => this.#end());
  }

  /** Calls back when all is settled. */
  whenDone(then: () => void): void {
    if (this.isUnderWay) this.#waiting.push(then);
    else then();
  }

  *#all(): Steps {
    for (;;) {
      const first = this.#settlements[0];
      if (first !== undefined && this.#channel.settling.some(first.last, first.outcome, stepDeliveries)) this.#done();
      if (!this.isUnderWay) return;
      yield stepCost;
    }
  }

  #done(): void {
    const settlement = this.#settlements.shift();
    for (const queue of settlement?.returning ?? []) queue.endReturning();
  }

  #end(): void {
    // After a fault there is something left: no queue is to stand still for ever.
    while (this.isUnderWay) this.#done();
    for (const then of this.#waiting.splice(0)) then();
  }
}
