import { randomBytes } from 'node:crypto';
import type { FieldTable } from '../base/field-table.ts';
import { fieldTypeName, sameTable } from '../base/field-table.ts';
import type { AccessControl } from './access/access-control.ts';
import type { Actor } from './actor.ts';
import { accessRefused, BrokerError, notAllowed, notFound, preconditionFailed, resourceLocked } from './broker-error.ts';
import { assertSameArgument, assertSameProperty } from './equivalence.ts';
import { bindingId } from './exchanges/binding.ts';
import { deduplicationArguments, wantsDeduplication } from './deduplication/deduplication-arguments.ts';
import { internalUser } from './events/broker-events.ts';
import type { ExchangeType, Target } from './exchanges/exchange-type.ts';
import { Exchange, type ExchangeDeclaration } from './exchanges/exchange.ts';
import { equivalentArguments, stringArgument } from './queues/queue-arguments.ts';
import { noPolicy } from './policies/effective-policy.ts';
import type { QueueContext } from './queues/queue-context.ts';
import type { QueueType } from './queues/queue-type.ts';
import type { Queue, QueueDeclaration } from './queues/queue.ts';
import { exchangeTerm, queueTerm } from './resource-name.ts';
import type { ShapeChange } from './shape/shape-change.ts';
import { successionOf } from './shape/succession-of.ts';
import { type BrokerSettings, defaultSettings } from './settings.ts';
import type { Vhost } from './vhost.ts';

/** Conditions of a deletion. */
export interface DeleteConditions {
  readonly ifUnused: boolean;
  readonly ifEmpty: boolean;
}

/** What a declaration wishes for where the queue exists in another shape: error, keep or migrate. It is no argument of the queue. */
const onConflictName = 'x-on-conflict';

function withoutWish(args: FieldTable): FieldTable {
  return new Map([...args].filter(([name]) => name !== onConflictName));
}

/** What topology.ts needs of the broker. */
export interface TopologyDeps {
  readonly access: AccessControl;
  readonly exchangeTypes: ReadonlyMap<string, ExchangeType>;
  readonly queueTypes: ReadonlyMap<string, QueueType>;
  readonly queueContext: QueueContext;
  readonly settings: BrokerSettings;
  nextQueueId(): number;
  /** Queues and bindings in all virtual hosts. */
  queueCount(): number;
  bindingCount(): number;
  /** Whether nothing more may be declared. */
  isHeapFull(): boolean;
  /** Called after a queue or exchange was made, before anyone uses it: policies give it their settings. */
  applyPolicies(vhost: Vhost, target: Target): void;
  /** Called when an exchange is there for all. */
  exchangeAdded(vhost: Vhost, exchange: Exchange): void;
}

/**
 * Declaring, deleting, binding: what AMQP's methods, MQTT, the HTTP API and the command line all call. Checks names, permissions,
 * equivalence and conditions in RabbitMQ's order and with its texts; the vhost keeps the state.
 */
export class Topology {
  readonly #deps: TopologyDeps;

  constructor(deps: TopologyDeps) {
    this.#deps = deps;
  }

