// hot path: see docs/STYLE.md
import type { ChannelDescription, ChannelIdentity, ChannelInfo } from '../../core/connection-registry.ts';
import type { CancelReason, DeliverySink } from '../../core/delivery-sink.ts';
import { type Consumer, SharedPrefetch } from '../../core/consumer.ts';
import { BrokerError } from '../../core/broker-error.ts';
import { channelClosed, consumerDeleted } from '../../core/events/session-events.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import type { Route } from '../../core/exchanges/route.ts';
import type { Publication } from '../../core/messages/publication.ts';
import { type Entry, metaRedelivered } from '../../core/queues/entry.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { UnackedRing } from '../../core/unacked-ring.ts';
import { NoRoute } from '../../wire/amqp091/constants.gen.ts';
import {
  BasicAck,
  BasicGet,
  BasicNack,
  BasicPublish,
  BasicReject,
  ChannelClose,
  ChannelCloseOk,
  ChannelOpen,
  encodeBasicAck,
  encodeBasicCancel,
  encodeBasicNack,
  encodeChannelClose,
  encodeChannelCloseOk,
} from '../../wire/amqp091/methods.gen.ts';
import { TrafficCounters } from '../../core/statistics/traffic-counters.ts';
import type { MessageSizes } from '../../core/statistics/message-sizes.ts';
import type { Confirms } from './confirms.ts';
import type { Connection } from './connection.ts';
import { DeferredReplies, type LateReply } from './deferred-replies.ts';
import { writeDelivery, writeReturn } from './delivering.ts';
import { describeChannel, identityOf } from './describe.ts';
import { dispatch } from './methods/dispatch.ts';
import { Publishing } from './publishing.ts';
import type { PublishMemo } from '../../core/publish-memo.ts';
import type { ReplyError } from './reply-error.ts';
import type { ReplyQueue } from './reply-to.ts';
import { Settling } from './settling.ts';
import type { Transaction } from './transaction.ts';

/** A message to fewer queues is no work to speak of; of one to more, 64 queues are as much as a declaration. */
const queuesOfUsualRoute = 64;
const workPerQueueShift = 6;

const opening = 0;
const open = 1;
const closing = 2;
const closed = 3;

/** A channel: publishes in, deliveries out, acknowledgements in. Its methods' handlers are in methods/. [AMQP 0-9-1 1.3] */
export class Channel implements DeliverySink, ChannelInfo {
  readonly connection: Connection;
  readonly number: number;
  readonly counters = new TrafficCounters();
  readonly publishing: Publishing;
  readonly settling: Settling;
  readonly consumers = new Map<string, Consumer>();
  /** Stand-ins for basic.get, one per queue, so that what was got is settled like what was delivered. */
  getters: Map<Queue, Consumer> | null = null;
  readonly unacked = new UnackedRing();
  readonly shared = new SharedPrefetch();
  /** Counts what was got: it takes no part in the channel's prefetch. */
  readonly getterPrefetch = new SharedPrefetch();
  /** Prefetch of consumers to come. */
  prefetchCount = 0;
  confirms: Confirms | null = null;
  transaction: Transaction | null = null;
  replyQueue: ReplyQueue | null = null;
  /** The queue an empty name stands for. */
  lastQueueName: string | null = null;
  lastDeliveryTag = 0;
  /** False while the client asked for no deliveries by channel.flow. */
  isFlowing = true;
  readonly #sizes: MessageSizes;
  #replies: DeferredReplies | null = null;
  #state = opening;
  /** Frames of basic.cancel that wait for an answer to go before them. */
  #heldCancels: Buffer[] | null = null;
  /** Which consumer was told last that there is room below the shared prefetch. */
  #firstToWake = 0;

  constructor(connection: Connection, number: number) {
    this.connection = connection;
    this.number = number;
    this.#sizes = connection.broker.counters.messageSizes;
    this.publishing = new Publishing(this);
    this.settling = new Settling(this);
  }

  /** The client has opened the channel. */
  open(): void {
    this.#state = open;
  }

  get isOpen(): boolean {
    return this.#state === open;
  }

  get isClosing(): boolean {
    return this.#state === closing;
  }

  get canTake(): boolean {
    // Deliveries must not overtake consume-ok.
    return (
      this.isFlowing &&
      this.#replies === null &&
      this.connection.hasRoom &&
      this.unacked.count < this.connection.broker.settings.unackedPerChannelMax
    );
  }

