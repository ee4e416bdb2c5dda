import type { FieldTable } from '../../../base/field-table.ts';
import { preconditionFailed } from '../../broker-error.ts';
import { wantsDeduplication } from '../../deduplication/deduplication-arguments.ts';
import { queueTerm } from '../../resource-name.ts';
import { allArgumentsBut, checkArguments, integerArgument, settingsFromArguments } from '../queue-arguments.ts';
import type { QueueContext } from '../queue-context.ts';
import type { QueueSettings } from '../queue-settings.ts';
import type { QueueType } from '../queue-type.ts';
import type { Queue, QueueDeclaration } from '../queue.ts';
import { StreamQueue } from './stream-queue.ts';

/** [RabbitMQ: MAX_STREAM_MAX_SEGMENT_SIZE] */
const segmentBytesMax = 3_000_000_000;

const unsupported = allArgumentsBut(
  'x-max-length-bytes',
  'x-max-age',
  'x-stream-max-segment-size-bytes',
  'x-stream-filter-size-bytes',
  'x-initial-cluster-size',
  'x-queue-leader-locator',
  'x-consumer-timeout',
);

/** x-queue-type: stream. Messages stay when they were read; everybody reads all of them. [RabbitMQ docs: streams] */
export const streamQueueType: QueueType = {
  name: 'stream',
  internalName: 'rabbit_stream_queue',
  policyKind: 'streams',
  capabilities: {
    isExclusiveAllowed: false,
    isTransientAllowed: false,
    isAutoDeleteAllowed: false,
    isServerNamedAllowed: false,
    hasGet: false,
    hasPurge: false,
    hasGlobalPrefetch: false,
    hasAutoAck: false,
    hasExclusiveConsumers: false,
    hasPriorityTakeover: false,
    hasDeleteConditions: true,
    keepsTransient: true,
    countsDeliveries: false,
    hasMembers: true,
    hasReject: false,
  },

  check(vhostName: string, declaration: QueueDeclaration): void {
    const args = declaration.arguments;
    checkArguments(vhostName, declaration.name, args, unsupported, this.internalName);
    if (integerArgument(args, 'x-stream-max-segment-size-bytes', 0) > segmentBytesMax)
      throw preconditionFailed('Exceeded max value for x-stream-max-segment-size-bytes');
    const filterBytes = integerArgument(args, 'x-stream-filter-size-bytes', 16);
    if (filterBytes < 16 || filterBytes > 255) throw preconditionFailed('Invalid value for  x-stream-filter-size-bytes');
    // Without a bound it would remember every value for ever.
    if (wantsDeduplication(args) && !args.has('x-cache-size') && !args.has('x-cache-ttl')) {
      const term = queueTerm(declaration.name, vhostName);
      throw preconditionFailed(`invalid arg 'x-message-deduplication' for ${term}: a stream needs x-cache-size or x-cache-ttl`);
    }
  },

  settings(args: FieldTable): QueueSettings {
    return settingsFromArguments(args);
  },

  create(vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext): Queue {
    return new StreamQueue(this, vhostName, id, declaration, settingsFromArguments(declaration.arguments), context);
  },
};
