// hot path: see docs/STYLE.md
import type { Exchange } from './exchanges/exchange.ts';
import type { Target } from './exchanges/exchange-type.ts';
import { type Route, takenRoute } from './exchanges/route.ts';
import type { MessageRef } from './messages/message-ref.ts';
import type { MessageStore } from './messages/message-store.ts';
import type { Publication } from './messages/publication.ts';
import type { Clock } from './ports/clock.ts';
import type { Queue } from './queues/queue.ts';
import type { Vhost } from './vhost.ts';

/** Puts a message into the queues of its route: its bytes are stored once, and only if a queue takes it. */
export class Publisher {
  readonly #store: MessageStore;
  readonly #clock: Clock;
  readonly #taking: Queue[] = [];

  constructor(store: MessageStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Enqueues `p` into every queue of the route that takes it; `p.isRefused` tells afterwards whether one did not.
   * Returns how many queues the message was routed to, whether they took it or not: 0 means unroutable.
   */
  publish(vhost: Vhost, exchange: Exchange, route: Route, p: Publication): number {
    const queues = route.queues;
    const count = queues.length;
    exchange.counters.publishedIn++;
    vhost.counters.published++;
    p.isRefused = false;
    p.isLogged = false;
    if (count === 0) return this.#publishToNone(vhost, exchange, route, p);
    const first = queues[0] as Queue;
    if (count === 1 && p.cycleGuard === null && first.deduplication === null) {
      const queue = first;
      if (!queue.admits(p)) {
        p.isRefused = true;
        exchange.deduplication?.takeBack();
        return 1;
      }
      exchange.counters.publishedOut++;
      queue.enqueue(p, this.#stored(queue, p));
      return 1;
    }
    return this.#publishToMany(exchange, queues, p);
  }

  /** Puts a message into a queue, or publishes it to an exchange, on behalf of an exchange that kept it. Returns to how many queues it went. */
  deliver(vhost: Vhost, target: Target, keys: readonly string[], p: Publication): number {
    if (target.kind === 'exchange') return this.publish(vhost, target, vhost.router.route(target, keys, p), p);
    if (target.deduplication?.isDuplicate(p) || !target.admits(p)) return 0;
    target.enqueue(p, this.#stored(target, p));
    return 1;
  }

  /** Puts a message into a queue if it takes it; one that it drops, or dead-letters itself, counts as taken. */
  offer(vhost: Vhost, exchange: Exchange, queue: Queue, p: Publication): boolean {
    if (queue.deduplication?.isDuplicate(p)) return true;
    if (!queue.admits(p)) return queue.settings.overflow === 'reject-publish-dlx';
    exchange.counters.publishedIn++;
    exchange.counters.publishedOut++;
    vhost.counters.published++;
    queue.enqueue(p, this.#stored(queue, p));
    return true;
  }

  /** Stores a message for one queue; what has a log of its own records every message there. */
  #stored(queue: Queue, p: Publication): MessageRef {
    if (queue.hasOwnLog) {
      p.isLogged = true;
      return 0;
    }
    p.isLogged = (p.isPersistent || queue.keepsTransient) && queue.isLogging;
    return this.#store.append(p, 1, this.#clock.nowMillis, p.isLogged);
  }

  #publishToNone(vhost: Vhost, exchange: Exchange, route: Route, p: Publication): number {
    if (route === takenRoute) return 1;
    if (route.refusal === null) {
      // What the broker tells nobody who wants to know is nothing that got lost.
      if (!exchange.isInternal) vhost.unroutable.add(p, this.#clock.wallMillis);
      return 0;
    }
    p.isRefused = true;
    return 1;
  }

  #publishToMany(exchange: Exchange, queues: readonly Queue[], p: Publication): number {
    const taking = this.#taking;
    taking.length = 0;
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[i] as Queue;
      if (p.cycleGuard !== null && p.cycleGuard.has(queue.name)) continue;
      if (queue.deduplication !== null && queue.deduplication.isDuplicate(p)) continue;
      if (queue.admits(p)) taking.push(queue);
      else p.isRefused = true;
    }
    // Nobody has it: its publisher may send it again.
    if (p.isRefused && taking.length === 0) exchange.deduplication?.takeBack();
    if (taking.length === 0) return queues.length;
    exchange.counters.publishedOut += taking.length;
    let isLogged = false;
    let owners = 0;
    for (let i = 0; i < taking.length; i++) {
      const queue = taking[i] as Queue;
      isLogged ||= (p.isPersistent || queue.keepsTransient) && queue.isLogging;
      if (!queue.hasOwnLog) owners++;
    }
    p.isLogged = isLogged || owners < taking.length;
    const ref = owners === 0 ? 0 : this.#store.append(p, owners, this.#clock.nowMillis, isLogged);
    for (let i = 0; i < taking.length; i++) (taking[i] as Queue).enqueue(p, ref);
    return queues.length;
  }
}
