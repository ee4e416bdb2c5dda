import { type Actor, actorName } from '../actor.ts';
import { accessRefused, BrokerError, preconditionFailed } from '../broker-error.ts';
import { exchangeTerm, queueTerm } from '../resource-name.ts';
import type { Vhost } from '../vhost.ts';
import { assertNotDefault, type ResourceAccess } from './resource-access.ts';

/** Conditions of a deletion. */
export interface DeleteConditions {
  readonly ifUnused: boolean;
  readonly ifEmpty: boolean;
}

/** Deletes queues and exchanges, and what is in queues. */
export class Deletions {
  readonly #resources: ResourceAccess;

  constructor(resources: ResourceAccess) {
    this.#resources = resources;
  }

  /** Deletes a queue and returns how many ready messages it had; a queue that does not exist has none. */
  deleteQueue(vhost: Vhost, name: string, conditions: DeleteConditions, actor: Actor): number {
    this.#resources.check(actor, vhost, 'configure', 'queue', name);
    if (vhost.queue(name) === undefined) return 0;
    const queue = this.#resources.queue(vhost, name, actor);
    queue.catchUp();
    if (!queue.type.capabilities.hasDeleteConditions && (conditions.ifUnused || conditions.ifEmpty)) {
      const flag = conditions.ifUnused ? 'if-unused' : 'if-empty';
      throw new BrokerError(
        'NOT_IMPLEMENTED',
        `cannot delete ${queueTerm(name, vhost.name)}. queue.delete operations with ${flag} flag set are not supported by ${queue.type.name} queues`,
      );
    }
    if (conditions.ifEmpty && queue.readyCount + (queue.retries?.heldCount ?? 0) > 0)
      throw preconditionFailed(`${queueTerm(name, vhost.name)} not empty`);
    if (conditions.ifUnused && queue.consumerCount > 0) throw preconditionFailed(`${queueTerm(name, vhost.name)} in use`);
    // What cannot be purged is not counted either. [RabbitMQ: rabbit_stream_queue, delete]
    const count = queue.type.capabilities.hasPurge ? queue.readyCount : 0;
    vhost.removeQueue(queue, actorName(actor));
    return count;
  }

  /** Drops a queue's ready messages; returns how many there were. */
  purgeQueue(vhost: Vhost, name: string, actor: Actor): number {
    this.#resources.check(actor, vhost, 'read', 'queue', name);
    const queue = this.#resources.queue(vhost, name, actor);
    if (!queue.type.capabilities.hasPurge) {
      throw new BrokerError('NOT_IMPLEMENTED', `queue.purge not supported by stream queues ${queueTerm(name, vhost.name)}`);
    }
    queue.catchUp();
    return queue.purge();
  }

  /** Deletes an exchange; one that does not exist is fine. */
  deleteExchange(vhost: Vhost, name: string, ifUnused: boolean, actor: Actor): void {
    assertNotDefault(name);
    if (name.startsWith('amq.')) throw accessRefused(`deletion of system ${exchangeTerm(name, vhost.name)} not allowed`);
    this.#resources.check(actor, vhost, 'configure', 'exchange', name);
    const exchange = vhost.exchanges.get(name);
    if (exchange === undefined) return;
    if (ifUnused && exchange.isUsed) throw preconditionFailed(`${exchangeTerm(name, vhost.name)} in use`);
    vhost.removeExchange(exchange, actorName(actor));
  }
}
