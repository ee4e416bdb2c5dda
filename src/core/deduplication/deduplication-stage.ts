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
import { DurableValues } from './durable-values.ts';
import { RecentValues } from './recent-values.ts';

/** Values that an exchange remembers when its arguments do not say. */
const sizeDefault = 10_000;

/** Drops messages whose value was seen before. They count as routed, and are confirmed. [rabbitmq-message-deduplication] */
export class DeduplicationStage implements ExchangeStage {
  readonly #home: ExchangeHome;
  /** What is remembered over a restart; null: nothing. */
  readonly kept: DurableValues | null = null;
  readonly #clock: Clock;
  readonly #header: string;
  readonly #values: RecentValues;
  /** Value of the last message, when it was let pass. */
  #last: string | null = null;
  /** Duplicates dropped. */
  droppedCount = 0;

  constructor(args: FieldTable, home: ExchangeHome, exchange: Exchange) {
    const { header, sizeMax, ttlMillis, isOnDisk } = deduplicationArguments(args);
    this.#home = home;
    if (isOnDisk === true && home.log !== null && exchange.isDurable) {
      const { clock, store, log } = home;
      const beforeCommit = (act: () => void): void => home.beforeCommit(act);
      const claimId = (): number => home.claimId(exchange, 'exchange.remembers');
      this.kept = new DurableValues({ clock, store, log, claimId, beforeCommit }, (serial, value, expiry) =>
        this.#values.restore(serial, value, expiry),
      );
      home.holdsRefs(this.kept);
    }
    this.#clock = home.clock;
    this.#header = header;
    this.#values = new RecentValues(sizeMax ?? sizeDefault, ttlMillis ?? Infinity, this.kept);
  }

  /** How many values are remembered. */
  get valueCount(): number {
    return this.#values.size;
  }

  pass(message: RoutedMessage, _exchange: Exchange, out: RouteCollector): boolean {
    this.#last = null;
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
    this.#last = value;
    this.#values.add(value, now, positiveOf(headers?.get(cacheTtlName)));
    return true;
  }

  /** The message that was just let pass was not taken: another with its value is no duplicate. */
  takeBack(): void {
    if (this.#last !== null) this.#values.remove(this.#last);
    this.#last = null;
  }

  close(): void {
    if (this.kept === null) return;
    this.kept.close();
    this.#home.dropsRefs(this.kept);
  }
}
