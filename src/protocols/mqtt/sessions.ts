import { longstr, long, type FieldTable } from '../../base/field-table.ts';
import { brokerActor } from '../../core/actor.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { BrokerError } from '../../core/broker-error.ts';
import { packEnvelope } from '../../core/messages/envelope.ts';
import { mqttFormatTag } from '../../core/messages/format-tags.ts';
import { Publication } from '../../core/messages/publication.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { exchangeTerm } from '../../core/resource-name.ts';
import { notFound } from '../../core/broker-error.ts';
import type { Vhost } from '../../core/vhost.ts';
import type { Connection } from './connection.ts';
import type { MqttOptions } from './options.ts';
import type { RetainedMessages } from './retained-messages.ts';
import { Session } from './session.ts';
import { storedProperties } from './stored-properties.ts';
import { Subscription } from './subscription.ts';
import { filterOfBindingKey, routingKeyOfTopic } from './topics.ts';
import type { Will } from './wills.ts';

const queuePrefix = 'mqtt-subscription-';
/** Longer than any queue may stay unused. */
const expiresMillisMax = 315_360_000_000;

/** The queue of a session for QoS 0, or 1 and 2. [RabbitMQ: rabbit_mqtt_util, queue_name] */
export function sessionQueueName(clientId: string, qos: number): string {
  return `${queuePrefix}${clientId}qos${qos === 0 ? 0 : 1}`;
}

/** The queue that all members of a group take from. */
export function sharedQueueName(filter: string): string {
  return `mqtt-share-${filter.slice('$share/'.length)}`;
}

/** All sessions of the broker: where they are found, made, resumed and ended. */
export class Sessions {
  readonly broker: BrokerCore;
  readonly options: MqttOptions;
  readonly #retained: RetainedMessages;
  readonly #sessions = new Map<string, Session>();
  readonly #publication = new Publication();
  /** Members of shared subscriptions, by queue. */
  readonly #members = new Map<Queue, Set<Session>>();

