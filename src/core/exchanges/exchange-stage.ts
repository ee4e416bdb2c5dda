import type { Exchange } from './exchange.ts';
import type { RouteCollector } from './route-collector.ts';
import type { RoutedMessage } from './routed-message.ts';

/** Looks at every message before an exchange, of whatever type, routes it; may keep it for later, drop it or refuse it. */
export interface ExchangeStage {
  /** Whether the exchange goes on with the message. If not, `out` has been told what became of it. */
  pass(message: RoutedMessage, exchange: Exchange, out: RouteCollector): boolean;
  /** The exchange is deleted: lets go of everything. */
  close(): void;
}
