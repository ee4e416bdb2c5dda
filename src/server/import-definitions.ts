import { createHash } from 'node:crypto';
import { hashPassword } from '../auth/password.ts';
import type { BrokerCore } from '../core/broker.ts';
import { applyDefinitions } from '../core/definitions/apply.ts';
import type { Definitions } from '../core/definitions/definitions.ts';
import { parseDefinitions } from '../core/definitions/parse-definitions.ts';

/** Remembers what was imported. Parameters whose names begin so are the broker's own and are not exported. */
const digestParameter = 'internal_definitions_digest';

/**
 * Applies definitions, each a JSON text or what is made of it, all of them together or none. What a later one says of the same thing counts,
 * but for queues and exchanges, of which the first does. Those that were imported last are passed over if `skipsUnchanged`.
 * Returns whether there are users among them.
 * @throws DefinitionsError
 */
export function importDefinitions(core: BrokerCore, inputs: readonly unknown[], skipsUnchanged = false): boolean {
  const digest = skipsUnchanged ? digestOf(inputs) : null;
  if (digest !== null && core.parameters.global(digestParameter) === digest) {
    core.logger.info('default', 'Submitted definitions have not changed: skipping their import');
    return true;
  }
  const definitions = inputs.map(input => parseDefinitions(input, { hash: password => hashPassword(password) })).reduce(merged);
  for (const warning of applyDefinitions(core, definitions)) core.logger.warning('default', `definitions: ${warning}`);
  if (digest !== null) core.parameters.putGlobal(digestParameter, digest);
  return definitions.users.length > 0;
}

function digestOf(inputs: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(typeof input === 'string' ? input : JSON.stringify(input)).update('\0');
  return hash.digest('base64');
}

function merged(one: Definitions, other: Definitions): Definitions {
  return {
    version: one.version ?? other.version,
    users: [...one.users, ...other.users],
    vhosts: [...one.vhosts, ...other.vhosts],
    vhostLimits: [...one.vhostLimits, ...other.vhostLimits],
    permissions: [...one.permissions, ...other.permissions],
    topicPermissions: [...one.topicPermissions, ...other.topicPermissions],
    parameters: [...one.parameters, ...other.parameters],
    globalParameters: [...one.globalParameters, ...other.globalParameters],
    policies: [...one.policies, ...other.policies],
    operatorPolicies: [...one.operatorPolicies, ...other.operatorPolicies],
    queues: [...one.queues, ...other.queues],
    exchanges: [...one.exchanges, ...other.exchanges],
    bindings: [...one.bindings, ...other.bindings],
    warnings: [...one.warnings, ...other.warnings],
  };
}
