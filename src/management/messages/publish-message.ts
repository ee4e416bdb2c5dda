import type { FieldTable } from '../../base/field-table.ts';
import type { Actor } from '../../core/actor.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { accessRefused, notFound, preconditionFailed } from '../../core/broker-error.ts';
import { parseExpiration } from '../../core/messages/expiration.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import { Publication } from '../../core/messages/publication.ts';
import { copyKeys, withoutBcc } from '../../core/messages/sender-selected.ts';
import { exchangeTerm } from '../../core/resource-name.ts';
import type { Vhost } from '../../core/vhost.ts';
import { encodeProperties, type Properties } from '../../wire/amqp091/properties.ts';

export interface MessageToPublish {
  /** '' is the default exchange. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: Properties;
  readonly body: Buffer;
}

/**
 * Publishes one message on a user's behalf, by the rules of basic.publish. Returns whether it reached a queue that took it.
 * @throws BrokerError as a channel would be closed with
 */
export function publishMessage(core: BrokerCore, vhost: Vhost, actor: Actor, message: MessageToPublish): boolean {
  const { topology, settings } = core;
  if (message.body.length > settings.messageBytesMax) {
    throw preconditionFailed(`message size ${message.body.length} is larger than configured max size ${settings.messageBytesMax}`);
  }
  topology.check(actor, vhost, 'write', 'exchange', message.exchange);
  const exchange = vhost.exchanges.get(message.exchange);
  if (exchange === undefined) throw notFound(`no ${exchangeTerm(message.exchange, vhost.name)}`);
  if (exchange.isInternal) throw accessRefused(`cannot publish to internal ${exchangeTerm(message.exchange, vhost.name)}`);
  topology.checkTopic(actor, vhost, exchange, 'write', message.routingKey);
  const { properties } = message;
  checkUserId(core, actor, properties.userId);
  const p = new Publication();
  p.envelope = envelopeOf(message.exchange, message.routingKey);
  p.envelopeBytes = p.envelope.length;
  p.properties = encodeProperties(properties);
  p.propertiesBytes = p.properties.length;
  p.body = message.body;
  p.bodyBytes = message.body.length;
  p.format = amqp091FormatTag;
  p.isPersistent = properties.deliveryMode === 2;
  p.priority = properties.priority ?? 0;
  p.ttlMillis = properties.expiration === undefined ? -1 : parseExpiration(properties.expiration);
  const headers: FieldTable | null = properties.headers ?? null;
  const keys = headers === null ? null : copyKeys(headers, message.routingKey);
  for (const key of keys?.slice(1) ?? []) topology.checkTopic(actor, vhost, exchange, 'write', key);
  if (headers?.has('BCC')) withoutBcc(p, headers, core.format(p.format), core.pivot);
  const route = vhost.router.route(exchange, keys ?? [message.routingKey], p, headers);
  if (route.refusal !== null) throw preconditionFailed(route.refusal);
  vhost.tracer?.published({ connectionName: 'HTTP API', number: 0, user: actor.user, peerHost: '', peerPort: 0 }, exchange, route, p);
  const isRouted = core.publisher.publish(vhost, exchange, route, p) > 0;
  if (!isRouted) {
    vhost.counters.droppedUnroutable++;
    exchange.counters.droppedUnroutable++;
  }
  return isRouted && !p.isRefused;
}

function checkUserId(core: BrokerCore, actor: Actor, claimed: string | undefined): void {
  if (claimed === undefined || claimed === actor.user || actor.isBroker || core.access.hasTag(actor.user, 'impersonator')) return;
  throw preconditionFailed(`user_id property set to '${claimed}' but authenticated user was '${actor.user}'`);
}

/** Exchange and routing key, each behind its length. @throws BrokerError for one that no protocol could carry */
export function envelopeOf(exchange: string, routingKey: string): Buffer {
  const parts = [exchange, routingKey].map(text => Buffer.from(text));
  return Buffer.concat(
    parts.flatMap(bytes => {
      if (bytes.length > 255) throw preconditionFailed('routing key or exchange name is longer than 255 bytes');
      return [Buffer.of(bytes.length), bytes];
    }),
  );
}
