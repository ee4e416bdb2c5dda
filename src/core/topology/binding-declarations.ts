import type { FieldTable } from '../../base/field-table.ts';
import { type Actor, actorName } from '../actor.ts';
import { notFound, preconditionFailed } from '../broker-error.ts';
import { bindingId } from '../exchanges/binding.ts';
import type { Target } from '../exchanges/exchange-type.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import { exchangeTerm, queueTerm } from '../resource-name.ts';
import type { Vhost } from '../vhost.ts';
import { assertNotDefault, lockedQueue, type ResourceAccess } from './resource-access.ts';
import { assertRoom } from './room.ts';
import type { TopologyDeps } from './topology-deps.ts';

/** Binds queues and exchanges, and takes bindings away. */
export class BindingDeclarations {
  readonly #deps: TopologyDeps;
  readonly #resources: ResourceAccess;

  constructor(deps: TopologyDeps, resources: ResourceAccess) {
    this.#deps = deps;
    this.#resources = resources;
  }

  /** Binds a queue or exchange to `source`. */
  bind(vhost: Vhost, source: string, kind: 'queue' | 'exchange', destination: string, key: string, args: FieldTable, actor: Actor): void {
    const ends = this.#bindingEnds(vhost, source, kind, destination, key, actor, true);
    if (ends === null) return;
    ends.source.routes.check(key, args, ends.target);
    const max = this.#deps.settings.bindingsMax;
    const isAtLimit = this.#deps.bindingCount() >= max;
    if ((this.#deps.isHeapFull() || isAtLimit) && !ends.source.bindings.has(bindingId(ends.target, key, args))) {
      const what = `cannot bind to ${exchangeTerm(source, vhost.name)}`;
      assertRoom(this.#deps, vhost, what);
      throw preconditionFailed(`${what}: binding limit of the node (${max}) is reached`);
    }
    vhost.bind(ends.source, ends.target, key, args, actorName(actor));
  }

  /** Takes a binding away. Neither a missing binding nor a missing end is an error. [RabbitMQ 3.x: unbind is idempotent] */
  unbind(vhost: Vhost, source: string, kind: 'queue' | 'exchange', destination: string, key: string, args: FieldTable, actor: Actor): void {
    const ends = this.#bindingEnds(vhost, source, kind, destination, key, actor, false);
    if (ends === null || vhost.bindings.find(ends.source, ends.target, key, args) === null) return;
    assertUnlocked(vhost, ends.target, actor);
    vhost.unbind(ends.source, ends.target, key, args, actorName(actor));
  }

  #bindingEnds(
    vhost: Vhost,
    sourceName: string,
    kind: 'queue' | 'exchange',
    destination: string,
    key: string,
    actor: Actor,
    isStrict: boolean,
  ): { source: Exchange; target: Target } | null {
    this.#resources.check(actor, vhost, 'write', kind, destination);
    if (kind === 'exchange') assertNotDefault(destination);
    assertNotDefault(sourceName);
    this.#resources.check(actor, vhost, 'read', 'exchange', sourceName);
    const source = vhost.exchange(sourceName);
    if (source !== undefined) this.#resources.checkTopic(actor, vhost, source, 'read', key);
    const target = kind === 'queue' ? vhost.queue(destination) : vhost.exchange(destination);
    if (source === undefined || target === undefined) {
      if (!isStrict) return null;
      throw notFound(
        `no ${source === undefined ? exchangeTerm(sourceName, vhost.name) : kind === 'queue' ? queueTerm(destination, vhost.name) : exchangeTerm(destination, vhost.name)}`,
      );
    }
    if (isStrict) assertUnlocked(vhost, target, actor);
    return { source, target };
  }
}

/** Only its owner binds and unbinds an exclusive queue. A binding that does not exist is nobody's. [RabbitMQ: rabbit_binding, add and remove] */
function assertUnlocked(vhost: Vhost, target: Target, actor: Actor): void {
  if (target.kind === 'queue' && target.owner !== null && target.owner !== actor.owner && !actor.isBroker)
    throw lockedQueue(vhost, target.name);
}
