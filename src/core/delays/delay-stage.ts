import { CallbackTimer } from '../../base/timer-queue.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { ExchangeHome } from '../exchanges/exchange-home.ts';
import type { ExchangeStage } from '../exchanges/exchange-stage.ts';
import type { RouteCollector } from '../exchanges/route-collector.ts';
import type { RoutedMessage } from '../exchanges/routed-message.ts';
import { fromDelay, fromPublisher } from '../messages/publication.ts';
import { delayHeader, delayMillisMax, delayOf } from './delay.ts';
import { HeldMessages } from './held-messages.ts';

/** Messages released in one go before others have their turn. */
const releaseBatchMax = 1000;

/**
 * Holds messages with an x-delay for that long, and then publishes them to the exchange again, with the delay negated so that nobody holds
 * them a second time. Never early; what comes first is released first among equal times. [rabbitmq_delayed_message_exchange]
 */
export class DelayStage implements ExchangeStage {
  readonly #home: ExchangeHome;
  readonly #held: HeldMessages;
  readonly #timer: CallbackTimer;
  #exchange: Exchange | null = null;
  #isClosed = false;

  constructor(home: ExchangeHome) {
    this.#home = home;
    this.#held = new HeldMessages(home);
    this.#timer = new CallbackTimer(() => this.#release());
    home.holdsRefs(this.#held);
  }

  /** What is held, for lists; to be changed through `cancel` and `reschedule`. */
  get held(): HeldMessages {
    return this.#held;
  }

  pass(message: RoutedMessage, exchange: Exchange, out: RouteCollector): boolean {
    const p = message.publication;
    const delayMillis = delayOf(message.headers);
    if (delayMillis === null) {
      // Who is not the publisher has been through this, or cannot be told.
      if (p.origin !== fromPublisher) return true;
      out.refuse(`invalid header '${delayHeader}': expected milliseconds from 0 to ${delayMillisMax}`);
      return false;
    }
    if (delayMillis === 0 || p.origin === fromDelay) return true;
    this.#exchange = exchange;
    this.#held.hold(message.keys, p, this.#home.clock.nowMillis + delayMillis);
    this.#arm();
    out.take();
    return false;
  }

  /** Drops a held message; false when there is none of the number. */
  cancel(number: number): boolean {
    const isCancelled = this.#held.cancel(number);
    this.#arm();
    return isCancelled;
  }

  /** Holds a message until another time, in the clock's milliseconds; false when there is none of the number. */
  reschedule(number: number, dueMillis: number): boolean {
    const isMoved = this.#held.reschedule(number, dueMillis);
    this.#arm();
    return isMoved;
  }

  close(): void {
    this.#isClosed = true;
    this.#home.timers.clear(this.#timer);
    this.#held.clear();
    this.#home.dropsRefs(this.#held);
  }

  #release(): void {
    const { clock } = this.#home;
    try {
      for (let count = 0; count < releaseBatchMax && this.#held.nextDueMillis <= clock.nowMillis; count++) this.#releaseFirst();
    } finally {
      this.#arm();
    }
  }

  #releaseFirst(): void {
    const { keys, publication } = this.#held.take();
    try {
      if (this.#exchange !== null) this.#home.deliver(this.#exchange, keys, publication);
    } finally {
      this.#held.drop();
    }
  }

  #arm(): void {
    const { timers, clock } = this.#home;
    const dueMillis = this.#held.nextDueMillis;
    if (dueMillis === Infinity || this.#isClosed) timers.clear(this.#timer);
    // What is due already is for the next turn: a batch is over, others wait.
    else timers.set(this.#timer, Math.max(dueMillis, clock.nowMillis + 1));
  }
}
