// hot path: see docs/STYLE.md
import type { Queue } from '../queues/queue.ts';
import type { Target } from './exchange-type.ts';
import type { Exchange } from './exchange.ts';

let lastStamp = 0;

/** Gathers the queues of a message and the exchanges still to be asked, each once: a stamp on the object takes the place of a set. */
export class RouteCollector {
  #stamp = 0;
  readonly queues: Queue[] = [];
  /** Exchanges to ask, in order; a work list in place of recursion, so that a cycle of bindings ends. */
  readonly exchanges: Exchange[] = [];
  /** Targets added since `reset`, seen before or not: tells an exchange that routed nothing from one that routed again. */
  addedCount = 0;

  reset(): void {
    this.#stamp = ++lastStamp;
    this.queues.length = 0;
    this.exchanges.length = 0;
    this.addedCount = 0;
  }

  add(target: Target): void {
    this.addedCount++;
    if (target.routeStamp === this.#stamp) return;
    target.routeStamp = this.#stamp;
    if (target.kind === 'queue') this.queues.push(target);
    else this.exchanges.push(target);
  }
}
