import type { FieldTable } from '../../base/field-table.ts';
import type { PolicyKind } from '../policies/policy-keys.ts';
import type { QueueContext } from './queue-context.ts';
import type { Queue, QueueDeclaration } from './queue.ts';
import type { QueueSettings } from './queue-settings.ts';

/** What a type can do, for code that serves them all. */
export interface QueueCapabilities {
  readonly isExclusiveAllowed: boolean;
  readonly isTransientAllowed: boolean;
  readonly isAutoDeleteAllowed: boolean;
  /** Whether the broker finds a name where none is given. */
  readonly isServerNamedAllowed: boolean;
  readonly hasGet: boolean;
  readonly hasPurge: boolean;
  readonly hasGlobalPrefetch: boolean;
  readonly hasAutoAck: boolean;
  /** Whether a consumer may ask to be the only one; others take no notice of the wish. */
  readonly hasExclusiveConsumers: boolean;
  /** Whether the single active consumer gives way to one of a higher priority. */
  readonly hasPriorityTakeover: boolean;
  /** Whether queue.delete may have conditions. */
  readonly hasDeleteConditions: boolean;
  /** Whether messages that are not persistent are recorded as well. */
  readonly keepsTransient: boolean;
  /** Whether it is recorded, and told in x-delivery-count, how often a message came back. */
  readonly countsDeliveries: boolean;
  /** Whether nodes are members of its queues; here the one that there is. */
  readonly hasMembers: boolean;
  /** Whether deliveries may be rejected and returned. */
  readonly hasReject: boolean;
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
