import { randomBytes } from 'node:crypto';
import { fieldTypeName, isInteger } from '../../../base/field-table.ts';
import { notAllowed, notImplemented, preconditionFailed } from '../../../core/broker-error.ts';
import { Consumer } from '../../../core/consumer.ts';
import { consumerCreated } from '../../../core/events/session-events.ts';
import { Entry } from '../../../core/queues/entry.ts';
import type { Queue } from '../../../core/queues/queue.ts';
import { queueTerm } from '../../../core/resource-name.ts';
import {
  decodeBasicAck,
  decodeBasicCancel,
  decodeBasicConsume,
  decodeBasicGet,
  decodeBasicNack,
  decodeBasicQos,
  decodeBasicRecover,
  decodeBasicRecoverAsync,
  decodeBasicReject,
  type BasicConsumeArguments,
  encodeBasicCancelOk,
  encodeBasicConsumeOk,
  encodeBasicGetEmpty,
  encodeBasicQosOk,
  encodeBasicRecoverOk,
} from '../../../wire/amqp091/methods.gen.ts';
import type { Channel } from '../channel.ts';
import { writeGetOk } from '../delivering.ts';
import { ReplyQueue, replyToName } from '../reply-to.ts';
import { queueName } from './queue.ts';

/** Per consumer for consumers to come, or with `global` shared by the channel's. [RabbitMQ docs: consumer prefetch] */
export function qos(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicQos(buffer, start, end);
  if (args.prefetchSize !== 0) throw notImplemented(`prefetch_size!=0 (${args.prefetchSize})`);
  if (args.global) {
    // Whoever consumes already goes on, from queues of whatever type. [RabbitMQ 3.10]
    channel.limitShared(args.prefetchCount);
  } else {
    channel.prefetchCount = args.prefetchCount;
  }
  channel.reply(encodeBasicQosOk(channel.number));
}

/** [AMQP 0-9-1 basic.consume] */
export function consume(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicConsume(buffer, start, end);
  const tag = args.consumerTag === '' ? `amq.ctag-${randomBytes(16).toString('base64url')}` : args.consumerTag;
  if (args.queue === replyToName) {
    consumeReplies(channel, args, tag);
    return;
  }
  const { broker, vhost, actor } = channel.connection;
  if (channel.consumers.has(tag)) throw notAllowed(`attempt to reuse consumer tag '${tag}'`);
  const name = broker.sharding.nameToRead(vhost, queueName(channel, args.queue));
  broker.topology.check(actor, vhost, 'read', 'queue', name);
  const queue = broker.topology.queue(vhost, name, actor);
  const max = broker.settings.consumersPerChannelMax;
  if (channel.consumers.size >= max) throw notAllowed(`reached maximum (${max}) of consumers per channel`);
  const consumer = new Consumer(queue, channel, channel.shared, {
    tag,
    noAck: args.noAck,
    isExclusive: args.exclusive,
    priority: integerOf(args, queue, 'x-priority'),
    prefetchCount: channel.prefetchCount,
    arguments: args.arguments,
    ackTimeoutMillis: integerOf(args, queue, 'x-consumer-timeout'),
  });
  queue.checkConsumer(consumer);
  queue.catchUp();
  if (channel.shared.limit > 0) assertGlobalPrefetch(queue);
  channel.consumers.set(tag, consumer);
  try {
    queue.attach(consumer);
  } catch (error) {
    channel.consumers.delete(tag);
    throw error;
  }
  if (broker.events.isObserved) consumerCreated(broker.events, channel.identity(), consumer);
  // Deliveries are written by the pump, later in the turn: the client sees consume-ok first.
  if (!args.nowait) channel.reply(encodeBasicConsumeOk(channel.number, { consumerTag: tag }));
}

function consumeReplies(channel: Channel, args: BasicConsumeArguments, tag: string): void {
  if (!args.noAck) throw preconditionFailed('reply consumer cannot acknowledge');
  if (channel.replyQueue !== null) throw preconditionFailed('reply consumer already set');
  if (channel.consumers.has(tag)) throw notAllowed(`attempt to reuse consumer tag '${tag}'`);
  const replyQueue = new ReplyQueue(channel, tag);
  channel.replyQueue = replyQueue;
  channel.consumers.set(tag, replyQueue.consumer);
  if (!args.nowait) channel.reply(encodeBasicConsumeOk(channel.number, { consumerTag: tag }));
}

/** An argument of a consumer; 0 when it is not given. @throws BrokerError PRECONDITION_FAILED when it is no integer. */
function integerOf(args: BasicConsumeArguments, queue: Queue, name: string): number {
  const field = args.arguments.get(name);
  if (field === undefined) return 0;
  if (!isInteger(field)) {
    throw preconditionFailed(
      `invalid arg '${name}' for ${queueTerm(queue.name, queue.vhostName)}: "expected integer, got ${fieldTypeName(field)}"`,
    );
  }
  return Number(field.value);
}

function assertGlobalPrefetch(queue: Queue): void {
  if (!queue.type.capabilities.hasGlobalPrefetch)
    throw notImplemented(`${queueTerm(queue.name, queue.vhostName)} does not support global qos`);
}

