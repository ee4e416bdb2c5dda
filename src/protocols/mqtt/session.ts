// hot path: see docs/STYLE.md
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { ChannelDescription, ChannelIdentity, ChannelInfo } from '../../core/connection-registry.ts';
import { Consumer, SharedPrefetch } from '../../core/consumer.ts';
import type { CancelReason, DeliverySink } from '../../core/delivery-sink.ts';
import { mqttFormatTag } from '../../core/messages/format-tags.ts';
import { Entry, metaPersistent, metaRedelivered } from '../../core/queues/entry.ts';
import type { Outcome, Queue } from '../../core/queues/queue.ts';
import { ChannelCounters } from '../../core/statistics/channel-counters.ts';
import type { Vhost } from '../../core/vhost.ts';
import { reasons } from '../../wire/mqtt/constants.ts';
import type { Connection } from './connection.ts';
import { writePublish } from './delivering.ts';
import { identityOf } from './describe.ts';
import { Inflight, waitsForPuback, waitsForPubcomp, waitsForPubrec } from './inflight.ts';
import { Matches } from './matches.ts';
import { PacketIds } from './packet-ids.ts';
import { pubrelByte } from './pending-acks.ts';
import type { Sessions } from './sessions.ts';
import type { Subscription } from './subscription.ts';
import { asRetainedFlag, qosMask, retainFlag } from './stored-properties.ts';
import type { Will } from './wills.ts';

const retainBit = 1;
const duplicateBit = 8;

