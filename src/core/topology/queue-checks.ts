import type { FieldTable } from '../../base/field-table.ts';
import { fieldTypeName } from '../../base/field-table.ts';
import type { Actor } from '../actor.ts';
import { preconditionFailed } from '../broker-error.ts';
import { deduplicationArguments, wantsDeduplication } from '../deduplication/deduplication-arguments.ts';
import { assertSameArgument, assertSameProperty } from '../equivalence.ts';
import { equivalentArguments } from '../queues/queue-arguments.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { Queue, QueueDeclaration } from '../queues/queue.ts';
import { queueTerm } from '../resource-name.ts';
import { type BrokerSettings, defaultSettings } from '../settings.ts';
import type { Vhost } from '../vhost.ts';
import { lockedQueue, type ResourceAccess } from './resource-access.ts';

/** What a declaration of a queue has to be: possible for its type, and the same as what there is. */
export class QueueChecks {
  readonly #types: ReadonlyMap<string, QueueType>;
  readonly #settings: BrokerSettings;
  readonly #resources: ResourceAccess;

  constructor(types: ReadonlyMap<string, QueueType>, settings: BrokerSettings, resources: ResourceAccess) {
    this.#types = types;
    this.#settings = settings;
    this.#resources = resources;
  }

  /**
   * Whether arguments and properties of a new queue make sense, in a vhost that need not be there yet. Returns the queue's type.
   * @throws BrokerError PRECONDITION_FAILED
   */
  check(vhostName: string, defaultQueueType: string | null, declaration: QueueDeclaration): QueueType {
    const type = this.#queueType(vhostName, defaultQueueType, declaration);
    type.check(vhostName, declaration);
    if (wantsDeduplication(declaration.arguments)) deduplicationArguments(declaration.arguments);
    checkProperties(vhostName, declaration, type);
    return type;
  }

  /** What arguments say of dead-lettering. @throws BrokerError PRECONDITION_FAILED, ACCESS_REFUSED */
  checkDeadLettering(vhost: Vhost, name: string, args: FieldTable, actor: Actor): void {
    const deadLetter = args.get('x-dead-letter-exchange');
    if (deadLetter === undefined) return;
    if (deadLetter.type !== 'S') {
      throw preconditionFailed(
        `invalid type '${fieldTypeName(deadLetter)}' for arg 'x-dead-letter-exchange' in ${queueTerm(name, vhost.name)}`,
      );
    }
    this.#resources.check(actor, vhost, 'read', 'queue', name);
    this.#resources.check(actor, vhost, 'write', 'exchange', String(deadLetter.value));
  }

  /** @throws BrokerError PRECONDITION_FAILED */
  assertSameProperties(vhost: Vhost, queue: Queue, { isDurable, isAutoDelete, owner }: QueueDeclaration): void {
    const term = queueTerm(queue.name, vhost.name);
    assertSameProperty(term, 'durable', isDurable && owner === null, queue.isDurable);
    assertSameProperty(term, 'auto_delete', isAutoDelete, queue.isAutoDelete);
  }

  /** That a declaration repeats what there is. @throws BrokerError PRECONDITION_FAILED, RESOURCE_LOCKED */
  assertEquivalent(vhost: Vhost, queue: Queue, declaration: QueueDeclaration): void {
    // A redeclaration must repeat exclusivity, from the same connection. [RabbitMQ: check_exclusive_access, strict]
    if (queue.owner !== declaration.owner) throw lockedQueue(vhost, queue.name);
    const term = queueTerm(queue.name, vhost.name);
    this.assertSameProperties(vhost, queue, declaration);
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

  #queueType(vhostName: string, defaultType: string | null, declaration: QueueDeclaration): QueueType {
    const argument = declaration.arguments.get('x-queue-type');
    const name = argument === undefined ? this.#defaultQueueType(defaultType, declaration) : String(argument.value);
    const type = this.#types.get(name);
    if (type !== undefined && (argument === undefined || argument.type === 'S')) return type;
    const why =
      argument !== undefined && argument.type !== 'S'
        ? `{unacceptable_type,${fieldTypeName(argument)}}`
        : `"unsupported queue type '${name}'"`;
    throw preconditionFailed(`invalid arg 'x-queue-type' for ${queueTerm(declaration.name, vhostName)}: ${why}`);
  }

  /** The default is for queues that can be of its type; others are what they have always been. [RabbitMQ: rabbit_queue_type, is_compatible] */
  #defaultQueueType(ofVhost: string | null, { owner, isDurable, isAutoDelete }: QueueDeclaration): string {
    const name = ofVhost ?? this.#settings.defaultQueueType;
    const can = this.#types.get(name)?.capabilities;
    if (can === undefined) return name;
    const isCompatible =
      (owner === null || can.isExclusiveAllowed) && (isDurable || can.isTransientAllowed) && (!isAutoDelete || can.isAutoDeleteAllowed);
    return isCompatible ? name : defaultSettings.defaultQueueType;
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
