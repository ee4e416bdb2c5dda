// hot path: see docs/STYLE.md
import { notImplemented, preconditionFailed } from '../../core/broker-error.ts';
import type { Consumer } from '../../core/consumer.ts';
import { Entry } from '../../core/queues/entry.ts';
import type { Outcome, Queue } from '../../core/queues/queue.ts';
import { queueTerm } from '../../core/resource-name.ts';
import type { Channel } from './channel.ts';
import { SettlingSteps } from './settling-steps.ts';

/** More deliveries than this are settled in steps. */
export const settledAtOnceMax = 10_000;

/** Takes what a channel's client says of its deliveries: accepted, rejected or returned. [AMQP 0-9-1 basic.ack, basic.reject, basic.recover] */
export class Settling {
  readonly #channel: Channel;
  /** Where a settled delivery is put for a moment. */
  #entry: Entry | null = null;
  /** Made with the first settlement of very many deliveries. */
  #steps: SettlingSteps | null = null;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /**
   * Settles one delivery, or with `multiple` all up to it; tag 0 with `multiple` means all there are.
   * @throws BrokerError PRECONDITION_FAILED for a tag that waits for no settlement. [AMQP 0-9-1 basic.ack]
   */
  settle(tag: number, multiple: boolean, outcome: Outcome): void {
    const { unacked } = this.#channel;
    if (outcome !== 'accepted') this.assertRejectable(tag, multiple);
    const { transaction } = this.#channel;
    if (transaction !== null) {
      if ((tag !== 0 || !multiple) && !unacked.has(tag)) throw preconditionFailed(`unknown delivery tag ${tag}`);
      transaction.addSettlements(tag === 0 ? this.#channel.lastDeliveryTag : tag, multiple, outcome);
      return;
    }
    if (!multiple) {
      const entry = (this.#entry ??= new Entry());
      const consumer = unacked.take(tag, entry);
      if (consumer === null) throw preconditionFailed(`unknown delivery tag ${tag}`);
      this.taken(consumer, entry, outcome);
      this.gaveBack(consumer, 1);
      return;
    }
    if (tag !== 0 && !unacked.has(tag)) throw preconditionFailed(`unknown delivery tag ${tag}`);
    this.through(tag === 0 ? this.#channel.lastDeliveryTag : tag, outcome);
    if (this.isUnderWay) this.#readOnWhenSettled();
  }

  /** Whether very many deliveries are being settled. */
  get isUnderWay(): boolean {
    return this.#steps !== null && this.#steps.isUnderWay;
  }

  /** Calls back when none are. */
  whenDone(then: () => void): void {
    if (this.#steps === null) then();
    else this.#steps.whenDone(then);
  }

  /** What the client has sent behind a settlement is acted on behind it. */
  #readOnWhenSettled(): void {
    const { intake } = this.#channel.connection;
    intake.holdForSettling();
    this.whenDone(() => intake.releaseAfterSettling());
  }

  /** @throws BrokerError NOT_IMPLEMENTED when one of these deliveries is of a queue that takes nothing back. Tag 0 means all there are. */
  assertRejectable(tag: number, multiple: boolean): void {
    if (!multiple) {
      const consumer = this.#channel.unacked.consumerOf(tag);
      if (consumer !== null) assertHasReject(consumer.queue);
      return;
    }
    let isSuspect = false;
    for (const { queue } of this.#channel.consumers.values()) isSuspect ||= !queue.type.capabilities.hasReject;
    if (!isSuspect) return;
    this.#channel.unacked.forEach((own, consumer) => {
      if (tag === 0 || own <= tag) assertHasReject(consumer.queue);
    });
  }

  /** Settles all deliveries up to one, in steps when they are very many. */
  through(last: number, outcome: Outcome): void {
    const { unacked } = this.#channel;
    if (unacked.count === 0) return;
    if (!this.isUnderWay && Math.min(unacked.count, last - unacked.firstTag) < settledAtOnceMax) {
      this.some(last, outcome, unacked.count);
      return;
    }
    this.#steps ??= new SettlingSteps(this.#channel);
    this.#steps.add(last, outcome);
  }

  /** Settles the first deliveries, up to one and not more than `countMax`; returns whether those up to that one are settled. */
  some(last: number, outcome: Outcome, countMax: number): boolean {
    const { unacked } = this.#channel;
    const entry = (this.#entry ??= new Entry());
    let owner: Consumer | null = null;
    let count = 0;
    let left = countMax;
    let tag = unacked.firstTag;
    for (; tag !== 0 && tag <= last && left > 0; tag = unacked.firstTag, left--) {
      const consumer = unacked.take(tag, entry) as Consumer;
      if (consumer !== owner) {
        if (owner !== null) this.gaveBack(owner, count);
        owner = consumer;
        count = 0;
      }
      count++;
      this.taken(consumer, entry, outcome);
    }
    if (owner !== null) this.gaveBack(owner, count);
    return tag === 0 || tag > last;
  }

  /** Counts settlements of a consumer's deliveries. A channel that had as many as it may have has room for all its consumers again. */
  gaveBack(consumer: Consumer, count: number): void {
    consumer.gaveBack(count);
    if (this.#channel.unacked.count + count >= this.#channel.connection.broker.settings.unackedPerChannelMax) this.#channel.shareRoom();
  }

  /** Settles a delivery that was taken out of `unacked`. */
  taken(consumer: Consumer, entry: Entry, outcome: Outcome): void {
    if (outcome === 'accepted') this.#channel.counters.acked++;
    const { tracer } = this.#channel.connection.vhost;
    if (tracer !== null) tracer.settled(consumer.queue, entry, outcome);
    consumer.queue.settle(entry, outcome);
  }

  /** Requeues everything that waits for an acknowledgement, at once also in a transaction. [AMQP 0-9-1 basic.recover] */
  recover(): void {
    this.through(this.#channel.lastDeliveryTag, 'returned');
    if (this.isUnderWay) this.#readOnWhenSettled();
  }
}

function assertHasReject(queue: Queue): void {
  if (queue.type.capabilities.hasReject) return;
  throw notImplemented(`basic.nack and basic.reject not supported by stream queues ${queueTerm(queue.name, queue.vhostName)}`);
}
