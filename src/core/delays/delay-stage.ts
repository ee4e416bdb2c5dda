import { CallbackTimer } from '../../base/timer-queue.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { ExchangeHome } from '../exchanges/exchange-home.ts';
import type { ExchangeStage } from '../exchanges/exchange-stage.ts';
import type { RouteCollector } from '../exchanges/route-collector.ts';
import type { RoutedMessage } from '../exchanges/routed-message.ts';
import { fromDelay, fromPublisher, type Publication } from '../messages/publication.ts';
import { waitOf } from './delay.ts';
import { HeldMessages } from './held-messages.ts';

/** Messages released in one go before others have their turn. */
const releaseBatchMax = 1000;

/**
 * Holds messages with an x-delay for that long, those with an x-deliver-at until then, and then publishes them to the exchange again, an
 * x-delay negated so that nobody holds them a second time. Never early; what comes first is released first among equal times.
 * [rabbitmq_delayed_message_exchange]
 */
export class DelayStage implements ExchangeStage {
  readonly #home: ExchangeHome;
  readonly #held: HeldMessages;
  readonly #timer: CallbackTimer;
  readonly #exchange: Exchange;
  #isFetching = false;
  #isClosed = false;

  constructor(home: ExchangeHome, exchange: Exchange) {
    this.#home = home;
    this.#exchange = exchange;
    this.#held = new HeldMessages(home, () => (exchange.isDurable ? home.claimId(exchange, 'exchange.holds') : 0));
    this.#held.onRestored = () => this.#arm();
    this.#timer = new CallbackTimer(() => this.#release());
    home.holdsRefs(this.#held);
  }

  /** What is held, for lists; to be changed through `cancel` and `reschedule`. */
  get held(): HeldMessages {
    return this.#held;
  }

  pass(message: RoutedMessage, _exchange: Exchange, out: RouteCollector): boolean {
    const p = message.publication;
    const { clock } = this.#home;
    const waitMillis = waitOf(message.headers, clock.wallMillis);
    if (typeof waitMillis === 'string') {
      // Who is not the publisher has been through this, or cannot be told.
      if (p.origin !== fromPublisher) return true;
      out.refuse(waitMillis);
      return false;
    }
    if (waitMillis === 0 || p.origin === fromDelay) return true;
    this.hold(p, clock.nowMillis + waitMillis);
    out.take();
    return false;
  }

  /** Holds a message until a time, in the clock's milliseconds, whatever its headers say. */
  hold(p: Publication, dueMillis: number): void {
    this.#held.hold(p, dueMillis);
    this.#arm();
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
    const { clock, store } = this.#home;
    try {
      for (let count = 0; count < releaseBatchMax && this.#held.nextDueMillis <= clock.nowMillis; count++) {
        if (!store.isResident(this.#held.firstRef)) {
          this.#fetch();
          return;
        }
        this.#releaseFirst();
      }
    } finally {
      this.#arm();
    }
  }

  #fetch(): void {
    this.#isFetching = true;
    this.#home.store.fetch(this.#held.firstRef, () => {
      this.#isFetching = false;
      if (!this.#isClosed) this.#arm();
    });
  }

  #releaseFirst(): void {
    const held = this.#held;
    if (!this.#home.store.isIntact(held.firstRef)) {
      this.#home.heldDamaged(this.#exchange, held.firstRef);
      held.dropFirst();
      return;
    }
    try {
      const { keys, publication } = held.take();
      this.#home.deliver(this.#exchange, keys, publication);
    } finally {
      held.drop();
    }
  }

  #arm(): void {
    const { timers } = this.#home;
    const dueMillis = this.#held.nextDueMillis;
    if (dueMillis === Infinity || this.#isFetching || this.#isClosed) timers.clear(this.#timer);
    // What is due already is for the next turn: a batch is over, others wait.
    else timers.set(this.#timer, dueMillis);
  }
}
