// hot path: see docs/STYLE.md
import type { FieldTable } from '../base/field-table.ts';
import type { DeliverySink } from './delivery-sink.ts';
import type { Queue } from './queues/queue.ts';

const nothing = (): void => {};

/** A limit on unacknowledged messages that several consumers share: basic.qos with global = true. 0 means no limit. */
export class SharedPrefetch {
  limit = 0;
  unackedCount = 0;
  /** Called when there is room again below the limit. */
  onRoom: () => void = nothing;

  get isExhausted(): boolean {
    return this.limit !== 0 && this.unackedCount >= this.limit;
  }
}

/** How a client asks for a subscription. */
export interface ConsumerOptions {
  readonly tag: string;
  readonly noAck: boolean;
  readonly isExclusive: boolean;
  /** Higher goes first while it has credit. [RabbitMQ docs: consumer priorities] */
  readonly priority: number;
  /** Unacknowledged messages this consumer may have; 0 means no limit. */
  readonly prefetchCount: number;
  readonly arguments: FieldTable;
  /** How long a delivery may wait for its acknowledgement, in milliseconds; left out, or not above 0: as its queue says. */
  readonly ackTimeoutMillis?: number;
}

/**
 * A subscription to a queue. It is in its queue's rota while it has credit: prefetch left, room in the outbox, flow not stopped.
 */
export class Consumer {
  readonly queue: Queue;
  readonly sink: DeliverySink;
  readonly shared: SharedPrefetch;
  readonly tag: string;
  readonly noAck: boolean;
  readonly isExclusive: boolean;
  readonly priority: number;
  readonly prefetchCount: number;
  readonly arguments: FieldTable;
  readonly ackTimeoutMillis: number;
  unackedCount = 0;
  /** False for the waiting consumers of a queue with a single active one. */
  isActive = true;
  isCancelled = false;
  /** Links of the rota; `isInRota` tells whether they mean anything. */
  isInRota = false;
  next: Consumer | null = null;
  previous: Consumer | null = null;
  /** Deliver frames' unchanging first bytes; made by the protocol at the first delivery. */
  template: Buffer | null = null;

  constructor(queue: Queue, sink: DeliverySink, shared: SharedPrefetch, options: ConsumerOptions) {
    this.queue = queue;
    this.sink = sink;
    this.shared = shared;
    this.tag = options.tag;
    this.noAck = options.noAck;
    this.isExclusive = options.isExclusive;
    this.priority = options.priority;
    this.prefetchCount = options.prefetchCount;
    this.arguments = options.arguments;
    this.ackTimeoutMillis = options.ackTimeoutMillis ?? 0;
  }

  get hasCredit(): boolean {
    if (!this.isActive || this.isCancelled || !this.sink.canTake) return false;
    // A shared limit that is used up holds everybody up, also those whose deliveries do not count for it. [RabbitMQ: rabbit_limiter]
    if (this.shared.isExhausted) return false;
    return this.noAck || this.prefetchCount === 0 || this.unackedCount < this.prefetchCount;
  }

  /** Counts a delivery that waits for an acknowledgement. */
  took(): void {
    this.unackedCount++;
    this.shared.unackedCount++;
  }

  /** Counts a settlement; the consumer gets back into its queue's rota when this gave it credit. */
  gaveBack(count: number): void {
    this.unackedCount -= count;
    const { shared } = this;
    shared.unackedCount -= count;
    // Others wait for the same room, and are not to come after this one each time.
    if (shared.limit !== 0 && shared.unackedCount < shared.limit && shared.unackedCount + count >= shared.limit) shared.onRoom();
    else if (!this.isInRota && this.hasCredit) this.queue.consumerReady(this);
    if (!this.isActive && this.unackedCount === 0) this.queue.consumerDrained(this);
  }

  /** To be called when something outside changed that credit depends on: outbox room, flow, the shared prefetch. */
  refresh(): void {
    if (!this.isInRota && this.hasCredit) this.queue.consumerReady(this);
  }
}
