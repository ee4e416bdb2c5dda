import type { FieldTable } from '../../base/field-table.ts';
import type { Queue } from '../queues/queue.ts';
import type { Exchange } from './exchange.ts';
import type { RouteCollector } from './route-collector.ts';

/** Where a binding leads. */
export type Target = Queue | Exchange;

/** How an exchange of some type finds the targets of a message. Bindings arrive once each; duplicates are kept out by the exchange. */
export interface ExchangeRoutes {
  /** Whether `route` looks at headers: then routes are not remembered by routing key. */
  readonly usesHeaders: boolean;
  /** @throws BrokerError when key or arguments do not fit the type. */
  check(key: string, args: FieldTable): void;
  bind(target: Target, key: string, args: FieldTable): void;
  unbind(target: Target, key: string, args: FieldTable): void;
  /** Adds the targets of a message to `out`, which keeps duplicates out. */
  route(key: string, headers: FieldTable | null, out: RouteCollector): void;
}

/** An exchange type: one object per type, listed in the registry. */
export interface ExchangeType {
  readonly name: string;
  readonly description: string;
  /** @throws BrokerError PRECONDITION_FAILED when the exchange's arguments do not fit. */
  check(args: FieldTable): void;
  create(args: FieldTable): ExchangeRoutes;
}
