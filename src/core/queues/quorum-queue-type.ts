import type { FieldTable } from '../../base/field-table.ts';
import { MessageQueue } from './message-queue.ts';
import { type MessageQueueOptions, messageQueueOptions, type MessageQueueType } from './message-queue-type.ts';
import { checkArguments, settingsFromArguments } from './queue-arguments.ts';
import type { QueueContext } from './queue-context.ts';
import type { QueueSettings } from './queue-settings.ts';
import type { Queue, QueueDeclaration } from './queue.ts';
import { QuorumLists } from './quorum-lists.ts';

/** Returns after which a message is dead-lettered where nothing is said. [RabbitMQ 4.0: delivery-limit] */
const deliveryLimitDefault = 20;

/** Arguments that only other types have. */
const unsupported: ReadonlySet<string> = new Set([
  'x-max-priority',
  'x-queue-mode',
  'x-queue-version',
  'x-queue-master-locator',
  'x-max-age',
  'x-stream-max-segment-size-bytes',
  'x-stream-filter-size-bytes',
  'x-initial-cluster-size',
]);

/** What is special about the messages of quorum queues: all are kept, and how often they came back is counted for good. */
export const quorumQueueType: MessageQueueType = {
  name: 'quorum',
  internalName: 'rabbit_quorum_queue',
  policyKind: 'quorum_queues',
  capabilities: {
    isExclusiveAllowed: false,
    isTransientAllowed: false,
    isAutoDeleteAllowed: false,
    isServerNamedAllowed: false,
    hasGet: true,
    hasPurge: true,
    hasGlobalPrefetch: false,
    hasAutoAck: true,
    hasExclusiveConsumers: false,
    hasPriorityTakeover: true,
    hasDeleteConditions: false,
    keepsTransient: true,
    countsDeliveries: true,
    hasMembers: true,
    hasReject: true,
  },

  check(vhostName: string, declaration: QueueDeclaration): void {
    checkArguments(vhostName, declaration.name, declaration.arguments, unsupported, this.internalName);
  },

  settings(args: FieldTable): QueueSettings {
    const settings = settingsFromArguments(args);
    const isAtLeastOnce = settings.deadLetterStrategy === 'at-least-once' && settings.overflow === 'reject-publish';
    return {
      ...settings,
      deliveryLimit: args.has('x-delivery-limit') ? settings.deliveryLimit : deliveryLimitDefault,
      // The third way of handling overflow is for classic queues. [RabbitMQ: rabbit_quorum_queue, overflow]
      overflow: settings.overflow === 'reject-publish-dlx' ? 'drop-head' : settings.overflow,
      // What is dropped at the head cannot be kept until its target has taken it. [RabbitMQ docs: at-least-once dead lettering]
      deadLetterStrategy: isAtLeastOnce ? 'at-least-once' : 'at-most-once',
    };
  },

  options(args: FieldTable, context: QueueContext): MessageQueueOptions {
    return messageQueueOptions(args, context, () => new QuorumLists(context.indexPager));
  },

  create(vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext): Queue {
    const args = declaration.arguments;
    return new MessageQueue(this, vhostName, id, declaration, this.settings(args), this.options(args, context), context);
  },
};
