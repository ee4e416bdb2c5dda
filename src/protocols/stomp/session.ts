import { randomBytes } from 'node:crypto';
import type { BrokerCore } from '../../core/broker.ts';
import type { ChannelDescription, ChannelIdentity, ChannelInfo } from '../../core/connection-registry.ts';
import type { Consumer } from '../../core/consumer.ts';
import { channelClosed, channelCreated, consumerCreated, consumerDeleted } from '../../core/events/session-events.ts';
import { erlangBinary } from '../../core/erlang-field.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { encodeFrame, type Frame } from '../../wire/stomp/frame.ts';
import { settle } from './acknowledging.ts';
import type { StompConnection } from './connection.ts';
import { type Destination, parseDestination } from './destination.ts';
import { queueArguments, queueLife } from './queue-arguments.ts';
import { Receipts } from './receipts.ts';
import { send } from './sending.ts';
import type { ProtocolCounters } from '../../core/statistics/protocol-counters.ts';
import { SessionCounters } from './session-counters.ts';
import { StompError } from './stomp-error.ts';
import { subscribe, unsubscribe } from './subscribing.ts';
import { Subscription, type SubscriptionOptions } from './subscription.ts';
import { Transactions } from './transactions.ts';

/** Queues a session knows to be there, so that not every SEND declares its queue. */
const knownQueuesMax = 1000;
/** Subscriptions that are over while deliveries of theirs wait for an ACK. */
const endedSubscriptionsMax = 1000;
const temporaryPrefix = '/temp-queue/';

/** What a client does behind its login: frames in, subscriptions, receipts, transactions. Operators see it as channel 1. */
export class Session implements ChannelInfo {
  readonly number = 1;
  readonly connection: StompConnection;
  readonly broker: BrokerCore;
  /** Named in message ids, so that those of other connections mean nothing here. */
  readonly id = `session-${randomBytes(16).toString('base64url')}`;
  readonly counters = new SessionCounters();
  /** What all clients of STOMP do. */
  readonly traffic: ProtocolCounters;
  readonly receipts: Receipts;
  readonly transactions = new Transactions();
  /** By consumer tag. */
  readonly subscriptions = new Map<string, Subscription>();
  /** Those that are over and have deliveries that wait, the oldest first. */
  readonly ended = new Set<Subscription>();
  unackedCount = 0;
  /** Behind all delivery tags of subscriptions that are over. */
  tagFloor = 0;
  #isOpen = true;
  readonly #knownQueues = new Set<string>();
  /** Queues that stand for /temp-queue/ names, by these. */
  readonly #replyQueues = new Map<string, string>();

  constructor(connection: StompConnection) {
    this.connection = connection;
    this.broker = connection.broker;
    this.receipts = new Receipts(this);
    this.traffic = this.broker.counters.protocol('stomp');
    this.broker.counters.channelsOpened++;
    if (this.broker.events.isObserved) channelCreated(this.broker.events, this.identity(), connection.vhostName);
  }

  get canTake(): boolean {
    return this.connection.hasRoom && this.unackedCount < this.broker.settings.unackedPerChannelMax;
  }

  /** Acts on a frame, and gives the receipt it asks for. @throws StompError, BrokerError */
  onFrame(frame: Frame): void {
    const { headers } = frame;
    switch (frame.command) {
      case 'SEND':
      case 'ACK':
      case 'NACK': {
        const name = headers.get('transaction');
        if (name === undefined) this.#act(frame);
        else this.transactions.add(name, frame);
        break;
      }
      case 'SUBSCRIBE':
        subscribe(this, frame);
        break;
      case 'UNSUBSCRIBE':
        unsubscribe(this, frame);
        break;
      case 'BEGIN':
        this.transactions.begin(transactionOf(frame));
        break;
      case 'COMMIT':
        this.#commit(transactionOf(frame));
        break;
      case 'ABORT':
        this.transactions.take(transactionOf(frame));
        break;
      case 'DISCONNECT':
        this.#disconnect(frame);
        return;
      case 'CONNECT':
      case 'STOMP':
        throw new StompError('Illegal command', 'You are already logged in', { isFatal: true });
      default:
        throw new StompError('Bad command', `Could not interpret command "${frame.command}"\n`);
    }
    const receipt = headers.get('receipt');
    if (receipt !== undefined && frame.command !== 'SEND') this.receipts.add(receipt);
  }

