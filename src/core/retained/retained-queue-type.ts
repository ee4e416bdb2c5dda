import type { FieldTable } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import { defaultQueueSettings, type QueueSettings } from '../queues/queue-settings.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { Queue, QueueDeclaration } from '../queues/queue.ts';
import { queueTerm } from '../resource-name.ts';
import { RetainedQueue } from './retained-queue.ts';

/** The one queue of this type that a virtual host may have. */
export const retainedQueueName = 'amq.mqtt.retained';

/** Keeps the last message of each routing key, for protocols that have retained messages. The broker declares it; nobody else does. */
export const retainedQueueType: QueueType = {
  name: 'retained',
  internalName: 'warren_retained_queue',
  policyKind: 'classic_queues',
  capabilities: {
    isExclusiveAllowed: false,
    isTransientAllowed: false,
    isAutoDeleteAllowed: false,
    isServerNamedAllowed: false,
    hasGet: false,
    hasPurge: true,
    hasGlobalPrefetch: false,
    hasAutoAck: false,
    hasExclusiveConsumers: false,
    hasPriorityTakeover: false,
    hasDeleteConditions: false,
    keepsTransient: true,
    countsDeliveries: false,
    hasMembers: false,
    hasReject: true,
  },

  check(vhostName: string, declaration: QueueDeclaration): void {
    if (declaration.name === retainedQueueName) return;
    throw preconditionFailed(
      `invalid arg 'x-queue-type' for ${queueTerm(declaration.name, vhostName)}: "unsupported queue type '${this.name}'"`,
    );
  },

  settings(_args: FieldTable): QueueSettings {
    return defaultQueueSettings;
  },

  create(vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext): Queue {
    return new RetainedQueue(this, vhostName, id, declaration, context);
  },
};
