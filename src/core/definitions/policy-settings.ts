// Whether a policy's definition is one. [RabbitMQ: rabbit_policies and the validators of its plugins]
import type { Json } from '../../base/field-table.ts';
import { policyKeys } from '../policies/policy-keys.ts';
import { erlangProplist, erlangTerm } from './erlang-term.ts';

export type PolicyRank = 'policy' | 'operator_policy';

/** RabbitMQ's text of what is wrong with a policy's definition, or null. */
export function policySettingsProblem(definition: Readonly<Record<string, Json>>, rank: PolicyRank): string | null {
  const pairs = Object.entries(definition);
  if (pairs.length === 0) return 'no policy provided';
  const isKnown = ([key]: readonly [string, Json]): boolean => {
    const known = policyKeys.get(key);
    return known !== undefined && (rank === 'policy' || known.operatorMerge !== null);
  };
  for (const [key, value] of pairs.filter(isKnown)) {
    const known = policyKeys.get(key);
    if (known !== undefined && !known.accepts(value)) return `${erlangTerm(value)} is not a valid ${known.noun}`;
  }
  const unknown = pairs.filter(pair => !isKnown(pair));
  return unknown.length === 0 ? null : `${erlangProplist(unknown)} are not recognised policy settings`;
}

/** The settings in the definition that are accepted and do nothing, such as those of mirrored queues. */
export function obsoleteSettings(definition: Readonly<Record<string, Json>>): string[] {
  return Object.keys(definition).filter(key => policyKeys.get(key)?.isObsolete === true);
}
