import { preconditionFailed } from '../broker-error.ts';
import { isMessageQueueType } from '../queues/message-queue-type.ts';
import { MessageQueue } from '../queues/message-queue.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { Queue } from '../queues/queue.ts';
import { StreamQueue } from '../queues/stream/stream-queue.ts';
import { queueTerm } from '../resource-name.ts';
import { CopyFromStream } from './copy-from-stream.ts';
import { CopyToStream } from './copy-to-stream.ts';
import type { Succession, SuccessionHome } from './succession.ts';

/**
 * How a queue of another type is filled from this one, to take its place; null when that cannot be.
 * @throws BrokerError PRECONDITION_FAILED
 */
export function successionOf(
  source: Queue,
  type: QueueType,
): ((successor: Queue, context: QueueContext, home: SuccessionHome) => Succession | null) | null {
  if (source instanceof MessageQueue && !isMessageQueueType(type)) {
    if (source.dyingCount > 0)
      throw preconditionFailed(
        `cannot change ${queueTerm(source.name, source.vhostName)}: it has dead letters that not all their targets have taken`,
      );
    return (successor, context, home) => (successor instanceof StreamQueue ? new CopyToStream(source, successor, context, home) : null);
  }
  if (source instanceof StreamQueue && isMessageQueueType(type))
    return (successor, context, home) => (successor instanceof MessageQueue ? new CopyFromStream(source, successor, context, home) : null);
  return null;
}
