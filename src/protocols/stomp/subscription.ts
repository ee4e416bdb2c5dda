import type { ChannelIdentity } from '../../core/connection-registry.ts';
import { Consumer, type ConsumerOptions, SharedPrefetch } from '../../core/consumer.ts';
import type { CancelReason, DeliverySink } from '../../core/delivery-sink.ts';
import { deliveryCount, Entry, metaRedelivered } from '../../core/queues/entry.ts';
import type { Outcome, Queue } from '../../core/queues/queue.ts';
import { UnackedRing } from '../../core/unacked-ring.ts';
import type { Header } from '../../wire/stomp/frame.ts';
import type { Destination } from './destination.ts';
import { writeMessage } from './message-writer.ts';
import type { Session } from './session.ts';

export type AckMode = 'auto' | 'client' | 'client-individual';

export interface SubscriptionOptions extends ConsumerOptions {
  /** What the client calls it; null in STOMP 1.0, where the destination does. */
  readonly id: string | null;
  readonly destination: Destination;
  readonly ackMode: AckMode;
  /** Delivery tags begin behind this one. */
  readonly lastDeliveryTag: number;
}

/**
 * One subscription: its consumer, and the deliveries of it that wait for an ACK, which may outlive it. Message ids are RabbitMQ's:
 * `T_id@@session@@delivery tag`.
 */
export class Subscription implements DeliverySink {
  readonly consumer: Consumer;
  readonly id: string | null;
  readonly destination: Destination;
  readonly ackMode: AckMode;
  readonly unacked = new UnackedRing();
  readonly #session: Session;
  #lastDeliveryTag: number;
  #entry: Entry | null = null;

  constructor(session: Session, queue: Queue, options: SubscriptionOptions) {
    this.#session = session;
    this.id = options.id;
    this.destination = options.destination;
    this.ackMode = options.ackMode;
    this.#lastDeliveryTag = options.lastDeliveryTag;
    this.consumer = new Consumer(queue, this, new SharedPrefetch(), options);
    session.broker.holdsRefs(this.unacked);
  }

  /** RabbitMQ's consumer tag: `T_` and the id, or `Q_` and the destination. */
  get tag(): string {
    return this.consumer.tag;
  }

  get lastDeliveryTag(): number {
    return this.#lastDeliveryTag;
  }

  get canTake(): boolean {
    return this.#session.canTake;
  }

  deliver(consumer: Consumer, entry: Entry): void {
    const session = this.#session;
    const { connection, counters, broker } = session;
    const tag = ++this.#lastDeliveryTag;
    const traffic = session.traffic.of(consumer.queue.type);
    if (consumer.noAck) {
      counters.deliveredNoAck++;
      traffic.deliveredNoAck++;
    } else {
      counters.delivered++;
      traffic.delivered++;
      session.unackedCount++;
      this.unacked.push(tag, consumer, entry, broker.clock.nowMillis);
    }
    const isRedelivered = (entry.meta & metaRedelivered) !== 0;
    if (isRedelivered) {
      counters.redelivered++;
      traffic.redelivered++;
    }
    connection.vhost.tracer?.delivered(session.identity(), consumer.queue, entry, consumer.noAck);
    const messageId = `${consumer.tag}@@${session.id}@@${tag}`;
    const headers: Header[] = this.id === null ? [] : [['subscription', this.id]];
    headers.push(['message-id', messageId], ['redelivered', String(isRedelivered)]);
    if (!consumer.noAck && connection.version === '1.2') headers.push(['ack', messageId]);
    const count = deliveryCount(entry.meta);
    if (count !== 0 && consumer.queue.countsDeliveries) headers.push(['x-delivery-count', String(count)]);
    writeMessage(connection.outbox, broker, entry.ref, headers);
    connection.wrote();
  }

  cancelled(_consumer: Consumer, _reason: CancelReason): void {
    this.#session.cancelled(this);
  }

  identity(): ChannelIdentity {
    return this.#session.identity();
  }

  /** Settles a delivery that waits; in mode `client` all up to it. */
  settle(tag: number, outcome: Outcome): void {
    let count = 0;
    if (this.ackMode === 'client') {
      for (let first = this.unacked.firstTag; first !== 0 && first <= tag; first = this.unacked.firstTag) {
        this.#settleOne(first, outcome);
        count++;
      }
    } else {
      this.#settleOne(tag, outcome);
      count = 1;
    }
    this.#session.settled(count);
    this.consumer.gaveBack(count);
  }

  /** Gives everything back that waits for an ACK: nobody can acknowledge it any more. */
  requeueAll(): void {
    let count = 0;
    for (let tag = this.unacked.firstTag; tag !== 0; tag = this.unacked.firstTag) {
      this.#settleOne(tag, 'returned');
      count++;
    }
    this.#session.settled(count);
    this.consumer.gaveBack(count);
  }

  /** Nothing is kept of it any more. */
  forget(): void {
    this.#session.broker.dropsRefs(this.unacked);
  }

  #settleOne(tag: number, outcome: Outcome): void {
    const entry = (this.#entry ??= new Entry());
    this.unacked.take(tag, entry);
    if (outcome === 'accepted') {
      this.#session.counters.acked++;
      this.#session.traffic.of(this.consumer.queue.type).acked++;
    }
    this.#session.connection.vhost.tracer?.settled(this.consumer.queue, entry, outcome);
    this.consumer.queue.settle(entry, outcome);
  }
}
