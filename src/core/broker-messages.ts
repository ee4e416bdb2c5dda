import { type FieldTable, int, longstr, table, timestamp } from '../base/field-table.ts';
import { packEnvelope } from './messages/envelope.ts';
import { Publication } from './messages/publication.ts';
import type { PivotFormat } from './ports/message-format.ts';
import type { Publisher } from './publisher.ts';
import type { Vhost } from './vhost.ts';

/** A message that the broker publishes itself: an event, a line of its log, a trace. */
export interface BrokerMessage {
  readonly exchange: string;
  readonly key: string;
  readonly headers: FieldTable;
  readonly body: Buffer;
  readonly isPersistent: boolean;
  /** Null: none. */
  readonly timestampSeconds: number | null;
  readonly contentType: string | null;
}

/** Messages that wait for the next round; more are dropped and counted. */
const pendingMax = 100_000;

/**
 * Publishes the broker's own messages. They come up anywhere, in the middle of a delivery too, so they wait for the next round of the turn,
 * when no queue is in the middle of anything.
 */
export class BrokerMessages {
  readonly #publisher: Publisher;
  readonly #pivot: () => PivotFormat;
  readonly #arm: () => void;
  #pending: { readonly vhost: Vhost; readonly message: BrokerMessage }[] = [];
  droppedCount = 0;
  /** Hears of errors that are ours. */
  onFault: (where: string, error: unknown) => void = (_, error) => {
    throw error;
  };

  /** `arm` asks for a turn. */
  constructor(publisher: Publisher, pivot: () => PivotFormat, arm: () => void) {
    this.#publisher = publisher;
    this.#pivot = pivot;
    this.#arm = arm;
  }

  get hasWork(): boolean {
    return this.#pending.length > 0;
  }

  /** Publishes the message soon, if the exchange is there then. */
  publishLater(vhost: Vhost, message: BrokerMessage): void {
    if (this.#pending.length >= pendingMax) {
      this.droppedCount++;
      return;
    }
    this.#pending.push({ vhost, message });
    this.#arm();
  }

  run(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { vhost, message } of pending) {
      try {
        this.#publish(vhost, message);
      } catch (error) {
        this.onFault(`exchange '${message.exchange}' in vhost '${vhost.name}'`, error);
      }
    }
  }

  #publish(vhost: Vhost, message: BrokerMessage): void {
    const exchange = vhost.exchanges.get(message.exchange);
    if (exchange === undefined) return;
    const { headers, isPersistent, timestampSeconds, contentType } = message;
    const p = new Publication();
    p.envelope = packEnvelope(exchange.name, message.key);
    p.envelopeBytes = p.envelope.length;
    const described: FieldTable = new Map([['headers', table(headers)]]);
    if (isPersistent) described.set('delivery_mode', int(2));
    if (timestampSeconds !== null) described.set('timestamp', timestamp(timestampSeconds));
    if (contentType !== null) described.set('content_type', longstr(contentType));
    const pivot = this.#pivot();
    p.properties = pivot.encode(described);
    p.propertiesBytes = p.properties.length;
    p.body = message.body;
    p.bodyBytes = message.body.length;
    p.format = pivot.tag;
    p.isPersistent = isPersistent;
    this.#publisher.publish(vhost, exchange, vhost.router.route(exchange, [message.key], p, headers), p);
  }
}
