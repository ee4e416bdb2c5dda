import { randomBytes } from 'node:crypto';
import { equalBytes } from '../../base/bytes.ts';
import { preconditionFailed } from '../../core/broker-error.ts';
import { Consumer } from '../../core/consumer.ts';
import type { Publication } from '../../core/messages/publication.ts';
import { classicQueueType } from '../../core/queues/classic-queue-type.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { decodeProperties, encodeProperties } from '../../wire/amqp091/properties.ts';
import type { Channel } from './channel.ts';

/** The pseudo-queue of direct reply-to. [RabbitMQ docs: direct reply-to] */
export const replyToName = 'amq.rabbitmq.reply-to';

/**
 * Where replies to a channel go: a queue that nobody can list, guess or declare, with the channel's own consumer on it. Its name is what
 * `reply-to: amq.rabbitmq.reply-to` is replaced by.
 */
export class ReplyQueue {
  readonly name: string;
  readonly consumer: Consumer;
  readonly #channel: Channel;
  readonly #queue: Queue;

  constructor(channel: Channel, consumerTag: string) {
    const { broker, vhost } = channel.connection;
    this.#channel = channel;
    this.name = `${replyToName}.${randomBytes(18).toString('base64url')}`;
    const declaration = { name: this.name, isDurable: false, owner: channel.connection, isAutoDelete: false, arguments: new Map() };
    this.#queue = classicQueueType.create(vhost.name, 0, declaration, broker.queueContext);
    vhost.hiddenQueues.set(this.name, this.#queue);
    vhost.generation++;
    this.consumer = new Consumer(this.#queue, channel, channel.shared, {
      tag: consumerTag,
      noAck: true,
      isExclusive: false,
      priority: 0,
      prefetchCount: 0,
      arguments: new Map(),
    });
    this.#queue.attach(this.consumer);
  }

  close(): void {
    const { vhost } = this.#channel.connection;
    vhost.hiddenQueues.delete(this.name);
    vhost.generation++;
    this.#queue.detach(this.consumer);
    this.#queue.close();
    this.#channel.connection.broker.flow.forgetQueue(this.#queue);
  }
}

const replyToBytes = Buffer.from(replyToName);

/** Whether a reply-to property, a short string whose text is at `start`, names the pseudo-queue. */
export function isPseudoQueue(properties: Buffer, start: number, count: number): boolean {
  return count === replyToBytes.length && equalBytes(replyToBytes, 0, properties, start, count);
}

/**
 * Puts the channel's own reply queue in place of the pseudo-queue's name in a request's reply-to.
 * @throws BrokerError PRECONDITION_FAILED when the channel does not consume from the pseudo-queue.
 */
export function prepareReplyTo(channel: Channel, p: Publication): void {
  if (channel.replyQueue === null) throw preconditionFailed('fast reply consumer does not exist');
  const properties = decodeProperties(p.properties, p.propertiesStart, p.propertiesStart + p.propertiesBytes);
  p.properties = encodeProperties({ ...properties, replyTo: channel.replyQueue.name });
  p.propertiesStart = 0;
  p.propertiesBytes = p.properties.length;
}
