import type { MessageRef } from './messages/message-ref.ts';
import type { Entry } from './queues/entry.ts';
import type { Queue } from './queues/queue.ts';

/** In the order of their numbers in the log, from 1 on: never changed, only added to. */
export const deathReasons = ['rejected', 'expired', 'maxlen', 'delivery_limit'] as const;

/** Why a message is dead-lettered, in the words of x-death. [RabbitMQ docs: dead letter exchanges] */
export type DeathReason = (typeof deathReasons)[number];

/** A message on its way from the queue that it died in. It owns the message. */
export class DeadLetter {
  readonly queue: Queue;
  ref: MessageRef;
  meta: number;
  readonly bytes: number;
  readonly sequence: number;
  readonly expiryMillis: number;
  readonly reason: DeathReason;
  /** Whether it counts among those its queue keeps until all targets have taken it. */
  readonly isCounted: boolean;
  /** Numbers of the queues that have taken it already; null for none. */
  takenBy: Set<number> | null = null;

  constructor(queue: Queue, entry: Readonly<Entry>, reason: DeathReason, isCounted = false) {
    this.queue = queue;
    this.ref = entry.ref;
    this.meta = entry.meta;
    this.bytes = entry.bytes;
    this.sequence = entry.sequence;
    this.expiryMillis = entry.expiryMillis;
    this.reason = reason;
    this.isCounted = isCounted;
  }
}
