// hot path: see docs/STYLE.md
import type { Queue } from '../queues/queue.ts';
import type { Target } from './exchange-type.ts';
import type { Exchange } from './exchange.ts';
import { emptyRoute, Route, takenRoute } from './route.ts';

let lastStamp = 0;

/** Gathers the queues of a message and the exchanges still to be asked, each once: a stamp on the object takes the place of a set. */
export class RouteCollector {
  #stamp = 0;
  /** What stands behind the count is of no meaning: arrays are not emptied, that costs more than all the rest. */
  readonly queues: Queue[] = [];
  queueCount = 0;
  /** Exchanges to ask, in order; a work list in place of recursion, so that a cycle of bindings ends. */
  readonly exchanges: Exchange[] = [];
  exchangeCount = 0;
  /** Targets added since `reset`, seen before or not: tells an exchange that routed nothing from one that routed again. */
  addedCount = 0;
  #isTaken = false;
  #refusal: string | null = null;

  reset(): void {
    this.#stamp = ++lastStamp;
    this.queueCount = 0;
    this.exchangeCount = 0;
    this.addedCount = 0;
    this.#isTaken = false;
    this.#refusal = null;
  }

  add(target: Target): void {
    // Its bindings are being taken away.
    if (target.isDeleted) return;
    this.addedCount++;
    if (target.routeStamp === this.#stamp) return;
    target.routeStamp = this.#stamp;
    if (target.kind === 'queue') this.queues[this.queueCount++] = target;
    else this.exchanges[this.exchangeCount++] = target;
  }

  /** The exchange has dealt with the message itself: it is neither unroutable nor for the alternate exchange. */
  take(): void {
    this.addedCount++;
    this.#isTaken = true;
  }

  /** The exchange does not want the message, and its publisher is to know why. */
  refuse(text: string): void {
    this.addedCount++;
    this.#refusal = text;
  }

  /** What was gathered. */
  toRoute(): Route {
    if (this.#refusal !== null) return new Route([], this.#refusal);
    const { queues, queueCount } = this;
    if (queueCount === 0) return this.#isTaken ? takenRoute : emptyRoute;
    // Most routes lead to one queue, and all routes to it alone are the same.
    if (queueCount === 1) return ((queues[0] as Queue).soleRoute ??= new Route([queues[0] as Queue]));
    return new Route(queues.slice(0, queueCount));
  }
}