  /** Acts on one method; `start` is behind class and method id. */
  onMethod(method: number, buffer: Buffer, start: number, end: number): void {
    if (this.#state === closing) {
      // Until the client confirms the close, all it sends on the channel is from before it knew. [AMQP 0-9-1 channel.close]
      if (method === ChannelCloseOk) this.connection.channels.forget(this);
      else if (method === ChannelClose) this.replyToClose();
      else if (method === ChannelOpen) throw new BrokerError('CHANNEL_ERROR', "second 'channel.open' seen");
      return;
    }
    if (this.publishing.isExpectingContent) throw this.publishing.unexpected();
    switch (method) {
      case BasicPublish:
        this.publishing.onMethod(buffer, start, end);
        return;
      case BasicAck:
        if (end - start !== 9) break;
        this.settling.settle(readTag(buffer, start), ((buffer[start + 8] as number) & 1) === 1, 'accepted');
        return;
      case BasicNack: {
        if (end - start !== 9) break;
        const bits = buffer[start + 8] as number;
        this.settling.settle(readTag(buffer, start), (bits & 1) === 1, (bits & 2) === 2 ? 'returned' : 'rejected');
        return;
      }
      case BasicReject:
        if (end - start !== 9) break;
        this.settling.settle(readTag(buffer, start), false, ((buffer[start + 8] as number) & 1) === 1 ? 'returned' : 'rejected');
        return;
    }
    if (method !== BasicGet) this.connection.worked(1);
    dispatch(this, method, buffer, start, end);
  }

  /** Publishes a complete message, or keeps it for the commit. */
  publish(memo: PublishMemo, route: Route, p: Publication): void {
    const { connection } = this;
    this.counters.published++;
    this.#sizes.add(p.bodyBytes);
    if (this.transaction !== null) {
      this.transaction.addPublish(memo, route, p);
      return;
    }
    const confirms = this.confirms;
    if (confirms !== null) {
      confirms.published++;
      connection.broker.ledger.expect(confirms);
    }
    this.route(memo.exchange as Exchange, memo.routingKey, memo.isMandatory, route, p);
  }

  /** Enqueues a message, and returns it when it reached no queue and is mandatory. */
  route(exchange: Exchange, routingKey: string, isMandatory: boolean, route: Route, p: Publication): void {
    const { connection } = this;
    p.waiter = this.confirms;
    const { tracer } = connection.vhost;
    if (tracer !== null) tracer.published(this.identity(), exchange, route, p);
    const routed = connection.broker.publisher.publish(connection.vhost, exchange, route, p);
    if (routed >= queuesOfUsualRoute) connection.worked(routed >>> workPerQueueShift);
    if (routed > 0) {
      const disk = connection.broker.backlogOf(p);
      if (disk.isBehind) connection.intake.holdForDisk(disk);
      if (p.isRefused && this.confirms !== null) this.confirms.refuse();
      return;
    }
    const counters = connection.vhost.counters;
    if (!isMandatory) {
      this.counters.droppedUnroutable++;
      counters.droppedUnroutable++;
      exchange.counters.droppedUnroutable++;
      return;
    }
    this.counters.returnedUnroutable++;
    counters.returnedUnroutable++;
    exchange.counters.returnedUnroutable++;
    connection.answers(p.bodyBytes);
    writeReturn(connection.outbox, this.number, NoRoute, 'NO_ROUTE', exchange.name, routingKey, p, connection.bodyFrameMax);
    connection.wrote();
  }

  deliver(consumer: Consumer, entry: Entry): void {
    const { connection } = this;
    const { broker } = connection;
    const tag = ++this.lastDeliveryTag;
    const counters = this.counters;
    if (consumer.noAck) {
      counters.deliveredNoAck++;
    } else {
      counters.delivered++;
      this.unacked.push(tag, consumer, entry, broker.clock.nowMillis);
    }
    if ((entry.meta & metaRedelivered) !== 0) counters.redelivered++;
    const { tracer } = connection.vhost;
    if (tracer !== null) tracer.delivered(this.identity(), consumer.queue, entry, consumer.noAck);
    writeDelivery(connection.outbox, broker, consumer, this.number, tag, entry, connection.bodyFrameMax);
    connection.wrote();
  }

