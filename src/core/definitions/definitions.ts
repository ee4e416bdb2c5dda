// What a definitions file says, checked and in the broker's own terms. [RabbitMQ docs: definitions]
import type { FieldTable, Json } from '../../base/field-table.ts';
import type { Permission } from '../access/permissions.ts';
import type { TopicPermission } from '../access/topic-permissions.ts';
import type { User } from '../access/user.ts';

export interface VhostDefinition {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** Queue type of declarations that name none; null: the node's default. */
  readonly defaultQueueType: string | null;
  readonly isTracing: boolean;
  readonly isProtectedFromDeletion: boolean;
}

/** -1 means no limit. */
export interface VhostLimitsDefinition {
  readonly vhost: string;
  readonly connectionsMax: number;
  readonly queuesMax: number;
}

export interface ParameterDefinition {
  readonly vhost: string;
  readonly component: string;
  readonly name: string;
  readonly value: Json;
}

export interface GlobalParameterDefinition {
  readonly name: string;
  readonly value: Json;
}

export type PolicyTarget = 'all' | 'exchanges' | 'queues' | 'classic_queues' | 'quorum_queues' | 'streams';

export interface PolicyDefinition {
  readonly vhost: string;
  readonly name: string;
  readonly pattern: string;
  readonly applyTo: PolicyTarget;
  readonly definition: Readonly<Record<string, Json>>;
  readonly priority: number;
}

export interface QueueDefinition {
  readonly vhost: string;
  readonly name: string;
  /** null: what the arguments or the vhost's default say. */
  readonly type: string | null;
  readonly isDurable: boolean;
  readonly isAutoDelete: boolean;
  readonly arguments: FieldTable;
}

export interface ExchangeDefinition {
  readonly vhost: string;
  readonly name: string;
  readonly type: string;
  readonly isDurable: boolean;
  readonly isAutoDelete: boolean;
  readonly isInternal: boolean;
  readonly arguments: FieldTable;
}

export interface BindingDefinition {
  readonly vhost: string;
  readonly source: string;
  readonly destinationKind: 'queue' | 'exchange';
  readonly destination: string;
  readonly key: string;
  readonly arguments: FieldTable;
}

export interface Definitions {
  /** Version of the broker that wrote the file, as far as the file says. */
  readonly version: string | null;
  readonly users: readonly User[];
  readonly vhosts: readonly VhostDefinition[];
  readonly vhostLimits: readonly VhostLimitsDefinition[];
  readonly permissions: readonly Permission[];
  readonly topicPermissions: readonly TopicPermission[];
  /** Without policies, operator policies and vhost limits, which files also keep as parameters. */
  readonly parameters: readonly ParameterDefinition[];
  readonly globalParameters: readonly GlobalParameterDefinition[];
  readonly policies: readonly PolicyDefinition[];
  readonly operatorPolicies: readonly PolicyDefinition[];
  readonly queues: readonly QueueDefinition[];
  readonly exchanges: readonly ExchangeDefinition[];
  readonly bindings: readonly BindingDefinition[];
  /** What was ignored or replaced; for the log. */
  readonly warnings: readonly string[];
}

/** One thing to apply. */
export type DefinitionStep =
  | { readonly kind: 'user'; readonly value: User }
  | { readonly kind: 'vhost'; readonly value: VhostDefinition }
  | { readonly kind: 'vhost-limits'; readonly value: VhostLimitsDefinition }
  | { readonly kind: 'permission'; readonly value: Permission }
  | { readonly kind: 'topic-permission'; readonly value: TopicPermission }
  | { readonly kind: 'exchange'; readonly value: ExchangeDefinition }
  | { readonly kind: 'global-parameter'; readonly value: GlobalParameterDefinition }
  | { readonly kind: 'policy' | 'operator-policy'; readonly value: PolicyDefinition }
  | { readonly kind: 'parameter'; readonly value: ParameterDefinition }
  | { readonly kind: 'queue'; readonly value: QueueDefinition }
  | { readonly kind: 'binding'; readonly value: BindingDefinition };

/** The definitions in an order in which each needs only what came before it. [RabbitMQ: apply_defs] */
export function* definitionsInOrder(definitions: Definitions): Generator<DefinitionStep, void, undefined> {
  for (const value of definitions.users) yield { kind: 'user', value };
  for (const value of definitions.vhosts) yield { kind: 'vhost', value };
  for (const value of definitions.permissions) yield { kind: 'permission', value };
  for (const value of definitions.topicPermissions) yield { kind: 'topic-permission', value };
  for (const value of definitions.exchanges) yield { kind: 'exchange', value };
  for (const value of definitions.globalParameters) yield { kind: 'global-parameter', value };
  for (const value of definitions.policies) yield { kind: 'policy', value };
  for (const value of definitions.operatorPolicies) yield { kind: 'operator-policy', value };
  for (const value of definitions.parameters) yield { kind: 'parameter', value };
  for (const value of definitions.queues) yield { kind: 'queue', value };
  for (const value of definitions.bindings) yield { kind: 'binding', value };
  // Limits come after the queues of the same file, which they must not refuse.
  for (const value of definitions.vhostLimits) yield { kind: 'vhost-limits', value };
}
