import type { AccessControl } from '../access/access-control.ts';
import type { Actor } from '../actor.ts';
import { accessRefused, type BrokerError, notFound, resourceLocked } from '../broker-error.ts';
import type { Target } from '../exchanges/exchange-type.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Queue } from '../queues/queue.ts';
import { exchangeTerm, queueTerm } from '../resource-name.ts';
import type { Vhost } from '../vhost.ts';

type Permission = 'configure' | 'write' | 'read';

/** Finds exchanges and queues for an actor, if it may know of them. */
export class ResourceAccess {
  readonly #access: AccessControl;

  constructor(access: AccessControl) {
    this.#access = access;
  }

  /** @throws BrokerError ACCESS_REFUSED when the actor may not. */
  check(actor: Actor, vhost: Vhost, permission: Permission, kind: Target['kind'], name: string): void {
    if (!actor.isBroker) this.#access.checkResource(actor.user, vhost.name, permission, kind, name);
  }

  #checkAny(actor: Actor, vhost: Vhost, kind: Target['kind'], name: string): void {
    if (actor.isBroker) return;
    const access = this.#access;
    if (access.authorize(actor.user, vhost.name, 'write', name) || access.authorize(actor.user, vhost.name, 'read', name)) return;
    access.checkResource(actor.user, vhost.name, 'configure', kind, name);
  }

  /** Topic permissions apply to topic exchanges only. @throws BrokerError ACCESS_REFUSED */
  checkTopic(actor: Actor, vhost: Vhost, exchange: Exchange, permission: 'read' | 'write', key: string): void {
    if (actor.isBroker || exchange.type.name !== 'topic') return;
    this.#access.checkTopic(actor.user, vhost.name, exchange.name, permission, key);
  }

  /**
   * The queue, for a passive declaration and for whoever uses it by name.
   * @throws BrokerError NOT_FOUND, RESOURCE_LOCKED.
   */
  queue(vhost: Vhost, name: string, actor: Actor): Queue {
    const queue = vhost.queue(name);
    if (queue === undefined) throw notFound(`no ${queueTerm(name, vhost.name)}`);
    if (queue.owner !== null && queue.owner !== actor.owner && !actor.isBroker) throw lockedQueue(vhost, name);
    return queue;
  }

  /** The exchange by name. @throws BrokerError NOT_FOUND */
  exchange(vhost: Vhost, name: string): Exchange {
    const exchange = vhost.exchange(name);
    if (exchange === undefined) throw notFound(`no ${exchangeTerm(name, vhost.name)}`);
    return exchange;
  }

  /**
   * Answers a passive declaration of a queue: it is there and the actor may do anything at all with it. [RabbitMQ 4.3.1]
   * @throws BrokerError NOT_FOUND, RESOURCE_LOCKED, ACCESS_REFUSED.
   */
  assertQueue(vhost: Vhost, name: string, actor: Actor): Queue {
    this.#checkAny(actor, vhost, 'queue', name);
    const queue = this.queue(vhost, name, actor);
    queue.touch();
    return queue;
  }

  /** Answers a passive declaration of an exchange. @throws BrokerError NOT_FOUND, ACCESS_REFUSED */
  assertExchange(vhost: Vhost, name: string, actor: Actor): Exchange {
    assertNotDefault(name);
    this.#checkAny(actor, vhost, 'exchange', name);
    return this.exchange(vhost, name);
  }
}

export function assertNotDefault(name: string): void {
  if (name === '') throw accessRefused('operation not permitted on the default exchange');
}

export function lockedQueue(vhost: Vhost, name: string): BrokerError {
  return resourceLocked(
    `cannot obtain exclusive access to locked ${queueTerm(name, vhost.name)}. ` +
      'It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.',
  );
}
