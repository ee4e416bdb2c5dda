// The limits of a virtual host as RabbitMQ keeps them: a parameter 'limits' of component 'vhost-limits'. [RabbitMQ: rabbit_vhost_limit]
import type { Json } from '../../base/field-table.ts';
import { erlangProplist, erlangTerm } from '../definitions/erlang-term.ts';
import type { VhostLimits } from '../vhost.ts';

export const vhostLimitsComponent = 'vhost-limits';
export const vhostLimitsName = 'limits';
export const vhostLimitNames: readonly string[] = ['max-connections', 'max-queues'];

type JsonObject = Readonly<Record<string, Json>>;

/** RabbitMQ's texts of what is wrong with the parameter's value. An empty list is what Erlang makes of an empty object. */
export function vhostLimitsProblems(name: string, value: Json): string[] {
  if (Array.isArray(value) && value.length === 0) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${name} not a list ${erlangTerm(value)}`];
  const problems = vhostLimitNames
    .filter(limit => Object.hasOwn(value, limit) && typeof value[limit] !== 'number')
    .map(limit => {
      return `${limit} should be a number, actually was ${erlangTerm(value[limit] ?? null)}`;
    });
  const unknown = Object.entries(value).filter(([limit]) => !vhostLimitNames.includes(limit));
  if (unknown.length > 0) problems.push(`Unrecognised terms ${erlangProplist(unknown)} in ${name}`);
  return problems;
}

export function vhostLimitsOf(value: Json | undefined): VhostLimits {
  const limits: JsonObject = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return { connectionsMax: limitOf(limits['max-connections']), queuesMax: limitOf(limits['max-queues']) };
}

/** Any negative number means that there is no limit. */
function limitOf(value: Json | undefined): number {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : -1;
}
