import { hashPassword } from '../auth/password.ts';
import type { Json } from '../base/field-table.ts';
import { compilePattern } from '../core/access/pattern.ts';
import { type HashingAlgorithm, noUserLimits } from '../core/access/user.ts';
import type { BrokerCore } from '../core/broker.ts';
import { BrokerError } from '../core/broker-error.ts';
import { vhostLimitsComponent, vhostLimitsName } from '../core/parameters/vhost-limits.ts';
import type { DefaultsConfig, OperatorPolicyConfig } from './config/config.ts';

/** What virtual hosts get when they are made. */
export type VhostDefaults = Pick<DefaultsConfig, 'vhostUsers' | 'vhostLimits' | 'operatorPolicies'>;

/** Gives a new virtual host the limits, operator policies and users that the configuration has for its name. [RabbitMQ docs: vhosts, defaults] */
export function applyVhostDefaults(core: BrokerCore, vhost: string, defaults: VhostDefaults, hashingAlgorithm: HashingAlgorithm): void {
  const isMeant = (pattern: string): boolean => compilePattern(pattern).test(vhost);
  const limits = defaults.vhostLimits.find(({ pattern }) => isMeant(pattern));
  if (limits !== undefined) {
    const value = withoutInfinity({ 'max-connections': limits.connectionMax, 'max-queues': limits.queueMax });
    core.parameters.put(vhost, vhostLimitsComponent, vhostLimitsName, value);
  }
  for (const policy of defaults.operatorPolicies.filter(({ vhostPattern }) => isMeant(vhostPattern))) {
    const parts = { pattern: policy.queuePattern, applyTo: policy.applyTo, definition: definitionOf(policy), priority: 0 };
    try {
      core.policies.put('operator_policy', vhost, policy.id, parts);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      // The virtual host is there; whoever made it cannot help that the configuration is odd.
      core.logger.warning('default', `operator policy '${policy.id}' for vhost '${vhost}': ${error.text}`);
    }
  }
  for (const user of defaults.vhostUsers.filter(({ vhostPattern }) => isMeant(vhostPattern))) {
    const { name, password, tags, configure, write, read } = user;
    if (core.access.user(name) === undefined) {
      const passwordHash = password === null ? '' : hashPassword(password.reveal(), hashingAlgorithm);
      core.access.addUser({ name, passwordHash, hashingAlgorithm, tags, limits: noUserLimits });
    }
    core.access.putPermission({ user: name, vhost, configure, write, read });
  }
}

function definitionOf(policy: OperatorPolicyConfig): Record<string, Json> {
  return withoutNull({
    expires: policy.expiresMillis,
    'message-ttl': policy.messageTtlMillis,
    'max-length': policy.lengthMax,
    'max-length-bytes': policy.lengthBytesMax,
    'delivery-limit': policy.deliveryLimit,
  });
}

function withoutNull(values: Readonly<Record<string, number | null>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

function withoutInfinity(values: Readonly<Record<string, number>>): Record<string, Json> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)));
}
