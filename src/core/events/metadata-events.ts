// Events about users, permissions, policies, parameters and virtual hosts, with RabbitMQ's facts about each.
import type { Json } from '../../base/field-table.ts';
import type { AccessChange } from '../access/access-change.ts';
import type { User, UserLimits } from '../access/user.ts';
import type { PolicyDefinition } from '../definitions/definitions.ts';
import type { ParameterChange } from '../parameters/parameter-change.ts';
import { vhostLimitsComponent } from '../parameters/vhost-limits.ts';
import type { PolicyChange } from '../policies/policy-change.ts';
import type { Vhost } from '../vhost.ts';
import type { BrokerEvents } from './broker-events.ts';

/** `before` is the user as it was; undefined for a new one. */
export function accessChanged(events: BrokerEvents, change: AccessChange, before: User | undefined): void {
  if (!events.isObserved) return;
  switch (change.kind) {
    case 'user.put':
      userPut(events, change.user, before);
      break;
    case 'user.delete':
      events.emitByActor('user.deleted', { name: change.user });
      break;
    case 'user-limits.put':
      limitsPut(events, change.user, change.limits);
      break;
    case 'permission.put': {
      const { user, vhost, configure, write, read } = change.permission;
      events.emitByActor('permission.created', { user, vhost, configure, write, read });
      break;
    }
    case 'permission.delete':
      events.emitByActor('permission.deleted', { user: change.user, vhost: change.vhost });
      break;
    case 'topic-permission.put': {
      const { user, vhost, exchange, write, read } = change.permission;
      events.emitByActor('topic.permission.created', { user, vhost, exchange, write, read });
      break;
    }
    case 'topic-permission.delete':
      events.emitByActor('topic.permission.deleted', { user: change.user, vhost: change.vhost, exchange: change.exchange });
      break;
    case 'vhost-permissions.delete':
      break;
  }
}

function userPut(events: BrokerEvents, user: User, before: User | undefined): void {
  const { name } = user;
  if (before === undefined) events.emitByActor('user.created', { name });
  else if (before.passwordHash !== user.passwordHash)
    events.emitByActor(user.passwordHash === '' ? 'user.password.cleared' : 'user.password.changed', { name });
  if (before === undefined || before.tags.join() !== user.tags.join()) events.emitByActor('user.tags.set', { name, tags: [...user.tags] });
}

function limitsPut(events: BrokerEvents, username: string, limits: UserLimits): void {
  const set: Record<string, Json> = {};
  if (limits.maxConnections !== null) set['max-connections'] = limits.maxConnections;
  if (limits.maxChannels !== null) set['max-channels'] = limits.maxChannels;
  const isCleared = Object.keys(set).length === 0;
  events.emitByActor(isCleared ? 'user.limits.cleared' : 'user.limits.set', { name: 'limits', username, ...set });
}

/** An operator policy is a parameter too. [RabbitMQ: rabbit_policy] */
export function policyChanged(events: BrokerEvents, change: PolicyChange): void {
  if (!events.isObserved || change.kind === 'vhost-policies.delete') return;
  const isOperators = change.rank === 'operator_policy';
  if (change.kind === 'policy.put') {
    const { vhost, name } = change.policy;
    const value = policyFacts(change.policy);
    if (isOperators) events.emitByActor('parameter.set', { vhost, component: 'operator_policy', name, value });
    events.emitByActor('policy.set', { vhost, name, ...value });
  } else {
    const { vhost, name } = change;
    if (isOperators) events.emitByActor('parameter.cleared', { vhost, component: 'operator_policy', name });
    else events.emitByActor('policy.cleared', { vhost, name });
  }
}

function policyFacts({ pattern, applyTo, definition, priority }: PolicyDefinition): Record<string, Json> {
  return { pattern, 'apply-to': applyTo, definition: { ...definition }, priority };
}

export function parameterChanged(events: BrokerEvents, change: ParameterChange): void {
  if (!events.isObserved) return;
  switch (change.kind) {
    case 'parameter.put': {
      const { vhost, component, name, value } = change.parameter;
      events.emitByActor('parameter.set', { vhost, component, name, value });
      if (component === vhostLimitsComponent)
        events.emitByActor('vhost.limits.set', {
          name,
          vhost,
          ...(typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}),
        });
      break;
    }
    case 'parameter.delete': {
      const { vhost, component, name } = change;
      events.emitByActor('parameter.cleared', { vhost, component, name });
      if (component === vhostLimitsComponent) events.emitByActor('vhost.limits.cleared', { name, vhost });
      break;
    }
    case 'global-parameter.put':
      events.emitByActor('parameter.set', { component: 'global', name: change.parameter.name, value: change.parameter.value });
      break;
    case 'global-parameter.delete':
      // So RabbitMQ has it, without a value.
      events.emitByActor('parameter.set', { component: 'global', name: change.name });
      break;
    case 'vhost-parameters.delete':
      break;
  }
}

export function vhostChanged(events: BrokerEvents, name: 'vhost.created' | 'vhost.updated' | 'vhost.deleted', vhost: Vhost): void {
  if (!events.isObserved) return;
  if (name === 'vhost.deleted') events.emitByActor(name, { name: vhost.name });
  else
    events.emitByActor(name, {
      name: vhost.name,
      description: vhost.description,
      tags: [...vhost.tags],
      tracing: vhost.isTracing,
      default_queue_type: vhost.defaultQueueType ?? 'undefined',
    });
}
