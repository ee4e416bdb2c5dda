import { parseDefinitions } from '../../core/definitions/parse-definitions.ts';
import { applyDefinitions } from '../../core/definitions/apply.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { definitionsSource } from '../../core/definitions/core-source.ts';
import { exportVhostDefinitions } from '../../core/definitions/export-definitions.ts';
import type { Vhost } from '../../core/vhost.ts';

/**
 * Makes a virtual host like another: its exchanges, queues (empty), bindings, policies and parameters, and what its users may do.
 * @throws RangeError when there is none of the one name, or one of the other already
 */
export function forkVhost(core: BrokerCore, from: string, name: string): Vhost {
  const original = core.vhosts.get(from);
  if (original === undefined) throw new RangeError(`no vhost '${from}'`);
  if (core.vhosts.has(name)) throw new RangeError(`there is a vhost '${name}' already`);
  core.turn.begin();
  const { tags, defaultQueueType } = original;
  const vhost = core.addVhost({ name, description: `fork of '${from}'`, tags, defaultQueueType });
  for (const permission of core.access.permissions({ vhost: from })) core.access.putPermission({ ...permission, vhost: name });
  for (const permission of core.access.topicPermissions({ vhost: from })) core.access.putTopicPermission({ ...permission, vhost: name });
  const definitions = exportVhostDefinitions(definitionsSource(core), from);
  applyDefinitions(core, parseDefinitions(definitions, { vhost: name, hash: password => password }));
  return vhost;
}
