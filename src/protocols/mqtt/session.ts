// hot path: see docs/STYLE.md
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { ChannelDescription, ChannelIdentity, ChannelInfo } from '../../core/connection-registry.ts';
import { Consumer, SharedPrefetch } from '../../core/consumer.ts';
import type { CancelReason, DeliverySink } from '../../core/delivery-sink.ts';
import type { Entry } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { TrafficCounters } from '../../core/statistics/traffic-counters.ts';
import type { Vhost } from '../../core/vhost.ts';
import { reasons } from '../../wire/mqtt/constants.ts';
import type { Connection } from './connection.ts';
import { Deliveries } from './deliveries.ts';
import { identityOf } from './describe.ts';
import { Matches } from './matches.ts';
import type { Sessions } from './sessions.ts';
import type { Subscription } from './subscription.ts';
import type { Will } from './wills.ts';

const noQueues: ReadonlyMap<string, Queue> = new Map();
const noConsumers: ReadonlyMap<Queue, Consumer> = new Map();

/**
 * What a client has at the broker beyond its connection: subscriptions, the queues with its messages, and deliveries under way. It lasts as
 * long as the client asked for. [MQTT 5.0 4.1]
 */
export class Session implements DeliverySink, ChannelInfo {
  readonly number = 1;
  readonly sessions: Sessions;
  readonly broker: BrokerCore;
  readonly vhost: Vhost;
  readonly clientId: string;
  readonly counters = new TrafficCounters();
  /** The connection it has; null while the client is away. */
  connection: Connection | null = null;
  user: string;
  /** How long it outlives its connection; Infinity: for ever. Only one that was made with 0 is not durable. */
  expiryMillis: number;
  readonly isDurable: boolean;
  readonly subscriptions = new Map<string, Subscription>();
  readonly matches: Matches;
  /** For messages of QoS 0, and of 1 and 2; null until there is a subscription of the kind. */
  queue0: Queue | null = null;
  queue1: Queue | null = null;
  /** Those of shared subscriptions, by filter. */
  sharedQueues: ReadonlyMap<string, Queue> = noQueues;
  #consumers: Map<Queue, Consumer> | null = null;
  readonly #window = new SharedPrefetch();
  readonly deliveries: Deliveries;
  will: Will | null = null;
  isEnded = false;
  #timer: CallbackTimer | null = null;

  constructor(sessions: Sessions, vhost: Vhost, clientId: string, user: string, expiryMillis: number) {
    this.sessions = sessions;
    this.broker = sessions.broker;
    this.vhost = vhost;
    this.clientId = clientId;
    this.user = user;
    this.expiryMillis = expiryMillis;
    this.isDurable = expiryMillis > 0;
    this.matches = new Matches(this.subscriptions);
    this.deliveries = new Deliveries(this);
    this.#window.onRoom = () => this.refresh();
  }

  get consumers(): ReadonlyMap<Queue, Consumer> {
    return this.#consumers ?? noConsumers;
  }

  get canTake(): boolean {
    return this.connection !== null && !this.deliveries.isHeld && this.connection.hasRoom;
  }

  get hasNoLocal(): boolean {
    return this.matches.hasNoLocal;
  }