/** Where a delivery is put for a moment. */
const scratch = new Entry();
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
  readonly counters = new ChannelCounters();
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
  #inflight: Inflight | null = null;
  #received: PacketIds | null = null;
  will: Will | null = null;
  isEnded = false;
  #timer: CallbackTimer | null = null;
  /** Deliveries wait until those under way from the last connection have been sent again. */
  #isResending = false;

  constructor(sessions: Sessions, vhost: Vhost, clientId: string, user: string, expiryMillis: number) {
    this.sessions = sessions;
    this.broker = sessions.broker;
    this.vhost = vhost;
    this.clientId = clientId;
    this.user = user;
    this.expiryMillis = expiryMillis;
    this.isDurable = expiryMillis > 0;
    this.matches = new Matches(this.subscriptions);
    this.#window.onRoom = () => this.refresh();
  }

  get consumers(): ReadonlyMap<Queue, Consumer> {
    return this.#consumers ?? noConsumers;
  }

  /** QoS 2 messages that the client has not released yet. */
  get received(): PacketIds {
    return (this.#received ??= new PacketIds());
  }

  get receivedCount(): number {
    return this.#received === null ? 0 : this.#received.count;
  }

  get canTake(): boolean {
    return this.connection !== null && !this.#isResending && this.connection.hasRoom;
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
    if (this.#inflight !== null && this.#inflight.count > 0) this.#resend(this.#inflight.ids());
  }

  /** The client is gone. What it has not acknowledged stays what it is until the client comes back. */
  detach(nowMillis: number): void {
    this.connection = null;
    for (const consumer of this.consumers.values()) consumer.queue.detach(consumer);
    this.#consumers?.clear();
    this.#window.unackedCount = 0;
    this.#isResending = false;
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
    queue.detach(consumer);
    this.#consumers?.delete(queue);
  }

  refresh(): void {
    for (const consumer of this.consumers.values()) consumer.refresh();
  }

  deliver(consumer: Consumer, entry: Entry): void {
    const connection = this.connection as Connection;
    const { store } = this.broker;
    store.locate(entry.ref);
    if ((entry.meta & metaRedelivered) !== 0) this.counters.redelivered++;
    const { tracer } = this.vhost;
    if (tracer !== null) {
      tracer.delivered(this.identity(), consumer.queue, entry, consumer.noAck);
      store.locate(entry.ref);
    }
    const { matches } = this;
    const { queue } = consumer;
    const isShared = queue !== this.queue0 && queue !== this.queue1;
    let flags = 0;
    let publishedQos = (entry.meta & metaPersistent) === 0 ? 0 : 1;
    if (store.format === mqttFormatTag) {
      const { loose } = store;
      flags = loose === null ? (store.bytes[store.propertiesStart] as number) : (loose.properties[0] as number);
      publishedQos = flags & qosMask;
    }
    if (isShared) matches.ofShared(queue.name);
    else matches.of(store, flags & asRetainedFlag);
    if (!matches.isMatch) {
      // The subscription it came for is gone, or it is not for wildcards.
      if (!consumer.noAck) this.#settleAtOnce(consumer, entry);
      return;
    }
    const qos = consumer.noAck ? 0 : Math.min(publishedQos, matches.qos);
    let first = qos << 1;
    if ((flags & asRetainedFlag) !== 0 || ((flags & retainFlag) !== 0 && matches.isRetainAsPublished)) first |= retainBit;
    let id = 0;
    if (qos > 0) {
      this.#inflight ??= this.#newInflight();
      id = this.#inflight.add(consumer, entry, qos === 2 ? waitsForPubrec : waitsForPuback);
      if ((entry.meta & metaRedelivered) !== 0) first |= duplicateBit;
    }
    const isWritten = id > 0 || qos === 0 ? this.#write(connection, entry, first, id) : false;
    if (isWritten) connection.wrote();
    else if (id > 0) (this.#inflight as Inflight).release(id);
    if (qos === 0) this.counters.deliveredNoAck++;
    else this.counters.delivered++;
    if (!consumer.noAck && (qos === 0 || !isWritten)) this.#settleAtOnce(consumer, entry);
  }

  /** PUBACK: the client has the message. Returns the reason why it cannot be, or 0. */
  acknowledged(id: number): number {
    const inflight = this.#inflight;
    if (inflight === null || inflight.state(id) !== waitsForPuback) return reasons.packetIdNotFound;
    const consumer = inflight.consumer(id);
    inflight.read(id, scratch);
    inflight.release(id);
    this.counters.acked++;
    this.#settle(consumer.queue, scratch, 'accepted');
    consumer.gaveBack(1);
    return 0;
  }

  /** PUBREC: the client has the message for good. PUBREL follows when that is durable. */
  receivedByClient(id: number, reason: number): number {
    const inflight = this.#inflight;
    const state = inflight === null ? 0 : inflight.state(id);
    if (inflight === null || (state !== waitsForPubrec && state !== waitsForPubcomp)) return reasons.packetIdNotFound;
    if (state === waitsForPubrec) {
      inflight.read(id, scratch);
      this.counters.acked++;
      this.#settle(inflight.consumer(id).queue, scratch, 'accepted');
      inflight.received(id);
    }
    if (reason >= 0x80) this.#complete(inflight, id);
    else (this.connection as Connection).acks.push(id, pubrelByte, 0);
    return 0;
  }

  /** PUBCOMP: the delivery is over. */
  completed(id: number): number {
    const inflight = this.#inflight;
    if (inflight === null || inflight.state(id) !== waitsForPubcomp) return reasons.packetIdNotFound;
    this.#complete(inflight, id);
    return 0;
  }

  #complete(inflight: Inflight, id: number): void {
    const consumer = inflight.consumer(id);
    inflight.release(id);
    consumer.gaveBack(1);
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
    const inflight = this.#inflight;
    if (inflight === null) return;
    for (const id of inflight.ids()) {
      const { queue } = inflight.consumer(id);
      if (inflight.state(id) !== waitsForPubcomp) {
        inflight.read(id, scratch);
        // Others may have what came to the group.
        this.#settle(queue, scratch, 'returned');
      }
      inflight.release(id);
    }
    this.broker.dropsRefs(inflight);
    this.#inflight = null;
  }

  describe(): ChannelDescription {
    return {
      state: this.connection === null ? 'closed' : 'running',
      isConfirming: true,
      isTransactional: false,
      consumerCount: this.consumers.size,
      unackedCount: this.#inflight?.count ?? 0,
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

  #write(connection: Connection, entry: Entry, first: number, id: number): boolean {
    const { store } = this.broker;
    return writePublish(connection, store, store.arrivalMillis(entry.ref), first, id, this.matches.idBytes);
  }

  #settleAtOnce(consumer: Consumer, entry: Entry): void {
    this.#settle(consumer.queue, entry, 'accepted');
    consumer.gaveBack(1);
  }

  #settle(queue: Queue, entry: Entry, outcome: Outcome): void {
    const { tracer } = this.vhost;
    if (tracer !== null) tracer.settled(queue, entry, outcome);
    queue.settle(entry, outcome);
  }

  #newInflight(): Inflight {
    const inflight = new Inflight();
    this.broker.holdsRefs(inflight);
    return inflight;
  }

  /**
   * Sends what is under way again, in its order and with its packet ids: that is how a message of QoS 2 is known to be the same.
   * [MQTT 5.0 4.4] What is on disk is fetched first.
   */
  #resend(ids: readonly number[]): void {
    const inflight = this.#inflight as Inflight;
    const { store } = this.broker;
    const { connection } = this;
    const entry = new Entry();
    this.#isResending = true;
    for (const id of ids) {
      const queue = inflight.consumer(id).queue;
      const consumer = this.consumers.get(queue);
      if (consumer !== undefined && inflight.consumer(id) !== consumer) {
        inflight.adopt(id, consumer);
        consumer.took();
      }
    }
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      const state = inflight.state(id);
      if (state === waitsForPubcomp) {
        (connection as Connection).acks.push(id, pubrelByte, 0);
        continue;
      }
      if (state !== waitsForPuback && state !== waitsForPubrec) continue;
      inflight.read(id, entry);
      if (!store.isResident(entry.ref)) {
        const rest = ids.slice(i);
        store.fetch(entry.ref, () => {
          if (this.connection === connection && !this.isEnded) this.#resend(rest);
        });
        return;
      }
      this.#resendOne(connection as Connection, inflight, id, entry, state);
    }
    this.#isResending = false;
    this.refresh();
  }

  #resendOne(connection: Connection, inflight: Inflight, id: number, entry: Entry, state: number): void {
    const { store } = this.broker;
    const consumer = inflight.consumer(id);
    if (store.isIntact(entry.ref)) {
      store.locate(entry.ref);
      const isShared = consumer.queue !== this.queue0 && consumer.queue !== this.queue1;
      if (isShared) this.matches.ofShared(consumer.queue.name);
      else this.matches.of(store, 0);
      this.counters.redelivered++;
      if (this.#write(connection, entry, duplicateBit | (state === waitsForPubrec ? 4 : 2), id)) {
        connection.wrote();
        return;
      }
    }
    inflight.release(id);
    this.#settleAtOnce(consumer, entry);
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
