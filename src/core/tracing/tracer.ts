import { array, type Field, type FieldTable, longstr, table } from '../../base/field-table.ts';
import { textBytes } from '../../base/text.ts';
import type { BrokerMessages } from '../broker-messages.ts';
import type { ChannelIdentity } from '../connection-registry.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Route } from '../exchanges/route.ts';
import { limits } from '../limits.ts';
import { blindKeysOf, exchangeOf, routingKeyOf } from '../messages/envelope.ts';
import type { MessageStore } from '../messages/message-store.ts';
import type { Publication } from '../messages/publication.ts';
import { textsOf } from '../messages/sender-selected.ts';
import type { MessageFormat } from '../ports/message-format.ts';
import { type Entry, metaRedelivered } from '../queues/entry.ts';
import type { Queue } from '../queues/queue.ts';
import type { Vhost } from '../vhost.ts';
import type { MessageTracer } from './message-tracer.ts';

export const traceExchangeName = 'amq.rabbitmq.trace';

export interface TracerServices {
  readonly store: MessageStore;
  readonly messages: BrokerMessages;
  readonly nodeName: string;
  format(tag: number): MessageFormat;
}

/**
 * Copies every message of a virtual host, as it is published and as it is delivered, to the exchange amq.rabbitmq.trace. A vhost has one
 * only while tracing is on. [RabbitMQ docs: firehose]
 */
export class Tracer implements MessageTracer {
  readonly #vhost: Vhost;
  readonly #services: TracerServices;

  constructor(vhost: Vhost, services: TracerServices) {
    this.#vhost = vhost;
    this.#services = services;
  }

  published(channel: ChannelIdentity, exchange: Exchange, route: Route, p: Publication): void {
    if (!this.#isHeard || exchange.name === traceExchangeName) return;
    const headers = this.#headers(
      channel,
      exchange.name,
      p.envelope,
      p.envelopeStart,
      p.envelopeBytes,
      p.format,
      p.properties,
      p.propertiesStart,
      p.propertiesBytes,
    );
    headers.set('routed_queues', array(route.queues.map(queue => longstr(queue.name))));
    const body = p.large === null ? Buffer.from(p.body.subarray(p.bodyStart, p.bodyStart + p.bodyBytes)) : p.large.toBuffer();
    this.#publish(`publish.${exchange.name}`, headers, body);
  }

  /** Tells of a delivery, or an answer to basic.get. The message must be in memory. */
  delivered(channel: ChannelIdentity, queue: Queue, entry: Entry): void {
    if (!this.#isHeard) return;
    const { store } = this.#services;
    store.locate(entry.ref);
    const { loose } = store;
    const envelope = loose === null ? store.bytes : loose.envelope;
    const envelopeStart = loose === null ? store.envelopeStart : 0;
    const exchange = exchangeOf(envelope, envelopeStart);
    // What was traced is not traced again.
    if (exchange === traceExchangeName) return;
    const properties = loose === null ? store.bytes : loose.properties;
    const propertiesStart = loose === null ? store.propertiesStart : 0;
    const headers = this.#headers(
      channel,
      exchange,
      envelope,
      envelopeStart,
      store.envelopeBytes,
      store.format,
      properties,
      propertiesStart,
      store.propertiesBytes,
    );
    headers.set('redelivered', int(entry.meta & metaRedelivered));
    const body =
      loose === null
        ? Buffer.from(store.bytes.subarray(store.bodyStart, store.bodyStart + store.bodyBytes))
        : (loose.body?.toBuffer() ?? Buffer.alloc(0));
    this.#publish(`deliver.${queue.name}`, headers, body);
  }

  settled(): void {}

  get #isHeard(): boolean {
    return (this.#vhost.exchanges.get(traceExchangeName)?.bindings.size ?? 0) > 0;
  }

  #headers(
    channel: ChannelIdentity,
    exchangeName: string,
    envelope: Buffer,
    envelopeStart: number,
    envelopeBytes: number,
    formatTag: number,
    properties: Buffer,
    propertiesStart: number,
    propertiesBytes: number,
  ): FieldTable {
    const described = this.#services.format(formatTag).describe(properties, propertiesStart, propertiesBytes);
    const headers = described.get('headers')?.value;
    const copies = headers instanceof Map ? textsOf(headers.get('CC')) : [];
    const keys = [routingKeyOf(envelope, envelopeStart), ...copies, ...blindKeysOf(envelope, envelopeStart, envelopeBytes)];
    return new Map<string, Field>([
      ['exchange_name', longstr(exchangeName)],
      ['routing_keys', array(keys.map(longstr))],
      ['properties', table(described)],
      ['node', longstr(this.#services.nodeName)],
      ['vhost', longstr(this.#vhost.name)],
      ['connection', longstr(channel.connectionName)],
      ['channel', int(channel.number)],
      ['user', longstr(channel.user)],
    ]);
  }

  #publish(key: string, headers: FieldTable, body: Buffer): void {
    this.#services.messages.publishLater(this.#vhost, {
      exchange: traceExchangeName,
      key: shortened(key),
      headers,
      body,
      isPersistent: false,
      timestampSeconds: null,
      contentType: null,
    });
  }
}

/** A routing key of at most the length there is; an exchange's name may be that long itself. */
function shortened(key: string): string {
  let text = key;
  while (textBytes(text) > limits.nameBytesMax) text = text.slice(0, -1);
  return text;
}

function int(value: number): Field {
  return { type: 'I', value };
}
