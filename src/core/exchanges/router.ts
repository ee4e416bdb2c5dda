import type { FieldTable } from '../../base/field-table.ts';
import { limits } from '../limits.ts';
import type { Vhost } from '../vhost.ts';
import type { Exchange } from './exchange.ts';
import { emptyRoute, Route } from './route.ts';
import { RouteCollector } from './route-collector.ts';

/**
 * Finds the queues of a message: bindings between exchanges and alternate exchanges are followed through a work list, each exchange once.
 * Answers that depend on exchange and key only are remembered until the vhost's generation changes.
 */
export class Router {
  readonly #vhost: Vhost;
  readonly #collector = new RouteCollector();
  readonly #keys: string[] = [''];

  constructor(vhost: Vhost) {
    this.#vhost = vhost;
  }

  /**
   * The route of a message with one routing key. `headers` is called only when an exchange on the way asks for them; a route that needed
   * them is not remembered, and `isRemembered` of the answer's caller must not either: see `usedHeaders`.
   */
  route(exchange: Exchange, key: string, headers: () => FieldTable | null): Route {
    this.usedHeaders = false;
    if (exchange.cacheGeneration !== this.#vhost.generation) {
      exchange.cache.clear();
      exchange.cacheGeneration = this.#vhost.generation;
    } else {
      const cached = exchange.cache.get(key);
      if (cached !== undefined) return cached;
    }
    const collector = this.#collector;
    collector.reset();
    this.#keys[0] = key;
    this.#collect(exchange, this.#keys, headers);
    const route = collector.queues.length === 0 ? emptyRoute : new Route([...collector.queues]);
    if (!this.usedHeaders) {
      if (exchange.cache.size >= limits.routeCacheMax) exchange.cache.clear();
      exchange.cache.set(key, route);
    }
    return route;
  }

  /** Whether the last answer depends on more than exchange and key, so that it holds for that message only. */
  usedHeaders = false;

  /** The route of a message with several routing keys (CC, BCC): every queue once. */
  routeAll(exchange: Exchange, keys: readonly string[], headers: () => FieldTable | null): Route {
    this.usedHeaders = true;
    this.#collector.reset();
    this.#collect(exchange, keys, headers);
    return new Route([...this.#collector.queues]);
  }

  #collect(start: Exchange, keys: readonly string[], headers: () => FieldTable | null): void {
    const out = this.#collector;
    const work = out.exchanges;
    work.length = 0;
    work.push(start);
    // An exchange that leads back to the first is not asked twice.
    for (let at = 0; at < work.length && at < limits.routeHopsMax; at++) {
      const exchange = work[at] as Exchange;
      if (at > 0 && exchange === start) continue;
      const before = out.addedCount;
      const routes = exchange.routes;
      if (routes.usesHeaders) this.usedHeaders = true;
      const table = routes.usesHeaders ? headers() : null;
      for (let i = 0; i < keys.length; i++) routes.route(keys[i] as string, table, out);
      if (out.addedCount === before && exchange.alternate !== null) {
        const alternate = this.#vhost.exchanges.get(exchange.alternate);
        if (alternate !== undefined) out.add(alternate);
      }
    }
  }
}