  /**
   * Declares a queue; an equivalent one that exists is returned. An empty name is replaced by a generated one.
   * @throws BrokerError ACCESS_REFUSED (reserved name, permissions), RESOURCE_LOCKED (exclusive to another connection),
   *   PRECONDITION_FAILED (not equivalent, bad arguments, limit reached).
   */
  declareQueue(vhost: Vhost, declaration: QueueDeclaration, actor: Actor): Queue {
    let name = declaration.name;
    if (name === '') name = `amq.gen-${randomBytes(16).toString('base64url')}`;
    else if (name.startsWith('amq.') && !actor.isBroker) {
      throw accessRefused(`queue name '${name}' contains reserved prefix 'amq.*'`);
    }
    this.#check(actor, vhost, 'configure', 'queue', name);
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
    this.#checkRoom(vhost, `cannot declare queue '${name}'`);
    this.#checkDeadLettering(vhost, name, declaration.arguments, actor);
    // Nothing of an exclusive queue outlives its connection, whatever the declaration says. [RabbitMQ: queue.declare]
    const isDurable = declaration.isDurable && declaration.owner === null;
    const named: QueueDeclaration = { ...declaration, name, isDurable };
    const type = this.checkQueue(vhost.name, vhost.defaultQueueType, named);
    if (declaration.name === '' && !type.capabilities.isServerNamedAllowed)
      throw preconditionFailed(`Cannot declare a server-named queue for type ${type.internalName}`);
    const kept: QueueDeclaration = { ...named, arguments: withoutWish(named.arguments) };
    const queue = type.create(vhost.name, this.#deps.nextQueueId(), kept, this.#deps.queueContext);
    this.#deps.applyPolicies(vhost, queue);
    vhost.addQueue(queue, actorName(actor));
    return queue;
  }

  /**
   * Gives a queue the type and the arguments that these say: messages, deliveries that wait, consumers and bindings stay. After a crash it is
   * as it was or as it is to be, with all its messages. A long queue is changed by and by: see `Queue.change` of what is returned.
   * @throws BrokerError as for a declaration; PRECONDITION_FAILED for types that keep their messages differently, and while another change
   *   is under way.
   */
  reshapeQueue(vhost: Vhost, name: string, given: FieldTable, actor: Actor): Queue {
    this.#check(actor, vhost, 'configure', 'queue', name);
    const queue = this.queue(vhost, name, actor);
    const args = withoutWish(given);
    this.#checkDeadLettering(vhost, name, args, actor);
    const { isDurable, isAutoDelete, owner } = queue;
    const type = this.checkQueue(vhost.name, vhost.defaultQueueType, { name, isDurable, isAutoDelete, owner, arguments: args });
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

  /** Recovery: a queue that is to take another's place was being filled. */
  restorePrepared(vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
    const successor = this.#restored(vhost, id, typeName, declaration);
    vhost.prepareQueue(successor);
    return successor;
  }

  /** Recovery: it took its place. */
  restoreReplaced(vhost: Vhost, old: Queue, successor: Queue): void {
    vhost.replaceQueue(old, successor);
    vhost.forget(old);
    this.#applySettings(vhost, successor);
  }

  /** Recovery: a queue was given another shape. */
  restoreShape(vhost: Vhost, queue: Queue, typeName: string, args: FieldTable): void {
    const type = this.#deps.queueTypes.get(typeName);
    if (type === undefined) throw preconditionFailed(`queue '${queue.name}' has the unknown type '${typeName}'`);
    vhost.reshapeQueue(queue, type, args);
    this.#applySettings(vhost, queue);
  }

  #applySettings(vhost: Vhost, queue: Queue): void {
    queue.policy = noPolicy;
    queue.applySettings(queue.type.settings(queue.arguments));
    this.#deps.applyPolicies(vhost, queue);
  }

  /** @throws BrokerError */
  #checkDeadLettering(vhost: Vhost, name: string, args: FieldTable, actor: Actor): void {
    const deadLetter = args.get('x-dead-letter-exchange');
    if (deadLetter === undefined) return;
    if (deadLetter.type !== 'S') {
      throw preconditionFailed(
        `invalid type '${fieldTypeName(deadLetter)}' for arg 'x-dead-letter-exchange' in ${queueTerm(name, vhost.name)}`,
      );
    }
    this.#check(actor, vhost, 'read', 'queue', name);
    this.#check(actor, vhost, 'write', 'exchange', String(deadLetter.value));
  }

