import type { FieldTable } from '../../base/field-table.ts';
import type { Queue } from '../queues/queue.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeHome } from './exchange-home.ts';
import type { ExchangeStage } from './exchange-stage.ts';
import type { RouteCollector } from './route-collector.ts';
import type { RoutedMessage } from './routed-message.ts';

/** Where a binding leads. */
export type Target = Queue | Exchange;

/** The bindings of an exchange. They arrive once each; duplicates are kept out by the exchange. */
interface Bindings {
  /** @throws BrokerError PRECONDITION_FAILED when key, arguments or target do not fit the type. */
  check(key: string, args: FieldTable, target: Target): void;
  /** `isSuccessor`: it takes the place of another of its name, which is unbound before. */
  bind(target: Target, key: string, args: FieldTable, isSuccessor?: boolean): void;
  unbind(target: Target, key: string, args: FieldTable): void;
}

/** Routes by the routing key alone: answers are remembered, so `route` is not asked for every message. */
export interface KeyRoutes extends Bindings {
  readonly dependsOn: 'key';
  /** Adds the targets of messages with this routing key to `out`, which keeps duplicates out. */
  route(key: string, out: RouteCollector): void;
}

/** Routes by more than the routing key, or differently each time: asked for every message, once, whatever number of keys it has. */
export interface MessageRoutes extends Bindings {
  readonly dependsOn: 'message';
  route(message: RoutedMessage, out: RouteCollector): void;
}

/** How an exchange of some type finds the targets of a message. */
export type ExchangeRoutes = KeyRoutes | MessageRoutes;

/** An exchange type: one object per type, listed in the registry. */
export interface ExchangeType {
  readonly name: string;
  readonly description: string;
  /** `types` are all there are. @throws BrokerError PRECONDITION_FAILED when the exchange's arguments do not fit. */
  check(args: FieldTable, types: ReadonlyMap<string, ExchangeType>): void;
  /** `home` is for types that do more than choose among targets. */
  create(args: FieldTable, home: ExchangeHome): ExchangeRoutes;
  /** What looks at messages before they are routed. */
  stages?(args: FieldTable, home: ExchangeHome, exchange: Exchange): readonly ExchangeStage[];
}
