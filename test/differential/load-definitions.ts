// Puts definitions.json into an embedded broker, as far as the broker can take it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hashPassword } from '../../src/auth/password.ts';
import { defaultHashingAlgorithm } from '../../src/core/access/user.ts';
import { definitionsInOrder } from '../../src/core/definitions/definitions.ts';
import { parseDefinitions } from '../../src/core/definitions/parse-definitions.ts';
import type { Broker } from '../../src/index.ts';

/** Returns the kinds of definitions that cases may rely on now: the words after `## needs:`. */
export function loadDefinitions({ core }: Broker): ReadonlySet<string> {
  const text = readFileSync(fileURLToPath(new URL('definitions.json', import.meta.url)), 'utf8');
  const definitions = parseDefinitions(text, { hash: password => hashPassword(password, defaultHashingAlgorithm) });
  for (const step of definitionsInOrder(definitions)) {
    if (step.kind === 'user') core.access.putUser(step.value);
    else if (step.kind === 'permission') core.access.putPermission(step.value);
    else if (step.kind === 'topic-permission') core.access.putTopicPermission(step.value);
    else if (step.kind === 'vhost' && !core.vhosts.has(step.value.name)) core.addVhost(step.value);
    else if (step.kind === 'policy' || step.kind === 'operator-policy')
      core.policies.put(step.kind === 'policy' ? 'policy' : 'operator_policy', step.value.vhost, step.value.name, step.value);
    else if (step.kind === 'vhost-limits') {
      core.parameters.putVhostLimit(step.value.vhost, 'max-connections', step.value.connectionsMax);
      core.parameters.putVhostLimit(step.value.vhost, 'max-queues', step.value.queuesMax);
    }
  }
  return new Set(['users', 'policies']);
}
