import type { FieldTable } from '../../base/field-table.ts';
import { MessageQueue } from './message-queue.ts';
import { type MessageQueueOptions, messageQueueOptions, type MessageQueueType } from './message-queue-type.ts';
import { PlainLists } from './plain-lists.ts';
import { PriorityLists } from './priority-lists.ts';
import { checkArguments, integerArgument, settingsFromArguments } from './queue-arguments.ts';
import type { QueueContext } from './queue-context.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { Queue, QueueDeclaration } from './queue.ts';

/** Arguments that only other types have. */
const unsupported: ReadonlySet<string> = new Set([
  'x-dead-letter-strategy',
  'x-max-in-memory-length',
  'x-max-in-memory-bytes',
  'x-quorum-initial-group-size',
  'x-quorum-target-group-size',
  'x-max-age',
  'x-stream-max-segment-size-bytes',
  'x-stream-filter-size-bytes',
  'x-initial-cluster-size',
]);

/** x-queue-type: classic, and what a queue is when nothing is said. */
export const classicQueueType: MessageQueueType = {
  name: 'classic',
  internalName: 'rabbit_classic_queue',
  policyKind: 'classic_queues',
  capabilities: {
    isExclusiveAllowed: true,
    isTransientAllowed: true,
    isAutoDeleteAllowed: true,
    isServerNamedAllowed: true,
    hasGet: true,
    hasPurge: true,
    hasGlobalPrefetch: true,
    hasAutoAck: true,
    hasExclusiveConsumers: true,
    hasPriorityTakeover: false,
    hasDeleteConditions: true,
    keepsTransient: false,
    countsDeliveries: false,
    hasMembers: false,
    hasReject: true,
  },

  check(vhostName: string, declaration: QueueDeclaration): void {
    checkArguments(vhostName, declaration.name, declaration.arguments, unsupported, this.internalName);
  },

  settings(args: FieldTable): QueueSettings {
    return settingsFromArguments(args);
  },

  options(args: FieldTable, context: QueueContext): MessageQueueOptions {
    const priorityMax = integerArgument(args, 'x-max-priority', 0);
    return messageQueueOptions(args, context, () =>
      priorityMax === 0 ? new PlainLists(context.indexPager) : new PriorityLists(priorityMax, context.indexPager),
    );
  },

  create(vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext): Queue {
    const args = declaration.arguments;
    return new MessageQueue(this, vhostName, id, declaration, this.settings(args), this.options(args, context), context);
  },
};
