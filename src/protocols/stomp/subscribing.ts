import { randomBytes } from 'node:crypto';
import { array, bool, type Field, type FieldTable, int, long, longstr, timestamp } from '../../base/field-table.ts';
import { brokerActor } from '../../core/actor.ts';
import { erlangBinary } from '../../core/erlang-field.ts';
import type { Queue } from '../../core/queues/queue.ts';
import type { Frame } from '../../wire/stomp/frame.ts';
import { type Destination, parseDestination } from './destination.ts';
import { booleanHeader, integerHeader, isDurableWanted } from './headers.ts';
import { durableQueueName, subscriptionQueueName } from './queue-arguments.ts';
import type { Session } from './session.ts';
import { invalidHeader, StompError } from './stomp-error.ts';
import type { AckMode } from './subscription.ts';

const temporaryPrefix = '/temp-queue/';
const ackModes: readonly string[] = ['auto', 'client', 'client-individual'];

/** What a subscription is called: by its id, or in STOMP 1.0 by its destination. [RabbitMQ: consumer_tag] */
interface Name {
  readonly tag: string;
  readonly id: string | null;
  readonly described: string;
}

/** SUBSCRIBE. @throws StompError, BrokerError */
export function subscribe(session: Session, frame: Frame): void {
  assertIdIfDurable(frame);
  const text = frame.headers.get('destination');
  if (text === undefined) throw new StompError('Missing destination', "'SUBSCRIBE' must include a 'destination' header\n");
  const destination = parseDestination(text);
  if (destination.kind === 'temp_queue') {
    throw new StompError('Invalid destination', `'${text}' is not a valid destination for 'SUBSCRIBE'\n`);
  }
  const ackMode = frame.headers.get('ack') ?? 'auto';
  if (!ackModes.includes(ackMode)) throw invalidHeader("'ack' must be auto, client or client-individual");
  const name = nameOf(frame);
  if (name === null) throw invalidHeader(`'id' may not start with ${temporaryPrefix}`);
  if (session.subscriptions.has(name.tag)) {
    throw new StompError('Duplicated subscription identifier', `A subscription identified by '${name.tag}' already exists.`, {
      isFatal: true,
    });
  }
  session.assertRoomForSubscription();
  const prefetchCount = integerHeader(frame, 'prefetch-count', 0, 65_535) ?? 0;
  const priority = integerHeader(frame, 'x-priority', -0x8000_0000, 0x7fff_ffff);
  const args = streamArguments(frame);
  if (priority !== undefined) args.set('x-priority', int(priority));
  const { queue, isNew } = sourceQueue(session, destination, frame);
  try {
    session.broker.topology.check(session.connection, session.connection.vhost, 'read', 'queue', queue.name);
    session.attach(queue, {
      tag: name.tag,
      id: name.id,
      destination,
      ackMode: ackMode as AckMode,
      noAck: ackMode === 'auto',
      isExclusive: false,
      priority: priority ?? 0,
      prefetchCount,
      arguments: args,
      lastDeliveryTag: session.tagFloor,
    });
  } catch (error) {
    abandon(session, queue, isNew);
    throw error;
  }
}

/** UNSUBSCRIBE. The queue of a durable subscription goes when the frame says that it is one. @throws StompError, BrokerError */
export function unsubscribe(session: Session, frame: Frame): void {
  assertIdIfDurable(frame);
  const name = nameOf(frame);
  if (name === null) throw new StompError('Invalid id', `UNSUBSCRIBE 'id' may not start with ${temporaryPrefix}\n`);
  if (name.tag === '') {
    throw new StompError('Missing destination or id', "UNSUBSCRIBE must include a 'destination' or 'id' header");
  }
  const subscription = session.subscriptions.get(name.tag);
  if (subscription === undefined) {
    throw new StompError(
      'No subscription found',
      `UNSUBSCRIBE must refer to an existing subscription.\nSubscription to ${erlangBinary(Buffer.from(name.described))} not found.\n`,
    );
  }
  subscription.consumer.queue.catchUp();
  session.detach(subscription);
  if (subscription.destination.kind !== 'topic' || !isDurableWanted(frame)) return;
  const { connection, broker } = session;
  const { name: queueName } = subscription.consumer.queue;
  broker.topology.deleteQueue(connection.vhost, queueName, { ifUnused: false, ifEmpty: false }, connection);
}