  /** A declaration of a queue that exists: it is the same, or x-on-conflict says what becomes of it. */
  #redeclare(vhost: Vhost, queue: Queue, declaration: QueueDeclaration, actor: Actor): Queue {
    const wish = declaration.arguments.get(onConflictName);
    if (wish === undefined || wish.value === 'error') {
      this.#assertEquivalent(vhost, queue, declaration);
      return queue;
    }
    if (queue.owner !== declaration.owner) throw lockedQueue(vhost, queue.name);
    const isDurable = declaration.isDurable && declaration.owner === null;
    const type = this.checkQueue(vhost.name, vhost.defaultQueueType, { ...declaration, isDurable });
    if (wish.value === 'keep') return queue;
    this.#assertSameProperties(vhost, queue, declaration);
    const args = withoutWish(declaration.arguments);
    // What the default says need not be written out.
    const own = queue.arguments.get('x-queue-type');
    if (own !== undefined && !args.has('x-queue-type') && type === queue.type) args.set('x-queue-type', own);
    return this.reshapeQueue(vhost, queue.name, args, actor);
  }

  /**
   * Whether arguments and properties of a new queue make sense, in a vhost that need not be there yet. Returns the queue's type.
   * @throws BrokerError PRECONDITION_FAILED
   */
  checkQueue(vhostName: string, defaultQueueType: string | null, declaration: QueueDeclaration): QueueType {
    const type = this.#queueType(vhostName, defaultQueueType, declaration);
    type.check(vhostName, declaration);
    if (wantsDeduplication(declaration.arguments)) deduplicationArguments(declaration.arguments);
    checkProperties(vhostName, declaration, type);
    return type;
  }

  /** Recovery: makes a queue that was declared before, with its number. */
  restoreQueue(vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
    const queue = this.#restored(vhost, id, typeName, declaration);
    this.#deps.applyPolicies(vhost, queue);
    vhost.addQueue(queue);
    return queue;
  }

  #restored(vhost: Vhost, id: number, typeName: string, declaration: QueueDeclaration): Queue {
    const type = this.#deps.queueTypes.get(typeName);
    if (type === undefined) throw preconditionFailed(`queue '${declaration.name}' has the unknown type '${typeName}'`);
    return type.create(vhost.name, id, declaration, this.#deps.queueContext);
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

  /** The exchange by name. @throws BrokerError NOT_FOUND */
  exchange(vhost: Vhost, name: string): Exchange {
    const exchange = vhost.exchange(name);
    if (exchange === undefined) throw notFound(`no ${exchangeTerm(name, vhost.name)}`);
    return exchange;
  }

  /** Deletes a queue and returns how many ready messages it had; a queue that does not exist has none. */
  deleteQueue(vhost: Vhost, name: string, conditions: DeleteConditions, actor: Actor): number {
    this.#check(actor, vhost, 'configure', 'queue', name);
    if (vhost.queue(name) === undefined) return 0;
    const queue = this.queue(vhost, name, actor);
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
    this.#check(actor, vhost, 'read', 'queue', name);
    const queue = this.queue(vhost, name, actor);
    if (!queue.type.capabilities.hasPurge) {
      throw new BrokerError('NOT_IMPLEMENTED', `queue.purge not supported by stream queues ${queueTerm(name, vhost.name)}`);
    }
    return queue.purge();
  }

  /** Declares an exchange; an equivalent one that exists is returned. `typeName` decides; unknown ones are COMMAND_INVALID. */
  declareExchange(vhost: Vhost, typeName: string, declaration: ExchangeDeclaration, actor: Actor): Exchange {
    const type = this.#exchangeType(typeName);
    const { name } = declaration;
    assertNotDefault(name);
    this.#check(actor, vhost, 'configure', 'exchange', name);
    const existing = vhost.exchange(name);
    if (existing !== undefined) {
      const term = exchangeTerm(name, vhost.name);
      assertSameProperty(term, 'type', typeName, existing.type.name);
      assertSameProperty(term, 'durable', declaration.isDurable, existing.isDurable);
      assertSameProperty(term, 'auto_delete', declaration.isAutoDelete, existing.isAutoDelete);
      assertSameProperty(term, 'internal', declaration.isInternal, existing.isInternal);
      assertSameArgument(term, 'alternate-exchange', declaration.arguments, existing.arguments);
      return existing;
    }
    if (name.startsWith('amq.') && !actor.isBroker) throw accessRefused(`exchange name '${name}' contains reserved prefix 'amq.*'`);
    const alternate = alternateExchange(vhost.name, declaration);
    if (alternate !== null) {
      this.#check(actor, vhost, 'read', 'exchange', name);
      this.#check(actor, vhost, 'write', 'exchange', alternate);
    }
    this.#checkRoom(vhost, `cannot declare exchange '${name}'`);
    type.check(declaration.arguments, this.#deps.exchangeTypes);
    if (wantsDeduplication(declaration.arguments)) deduplicationArguments(declaration.arguments);
    const exchange = new Exchange(type, declaration, vhost.home);
    exchange.alternate = stringArgument(declaration.arguments, 'alternate-exchange');
    this.#deps.applyPolicies(vhost, exchange);
    vhost.addExchange(exchange, actorName(actor));
    this.#deps.exchangeAdded(vhost, exchange);
    return exchange;
  }

  /**
   * Whether type and arguments of a new exchange make sense, in a vhost that need not be there yet. Returns its type.
   * @throws BrokerError PRECONDITION_FAILED, COMMAND_INVALID
   */
  checkExchange(vhostName: string, typeName: string, declaration: ExchangeDeclaration): ExchangeType {
    const type = this.#exchangeType(typeName);
    alternateExchange(vhostName, declaration);
    type.check(declaration.arguments, this.#deps.exchangeTypes);
    if (wantsDeduplication(declaration.arguments)) deduplicationArguments(declaration.arguments);
    return type;
  }

  /** Deletes an exchange; one that does not exist is fine. */
  deleteExchange(vhost: Vhost, name: string, ifUnused: boolean, actor: Actor): void {
    assertNotDefault(name);
    if (name.startsWith('amq.')) throw accessRefused(`deletion of system ${exchangeTerm(name, vhost.name)} not allowed`);
    this.#check(actor, vhost, 'configure', 'exchange', name);
    const exchange = vhost.exchanges.get(name);
    if (exchange === undefined) return;
    if (ifUnused && exchange.bindings.size > 0) throw preconditionFailed(`${exchangeTerm(name, vhost.name)} in use`);
    vhost.removeExchange(exchange, actorName(actor));
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
      this.#checkRoom(vhost, what);
      throw preconditionFailed(`${what}: binding limit of the node (${max}) is reached`);
    }
    vhost.bind(ends.source, ends.target, key, args, actorName(actor));
  }

  /** What is declared is kept in V8's heap, whose end is the end of the process. A virtual host that is deleted gets nothing more. */
  #checkRoom(vhost: Vhost, what: string): void {
    if (vhost.isDeleted) throw notAllowed(`vhost ${vhost.name} not found`);
    if (this.#deps.isHeapFull()) throw preconditionFailed(`${what}: the node is low on memory`);
  }

  /** Takes a binding away. Neither a missing binding nor a missing end is an error. [RabbitMQ 3.x: unbind is idempotent] */
  unbind(vhost: Vhost, source: string, kind: 'queue' | 'exchange', destination: string, key: string, args: FieldTable, actor: Actor): void {
    const ends = this.#bindingEnds(vhost, source, kind, destination, key, actor, false);
    if (ends !== null) vhost.unbind(ends.source, ends.target, key, args, actorName(actor));
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
    this.#check(actor, vhost, 'write', kind, destination);
    if (kind === 'exchange') assertNotDefault(destination);
    assertNotDefault(sourceName);
    this.#check(actor, vhost, 'read', 'exchange', sourceName);
    const source = vhost.exchange(sourceName);
    if (source !== undefined) this.checkTopic(actor, vhost, source, 'read', key);
    const target = kind === 'queue' ? vhost.queue(destination) : vhost.exchange(destination);
    if (source === undefined || target === undefined) {
      if (!isStrict) return null;
      throw notFound(
        `no ${source === undefined ? exchangeTerm(sourceName, vhost.name) : kind === 'queue' ? queueTerm(destination, vhost.name) : exchangeTerm(destination, vhost.name)}`,
      );
    }
    // Taking a binding away needs no access to the queue. [RabbitMQ: binding_remove does not look at the owner]
    if (isStrict && target.kind === 'queue' && target.owner !== null && target.owner !== actor.owner && !actor.isBroker)
      throw lockedQueue(vhost, destination);
    return { source, target };
  }

  /** Topic permissions apply to topic exchanges only. @throws BrokerError ACCESS_REFUSED */
  checkTopic(actor: Actor, vhost: Vhost, exchange: Exchange, permission: 'read' | 'write', key: string): void {
    if (actor.isBroker || exchange.type.name !== 'topic') return;
    this.#deps.access.checkTopic(actor.user, vhost.name, exchange.name, permission, key);
  }

  /** @throws BrokerError ACCESS_REFUSED when the actor may not. */
  check(actor: Actor, vhost: Vhost, permission: 'configure' | 'write' | 'read', kind: 'queue' | 'exchange', name: string): void {
    this.#check(actor, vhost, permission, kind, name);
  }

  #check(actor: Actor, vhost: Vhost, permission: 'configure' | 'write' | 'read', kind: 'queue' | 'exchange', name: string): void {
    if (!actor.isBroker) this.#deps.access.checkResource(actor.user, vhost.name, permission, kind, name);
  }

  #checkAny(actor: Actor, vhost: Vhost, kind: 'queue' | 'exchange', name: string): void {
    if (actor.isBroker) return;
    const { access } = this.#deps;
    if (access.authorize(actor.user, vhost.name, 'write', name) || access.authorize(actor.user, vhost.name, 'read', name)) return;
    access.checkResource(actor.user, vhost.name, 'configure', kind, name);
  }

  #exchangeType(name: string): ExchangeType {
    const type = this.#deps.exchangeTypes.get(name);
    if (type === undefined) throw new BrokerError('COMMAND_INVALID', `unknown exchange type '${name}'`);
    return type;
  }

  #queueType(vhostName: string, defaultType: string | null, declaration: QueueDeclaration): QueueType {
    const argument = declaration.arguments.get('x-queue-type');
    const name = argument === undefined ? this.#defaultQueueType(defaultType, declaration) : String(argument.value);
    const type = this.#deps.queueTypes.get(name);
    if (type !== undefined && (argument === undefined || argument.type === 'S')) return type;
    const why =
      argument !== undefined && argument.type !== 'S'
        ? `{unacceptable_type,${fieldTypeName(argument)}}`
        : `"unsupported queue type '${name}'"`;
    throw preconditionFailed(`invalid arg 'x-queue-type' for ${queueTerm(declaration.name, vhostName)}: ${why}`);
  }

  /** The default is for queues that can be of its type; others are what they have always been. [RabbitMQ: rabbit_queue_type, is_compatible] */
  #defaultQueueType(ofVhost: string | null, { owner, isDurable, isAutoDelete }: QueueDeclaration): string {
    const name = ofVhost ?? this.#deps.settings.defaultQueueType;
    const can = this.#deps.queueTypes.get(name)?.capabilities;
    if (can === undefined) return name;
    const isCompatible =
      (owner === null || can.isExclusiveAllowed) && (isDurable || can.isTransientAllowed) && (!isAutoDelete || can.isAutoDeleteAllowed);
    return isCompatible ? name : defaultSettings.defaultQueueType;
  }

  #assertSameProperties(vhost: Vhost, queue: Queue, { isDurable, isAutoDelete, owner }: QueueDeclaration): void {
    const term = queueTerm(queue.name, vhost.name);
    assertSameProperty(term, 'durable', isDurable && owner === null, queue.isDurable);
    assertSameProperty(term, 'auto_delete', isAutoDelete, queue.isAutoDelete);
  }

  #assertEquivalent(vhost: Vhost, queue: Queue, declaration: QueueDeclaration): void {
    // A redeclaration must repeat exclusivity, from the same connection. [RabbitMQ: check_exclusive_access, strict]
    if (queue.owner !== declaration.owner) throw lockedQueue(vhost, queue.name);
    const term = queueTerm(queue.name, vhost.name);
    this.#assertSameProperties(vhost, queue, declaration);
    const given = declaration.arguments.get('x-queue-type')?.value;
    const isSameType =
      (given ?? this.#defaultQueueType(vhost.defaultQueueType, declaration)) === queue.type.name ||
      (given === undefined && !queue.arguments.has('x-queue-type'));
    for (const name of equivalentArguments) {
      // The type written out equals the default that is the same.
      if (name === 'x-queue-type' && isSameType) continue;
      assertSameArgument(term, name, declaration.arguments, queue.arguments);
    }
  }
}

