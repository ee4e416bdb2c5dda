import { type FieldTable, sameTable } from '../../base/field-table.ts';
import type { Actor } from '../actor.ts';
import { preconditionFailed } from '../broker-error.ts';
import { noPolicy } from '../policies/effective-policy.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { Queue, QueueDeclaration } from '../queues/queue.ts';
import { queueTerm } from '../resource-name.ts';
import type { ShapeChange } from '../shape/shape-change.ts';
import { successionOf } from '../shape/succession-of.ts';
import type { Vhost } from '../vhost.ts';
import { withoutWish } from './conflict-wish.ts';
import type { QueueChecks } from './queue-checks.ts';
import type { ResourceAccess } from './resource-access.ts';
import { restoredQueue } from './restored-queue.ts';
import type { TopologyDeps } from './topology-deps.ts';

/** Gives queues another type and other arguments. */
export class QueueReshaping {
  readonly #deps: TopologyDeps;
  readonly #resources: ResourceAccess;
  readonly #checks: QueueChecks;

  constructor(deps: TopologyDeps, resources: ResourceAccess, checks: QueueChecks) {
    this.#deps = deps;
    this.#resources = resources;
    this.#checks = checks;
  }

  /**
   * Gives a queue the type and the arguments that these say: messages, deliveries that wait, consumers and bindings stay. After a crash it is
   * as it was or as it is to be, with all its messages. A long queue is changed by and by: see `Queue.change` of what is returned.
   * @throws BrokerError as for a declaration; PRECONDITION_FAILED for types that keep their messages differently, and while another change
   *   is under way.
   */
  reshape(vhost: Vhost, name: string, given: FieldTable, actor: Actor): Queue {
    this.#resources.check(actor, vhost, 'configure', 'queue', name);
    const queue = this.#resources.queue(vhost, name, actor);
    const args = withoutWish(given);
    this.#checks.checkDeadLettering(vhost, name, args, actor);
    const { isDurable, isAutoDelete, owner } = queue;
    const type = this.#checks.check(vhost.name, vhost.defaultQueueType, { name, isDurable, isAutoDelete, owner, arguments: args });
    const { change: other } = queue;
    if (other !== null) {
      if (other.type === type && sameTable(args, other.arguments)) return queue;
      throw preconditionFailed(`cannot change ${queueTerm(name, vhost.name)}: another change of it is under way`);
    }
    if (type === queue.type && sameTable(args, queue.arguments)) return queue;
    const change = vhost.reshapeQueue(queue, type, args) ?? this.#succeed(vhost, queue, type, args);
    if (change === null)
      throw preconditionFailed(`cannot change ${queueTerm(name, vhost.name)} of type '${queue.type.name}' to type '${type.name}' in place`);
    change.whenOver(outcome => {
      if (outcome.queue !== null) this.#applySettings(vhost, outcome.queue);
    });
    const { outcome } = change;
    if (outcome === null) return queue;
    if (outcome.error !== null) throw outcome.error;
    return outcome.queue;
  }

  /** Recovery: a queue was given another shape. */
  restoreShape(vhost: Vhost, queue: Queue, typeName: string, args: FieldTable): void {
    const type = this.#deps.queueTypes.get(typeName);
    if (type === undefined) throw preconditionFailed(`queue '${queue.name}' has the unknown type '${typeName}'`);
    vhost.reshapeQueue(queue, type, args);
    this.#applySettings(vhost, queue);
  }

  /** Recovery: a queue that is to take another's place was being filled. */
  restorePrepared(vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
    const successor = restoredQueue(this.#deps, vhost, id, typeName, declaration);
    vhost.prepareQueue(successor);
    return successor;
  }

  /** Recovery: it took its place. */
  restoreReplaced(vhost: Vhost, old: Queue, successor: Queue): void {
    vhost.replaceQueue(old, successor);
    vhost.forget(old);
    this.#applySettings(vhost, successor);
  }

  /** Fills a queue of the new type from this one, to take its place; null when it cannot be. */
  #succeed(vhost: Vhost, queue: Queue, type: QueueType, args: FieldTable): ShapeChange | null {
    const make = successionOf(queue, type);
    if (make === null) return null;
    const { name, isDurable, isAutoDelete, owner } = queue;
    const { queueContext } = this.#deps;
    const successor = type.create(
      vhost.name,
      this.#deps.nextQueueId(),
      { name, isDurable, isAutoDelete, owner, arguments: args },
      queueContext,
    );
    try {
      vhost.prepareQueue(successor);
    } catch (error) {
      successor.close();
      throw error;
    }
    const succession = make(successor, queueContext, {
      drop: () => vhost.dropPrepared(successor),
      replace: () => vhost.replaceQueue(queue, successor),
      left: () => vhost.forget(queue),
    });
    if (succession === null) vhost.dropPrepared(successor);
    return succession?.begin() ?? null;
  }

  #applySettings(vhost: Vhost, queue: Queue): void {
    queue.policy = noPolicy;
    queue.applySettings(queue.type.settings(queue.arguments));
    this.#deps.applyPolicies(vhost, queue);
  }
}