  constructor(broker: BrokerCore, options: MqttOptions, retained: RetainedMessages) {
    this.broker = broker;
    this.options = options;
    this.#retained = retained;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** The client's session. One whose virtual host or queue was deleted while the client was away is none any more. */
  find(vhost: Vhost, clientId: string): Session | undefined {
    const session = this.#sessions.get(keyOf(vhost, clientId));
    if (session === undefined) return undefined;
    const { queue0, queue1 } = session;
    if (session.vhost === vhost && queue0?.isDeleted !== true && queue1?.isDeleted !== true) return session;
    session.will = null;
    this.end(session);
    return undefined;
  }

  /**
   * The session for a client that has just logged in: the one it had, if it wants it and there is one, else a new one. `wasThere` tells which.
   * A connection that has the session is told and closed. [MQTT 5.0 3.1.4]
   */
  enter(connection: Connection, isCleanStart: boolean, expiryMillis: number): { session: Session; wasThere: boolean } {
    const { vhost, clientId } = connection;
    let session = this.find(vhost, clientId);
    session?.connection?.takenOver();
    // A session that ends with its connection has ended by that.
    session = this.find(vhost, clientId);
    if (isCleanStart || (session !== undefined && session.isDurable !== expiryMillis > 0)) {
      if (session !== undefined && !isCleanStart && this.#isWorthMoving(session, expiryMillis)) return this.#resumed(session, expiryMillis);
      if (session !== undefined) this.end(session);
      this.#deleteQueues(vhost, clientId);
      session = undefined;
    }
    session ??= this.#restored(connection, expiryMillis);
    if (session !== undefined) return this.#resumed(session, expiryMillis);
    const made = new Session(this, vhost, clientId, connection.user, expiryMillis);
    this.#sessions.set(keyOf(vhost, clientId), made);
    return { session: made, wasThere: false };
  }

  /** The session's connection is over. With `isOrderly` its will is forgotten. */
  leave(session: Session, isOrderly: boolean): void {
    const now = this.broker.clock.nowMillis;
    const { will } = session;
    if (isOrderly) session.will = null;
    else if (will !== null) will.dueMillis = now + will.delayMillis;
    if (will !== null && !isOrderly && will.delayMillis === 0) this.publishWill(session);
    session.detach(now);
  }

  /** Ends a session: its will is published if it is still to come, its queues go. */
  end(session: Session): void {
    if (session.isEnded) return;
    this.#sessions.delete(keyOf(session.vhost, session.clientId));
    if (session.will !== null) this.publishWill(session);
    session.close();
    const { vhost, queue0, queue1 } = session;
    for (const filter of [...session.sharedQueues.keys()]) this.leaveGroup(session, filter);
    if (queue0 !== null) vhost.removeQueue(queue0, session.user);
    if (queue1 !== null) vhost.removeQueue(queue1, session.user);
  }

  publishWill(session: Session): void {
    const { will, vhost, user, clientId } = session;
    session.will = null;
    if (will === null || this.broker.vhosts.get(vhost.name) !== vhost) return;
    const { exchange: exchangeName, sparkplug } = this.options;
    const key = routingKeyOfTopic(will.topic, sparkplug);
    try {
      const exchange = this.checkPublish(vhost, user, clientId, key);
      this.#publishWill(will, vhost, key, exchange.name);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      this.broker.logger.warning('connection', `the will of MQTT client '${clientId}' is not published to ${exchangeName}: ${error.text}`);
    }
  }

  /** The exchange that the user may publish to with this routing key. @throws BrokerError ACCESS_REFUSED, NOT_FOUND */
  checkPublish(vhost: Vhost, user: string, clientId: string, key: string) {
    const { access } = this.broker;
    const { exchange: name } = this.options;
    access.checkResource(user, vhost.name, 'write', 'exchange', name);
    access.checkTopic(user, vhost.name, name, 'write', key, clientId);
    const exchange = vhost.exchange(name);
    if (exchange === undefined) throw notFound(`no ${exchangeTerm(name, vhost.name)}`);
    return exchange;
  }

  /** Adds a subscription: declares and binds what it needs. Returns the queue its messages come to. @throws BrokerError */
  subscribe(session: Session, subscription: Subscription): Queue {
    const { vhost, user, clientId } = session;
    const { access, topology } = this.broker;
    const { exchange } = this.options;
    const before = session.subscriptions.get(subscription.filter);
    const name = subscription.group === null ? sessionQueueName(clientId, subscription.qos) : sharedQueueName(subscription.filter);
    access.checkResource(user, vhost.name, 'configure', 'queue', name);
    access.checkResource(user, vhost.name, 'write', 'queue', name);
    access.checkResource(user, vhost.name, 'read', 'exchange', exchange);
    access.checkResource(user, vhost.name, 'read', 'queue', name);
    access.checkTopic(user, vhost.name, exchange, 'read', subscription.bindingKey, clientId);
    let queue: Queue;
    if (subscription.group === null) {
      queue = this.#ownQueue(session, subscription.qos);
      topology.bind(vhost, exchange, 'queue', queue.name, subscription.bindingKey, subscription.bindingArguments(), brokerActor);
    } else {
      queue = this.#joinGroup(session, subscription);
    }
    session.subscriptions.set(subscription.filter, subscription);
    if (before !== undefined) this.#unbind(session, before, subscription);
    this.changed(session);
    // Its consumer may acknowledge from now on, or not any more.
    if (subscription.group !== null && before !== undefined) session.stopConsuming(queue);
    session.consume(queue);
    return queue;
  }

  /** Takes a subscription away; whether there was one. */
  unsubscribe(session: Session, filter: string): boolean {
    const subscription = session.subscriptions.get(filter);
    if (subscription === undefined) return false;
    session.subscriptions.delete(filter);
    this.#unbind(session, subscription, null);
    if (subscription.group !== null) this.leaveGroup(session, filter);
    this.changed(session);
    return true;
  }

  changed(session: Session): void {
    session.matches.changed(session.sharedQueues);
  }

  /** A queue of the session was deleted by somebody else: what was bound to it is no subscription any more. */
  queueGone(session: Session, queue: Queue): void {
    if (session.queue0 === queue) session.queue0 = null;
    if (session.queue1 === queue) session.queue1 = null;
    for (const subscription of [...session.subscriptions.values()]) {
      const { group, qos, filter } = subscription;
      const name = group === null ? sessionQueueName(session.clientId, qos) : sharedQueueName(filter);
      if (name !== queue.name) continue;
      session.subscriptions.delete(filter);
      session.sharedQueues = without(session.sharedQueues, filter);
    }
    this.#members.delete(queue);
    this.changed(session);
  }

  /** The session takes no more from a group; a group without members is over. */
  leaveGroup(session: Session, filter: string): void {
    const queue = session.sharedQueues.get(filter);
    if (queue === undefined) return;
    session.stopConsuming(queue);
    session.sharedQueues = without(session.sharedQueues, filter);
    const members = this.#members.get(queue);
    members?.delete(session);
    if (members !== undefined && members.size > 0) return;
    this.#members.delete(queue);
    if (!this.#hasAbsentMembers(session, filter)) session.vhost.removeQueue(queue, session.user);
  }

  /** The queue beside which is kept what a session must not forget; it is the one for QoS 1 and 2. @throws BrokerError */
  lastingQueue(session: Session): Queue {
    const queue = this.#ownQueue(session, 1);
    session.consume(queue);
    return queue;
  }

  /** Sends what is retained for a subscription. */
  sendRetained(session: Session, subscription: Subscription, into: Queue): void {
    this.#retained.send(session, subscription, into);
  }

  #isWorthMoving(session: Session, expiryMillis: number): boolean {
    // A durable session that is to end with its connection from now on stays what it is until then.
    return session.isDurable && expiryMillis === 0;
  }

  #resumed(session: Session, expiryMillis: number): { session: Session; wasThere: boolean } {
    session.will = null;
    this.expireAfter(session, expiryMillis);
    return { session, wasThere: true };
  }

  /** From now on the session outlives its connection for so long. Its queues are told, which have to know after a restart. */
  expireAfter(session: Session, expiryMillis: number): void {
    if (session.expiryMillis === expiryMillis) return;
    session.expiryMillis = expiryMillis;
    if (!session.isDurable || expiryMillis === 0) return;
    for (const queue of [session.queue0, session.queue1]) {
      if (queue === null || queue.isDeleted) continue;
      const args: FieldTable = new Map(queue.arguments);
      args.delete('x-expires');
      if (expiryMillis <= expiresMillisMax) args.set('x-expires', long(expiryMillis));
      this.broker.topology.reshapeQueue(session.vhost, queue.name, args, brokerActor);
    }
  }

  #publishWill(will: Will, vhost: Vhost, key: string, exchangeName: string): void {
    const exchange = vhost.exchange(exchangeName);
    if (exchange === undefined) return;
    const p = this.#publication;
    p.envelope = packEnvelope(exchangeName, key);
    p.envelopeStart = 0;
    p.envelopeBytes = p.envelope.length;
    p.properties = storedProperties(will.qos, will.isRetained, will.properties);
    p.propertiesStart = 0;
    p.propertiesBytes = p.properties.length;
    p.format = mqttFormatTag;
    will.fill(p);
    this.broker.publisher.publish(vhost, exchange, vhost.router.route(exchange, [key], p), p);
    if (will.isRetained) this.#retained.retain(vhost, key, p);
    this.broker.turn.arm();
  }

