import type { FieldTable } from '../base/field-table.ts';
import type { BrokerCore } from '../core/broker.ts';
import type { ChannelIdentity } from '../core/connection-registry.ts';
import type { Exchange } from '../core/exchanges/exchange.ts';
import { type Route, takenRoute } from '../core/exchanges/route.ts';
import { exchangeOf, routingKeyOf } from '../core/messages/envelope.ts';
import type { Publication } from '../core/messages/publication.ts';
import { type Entry, metaRedelivered } from '../core/queues/entry.ts';
import type { Outcome, Queue } from '../core/queues/queue.ts';
import type { MessageTracer } from '../core/tracing/message-tracer.ts';
import type { HeldSpans } from './held-spans.ts';
import { type Attributes, internalKind, newSpanId, newTraceId, preciseMillis, serverKind, type Span, type SpanContext } from './span.ts';
import { parentOf, type RemoteParent } from './trace-parent.ts';

/** What stands in the bytes of properties that have a parent, whatever their format. */
const parentName = 'traceparent';
const noHeaders: FieldTable = new Map();
/** Names of queues in one attribute. */
const namedQueuesMax = 20;

/** Where spans go, and which there are. */
export interface SpanTracerServices {
  readonly core: BrokerCore;
  readonly held: HeldSpans;
  /** Which part of the messages without a parent is traced, from 0 to 1. */
  readonly samplingRatio: number;
  readonly random: () => number;
  readonly export: (span: Span) => void;
}

/**
 * Makes spans of the messages of a virtual host: publish (until it is durable), below it route, below that one deliver for each queue
 * (its time there), and below that settle (its time with the consumer). Publish hangs below the span in the message's headers, if there is
 * one, and follows it in whether it is sampled. Messages stay as they are. [W3C trace context; OpenTelemetry: messaging spans]
 */
export class SpanTracer implements MessageTracer {
  readonly #vhostName: string;
  readonly #services: SpanTracerServices;
  /** Publishes of this turn. */
  #open: { readonly span: Span; readonly isPersistent: boolean }[] = [];

  constructor(vhostName: string, services: SpanTracerServices) {
    this.#vhostName = vhostName;
    this.#services = services;
  }

