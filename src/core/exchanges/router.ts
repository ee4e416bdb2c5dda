// hot path: see docs/STYLE.md
import type { FieldTable } from '../../base/field-table.ts';
import { limits } from '../limits.ts';
import { saysWhen, waitOf } from '../delays/delay.ts';
import { fromPublisher, type Publication } from '../messages/publication.ts';
import type { MessageFormat } from '../ports/message-format.ts';
import type { Vhost } from '../vhost.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeStage } from './exchange-stage.ts';
import type { Route } from './route.ts';
import { RouteCollector } from './route-collector.ts';
import { RoutedMessage } from './routed-message.ts';

/**
 * Finds the queues of a message: bindings between exchanges and alternate exchanges are followed through a work list, each exchange once.
 * Answers that depend on exchange and key only are remembered until the vhost's generation changes.
 */
export class Router {
  readonly #vhost: Vhost;
  readonly #collector = new RouteCollector();
  readonly #message: RoutedMessage;
  readonly #keys: string[] = [''];

  constructor(vhost: Vhost, format: (tag: number) => MessageFormat) {
    this.#vhost = vhost;
    this.#message = new RoutedMessage(format);
  }

  /** The route of every message with this routing key; null when an exchange on the way has to see the message. */
  remembered(exchange: Exchange, key: string): Route | null {
    if (exchange.seesMessages) return null;
    const { cache } = exchange;
    if (exchange.cacheGeneration !== this.#vhost.generation) {
      cache.clear();
      exchange.cacheGeneration = this.#vhost.generation;
    } else {
      const cached = cache.get(key);
      if (cached !== undefined) return cached;
    }
    this.#keys[0] = key;
    const route = this.#walk(exchange, this.#keys, null) ? this.#collector.toRoute() : null;
    if (cache.size < limits.routeCacheMin || cache.size < Math.min(2 * exchange.bindings.size, limits.routeCacheMax)) cache.set(key, route);
    else this.#overflow(exchange, key, route);
    return route;
  }

  /** The cache is full: it is emptied when what it holds is not what is asked for any more, else it is left as it is. */
  #overflow(exchange: Exchange, key: string, route: Route | null): void {
    if (++exchange.cacheMisses < 4 * exchange.cache.size) return;
    exchange.cacheMisses = 0;
    exchange.cache.clear();
    exchange.cache.set(key, route);
  }

  /**
   * The route of one message with its routing keys: its own first, then those of CC and BCC. Exchanges may keep the message or refuse it:
   * this is to be asked once for each publish. `headers` spares decoding them when the caller has done it.
   */
  route(exchange: Exchange, keys: readonly string[], p: Publication, headers?: FieldTable | null): Route {
    if (this.#vhost.isScheduling && p.origin === fromPublisher) {
      const held = this.#schedule(exchange, keys, p, headers);
      if (held !== null) return held;
    }
    if (keys.length === 1) {
      const remembered = this.remembered(exchange, keys[0] as string);
      if (remembered !== null) return remembered;
    }
    this.#message.reset(keys, p, headers);
    this.#walk(exchange, keys, this.#message);
    return this.#collector.toRoute();
  }

  /** In a virtual host that has scheduled delivery: holds a message that says when it wants to be delivered; null for any other. */
  #schedule(exchange: Exchange, keys: readonly string[], p: Publication, headers: FieldTable | null | undefined): Route | null {
    const message = this.#message;
    message.reset(keys, p, headers);
    // Who holds messages by its type does so when its turn comes, after what drops duplicates.
    if (!saysWhen(message.headers) || exchange.stages.some(stage => stage === exchange.delay)) return null;
    const { home } = this.#vhost;
    if (waitOf(message.headers, home.clock.wallMillis) === 0) return null;
    const out = this.#collector;
    out.reset();
    // They see every message once: nothing that was held is looked at again.
    for (const stage of exchange.stages) if (!stage.pass(message, exchange, out)) return out.toRoute();
    exchange.holding(home).pass(message, exchange, out);
    return out.toRoute();
  }

  /** Asks the exchanges one after the other. Without a message it returns false when one of them cannot say without it. */
  #walk(start: Exchange, keys: readonly string[], message: RoutedMessage | null): boolean {
    const out = this.#collector;
    out.reset();
    const work = out.exchanges;
    work[out.exchangeCount++] = start;
    // An exchange that leads back to the first is not asked twice.
    for (let at = 0; at < out.exchangeCount && at < limits.routeHopsMax; at++) {
      const exchange = work[at] as Exchange;
      if (at > 0 && exchange === start) continue;
      const before = out.addedCount;
      if (!ask(exchange, keys, message, out)) return false;
      // The default exchange is nobody's alternate. [RabbitMQ: it has no bindings of its own]
      if (out.addedCount === before && exchange.alternate !== null && exchange.alternate !== '') {
        const alternate = this.#vhost.exchanges.get(exchange.alternate);
        if (alternate !== undefined) out.add(alternate);
      }
    }
    return true;
  }
}

function ask(exchange: Exchange, keys: readonly string[], message: RoutedMessage | null, out: RouteCollector): boolean {
  const { routes, stages } = exchange;
  if (message === null && exchange.seesMessages) return false;
  for (let i = 0; i < stages.length; i++) {
    if (!(stages[i] as ExchangeStage).pass(message as RoutedMessage, exchange, out)) return true;
  }
  if (routes.dependsOn === 'message') routes.route(message as RoutedMessage, out);
  else for (let i = 0; i < keys.length; i++) routes.route(keys[i] as string, out);
  return true;
}