  #ownQueue(session: Session, qos: number): Queue {
    const known = qos === 0 ? session.queue0 : session.queue1;
    if (known !== null && !known.isDeleted) return known;
    const queue = this.#declare(session, sessionQueueName(session.clientId, qos), qos, session.isDurable ? null : session);
    if (qos === 0) session.queue0 = queue;
    else session.queue1 = queue;
    return queue;
  }

  #declare(session: Session, name: string, qos: number, owner: object | null): Queue {
    const { options } = this;
    const args: FieldTable = new Map();
    const isShared = qos < 0;
    const expiryMillis = isShared ? options.sessionExpirySecondsMax * 1000 : session.expiryMillis;
    if (owner === null && options.durableQueueType !== 'classic') args.set('x-queue-type', longstr(options.durableQueueType));
    if (owner === null && expiryMillis <= expiresMillisMax && expiryMillis > 0) args.set('x-expires', long(expiryMillis));
    if (qos === 0 && options.mailboxSoftLimit > 0) args.set('x-max-length', long(options.mailboxSoftLimit));
    if (!isShared && options.queuedBytesMax !== Infinity) args.set('x-max-length-bytes', long(options.queuedBytesMax));
    const declaration = { name, isDurable: true, owner, isAutoDelete: false, arguments: args };
    const { topology } = this.broker;
    const existing = session.vhost.queues.get(name);
    if (isShared && existing !== undefined) return existing;
    return topology.declareQueue(session.vhost, declaration, brokerActor);
  }

  #joinGroup(session: Session, subscription: Subscription): Queue {
    const { topology } = this.broker;
    const { exchange } = this.options;
    const { vhost } = session;
    const { filter, bindingKey, group } = subscription;
    const queue = this.#declare(session, sharedQueueName(filter), -1, null);
    topology.bind(vhost, exchange, 'queue', queue.name, bindingKey, new Map(), brokerActor);
    let members = this.#members.get(queue);
    if (members === undefined) {
      members = new Set();
      this.#members.set(queue, members);
    }
    members.add(session);
    session.sharedQueues = new Map([...session.sharedQueues, [filter, queue]]);
    if (session.isDurable) {
      // Nobody publishes with such a key: the binding is there to remember by.
      const own = this.#ownQueue(session, subscription.qos);
      topology.bind(
        vhost,
        exchange,
        'queue',
        own.name,
        markerKey(group as string, bindingKey),
        subscription.bindingArguments(),
        brokerActor,
      );
    }
    return queue;
  }

  /** Takes the bindings of a subscription away but for what the one in its place needs. */
  #unbind(session: Session, subscription: Subscription, kept: Subscription | null): void {
    const { vhost, clientId } = session;
    const queue = vhost.queues.get(sessionQueueName(clientId, subscription.qos));
    const exchange = vhost.exchange(this.options.exchange);
    if (queue === undefined || exchange === undefined) return;
    const { group, bindingKey } = subscription;
    const key = group === null ? bindingKey : markerKey(group, bindingKey);
    const isKept =
      kept !== null &&
      (kept.qos === 0) === (subscription.qos === 0) &&
      kept.qos === subscription.qos &&
      kept.isNoLocal === subscription.isNoLocal &&
      kept.isRetainAsPublished === subscription.isRetainAsPublished &&
      kept.id === subscription.id;
    if (!isKept) vhost.unbind(exchange, queue, key, subscription.bindingArguments(), session.user);
  }

  /** Whether a client that is not here takes part in a shared subscription. */
  #hasAbsentMembers(session: Session, filter: string): boolean {
    const exchange = session.vhost.exchange(this.options.exchange);
    for (const binding of exchange?.bindings.values() ?? []) {
      if (binding.destination.name === sessionQueueName(session.clientId, 0)) continue;
      if (binding.destination.name === sessionQueueName(session.clientId, 1)) continue;
      if (binding.arguments.get('x-mqtt-shared-subscription')?.value === filter) return true;
    }
    return false;
  }

  /** A session of before the broker's start, made anew of its queues and their bindings. */
  #restored(connection: Connection, expiryMillis: number): Session | undefined {
    const { vhost, clientId } = connection;
    const queues = [0, 1].map(qos => vhost.queues.get(sessionQueueName(clientId, qos)));
    if (expiryMillis === 0 && queues.every(queue => queue === undefined)) return undefined;
    if (queues.every(queue => queue === undefined || queue.isExclusive)) return undefined;
    const session = new Session(this, vhost, clientId, connection.user, Math.max(1, expiryMillis));
    this.#sessions.set(keyOf(vhost, clientId), session);
    const shared: Subscription[] = [];
    for (const [qos, queue] of queues.entries()) {
      if (queue === undefined) continue;
      if (qos === 0) session.queue0 = queue;
      else session.queue1 = queue;
      for (const binding of queue.incoming ?? []) {
        if (binding.source.name !== this.options.exchange) continue;
        const filter = filterOfBindingKey(binding.key, this.options.sparkplug);
        const subscription = Subscription.restored(filter, binding.arguments, qos, this.options.sparkplug);
        if (subscription.group === null) session.subscriptions.set(subscription.filter, subscription);
        else shared.push(subscription);
      }
    }
    for (const subscription of shared) {
      this.#joinGroup(session, subscription);
      session.subscriptions.set(subscription.filter, subscription);
    }
    this.changed(session);
    if (session.queue1 !== null) session.deliveries.restoreMarks(session.queue1);
    return session;
  }

  /** Deletes what a session of before the broker's start has left. */
  #deleteQueues(vhost: Vhost, clientId: string): void {
    for (const qos of [0, 1]) {
      const queue = vhost.queues.get(sessionQueueName(clientId, qos));
      if (queue !== undefined) vhost.removeQueue(queue);
    }
  }
}

function without<T>(map: ReadonlyMap<string, T>, key: string): Map<string, T> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

function keyOf(vhost: Vhost, clientId: string): string {
  return `${vhost.name}\0${clientId}`;
}

/** A routing key that stands for membership in a group; it is not published with. */
function markerKey(group: string, bindingKey: string): string {
  return `$share.${group}.${bindingKey}`;
}