/** [AMQP 0-9-1 basic.cancel] An unknown tag is answered too. */
export function cancel(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicCancel(buffer, start, end);
  const consumer = channel.consumers.get(args.consumerTag);
  if (consumer !== undefined) {
    channel.consumers.delete(args.consumerTag);
    if (channel.replyQueue?.consumer === consumer) {
      channel.replyQueue.close();
      channel.replyQueue = null;
    } else {
      consumer.queue.catchUp();
      consumer.queue.detach(consumer);
    }
    channel.consumerEnded(consumer, true);
  }
  if (!args.nowait) channel.reply(encodeBasicCancelOk(channel.number, { consumerTag: args.consumerTag }));
}

/** [AMQP 0-9-1 basic.get] */
export function get(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicGet(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  const name = broker.sharding.nameToRead(vhost, queueName(channel, args.queue));
  broker.topology.check(actor, vhost, 'read', 'queue', name);
  const queue = broker.topology.queue(vhost, name, actor);
  if (!queue.type.capabilities.hasGet)
    throw notImplemented(`basic.get not supported by stream queues ${queueTerm(queue.name, queue.vhostName)}`);
  queue.catchUp();
  const goOn = (): void => channel.replyOn();
  // Behind answers that wait, what is got would have a delivery tag before those of messages that go out first.
  if (!channel.hasWaitingReplies && queue.fetchHead(goOn)) {
    answerGet(channel, queue, args.noAck);
    return;
  }
  // The message was put away to disk, perhaps: what is asked behind it is answered behind it.
  channel.replyLate(() => {
    if (!channel.isOpen) {
      channel.connection.send(encodeBasicGetEmpty(channel.number));
      return true;
    }
    if (!queue.isDeleted && !queue.fetchHead(goOn)) return false;
    answerGet(channel, queue, args.noAck);
    return true;
  });
}

/** Takes a message out and answers with it. */
function answerGet(channel: Channel, queue: Queue, noAck: boolean): void {
  const { connection } = channel;
  const { broker } = connection;
  const entry = new Entry();
  if (!queue.take(entry, noAck)) {
    channel.counters.gotEmpty++;
    connection.send(encodeBasicGetEmpty(channel.number));
    return;
  }
  const tag = ++channel.lastDeliveryTag;
  if (noAck) channel.counters.gotNoAck++;
  else channel.counters.got++;
  connection.answers(entry.bytes);
  connection.vhost.tracer?.delivered(channel.identity(), queue, entry, noAck);
  writeGetOk(connection.outbox, broker, channel.number, tag, queue, entry, connection.bodyFrameMax);
  connection.wrote();
  if (noAck) {
    queue.release(entry);
    return;
  }
  const getter = getterFor(channel, queue);
  getter.took();
  channel.unacked.push(tag, getter, entry, broker.clock.nowMillis);
}

/** Queues that were got from and have nothing unacknowledged are forgotten when a channel has so many of them. */
const idleGettersMax = 64;

/** What is got counts for no consumer's prefetch, but is settled like a delivery. */
function getterFor(channel: Channel, queue: Queue): Consumer {
  const getters = (channel.getters ??= new Map());
  let getter = getters.get(queue);
  if (getter === undefined) {
    if (getters.size >= idleGettersMax) {
      for (const [key, idle] of getters) if (idle.unackedCount === 0) getters.delete(key);
    }
    getter = new Consumer(queue, channel, channel.getterPrefetch, {
      tag: '',
      noAck: false,
      isExclusive: false,
      priority: 0,
      prefetchCount: 0,
      arguments: new Map(),
    });
    getter.isCancelled = true;
    getters.set(queue, getter);
  }
  return getter;
}

export function ack(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicAck(buffer, start, end);
  channel.settling.settle(args.deliveryTag, args.multiple, 'accepted');
}

/** [RabbitMQ docs: negative acknowledgement] */
export function nack(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicNack(buffer, start, end);
  channel.settling.settle(args.deliveryTag, args.multiple, args.requeue ? 'returned' : 'rejected');
}

export function reject(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicReject(buffer, start, end);
  channel.settling.settle(args.deliveryTag, false, args.requeue ? 'returned' : 'rejected');
}

/** [AMQP 0-9-1 basic.recover] RabbitMQ recovers by requeueing only. */
export function recover(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeBasicRecover(buffer, start, end);
  recoverAll(channel, args.requeue);
  const answer = encodeBasicRecoverOk(channel.number);
  if (channel.settling.isUnderWay) channel.replyWhenSettled(answer);
  else channel.reply(answer);
}

export function recoverAsync(channel: Channel, buffer: Buffer, start: number, end: number): void {
  recoverAll(channel, decodeBasicRecoverAsync(buffer, start, end).requeue);
}

function recoverAll(channel: Channel, requeue: boolean): void {
  if (!requeue) throw notImplemented('requeue=false');
  channel.settling.assertRejectable(0, true);
  channel.settling.recover();
}
