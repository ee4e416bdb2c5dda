import type { Json } from '../../base/field-table.ts';
import { brokerActor } from '../actor.ts';
import type { BrokerCore } from '../broker.ts';
import { vhostLimitsComponent, vhostLimitsName } from '../parameters/vhost-limits.ts';
import { allAtOnce, type Steps } from '../stepped-work.ts';
import type { Vhost } from '../vhost.ts';
import { checkDefinitions, existingObjects, queueDeclaration } from './check-definitions.ts';
import type { Definitions, DefinitionStep, VhostDefinition, VhostLimitsDefinition } from './definitions.ts';
import { definitionsInOrder } from './definitions.ts';
import { DefinitionsError } from './problems.ts';
import { resolveReferences } from './references.ts';

/** What it costs to apply a definition, in units of stepped work. */
const applyCost = 8;

/**
 * Makes the broker have what definitions say. They are checked whole against what the broker has; then all of it is applied. What can be
 * changed is changed, queues and exchanges that exist stay as they are, and nothing is deleted, so that doing it again changes nothing.
 * Returns what was passed over, for the log.
 * @throws DefinitionsError: nothing was applied
 */
export function applyDefinitions(core: BrokerCore, definitions: Definitions): readonly string[] {
  core.turn.begin();
  return allAtOnce(applyInSteps(core, definitions));
}

/**
 * The same in steps. What others do meanwhile may stop it half-way, by deleting a virtual host for example: then an error is thrown, and what
 * was applied stays. [RabbitMQ: rabbit_definitions, apply_defs]
 */
export function* applyInSteps(core: BrokerCore, definitions: Definitions): Steps<readonly string[]> {
  const resolved = yield* resolveReferences(definitions, existingObjects(core));
  yield* checkDefinitions(core, resolved);
  for (const step of definitionsInOrder(resolved)) {
    apply(core, step);
    yield applyCost;
  }
  return resolved.warnings;
}

function apply(core: BrokerCore, step: DefinitionStep): void {
  switch (step.kind) {
    case 'user':
      core.access.putUser(step.value);
      break;
    case 'vhost':
      putVhost(core, step.value);
      break;
    case 'vhost-limits':
      core.parameters.put(step.value.vhost, vhostLimitsComponent, vhostLimitsName, limitsJson(step.value));
      break;
    case 'permission':
      core.access.putPermission(step.value);
      break;
    case 'topic-permission':
      core.access.putTopicPermission(step.value);
      break;
    case 'global-parameter':
      core.parameters.putGlobal(step.value.name, step.value.value);
      break;
    case 'policy':
    case 'operator-policy': {
      const { vhost, name, ...parts } = step.value;
      core.policies.put(step.kind === 'policy' ? 'policy' : 'operator_policy', vhost, name, parts);
      break;
    }
    case 'parameter':
      core.parameters.put(step.value.vhost, step.value.component, step.value.name, step.value.value);
      break;
    case 'exchange': {
      const vhost = vhostOf(core, step.value.vhost);
      if (!vhost.exchanges.has(step.value.name)) core.topology.declareExchange(vhost, step.value.type, step.value, brokerActor);
      break;
    }
    case 'queue': {
      const vhost = vhostOf(core, step.value.vhost);
      if (!vhost.queues.has(step.value.name)) core.topology.declareQueue(vhost, queueDeclaration(step.value), brokerActor);
      break;
    }
    case 'binding': {
      const { vhost, source, destinationKind, destination, key, arguments: args } = step.value;
      core.topology.bind(vhostOf(core, vhost), source, destinationKind, destination, key, args, brokerActor);
      break;
    }
  }
}

function putVhost(core: BrokerCore, definition: VhostDefinition): void {
  const vhost = core.addVhost(definition);
  vhost.isTracing = definition.isTracing;
  vhost.isProtectedFromDeletion = definition.isProtectedFromDeletion;
}

function limitsJson({ connectionsMax, queuesMax }: VhostLimitsDefinition): Record<string, Json> {
  const limits: Record<string, Json> = {};
  if (connectionsMax >= 0) limits['max-connections'] = connectionsMax;
  if (queuesMax >= 0) limits['max-queues'] = queuesMax;
  return limits;
}

/** As checked, the vhost exists, if nobody has deleted it since. */
function vhostOf(core: BrokerCore, name: string): Vhost {
  const vhost = core.vhosts.get(name);
  if (vhost === undefined) throw new DefinitionsError([`Please create virtual host "${name}" prior to importing definitions.`]);
  return vhost;
}
