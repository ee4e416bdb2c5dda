import { type Actor, actorName } from '../actor.ts';
import type { Queue } from '../queues/queue.ts';
import type { Vhost } from '../vhost.ts';
import type { ResourceAccess } from './resource-access.ts';
import type { TopologyDeps } from './topology-deps.ts';

/** Lets queues hand out nothing for a while. */
export class QueuePausing {
  readonly #deps: TopologyDeps;
  readonly #resources: ResourceAccess;

  constructor(deps: TopologyDeps, resources: ResourceAccess) {
    this.#deps = deps;
    this.#resources = resources;
  }

  /**
   * Pauses a queue, or lets it go on; one that is so already stays as it is. Publishing, settling, expiry and limits go on meanwhile.
   * @throws BrokerError NOT_FOUND, RESOURCE_LOCKED, ACCESS_REFUSED
   */
  set(vhost: Vhost, name: string, isPaused: boolean, actor: Actor): Queue {
    this.#resources.check(actor, vhost, 'configure', 'queue', name);
    const queue = this.#resources.queue(vhost, name, actor);
    if ((queue.paused !== null) === isPaused) return queue;
    const { clock } = this.#deps.queueContext;
    vhost.pauseQueue(queue, isPaused ? { sinceMillis: clock.wallMillis, by: actorName(actor) } : null);
    return queue;
  }
}
