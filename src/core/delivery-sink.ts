import type { ChannelIdentity } from './connection-registry.ts';
import type { Consumer } from './consumer.ts';
import type { Entry } from './queues/entry.ts';

/** Why a queue ended a subscription on its own. */
export type CancelReason = 'queue-deleted' | 'consumer-timeout';

/** The receiving side of a subscription: a channel, an MQTT session ... Called by the pump; nothing here may wait. */
export interface DeliverySink {
  /** False while the client's outbox is full; the sink calls `Consumer.refresh` when that ends. */
  readonly canTake: boolean;
  /**
   * Writes one message to the outbox. For a consumer with acknowledgements the sink keeps what it needs of `entry` and settles it later
   * through `consumer.queue.settle`; otherwise the queue lets go of the message as soon as this returns. `entry` must not be kept.
   */
  deliver(consumer: Consumer, entry: Entry): void;
  /** The queue ended the subscription. No delivery follows. */
  cancelled(consumer: Consumer, reason: CancelReason): void;
  /** Who receives, for lists of consumers; a sink of the broker's own need not say. */
  identity?(): ChannelIdentity;
}
