import { BrokerError, accessRefused, notFound, preconditionFailed } from '../../core/broker-error.ts';
import type { FieldTable } from '../../base/field-table.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import { packEnvelope } from '../../core/messages/envelope.ts';
import { parseExpiration } from '../../core/messages/expiration.ts';
import { Publication } from '../../core/messages/publication.ts';
import { copyKeys } from '../../core/messages/sender-selected.ts';
import { exchangeTerm } from '../../core/resource-name.ts';
import type { Frame } from '../../wire/stomp/frame.ts';
import { parseDestination } from './destination.ts';
import { propertiesOf } from './message-properties.ts';
import type { Session } from './session.ts';
import { invalidHeader, StompError } from './stomp-error.ts';

/** SEND: a message to the exchange and key of its destination. @throws StompError, BrokerError */
export function send(session: Session, frame: Frame): void {
  const { broker, connection } = session;
  const { vhost } = connection;
  if (frame.headers.has('message-id')) throw invalidHeader("'message-id' is not allowed on 'SEND'.");
  const text = frame.headers.get('destination');
  if (text === undefined) throw new StompError('Missing destination', "'SEND' must include a 'destination' header\n");
  const destination = parseDestination(text);
  if (destination.kind === 'temp_queue') {
    throw new StompError('Invalid destination', `'${text}' is not a valid destination for 'SEND'\n`);
  }
  if (frame.body.length > broker.settings.messageBytesMax) {
    throw preconditionFailed(`message size ${frame.body.length} is larger than configured max size ${broker.settings.messageBytesMax}`);
  }
  if (destination.kind === 'queue') session.declareQueue(destination, frame);
  const [exchangeName, key] = session.routeOf(destination);
  const described = propertiesOf(frame, session.replyTo(frame.headers.get('reply-to')));
  const exchange = writableExchange(session, exchangeName, key);
  const p = publicationOf(session, exchangeName, key, described, frame.body);
  connection.publishes();
  session.counters.published++;
  session.traffic.published++;
  session.traffic.messageSizes.add(frame.body.length);
  const headers = described.get('headers')?.value ?? null;
  const keys = headers instanceof Map ? copyKeys(headers, key) : null;
  const receipt = frame.headers.get('receipt');
  // The order of receipts is that of frames, whatever becomes of them.
  if (receipt !== undefined) session.receipts.addSend(receipt);
  p.waiter = receipt === undefined ? null : session.receipts;
  const route = vhost.router.route(exchange, keys ?? [key], p, headers instanceof Map ? headers : null);
  if (route.refusal !== null) {
    if (receipt === undefined) throw preconditionFailed(route.refusal);
    session.receipts.refuseLast();
    return;
  }
  vhost.tracer?.published(session.identity(), exchange, route, p);
  const routed = broker.publisher.publish(vhost, exchange, route, p);
  const disk = broker.backlogOf(p);
  if (routed === 0) countDropped(session, exchange);
  else if (disk.isBehind) connection.intake.holdForDisk(disk);
  if (p.isRefused && receipt !== undefined) session.receipts.refuseLast();
}

function writableExchange({ broker, connection }: Session, name: string, key: string): Exchange {
  const { vhost } = connection;
  broker.topology.check(connection, vhost, 'write', 'exchange', name);
  const exchange = vhost.exchange(name);
  if (exchange === undefined) throw notFound(`no ${exchangeTerm(name, vhost.name)}`);
  if (exchange.isInternal) throw accessRefused(`cannot publish to internal ${exchangeTerm(name, vhost.name)}`);
  broker.topology.checkTopic(connection, vhost, exchange, 'write', key);
  return exchange;
}

/** The properties are written in the pivot format: what headers mean has no form of STOMP's own. (docs/adr/0005-formats.md) */
function publicationOf({ broker, connection }: Session, exchange: string, key: string, described: FieldTable, body: Buffer): Publication {
  const { publication: p } = connection;
  p.envelope = envelopeOf(exchange, key);
  p.envelopeStart = 0;
  p.envelopeBytes = p.envelope.length;
  p.format = broker.pivot.tag;
  p.properties = broker.pivot.encode(described);
  p.propertiesStart = 0;
  p.propertiesBytes = p.properties.length;
  p.body = body;
  p.bodyStart = 0;
  p.bodyBytes = body.length;
  p.large = null;
  p.isPersistent = described.has('delivery_mode');
  p.priority = Number(described.get('priority')?.value ?? 0);
  const expiration = described.get('expiration')?.value;
  p.ttlMillis = expiration === undefined ? -1 : parseExpiration(String(expiration));
  p.cycleGuard = null;
  checkUserId(broker, connection.user, described.get('user_id')?.value);
  return p;
}

function envelopeOf(exchange: string, key: string): Buffer {
  try {
    return packEnvelope(exchange, key);
  } catch (error) {
    if (error instanceof RangeError) throw new BrokerError('SYNTAX_ERROR', 'exchange name or routing key is longer than 255 bytes');
    throw error;
  }
}

/** [RabbitMQ docs: validated user-id] */
function checkUserId(broker: Session['broker'], user: string, claimed: unknown): void {
  if (claimed === undefined || claimed === user || broker.access.hasTag(user, 'impersonator')) return;
  throw preconditionFailed(`user_id property set to '${String(claimed)}' but authenticated user was '${user}'`);
}

function countDropped({ connection, counters, traffic }: Session, exchange: Exchange): void {
  counters.droppedUnroutable++;
  traffic.droppedUnroutable++;
  connection.vhost.counters.droppedUnroutable++;
  exchange.counters.droppedUnroutable++;
}
