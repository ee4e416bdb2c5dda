import { setImmediate as nextTurn } from 'node:timers/promises';
import { TimerQueue } from '../../base/timer-queue.ts';
import type { FieldTable } from '../../base/field-table.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { type Binding, presentBindings } from '../../core/exchanges/binding.ts';
import type { ExchangeHome } from '../../core/exchanges/exchange-home.ts';
import type { ExchangeRoutes, Target } from '../../core/exchanges/exchange-type.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import { RouteCollector } from '../../core/exchanges/route-collector.ts';
import { RoutedMessage } from '../../core/exchanges/routed-message.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import { copyKeys } from '../../core/messages/sender-selected.ts';
import { Publication } from '../../core/messages/publication.ts';
import type { Vhost } from '../../core/vhost.ts';
import { encodeProperties } from '../../wire/amqp091/properties.ts';
import { defaultBinding, shownBinding, type ShownBinding } from '../http/views/binding-view.ts';

export interface Explanation {
  /** Names of the queues that the message would reach. */
  readonly queues: readonly string[];
  /** The bindings by which it would. */
  readonly bindings: readonly ShownBinding[];
}

/** Types of which every binding says by itself whether it fits; the others choose among all of them. */
const bindingWise: ReadonlySet<string> = new Set(['direct', 'fanout', 'topic', 'headers']);
/** Types that would keep the message, or choose by chance: they are not asked, all their bindings count. */
const keeping: ReadonlySet<string> = new Set(['x-recent-history', 'x-random', 'x-local-random']);

const hopsMax = 1000;
const sliceMillis = 5;

/**
 * Which queues a publish would reach, and by which bindings. Nothing is published. Of exchanges that choose by chance, or later, all
 * bindings are told.
 */
export async function explainRouting(
  core: BrokerCore,
  vhost: Vhost,
  start: Exchange,
  routingKey: string,
  headers: FieldTable,
): Promise<Explanation> {
  const keys = copyKeys(headers, routingKey) ?? [routingKey];
  const message = messageOf(core, keys, headers);
  const queues = new Set<string>();
  const bindings: ShownBinding[] = [];
  const work: Exchange[] = [start];
  const seen = new Set<Exchange>(work);
  let sliceStart = performance.now();
  for (let at = 0; at < work.length && at < hopsMax; at++) {
    const exchange = work[at] as Exchange;
    const matched: Target[] = [];
    if (exchange === vhost.defaultExchange) {
      for (const key of keys) {
        const queue = vhost.queues.get(key);
        if (queue === undefined) continue;
        matched.push(queue);
        bindings.push(defaultBinding(queue));
      }
    }
    const rule = ruleOf(exchange);
    const chosen = keeping.has(rule) || bindingWise.has(rule) ? null : ask(exchange.routes, keys, message);
    for (const binding of presentBindings(exchange.bindings.values())) {
      if (performance.now() - sliceStart >= sliceMillis) {
        await nextTurn();
        sliceStart = performance.now();
      }
      if (!(chosen === null ? fits(core, exchange, binding, keys, message) : chosen.has(binding.destination))) continue;
      matched.push(binding.destination);
      bindings.push(shownBinding(vhost.name, binding));
    }
    const next = matched.length === 0 && exchange.alternate !== null ? vhost.exchanges.get(exchange.alternate) : undefined;
    for (const target of next === undefined ? matched : [next]) {
      if (target.kind === 'queue') queues.add(target.name);
      else if (!seen.has(target)) {
        seen.add(target);
        work.push(target);
      }
    }
  }
  return { queues: [...queues], bindings };
}

/** Whether a binding by itself lets the message pass. */
function fits(core: BrokerCore, exchange: Exchange, binding: Binding, keys: readonly string[], message: RoutedMessage): boolean {
  if (keeping.has(ruleOf(exchange))) return true;
  const routes = exchange.type.create(exchange.arguments, stubHome(core));
  routes.bind(binding.destination, binding.key, binding.arguments);
  return ask(routes, keys, message).size > 0;
}

function ask(routes: ExchangeRoutes, keys: readonly string[], message: RoutedMessage): Set<Target> {
  const out = new RouteCollector();
  out.reset();
  if (routes.dependsOn === 'key') for (const key of keys) routes.route(key, out);
  else routes.route(message, out);
  return new Set<Target>([...out.queues.slice(0, out.queueCount), ...out.exchanges.slice(0, out.exchangeCount)]);
}

/** By which type's rule an exchange routes: one that delays does it by another's. */
function ruleOf({ type, arguments: args }: Exchange): string {
  const inner = args.get('x-delayed-type')?.value;
  return type.name === 'x-delayed-message' && typeof inner === 'string' ? inner : type.name;
}

/** For exchanges that only serve to be asked: they leave no trace. */
function stubHome(core: BrokerCore): ExchangeHome {
  const { clock, random, store, exchangeTypes: types } = core;
  const timers = new TimerQueue();
  return {
    clock,
    random,
    store,
    timers,
    log: null,
    claimId: () => 0,
    beforeCommit() {},
    heldDamaged() {},
    types,
    format: tag => core.format(tag),
    pivot: () => core.pivot,
    holdsRefs() {},
    dropsRefs() {},
    deliver: () => 0,
  };
}

function messageOf(core: BrokerCore, keys: readonly string[], headers: FieldTable): RoutedMessage {
  const p = new Publication();
  p.properties = encodeProperties(headers.size === 0 ? {} : { headers });
  p.propertiesBytes = p.properties.length;
  p.format = amqp091FormatTag;
  const message = new RoutedMessage(tag => core.format(tag));
  message.reset(keys, p, headers.size === 0 ? null : headers);
  return message;
}
