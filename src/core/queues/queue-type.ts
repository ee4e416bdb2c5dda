import type { FieldTable } from '../../base/field-table.ts';
import type { PolicyKind } from '../policies/policy-keys.ts';
import type { QueueContext } from './queue-context.ts';
import type { Queue, QueueDeclaration } from './queue.ts';
import type { QueueSettings } from './queue-settings.ts';

/** What a type can do, for code that serves them all. */
export interface QueueCapabilities {
  readonly isExclusiveAllowed: boolean;
  readonly isTransientAllowed: boolean;
  readonly hasGet: boolean;
  readonly hasPurge: boolean;
  readonly hasGlobalPrefetch: boolean;
  readonly hasAutoAck: boolean;
}

/** A queue type: `x-queue-type`. One object per type, listed in the registry. */
export interface QueueType {
  readonly name: string;
  /** As RabbitMQ calls it in error texts, e.g. rabbit_classic_queue. */
  readonly internalName: string;
  readonly capabilities: QueueCapabilities;
  /** What policies count its queues as. */
  readonly policyKind: PolicyKind;
  /** @throws BrokerError PRECONDITION_FAILED with RabbitMQ's text when an argument or property does not fit. */
  check(vhostName: string, declaration: QueueDeclaration): void;
  /** Settings from a queue's arguments, or from what its arguments and the policies amount to: see effective-policy.ts. */
  settings(args: FieldTable): QueueSettings;
  create(vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext): Queue;
}
