import { notAllowed, preconditionFailed } from '../broker-error.ts';
import type { Vhost } from '../vhost.ts';
import type { TopologyDeps } from './topology-deps.ts';

/** What is declared is kept in V8's heap, whose end is the end of the process. A virtual host that is deleted gets nothing more. @throws BrokerError */
export function assertRoom(deps: TopologyDeps, vhost: Vhost, what: string): void {
  if (vhost.isDeleted) throw notAllowed(`vhost ${vhost.name} not found`);
  if (deps.isHeapFull()) throw preconditionFailed(`${what}: the node is low on memory`);
}
