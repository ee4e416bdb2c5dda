import type { FieldTable } from '../../base/field-table.ts';
import type { Actor } from '../actor.ts';
import type { ExchangeType, Target } from '../exchanges/exchange-type.ts';
import type { Exchange, ExchangeDeclaration } from '../exchanges/exchange.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { Queue, QueueDeclaration } from '../queues/queue.ts';
import type { Vhost } from '../vhost.ts';
import { BindingDeclarations } from './binding-declarations.ts';
import { type DeleteConditions, Deletions } from './deletions.ts';
import { ExchangeDeclarations } from './exchange-declarations.ts';
import { QueueChecks } from './queue-checks.ts';
import { QueueDeclarations } from './queue-declarations.ts';
import { QueuePausing } from './queue-pausing.ts';
import { QueueReshaping } from './queue-reshaping.ts';
import { ResourceAccess } from './resource-access.ts';
import type { TopologyDeps } from './topology-deps.ts';

/**
 * Declaring, deleting, binding: what AMQP's methods, MQTT, the HTTP API and the command line all call. Checks names, permissions,
 * equivalence and conditions in RabbitMQ's order and with its texts; the vhost keeps the state. What is thrown is a BrokerError; the parts
 * say which.
 */
export class Topology {
  readonly #resources: ResourceAccess;
  readonly #checks: QueueChecks;
  readonly #queues: QueueDeclarations;
  readonly #reshaping: QueueReshaping;
  readonly #pausing: QueuePausing;
  readonly #exchanges: ExchangeDeclarations;
  readonly #bindings: BindingDeclarations;
  readonly #deletions: Deletions;

  constructor(deps: TopologyDeps) {
    this.#resources = new ResourceAccess(deps.access);
    this.#checks = new QueueChecks(deps.queueTypes, deps.settings, this.#resources);
    this.#reshaping = new QueueReshaping(deps, this.#resources, this.#checks);
    this.#pausing = new QueuePausing(deps, this.#resources);
    this.#queues = new QueueDeclarations(deps, this.#resources, this.#checks, this.#reshaping);
    this.#exchanges = new ExchangeDeclarations(deps, this.#resources);
    this.#bindings = new BindingDeclarations(deps, this.#resources);
    this.#deletions = new Deletions(this.#resources);
  }

  /** Declares a queue; an equivalent one that exists is returned. An empty name is replaced by a generated one. */
  declareQueue(vhost: Vhost, declaration: QueueDeclaration, actor: Actor): Queue {
    return this.#queues.declare(vhost, declaration, actor);
  }

  /** Declares an exchange; an equivalent one that exists is returned. */
  declareExchange(vhost: Vhost, typeName: string, declaration: ExchangeDeclaration, actor: Actor): Exchange {
    return this.#exchanges.declare(vhost, typeName, declaration, actor);
  }

  /** Whether a new queue makes sense, in a vhost that need not be there yet. Returns its type. */
  checkQueue(vhostName: string, defaultQueueType: string | null, declaration: QueueDeclaration): QueueType {
    return this.#checks.check(vhostName, defaultQueueType, declaration);
  }

  /** Whether a new exchange makes sense, in a vhost that need not be there yet. Returns its type. */
  checkExchange(vhostName: string, typeName: string, declaration: ExchangeDeclaration): ExchangeType {
    return this.#exchanges.check(vhostName, typeName, declaration);
  }

  /** Gives a queue the type and the arguments that these say; a long one is changed by and by: see `Queue.change` of what is returned. */
  reshapeQueue(vhost: Vhost, name: string, given: FieldTable, actor: Actor): Queue {
    return this.#reshaping.reshape(vhost, name, given, actor);
  }

  /** Lets a queue hand out nothing, or go on. */
  pauseQueue(vhost: Vhost, name: string, isPaused: boolean, actor: Actor): Queue {
    return this.#pausing.set(vhost, name, isPaused, actor);
  }

  /** The queue, for whoever uses it by name. */
  queue(vhost: Vhost, name: string, actor: Actor): Queue {
    return this.#resources.queue(vhost, name, actor);
  }

  /** The exchange by name. */
  exchange(vhost: Vhost, name: string): Exchange {
    return this.#resources.exchange(vhost, name);
  }

  /** Answers a passive declaration of a queue. */
  assertQueue(vhost: Vhost, name: string, actor: Actor): Queue {
    return this.#resources.assertQueue(vhost, name, actor);
  }

  /** Answers a passive declaration of an exchange. */
  assertExchange(vhost: Vhost, name: string, actor: Actor): Exchange {
    return this.#resources.assertExchange(vhost, name, actor);
  }

  /** Deletes a queue and returns how many ready messages it had; a queue that does not exist has none. */
  deleteQueue(vhost: Vhost, name: string, conditions: DeleteConditions, actor: Actor): number {
    return this.#deletions.deleteQueue(vhost, name, conditions, actor);
  }

  /** Drops a queue's ready messages; returns how many there were. */
  purgeQueue(vhost: Vhost, name: string, actor: Actor): number {
    return this.#deletions.purgeQueue(vhost, name, actor);
  }

  /** Deletes an exchange; one that does not exist is fine. */
  deleteExchange(vhost: Vhost, name: string, ifUnused: boolean, actor: Actor): void {
    this.#deletions.deleteExchange(vhost, name, ifUnused, actor);
  }

  /** Binds a queue or exchange to `source`. */
  bind(vhost: Vhost, source: string, kind: Target['kind'], destination: string, key: string, args: FieldTable, actor: Actor): void {
    this.#bindings.bind(vhost, source, kind, destination, key, args, actor);
  }

  /** Takes a binding away, if it is there. */
  unbind(vhost: Vhost, source: string, kind: Target['kind'], destination: string, key: string, args: FieldTable, actor: Actor): void {
    this.#bindings.unbind(vhost, source, kind, destination, key, args, actor);
  }

  /** Whether the actor may do this with an exchange or queue. */
  check(actor: Actor, vhost: Vhost, permission: 'configure' | 'write' | 'read', kind: Target['kind'], name: string): void {
    this.#resources.check(actor, vhost, permission, kind, name);
  }

  /** Whether the actor may use the key; topic permissions apply to topic exchanges only. */
  checkTopic(actor: Actor, vhost: Vhost, exchange: Exchange, permission: 'read' | 'write', key: string): void {
    this.#resources.checkTopic(actor, vhost, exchange, permission, key);
  }

  /** Recovery: makes a queue that was declared before, with its number. */
  restoreQueue(vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
    return this.#queues.restore(vhost, id, typeName, declaration);
  }

  /** Recovery: a queue that is to take another's place was being filled. */
  restorePrepared(vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
    return this.#reshaping.restorePrepared(vhost, id, typeName, declaration);
  }

  /** Recovery: it took its place. */
  restoreReplaced(vhost: Vhost, old: Queue, successor: Queue): void {
    this.#reshaping.restoreReplaced(vhost, old, successor);
  }

  /** Recovery: a queue was given another shape. */
  restoreShape(vhost: Vhost, queue: Queue, typeName: string, args: FieldTable): void {
    this.#reshaping.restoreShape(vhost, queue, typeName, args);
  }
}