  published(channel: ChannelIdentity, exchange: Exchange, route: Route, p: Publication): void {
    const { core, held } = this.#services;
    const described = hasParent(p.properties, p.propertiesStart, p.propertiesBytes)
      ? core.format(p.format).describe(p.properties, p.propertiesStart, p.propertiesBytes)
      : null;
    const parent = described === null ? null : parentOf(headersOf(described));
    if (!this.#isSampled(parent)) return;
    const properties = described ?? core.format(p.format).describe(p.properties, p.propertiesStart, p.propertiesBytes);
    const start = preciseMillis();
    const key = routingKeyOf(p.envelope, p.envelopeStart);
    const about = this.#about(exchange.name, key, p.bodyBytes, properties);
    const publish = this.#span(parent, `publish ${nameOf(exchange.name)}`, serverKind, start, {
      ...about,
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': destinationOf(exchange.name, key),
      'user.name': channel.user,
      ...(channel.peerHost === '' ? {} : { 'network.peer.address': channel.peerHost, 'network.peer.port': channel.peerPort }),
      'warren.connection': channel.connectionName,
      'warren.channel': channel.number,
    });
    const routing = this.#span(publish, `route ${nameOf(exchange.name)}`, internalKind, start, {
      ...about,
      'messaging.operation.name': 'route',
      'messaging.destination.name': destinationOf(exchange.name, key),
      'warren.exchange.type': exchange.type.name,
      'warren.queue_count': route.queues.length,
      'warren.queues': route.queues
        .slice(0, namedQueuesMax)
        .map(queue => queue.name)
        .join(', '),
      'warren.unroutable': route.queues.length === 0 && route !== takenRoute,
    });
    for (const queue of route.queues) {
      const place = queue.nextPlace;
      if (place >= 0) held.add(queue, place, { above: routing, bytes: p.bodyBytes, sinceMillis: start, delivery: null });
    }
    this.#end(routing);
    if (this.#open.push({ span: publish, isPersistent: p.isPersistent }) === 1) core.turn.beforeCommit(() => this.#turnEnds());
  }

  delivered(channel: ChannelIdentity, queue: Queue, entry: Entry, noAck: boolean): void {
    const { store, format } = this.#located(entry);
    const place = queue.placeOf(entry);
    let held = place < 0 ? null : this.#services.held.find(queue, place, entry.bytes);
    const { properties, start, bytes } = store;
    if (held === null && !hasParent(properties, start, bytes)) return;
    const described = this.#services.core.format(format).describe(properties, start, bytes);
    const now = preciseMillis();
    if (held === null) {
      // Forgotten, from before a restart, or it came another way: as a dead letter, or after it was held.
      const parent = parentOf(headersOf(described));
      if (parent === null || !parent.isSampled) return;
      held = { above: parent, bytes: entry.bytes, sinceMillis: now, delivery: null };
      if (place >= 0 && !noAck) this.#services.held.add(queue, place, held);
    }
    const span = this.#span(held.above, `deliver ${queue.name}`, internalKind, held.sinceMillis, {
      ...this.#about(store.exchange, store.key, entry.bytes, described),
      'messaging.operation.name': 'deliver',
      'messaging.destination.name': queue.name,
      'user.name': channel.user,
      ...(channel.peerHost === '' ? {} : { 'network.peer.address': channel.peerHost, 'network.peer.port': channel.peerPort }),
      'warren.connection': channel.connectionName,
      'warren.channel': channel.number,
      'warren.queue.type': queue.type.name,
      'warren.redelivered': (entry.meta & metaRedelivered) !== 0,
      'warren.automatic_ack': noAck,
    });
    this.#end(span);
    if (noAck) this.#services.held.remove(queue, place);
    else held.delivery = { span, atMillis: now };
  }

  settled(queue: Queue, entry: Entry, outcome: Outcome): void {
    const place = queue.placeOf(entry);
    const held = place < 0 ? null : this.#services.held.find(queue, place, entry.bytes);
    if (held === null || held.delivery === null) return;
    const { span: above, atMillis } = held.delivery;
    this.#end(
      this.#span(above, `settle ${queue.name}`, serverKind, atMillis, {
        'messaging.system': 'rabbitmq',
        'messaging.operation.name': operations[outcome],
        'messaging.operation.type': 'settle',
        'messaging.destination.name': queue.name,
        'warren.vhost': this.#vhostName,
        'warren.outcome': outcome,
      }),
    );
    held.delivery = null;
    held.sinceMillis = preciseMillis();
    // What was rejected may be tried again in its place.
    if (outcome === 'accepted') this.#services.held.remove(queue, place);
  }

  #isSampled(parent: RemoteParent | null): boolean {
    if (parent !== null) return parent.isSampled;
    const { samplingRatio, random } = this.#services;
    return samplingRatio > 0 && random() < samplingRatio;
  }

  /** The turn is over: what need not be written is published, the rest when it is durable. */
  #turnEnds(): void {
    const open = this.#open;
    this.#open = [];
    const persistent: Span[] = [];
    for (const { span, isPersistent } of open) {
      if (isPersistent) persistent.push(span);
      else this.#end(span);
    }
    if (persistent.length === 0) return;
    this.#services.core.log.commit(() => {
      for (const span of persistent) this.#end(span);
    }, null);
  }

  #span(above: SpanContext | null, name: string, kind: number, startMillis: number, attributes: Attributes): Span {
    return {
      traceId: above?.traceId ?? newTraceId(),
      spanId: newSpanId(),
      parentSpanId: above?.spanId ?? '',
      traceState: above?.traceState ?? '',
      name,
      kind,
      startMillis,
      endMillis: startMillis,
      attributes,
    };
  }

  #end(span: Span): void {
    span.endMillis = preciseMillis();
    this.#services.export(span);
  }

  #about(exchange: string, key: string, bodyBytes: number, described: FieldTable): Attributes {
    const messageId = described.get('message_id')?.value;
    const correlationId = described.get('correlation_id')?.value;
    return {
      'messaging.system': 'rabbitmq',
      'messaging.rabbitmq.destination.routing_key': key,
      'messaging.message.body.size': bodyBytes,
      ...(typeof messageId === 'string' ? { 'messaging.message.id': messageId } : {}),
      ...(typeof correlationId === 'string' ? { 'messaging.message.conversation_id': correlationId } : {}),
      'warren.vhost': this.#vhostName,
      'warren.exchange': exchange,
    };
  }

  #located(entry: Entry): { readonly store: LocatedMessage; readonly format: number } {
    const { store } = this.#services.core;
    store.locate(entry.ref);
    const { loose } = store;
    const envelope = loose === null ? store.bytes : loose.envelope;
    const envelopeStart = loose === null ? store.envelopeStart : 0;
    return {
      store: {
        properties: loose === null ? store.bytes : loose.properties,
        start: loose === null ? store.propertiesStart : 0,
        bytes: store.propertiesBytes,
        exchange: exchangeOf(envelope, envelopeStart),
        key: routingKeyOf(envelope, envelopeStart),
      },
      format: store.format,
    };
  }
}

/** Where a stored message says what. */
interface LocatedMessage {
  readonly properties: Buffer;
  readonly start: number;
  readonly bytes: number;
  readonly exchange: string;
  readonly key: string;
}

/** As clients call it. */
const operations: Readonly<Record<Outcome, string>> = { accepted: 'ack', rejected: 'reject', returned: 'requeue' };

/** A look at the bytes, so that messages that are not traced are not decoded. */
function hasParent(properties: Buffer, start: number, bytes: number): boolean {
  return bytes > parentName.length && properties.toString('latin1', start, start + bytes).includes(parentName);
}

function headersOf(described: FieldTable): FieldTable {
  const headers = described.get('headers')?.value;
  return headers instanceof Map ? headers : noHeaders;
}

/** The default exchange by the name it has in lists. */
function nameOf(exchange: string): string {
  return exchange === '' ? 'amq.default' : exchange;
}

/** [OpenTelemetry: RabbitMQ, messaging.destination.name] */
function destinationOf(exchange: string, key: string): string {
  return [exchange, key].filter(part => part !== '').join(':') || 'amq.default';
}
