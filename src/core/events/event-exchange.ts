import { long, tableFromJson } from '../../base/field-table.ts';
import type { BrokerMessages } from '../broker-messages.ts';
import type { Clock } from '../ports/clock.ts';
import type { Vhost } from '../vhost.ts';
import type { BrokerEvent, EventObserver } from './broker-events.ts';

export const eventExchangeName = 'amq.rabbitmq.event';
const noBody = Buffer.alloc(0);

/**
 * Publishes events to a topic exchange: the routing key says what happened, the headers the rest, the body is empty. Nothing is done as
 * long as nothing is bound. [RabbitMQ: rabbitmq_event_exchange]
 */
export class EventExchange implements EventObserver {
  readonly #vhost: Vhost;
  readonly #messages: BrokerMessages;
  readonly #clock: Clock;

  constructor(vhost: Vhost, messages: BrokerMessages, clock: Clock) {
    this.#vhost = vhost;
    this.#messages = messages;
    this.#clock = clock;
  }

  get isInterested(): boolean {
    return (this.#vhost.exchanges.get(eventExchangeName)?.bindings.size ?? 0) > 0;
  }

  happened({ name, facts }: BrokerEvent): void {
    const millis = Math.floor(this.#clock.wallMillis);
    const headers = tableFromJson(facts);
    headers.set('timestamp_in_ms', long(millis));
    this.#messages.publishLater(this.#vhost, {
      exchange: eventExchangeName,
      key: name,
      headers,
      body: noBody,
      isPersistent: true,
      timestampSeconds: Math.floor(millis / 1000),
      contentType: null,
    });
  }
}