function checkProperties(vhostName: string, declaration: QueueDeclaration, type: QueueType): void {
  const term = queueTerm(declaration.name, vhostName);
  if (declaration.isAutoDelete && !type.capabilities.isAutoDeleteAllowed)
    throw preconditionFailed(`invalid property 'auto-delete' for ${term}`);
  if (declaration.owner !== null && !type.capabilities.isExclusiveAllowed)
    throw preconditionFailed(`invalid property 'exclusive-owner' for ${term}`);
  if (!declaration.isDurable && !type.capabilities.isTransientAllowed)
    throw preconditionFailed(`invalid property 'non-durable' for ${term}`);
}

/** Name of the alternate exchange that the arguments give; null if none. @throws BrokerError PRECONDITION_FAILED */
function alternateExchange(vhostName: string, { name, arguments: args }: ExchangeDeclaration): string | null {
  const alternate = args.get('alternate-exchange');
  if (alternate === undefined) return null;
  if (alternate.type !== 'S') {
    throw preconditionFailed(`invalid type '${fieldTypeName(alternate)}' for arg 'alternate-exchange' in ${exchangeTerm(name, vhostName)}`);
  }
  return String(alternate.value);
}

/** Who events say it was. */
function actorName(actor: Actor): string {
  return actor.isBroker ? internalUser : actor.user;
}

function assertNotDefault(name: string): void {
  if (name === '') throw accessRefused('operation not permitted on the default exchange');
}

function lockedQueue(vhost: Vhost, name: string): BrokerError {
  return resourceLocked(
    `cannot obtain exclusive access to locked ${queueTerm(name, vhost.name)}. ` +
      'It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.',
  );
}