  cancelled(consumer: Consumer, _reason: CancelReason): void {
    this.consumers.delete(consumer.tag);
    this.consumerEnded(consumer, false);
    if (this.#state !== open) return;
    if (!this.connection.wantsCancelNotify) return;
    const frame = encodeBasicCancel(this.number, { consumerTag: consumer.tag, nowait: true });
    if (this.#heldCancels !== null) this.#heldCancels.push(frame);
    else this.reply(frame);
  }

  /** Tells that a subscription is over, by the client's wish or not. */
  consumerEnded(consumer: Consumer, isByClient: boolean): void {
    const { events } = this.connection.broker;
    if (events.isObserved) consumerDeleted(events, this.identity(), consumer, isByClient);
  }

  /** Does something that may cancel consumers of this channel, answers it, and only then tells of them. [RabbitMQ: queue.delete] */
  holdingCancels(act: () => void): void {
    const cancels: Buffer[] = [];
    this.#heldCancels = cancels;
    try {
      act();
    } finally {
      this.#heldCancels = null;
    }
    for (const frame of cancels) this.reply(frame);
  }

  /** Sends the answer to a method; when metadata it may tell of is not durable yet, as soon as that is. */
  reply(frame: Buffer): void {
    if (this.#replies !== null || this.connection.broker.log.isMetadataPending) this.#deferred().add(frame);
    else this.connection.send(frame);
  }

  /** Sends the answer to a method when everything done so far is durable. */
  replyDurably(frame: Buffer): void {
    if (this.#replies !== null || this.connection.broker.log.isPending) this.#deferred().add(frame);
    else this.connection.send(frame);
  }

  get hasWaitingReplies(): boolean {
    return this.#replies !== null;
  }

  /** Makes an answer when it can be made and those before it have been sent. */
  replyLate(reply: LateReply): void {
    this.#deferred().add(reply);
  }

  /** Goes on with answers: what one of them was waiting for is there. */
  replyOn(): void {
    this.#replies?.goOn();
  }

  /** Answers the client's channel.close, behind what it asked before, when all it had is given back. */
  replyToClose(): void {
    this.replyWhenSettled(encodeChannelCloseOk(this.number));
  }

  /** Sends an answer that waits for nothing but settlements and the answers before it. */
  replyWhenSettled(frame: Buffer): void {
    if (!this.settling.isUnderWay) {
      this.replyBehind(frame);
      return;
    }
    this.replyLate(() => {
      if (this.settling.isUnderWay) return false;
      this.connection.send(frame);
      return true;
    });
    this.settling.whenDone(() => this.replyOn());
  }

  /** Sends an answer that waits for nothing itself, behind those that do. */
  replyBehind(frame: Buffer): void {
    if (this.#replies === null) this.connection.send(frame);
    else this.#replies.add(frame);
  }

  #deferred(): DeferredReplies {
    this.#replies ??= new DeferredReplies(this, () => {
      this.#replies = null;
      this.refreshConsumers();
    });
    return this.#replies;
  }

  sendConfirm(tag: number, multiple: boolean, isAck: boolean): void {
    if (isAck) this.connection.send(encodeBasicAck(this.number, { deliveryTag: tag, multiple }));
    else this.connection.send(encodeBasicNack(this.number, { deliveryTag: tag, multiple, requeue: false }));
  }

  /** Ends the channel with an error; the client has to confirm it. */
  closeWith(error: ReplyError, method: number): void {
    if (this.#state !== open) return;
    this.#release();
    this.#state = closing;
    const args = { replyCode: error.code, replyText: error.text, classId: method >>> 16, methodId: method & 0xffff };
    this.replyBehind(encodeChannelClose(this.number, args));
  }

  /** The client closed the channel, or its connection is gone. */
  close(): void {
    if (this.#state === open) this.#release();
    this.#state = closed;
  }

  describe(): ChannelDescription {
    return describeChannel(this);
  }

  identity(): ChannelIdentity {
    return identityOf(this);
  }

  consumerList(): Iterable<Consumer> {
    return this.consumers.values();
  }

  /** Tells the consumers that the outbox has room or flow goes on. */
  refreshConsumers(): void {
    for (const consumer of this.consumers.values()) consumer.refresh();
  }

  /** basic.qos with global: a limit that all consumers share; 0 for none. */
  limitShared(limit: number): void {
    this.shared.limit = limit;
    this.shared.onRoom = () => this.shareRoom();
    this.refreshConsumers();
  }

  /** Tells the consumers that there is room below the shared prefetch, each time beginning with another, so that none goes without for long. */
  shareRoom(): void {
    const { consumers } = this;
    this.#firstToWake = this.#firstToWake + 1 < consumers.size ? this.#firstToWake + 1 : 0;
    let index = 0;
    for (const consumer of consumers.values()) if (index++ >= this.#firstToWake) consumer.refresh();
    index = 0;
    for (const consumer of consumers.values()) if (index++ < this.#firstToWake) consumer.refresh();
  }

  #release(): void {
    const consumers = this.consumers.size === 0 ? [] : [...this.consumers.values()];
    this.consumers.clear();
    this.publishing.reset();
    this.transaction?.end();
    this.transaction = null;
    // First nobody gets anything any more, then what was not acknowledged goes back, so that it does not come to the same channel again.
    for (const consumer of consumers) {
      consumer.queue.detach(consumer);
      this.consumerEnded(consumer, true);
    }
    this.settling.through(this.lastDeliveryTag, 'returned');
    this.replyQueue?.close();
    this.replyQueue = null;
    const { counters, events } = this.connection.broker;
    counters.channelsClosed++;
    if (events.isObserved) channelClosed(events, this.identity());
  }
}

function readTag(buffer: Buffer, at: number): number {
  const high =
    (((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)) >>>
    0;
  const low =
    (((buffer[at + 4] as number) << 24) |
      ((buffer[at + 5] as number) << 16) |
      ((buffer[at + 6] as number) << 8) |
      (buffer[at + 7] as number)) >>>
    0;
  return high * 0x1_0000_0000 + low;
}