  /** The client is here: what was under way is sent again, then what waits. */
  attach(connection: Connection): void {
    this.connection = connection;
    this.user = connection.user;
    if (this.#timer !== null) this.broker.timers.clear(this.#timer);
    this.#window.limit = connection.deliveriesMax;
    for (const queue of this.#queues()) this.consume(queue);
    this.deliveries.resume();
  }

  /** The client is gone. What it has not acknowledged stays what it is until the client comes back. */
  detach(nowMillis: number): void {
    this.connection = null;
    for (const consumer of this.consumers.values()) consumer.queue.detach(consumer);
    this.#consumers?.clear();
    this.#window.unackedCount = 0;
    this.deliveries.pause();
    if (this.expiryMillis === 0) this.sessions.end(this);
    else this.#arm(nowMillis);
  }

  /** Gets what comes to a queue, from now on. */
  consume(queue: Queue): void {
    if (this.connection === null || this.consumers.has(queue)) return;
    const noAck = !this.#acknowledges(queue);
    const consumer = new Consumer(queue, this, noAck ? new SharedPrefetch() : this.#window, {
      tag: `${this.clientId}${noAck ? 'qos0' : 'qos1'}`,
      noAck,
      isExclusive: false,
      priority: 0,
      prefetchCount: noAck ? 0 : this.#window.limit,
      arguments: new Map(),
      // A client that does not acknowledge holds up only itself.
      ackTimeoutMillis: Infinity,
    });
    (this.#consumers ??= new Map()).set(queue, consumer);
    queue.attach(consumer);
  }

  /** Gets nothing more from a queue. */
  stopConsuming(queue: Queue): void {
    const consumer = this.consumers.get(queue);
    if (consumer === undefined) return;
    queue.catchUp();
    queue.detach(consumer);
    this.#consumers?.delete(queue);
  }

  refresh(): void {
    for (const consumer of this.consumers.values()) consumer.refresh();
  }

  deliver(consumer: Consumer, entry: Entry): void {
    this.deliveries.deliver(consumer, entry);
  }

  cancelled(consumer: Consumer, reason: CancelReason): void {
    const { queue } = consumer;
    this.#consumers?.delete(queue);
    this.sessions.queueGone(this, queue);
    if (reason === 'queue-deleted' && !this.isEnded)
      this.connection?.disconnect(reasons.administrativeAction, `the queue '${queue.name}' was deleted`);
  }

  /** The session is over: nothing of it is kept. Called by Sessions only. */
  close(): void {
    this.isEnded = true;
    if (this.#timer !== null) this.broker.timers.clear(this.#timer);
    for (const consumer of this.consumers.values()) consumer.queue.detach(consumer);
    this.#consumers?.clear();
    this.deliveries.close();
  }

  describe(): ChannelDescription {
    return {
      state: this.connection === null ? 'closed' : 'running',
      isConfirming: true,
      isTransactional: false,
      consumerCount: this.consumers.size,
      unackedCount: this.deliveries.count,
      unconfirmedCount: this.connection?.unconfirmedCount ?? 0,
      uncommittedCount: 0,
      uncommittedAckCount: 0,
      prefetchCount: this.#window.limit,
      globalPrefetchCount: 0,
    };
  }

  consumerList(): Iterable<Consumer> {
    return this.consumers.values();
  }

  identity(): ChannelIdentity {
    return identityOf(this);
  }

  /** Whether deliveries of a queue are acknowledged: in a shared one, if the session's subscription is. */
  #acknowledges(queue: Queue): boolean {
    if (queue === this.queue0) return false;
    if (queue === this.queue1) return true;
    for (const [filter, each] of this.sharedQueues) if (each === queue) return (this.subscriptions.get(filter)?.qos ?? 0) > 0;
    return false;
  }

  *#queues(): Iterable<Queue> {
    if (this.queue0 !== null) yield this.queue0;
    if (this.queue1 !== null) yield this.queue1;
    yield* this.sharedQueues.values();
  }

  #arm(nowMillis: number): void {
    let due = Infinity;
    if (this.will !== null) due = this.will.dueMillis;
    if (this.expiryMillis !== Infinity) due = Math.min(due, nowMillis + this.expiryMillis);
    this.#endsAtMillis = nowMillis + this.expiryMillis;
    if (due !== Infinity) this.#setTimer(due);
    this.broker.turn.arm();
  }

  #endsAtMillis = Infinity;

  #setTimer(dueMillis: number): void {
    this.#timer ??= new CallbackTimer(now => this.#timeIsUp(now));
    this.broker.timers.set(this.#timer, dueMillis);
  }

  #timeIsUp(nowMillis: number): void {
    if (this.connection !== null) return;
    if (nowMillis >= this.#endsAtMillis) {
      this.sessions.end(this);
      return;
    }
    if (this.will !== null && nowMillis >= this.will.dueMillis) this.sessions.publishWill(this);
    if (this.#endsAtMillis !== Infinity) this.#setTimer(this.#endsAtMillis);
  }
}
