import type { AccessControl } from '../access/access-control.ts';
import type { ExchangeType, Target } from '../exchanges/exchange-type.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { BrokerSettings } from '../settings.ts';
import type { Vhost } from '../vhost.ts';

/** What declaring, binding and deleting need of the broker. */
export interface TopologyDeps {
  readonly access: AccessControl;
  readonly exchangeTypes: ReadonlyMap<string, ExchangeType>;
  readonly queueTypes: ReadonlyMap<string, QueueType>;
  readonly queueContext: QueueContext;
  readonly settings: BrokerSettings;
  nextQueueId(): number;
  /** Queues and bindings in all virtual hosts. */
  queueCount(): number;
  bindingCount(): number;
  /** Whether nothing more may be declared. */
  isHeapFull(): boolean;
  /** Called after a queue or exchange was made, before anyone uses it: policies give it their settings. */
  applyPolicies(vhost: Vhost, target: Target): void;
  /** Called when an exchange is there for all. */
  exchangeAdded(vhost: Vhost, exchange: Exchange): void;
}
