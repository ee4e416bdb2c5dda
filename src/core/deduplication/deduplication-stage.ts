import type { FieldTable } from '../../base/field-table.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { ExchangeHome } from '../exchanges/exchange-home.ts';
import type { ExchangeStage } from '../exchanges/exchange-stage.ts';
import type { RouteCollector } from '../exchanges/route-collector.ts';
import type { RoutedMessage } from '../exchanges/routed-message.ts';
import { fromDelay } from '../messages/publication.ts';
import type { Clock } from '../ports/clock.ts';
import { cacheTtlName, deduplicationArguments, positiveOf } from './deduplication-arguments.ts';
import { deduplicationValue } from './deduplication-value.ts';
import { RecentValues } from './recent-values.ts';

/** Values that an exchange remembers when its arguments do not say. */
const sizeDefault = 10_000;

/** Drops messages whose value was seen before. They count as routed, and are confirmed. [rabbitmq-message-deduplication] */
export class DeduplicationStage implements ExchangeStage {
  readonly #clock: Clock;
  readonly #header: string;
  readonly #values: RecentValues;
  /** Duplicates dropped. */
  droppedCount = 0;

  constructor(args: FieldTable, home: ExchangeHome) {
    const { header, sizeMax, ttlMillis } = deduplicationArguments(args);
    this.#clock = home.clock;
    this.#header = header;
    this.#values = new RecentValues(sizeMax ?? sizeDefault, ttlMillis ?? Infinity);
  }

  /** How many values are remembered. */
  get valueCount(): number {
    return this.#values.size;
  }

  pass(message: RoutedMessage, _exchange: Exchange, out: RouteCollector): boolean {
    // It was looked at when it came.
    if (message.publication.origin === fromDelay) return true;
    const { headers } = message;
    const value = deduplicationValue(headers, this.#header);
    if (value === null) return true;
    const now = this.#clock.nowMillis;
    if (this.#values.has(value, now)) {
      this.droppedCount++;
      out.take();
      return false;
    }
    this.#values.add(value, now, positiveOf(headers?.get(cacheTtlName)));
    return true;
  }

  close(): void {}
}
