import type { QueueType } from '../queues/queue-type.ts';
import { MessageSizes } from './message-sizes.ts';

/** What queues of one type gave to clients of one protocol. */
export class DeliveryCounters {
  delivered = 0;
  deliveredNoAck = 0;
  redelivered = 0;
  acked = 0;
}

/** What the clients of one protocol did since the broker started, those that are gone among them. */
export class ProtocolCounters {
  published = 0;
  confirmed = 0;
  droppedUnroutable = 0;
  authenticationsFailed = 0;
  authenticationsSucceeded = 0;
  readonly messageSizes = new MessageSizes();
  /** By the queue type's inner name. */
  readonly deliveries = new Map<string, DeliveryCounters>();

  of({ internalName }: QueueType): DeliveryCounters {
    let counters = this.deliveries.get(internalName);
    if (counters === undefined) this.deliveries.set(internalName, (counters = new DeliveryCounters()));
    return counters;
  }
}