function assertIdIfDurable(frame: Frame): void {
  if (isDurableWanted(frame) && !frame.headers.has('id')) {
    throw new StompError('Missing Header', "Header 'id' is required for durable subscriptions");
  }
}

/** Null for an id that is the broker's own; tag '' when the frame has neither id nor destination. */
function nameOf(frame: Frame): Name | null {
  const id = frame.headers.get('id');
  if (id !== undefined) return id.startsWith(temporaryPrefix) ? null : { tag: `T_${id}`, id, described: `id='${id}'` };
  const text = frame.headers.get('destination');
  if (text === undefined) return { tag: '', id: null, described: '' };
  return { tag: `Q_${text}`, id: null, described: `destination='${text}'` };
}

/** The queue to consume from: the destination's own, or one that is bound to its exchange. */
function sourceQueue(session: Session, destination: Destination, frame: Frame): { readonly queue: Queue; readonly isNew: boolean } {
  const { connection, broker } = session;
  const { vhost } = connection;
  const { topology } = broker;
  if (destination.kind === 'amqqueue' || destination.kind === 'reply_queue') {
    return { queue: topology.queue(vhost, destination.name, connection), isNew: false };
  }
  if (destination.kind === 'queue') {
    session.declareQueue(destination, frame);
    return { queue: topology.queue(vhost, destination.name, connection), isNew: false };
  }
  const [exchangeName, key] = session.routeOf(destination);
  const exchange = vhost.exchange(exchangeName);
  if (exchange !== undefined) topology.checkTopic(connection, vhost, exchange, 'read', key);
  const queueName = subscriptionQueue(destination, frame);
  const isNew = !vhost.queues.has(queueName);
  const queue = session.makeQueue(queueName, destination, frame);
  try {
    topology.bind(vhost, exchangeName, 'queue', queueName, key, new Map(), connection);
  } catch (error) {
    abandon(session, queue, isNew);
    throw error;
  }
  return { queue, isNew };
}

function subscriptionQueue({ kind, name, key }: Destination, frame: Frame): string {
  const given = frame.headers.get('x-queue-name');
  if (given !== undefined) return given;
  if (!isDurableWanted(frame)) return subscriptionQueueName(randomBytes(16));
  return durableQueueName(kind === 'topic' ? name : key, frame.headers.get('id') ?? '');
}

/** Where in a stream to begin, and what of it to see. [RabbitMQ: stream_offset_header, stream_filter_header] */
function streamArguments(frame: Frame): FieldTable {
  const args: FieldTable = new Map();
  const offset = frame.headers.get('x-stream-offset');
  if (offset !== undefined) args.set('x-stream-offset', streamOffset(offset));
  const filter = frame.headers.get('x-stream-filter');
  if (filter !== undefined) args.set('x-stream-filter', array(filter.split(',').map(longstr)));
  const matchesUnfiltered = booleanHeader(frame, 'x-stream-match-unfiltered');
  if (matchesUnfiltered !== undefined) args.set('x-stream-match-unfiltered', bool(matchesUnfiltered));
  return args;
}

/** `first`, `offset=5`, `timestamp=1700000000`; anything else is for the queue to judge. */
function streamOffset(text: string): Field {
  const match = /^(offset|timestamp)=(\d{1,15})$/.exec(text);
  if (match === null) return longstr(text);
  return match[1] === 'offset' ? long(Number(match[2])) : timestamp(Number(match[2]));
}

/** A queue that was made for a subscription that came to nothing is nobody's. */
function abandon({ broker, connection }: Session, queue: Queue, isNew: boolean): void {
  if (isNew) broker.topology.deleteQueue(connection.vhost, queue.name, { ifUnused: false, ifEmpty: false }, brokerActor);
}