  #act(frame: Frame): void {
    if (frame.command === 'SEND') send(this, frame);
    else settle(this, frame);
  }

  /** A frame of the transaction that fails is told of; the others are acted on all the same. [RabbitMQ: commit_transaction] */
  #commit(name: string): void {
    for (const frame of this.transactions.take(name)) {
      try {
        this.#act(frame);
      } catch (error) {
        this.connection.fail(error);
        if (!this.connection.isRunning) return;
      }
    }
  }

  /** The client goes: what it has asked before is finished and told, then both sides close. */
  #disconnect(frame: Frame): void {
    const receipt = frame.headers.get('receipt');
    this.connection.leave();
    if (receipt !== undefined) this.receipts.add(receipt);
    this.receipts.whenSettled(() => this.connection.endNow());
  }

  /** Exchange and routing key that a destination means. [RabbitMQ: parse_routing] */
  routeOf({ kind, name, key }: Destination): readonly [exchange: string, key: string] {
    const { defaultTopicExchange } = this.connection.options;
    if (kind === 'topic') return [defaultTopicExchange, name];
    if (kind === 'exchange') return [name === 'amq.topic' ? defaultTopicExchange : name, key];
    return ['', name];
  }

  /** Declares the queue of a /queue/ destination, unless this session has done that. @throws StompError, BrokerError */
  declareQueue(destination: Destination, frame: Frame): void {
    const { name } = destination;
    if (name === '') throw new StompError('Invalid destination', 'Destination cannot be blank');
    if (this.#knownQueues.has(name) && this.connection.vhost.queues.has(name)) return;
    this.makeQueue(name, destination, frame);
    if (this.#knownQueues.size >= knownQueuesMax) this.#knownQueues.clear();
    this.#knownQueues.add(name);
  }

  /** Declares a queue as a frame's headers have it. @throws StompError, BrokerError */
  makeQueue(name: string, destination: Destination, frame: Frame): Queue {
    const { connection } = this;
    const { isDurable, isExclusive, isAutoDelete } = queueLife(destination, frame);
    const owner = isExclusive ? connection : null;
    const declaration = { name, isDurable, owner, isAutoDelete, arguments: queueArguments(frame) };
    return this.broker.topology.declareQueue(connection.vhost, declaration, connection);
  }

  /** What stands for a reply-to header that names a temporary queue: a queue of this session's, which it is subscribed to from then on. */
  replyTo(header: string | undefined): string | undefined {
    if (header === undefined || !header.startsWith(temporaryPrefix)) return undefined;
    const { name } = parseDestination(header);
    const known = this.#replyQueues.get(name);
    if (known !== undefined) return known;
    this.assertRoomForSubscription();
    const { connection, broker } = this;
    const declaration = {
      name: `stomp.gen-${randomBytes(16).toString('base64url')}`,
      isDurable: false,
      owner: connection,
      isAutoDelete: true,
      arguments: new Map(),
    };
    const queue = broker.topology.declareQueue(connection.vhost, declaration, connection);
    broker.topology.check(connection, connection.vhost, 'read', 'queue', queue.name);
    const id = `${temporaryPrefix}${name}`;
    this.attach(queue, {
      tag: `T_${id}`,
      id,
      destination: { kind: 'reply_queue', name: queue.name, key: '' },
      ackMode: 'auto',
      noAck: true,
      isExclusive: false,
      priority: 0,
      prefetchCount: 0,
      arguments: new Map(),
      lastDeliveryTag: this.tagFloor,
    });
    this.#replyQueues.set(name, queue.name);
    return queue.name;
  }

  /** @throws StompError when the session has as many subscriptions as it may have */
  assertRoomForSubscription(): void {
    const max = this.broker.settings.consumersPerChannelMax;
    if (this.subscriptions.size >= max) throw new StompError('not_allowed', `reached maximum (${max}) of consumers per channel`);
  }

  /** Subscribes to a queue. @throws BrokerError */
  attach(queue: Queue, options: SubscriptionOptions): void {
    const subscription = new Subscription(this, queue, options);
    try {
      queue.checkConsumer(subscription.consumer);
      this.subscriptions.set(subscription.tag, subscription);
      queue.attach(subscription.consumer);
    } catch (error) {
      this.subscriptions.delete(subscription.tag);
      subscription.forget();
      throw error;
    }
    if (this.broker.events.isObserved) consumerCreated(this.broker.events, this.identity(), subscription.consumer);
  }

  /** The client has ended a subscription. Its deliveries still wait for their ACK. */
  detach(subscription: Subscription): void {
    subscription.consumer.queue.detach(subscription.consumer);
    this.#over(subscription, true);
  }

  /** A queue has ended a subscription. [RabbitMQ: server_cancel_consumer] */
  cancelled(subscription: Subscription): void {
    if (!this.#isOpen || this.subscriptions.get(subscription.tag) !== subscription) return;
    this.#over(subscription, false);
    const { id } = subscription;
    const described = id === null ? `destination='${subscription.tag.slice(2)}'` : `id='${id}'`;
    this.connection.tell(
      new StompError(
        'Server cancelled subscription',
        `The server has canceled a subscription.\nNo more messages will be delivered for ${erlangBinary(Buffer.from(described))}.\n`,
        { headers: [['subscription', id ?? subscription.tag.slice(2)]] },
      ),
    );
  }

  #over(subscription: Subscription, isByClient: boolean): void {
    this.subscriptions.delete(subscription.tag);
    this.tagFloor = Math.max(this.tagFloor, subscription.lastDeliveryTag);
    if (this.broker.events.isObserved) consumerDeleted(this.broker.events, this.identity(), subscription.consumer, isByClient);
    if (subscription.unacked.count === 0) {
      subscription.forget();
      return;
    }
    this.ended.add(subscription);
    const [oldest] = this.ended;
    if (this.ended.size <= endedSubscriptionsMax || oldest === undefined) return;
    oldest.requeueAll();
    this.forgetIfSettled(oldest);
  }

  /** An ended subscription is forgotten with its last delivery. */
  forgetIfSettled(subscription: Subscription): void {
    if (subscription.unacked.count === 0 && this.ended.delete(subscription)) subscription.forget();
  }

  /** Counts deliveries that wait no more. */
  settled(count: number): void {
    const wasFull = this.unackedCount >= this.broker.settings.unackedPerChannelMax;
    this.unackedCount -= count;
    if (wasFull) this.refreshConsumers();
  }

  /** A message that a receipt was wanted for was not taken by a queue. */
  refused(receipt: string): void {
    const detail = 'A queue did not take the message.\n';
    this.connection.tell(new StompError('Message rejected', detail, { headers: [['receipt-id', receipt]] }));
  }

  /** There is room for deliveries again. */
  refreshConsumers(): void {
    for (const { consumer } of this.subscriptions.values()) consumer.refresh();
  }

  /** The delivery that waits for longest beyond its timeout: how long that is, in milliseconds; 0 when none is. */
  exceededTimeout(nowMillis: number): number {
    const usual = this.broker.settings.consumerTimeoutMillis;
    for (const subscription of [...this.subscriptions.values(), ...this.ended]) {
      const { unacked, consumer } = subscription;
      if (unacked.count === 0) continue;
      const own = consumer.queue.settings.consumerTimeoutMillis;
      const timeout = own > 0 ? own : usual;
      if (timeout > 0 && nowMillis - unacked.oldestDeliveredMillis > timeout) return timeout;
    }
    return 0;
  }

  /** The connection is over: nobody gets anything any more, then what was not acknowledged goes back. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const subscriptions = [...this.subscriptions.values()];
    this.subscriptions.clear();
    for (const { consumer } of subscriptions) {
      consumer.queue.detach(consumer);
      if (this.broker.events.isObserved) consumerDeleted(this.broker.events, this.identity(), consumer, true);
    }
    for (const subscription of [...subscriptions, ...this.ended]) {
      subscription.requeueAll();
      subscription.forget();
    }
    this.ended.clear();
    this.broker.counters.channelsClosed++;
    if (this.broker.events.isObserved) channelClosed(this.broker.events, this.identity());
  }

  describe(): ChannelDescription {
    return {
      state: 'running',
      isConfirming: this.receipts.count > 0,
      isTransactional: this.transactions.count > 0,
      consumerCount: this.subscriptions.size,
      unackedCount: this.unackedCount,
      unconfirmedCount: this.receipts.count,
      uncommittedCount: this.transactions.actionCount,
      uncommittedAckCount: 0,
      prefetchCount: 0,
      globalPrefetchCount: 0,
    };
  }

  identity(): ChannelIdentity {
    const { name, user, link } = this.connection;
    const { peerHost, peerPort } = link.facts;
    return { connectionName: name, number: this.number, user, peerHost, peerPort };
  }

  *consumerList(): Iterable<Consumer> {
    for (const { consumer } of this.subscriptions.values()) yield consumer;
  }

  /** The answer to a login. */
  connectedFrame(heartbeat: string): Buffer {
    const { options, version } = this.connection;
    const { product, productVersion } = this.broker.settings;
    return encodeFrame('CONNECTED', [
      ...(options.hideServerInfo ? [] : [['server', `${product}/${productVersion}`] as const]),
      ['session', this.id],
      ['heart-beat', heartbeat],
      ['version', version],
    ]);
  }
}

function transactionOf(frame: Frame): string {
  const name = frame.headers.get('transaction');
  if (name === undefined) throw new StompError('Missing transaction', `'${frame.command}' must include a 'transaction' header\n`);
  return name;
}
