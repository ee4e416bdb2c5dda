import { randomBytes } from 'node:crypto';
import { type Actor, actorName } from '../actor.ts';
import { accessRefused, preconditionFailed } from '../broker-error.ts';
import type { Queue, QueueDeclaration } from '../queues/queue.ts';
import type { Vhost } from '../vhost.ts';
import { onConflictName, withoutWish } from './conflict-wish.ts';
import type { QueueChecks } from './queue-checks.ts';
import type { QueueReshaping } from './queue-reshaping.ts';
import { lockedQueue, type ResourceAccess } from './resource-access.ts';
import { restoredQueue } from './restored-queue.ts';
import { assertRoom } from './room.ts';
import type { TopologyDeps } from './topology-deps.ts';

/** Declares queues. */
export class QueueDeclarations {
  readonly #deps: TopologyDeps;
  readonly #resources: ResourceAccess;
  readonly #checks: QueueChecks;
  readonly #reshaping: QueueReshaping;

  constructor(deps: TopologyDeps, resources: ResourceAccess, checks: QueueChecks, reshaping: QueueReshaping) {
    this.#deps = deps;
    this.#resources = resources;
    this.#checks = checks;
    this.#reshaping = reshaping;
  }

  /**
   * Declares a queue; an equivalent one that exists is returned. An empty name is replaced by a generated one.
   * @throws BrokerError ACCESS_REFUSED (reserved name, permissions), RESOURCE_LOCKED (exclusive to another connection),
   *   PRECONDITION_FAILED (not equivalent, bad arguments, limit reached).
   */
  declare(vhost: Vhost, declaration: QueueDeclaration, actor: Actor): Queue {
    let name = declaration.name;
    if (name === '') name = `amq.gen-${randomBytes(16).toString('base64url')}`;
    else if (name.startsWith('amq.') && !actor.isBroker) {
      throw accessRefused(`queue name '${name}' contains reserved prefix 'amq.*'`);
    }
    this.#resources.check(actor, vhost, 'configure', 'queue', name);
    const existing = vhost.queue(name);
    if (existing !== undefined) {
      const queue = this.#redeclare(vhost, existing, declaration, actor);
      queue.touch();
      return queue;
    }
    const { queuesMax } = vhost.limits;
    if (queuesMax >= 0 && vhost.queues.size >= queuesMax) {
      throw preconditionFailed(`cannot declare queue '${name}': queue limit in vhost '${vhost.name}' (${queuesMax}) is reached`);
    }
    if (this.#deps.queueCount() >= this.#deps.settings.queuesMax) {
      throw preconditionFailed(`cannot declare queue '${name}': queue limit of the node (${this.#deps.settings.queuesMax}) is reached`);
    }
    assertRoom(this.#deps, vhost, `cannot declare queue '${name}'`);
    this.#checks.checkDeadLettering(vhost, name, declaration.arguments, actor);
    // Nothing of an exclusive queue outlives its connection, whatever the declaration says. [RabbitMQ: queue.declare]
    const isDurable = declaration.isDurable && declaration.owner === null;
    const named: QueueDeclaration = { ...declaration, name, isDurable };
    const type = this.#checks.check(vhost.name, vhost.defaultQueueType, named);
    if (declaration.name === '' && !type.capabilities.isServerNamedAllowed)
      throw preconditionFailed(`Cannot declare a server-named queue for type ${type.internalName}`);
    const kept: QueueDeclaration = { ...named, arguments: withoutWish(named.arguments) };
    const queue = type.create(vhost.name, this.#deps.nextQueueId(), kept, this.#deps.queueContext);
    this.#deps.applyPolicies(vhost, queue);
    vhost.addQueue(queue, actorName(actor));
    return queue;
  }

  /** Recovery: makes a queue that was declared before, with its number. */
  restore(vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
    const queue = restoredQueue(this.#deps, vhost, id, typeName, declaration);
    this.#deps.applyPolicies(vhost, queue);
    vhost.addQueue(queue);
    return queue;
  }

  /** A declaration of a queue that exists: it is the same, or x-on-conflict says what becomes of it. */
  #redeclare(vhost: Vhost, queue: Queue, declaration: QueueDeclaration, actor: Actor): Queue {
    const wish = declaration.arguments.get(onConflictName);
    if (wish === undefined || wish.value === 'error') {
      this.#checks.assertEquivalent(vhost, queue, declaration);
      return queue;
    }
    if (queue.owner !== declaration.owner) throw lockedQueue(vhost, queue.name);
    const isDurable = declaration.isDurable && declaration.owner === null;
    const type = this.#checks.check(vhost.name, vhost.defaultQueueType, { ...declaration, isDurable });
    if (wish.value === 'keep') return queue;
    this.#checks.assertSameProperties(vhost, queue, declaration);
    const args = withoutWish(declaration.arguments);
    // What the default says need not be written out.
    const own = queue.arguments.get('x-queue-type');
    if (own !== undefined && !args.has('x-queue-type') && type === queue.type) args.set('x-queue-type', own);
    return this.#reshaping.reshape(vhost, queue.name, args, actor);
  }
}
