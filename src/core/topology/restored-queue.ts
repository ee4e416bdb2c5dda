import { preconditionFailed } from '../broker-error.ts';
import type { Queue, QueueDeclaration } from '../queues/queue.ts';
import type { Vhost } from '../vhost.ts';
import type { TopologyDeps } from './topology-deps.ts';

/** Recovery: makes a queue that was declared before, with its number, for the caller to add. @throws BrokerError PRECONDITION_FAILED */
export function restoredQueue(deps: TopologyDeps, vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
  const type = deps.queueTypes.get(typeName);
  if (type === undefined) throw preconditionFailed(`queue '${declaration.name}' has the unknown type '${typeName}'`);
  return type.create(vhost.name, id, declaration, deps.queueContext);
}
