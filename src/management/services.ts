import type { BrokerCore } from '../core/broker.ts';
import type { Logger } from '../core/ports/logger.ts';
import type { Statistics } from '../core/statistics/statistics.ts';
import type { AuditLog } from './audit-log.ts';
import type { Findings } from './findings/findings.ts';
import type { EventStreams } from './http/handlers/events.ts';
import type { Login } from './http/login.ts';
import type { ListenerInfo } from './listener-info.ts';
import type { NodeControl } from './node-control.ts';
import type { NodeProbe } from './node-probe.ts';
import type { ManagementSettings } from './settings.ts';

/** What handlers work with. */
export interface Services {
  readonly events: EventStreams;
  readonly findings: Findings;
  readonly core: BrokerCore;
  readonly settings: ManagementSettings;
  readonly statistics: Statistics;
  readonly node: NodeProbe;
  /** Null where nobody lets the node be controlled. */
  readonly control: NodeControl | null;
  readonly login: Login;
  readonly audit: AuditLog;
  readonly logger: Logger;
  /** Everything the broker listens on at this moment, the management's own among it. */
  listeners(): readonly ListenerInfo[];
}
