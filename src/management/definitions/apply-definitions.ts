import { longstr } from '../../base/field-table.ts';
import { brokerActor } from '../../core/actor.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { BrokerError } from '../../core/broker-error.ts';
import type { Vhost } from '../../core/vhost.ts';
import type {
  Definitions,
  DefinitionStep,
  ExchangeDefinition,
  QueueDefinition,
  VhostDefinition,
} from '../../core/definitions/definitions.ts';
import { definitionsInOrder } from '../../core/definitions/definitions.ts';

/**
 * Applies definitions, which resolveReferences has checked, one by one: the caller decides how many at a time. Users, permissions,
 * policies and the like are replaced; queues and exchanges that exist stay as they are, whatever the definitions say of them.
 * Yields what could not be applied, as a text. [RabbitMQ docs: definitions import]
 */
export function* applyDefinitions(core: BrokerCore, definitions: Definitions): Generator<string | null, void, undefined> {
  for (const step of definitionsInOrder(definitions)) {
    try {
      core.turn.begin();
      apply(core, step);
      yield null;
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      yield error.text;
    }
  }
}

function apply(core: BrokerCore, step: DefinitionStep): void {
  switch (step.kind) {
    case 'user':
      core.access.putUser(step.value);
      return;
    case 'vhost':
      putVhost(core, step.value);
      return;
    case 'permission':
      core.access.putPermission(step.value);
      return;
    case 'topic-permission':
      core.access.putTopicPermission(step.value);
      return;
    case 'exchange':
      declareExchange(core, step.value);
      return;
    case 'queue':
      declareQueue(core, step.value);
      return;
    case 'binding': {
      const { vhost, source, destinationKind, destination, key, arguments: args } = step.value;
      core.topology.bind(vhostOf(core, vhost), source, destinationKind, destination, key, args, brokerActor);
      return;
    }
    case 'global-parameter':
      core.parameters.putGlobal(step.value.name, step.value.value);
      return;
    case 'parameter':
      core.parameters.put(step.value.vhost, step.value.component, step.value.name, step.value.value);
      return;
    case 'policy':
      core.policies.put('policy', step.value.vhost, step.value.name, step.value);
      return;
    case 'operator-policy':
      core.policies.put('operator_policy', step.value.vhost, step.value.name, step.value);
      return;
    case 'vhost-limits':
      if (step.value.connectionsMax >= 0) core.parameters.putVhostLimit(step.value.vhost, 'max-connections', step.value.connectionsMax);
      if (step.value.queuesMax >= 0) core.parameters.putVhostLimit(step.value.vhost, 'max-queues', step.value.queuesMax);
      return;
  }
}

function putVhost(core: BrokerCore, definition: VhostDefinition): void {
  const vhost = core.addVhost(definition);
  vhost.isTracing = definition.isTracing;
  vhost.isProtectedFromDeletion = definition.isProtectedFromDeletion;
}

function declareExchange(core: BrokerCore, definition: ExchangeDefinition): void {
  const vhost = vhostOf(core, definition.vhost);
  if (!vhost.exchanges.has(definition.name)) core.topology.declareExchange(vhost, definition.type, definition, brokerActor);
}

function declareQueue(core: BrokerCore, definition: QueueDefinition): void {
  const vhost = vhostOf(core, definition.vhost);
  if (vhost.queues.has(definition.name)) return;
  const args = new Map(definition.arguments);
  const usual = vhost.defaultQueueType ?? core.settings.defaultQueueType;
  if (definition.type !== null && definition.type !== usual && !args.has('x-queue-type'))
    args.set('x-queue-type', longstr(definition.type));
  const { name, isDurable, isAutoDelete } = definition;
  core.topology.declareQueue(vhost, { name, isDurable, isAutoDelete, owner: null, arguments: args }, brokerActor);
}

function vhostOf(core: BrokerCore, name: string): Vhost {
  const vhost = core.vhosts.get(name);
  if (vhost === undefined) throw new BrokerError('NOT_FOUND', `no vhost '${name}'`);
  return vhost;
}
