// The limits of a virtual host as RabbitMQ keeps them: a parameter 'limits' of component 'vhost-limits'. [RabbitMQ: rabbit_vhost_limit]
import type { Json } from '../../base/field-table.ts';
import type { VhostLimits } from '../vhost.ts';
import { isNumber, optional, proplistProblems } from './proplist.ts';

export const vhostLimitsComponent = 'vhost-limits';
export const vhostLimitsName = 'limits';
export const vhostLimitNames: readonly string[] = ['max-connections', 'max-queues'];

type JsonObject = Readonly<Record<string, Json>>;

const constraints = vhostLimitNames.map(limit => optional(limit, isNumber));

/** RabbitMQ's texts of what is wrong with the parameter's value. */
export function vhostLimitsProblems(name: string, value: Json): string[] {
  return proplistProblems(name, constraints, value);
}

export function vhostLimitsOf(value: Json | undefined): VhostLimits {
  const limits: JsonObject = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return { connectionsMax: limitOf(limits['max-connections']), queuesMax: limitOf(limits['max-queues']) };
}

/** Any negative number means that there is no limit. */
function limitOf(value: Json | undefined): number {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : -1;
}
