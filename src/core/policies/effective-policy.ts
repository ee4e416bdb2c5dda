import type { FieldTable, Json } from '../../base/field-table.ts';
import { tableFromJson } from '../../base/field-table.ts';
import type { PolicyDefinition } from '../definitions/definitions.ts';
import type { OperatorMerge, PolicyKind, Precedence } from './policy-keys.ts';
import { policyKeys } from './policy-keys.ts';

/** The policies that apply to a queue or exchange, and what they amount to. */
export interface EffectivePolicy {
  /** Name of the policy; null when none matches. */
  readonly policy: string | null;
  readonly operatorPolicy: string | null;
  /** Both definitions merged. [RabbitMQ: effective_policy_definition] */
  readonly definition: Readonly<Record<string, Json>>;
}

export const noPolicy: EffectivePolicy = { policy: null, operatorPolicy: null, definition: {} };

export function effectivePolicy(policy: PolicyDefinition | null, operator: PolicyDefinition | null): EffectivePolicy {
  if (policy === null && operator === null) return noPolicy;
  return {
    policy: policy?.name ?? null,
    operatorPolicy: operator?.name ?? null,
    definition: mergeDefinitions(policy?.definition ?? {}, operator?.definition ?? {}),
  };
}

function mergeDefinitions(
  policy: Readonly<Record<string, Json>>,
  operator: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const merged = new Map(Object.entries(policy));
  for (const [key, value] of Object.entries(operator)) {
    const own = merged.get(key);
    merged.set(key, own === undefined ? value : mergeValues(policyKeys.get(key)?.operatorMerge ?? 'operator', own, value));
  }
  return Object.fromEntries(merged);
}

function mergeValues(how: OperatorMerge, own: Json, operator: Json): Json {
  switch (how) {
    case 'least':
      return lesser(Number(own), Number(operator));
    case 'greatest':
      return Math.max(Number(own), Number(operator));
    case 'operator':
      return operator;
  }
}

/** The lower of two limits, a negative one being none. */
function lesser(a: number, b: number): number {
  if (a < 0 || b < 0) return Math.max(a, b);
  return Math.min(a, b);
}

/** What a declaration's arguments would have to be to say what they and the policies say together. */
export function effectiveArguments(kind: PolicyKind, args: FieldTable, definition: Readonly<Record<string, Json>>): FieldTable {
  const merged: FieldTable = new Map(args);
  for (const [name, value] of Object.entries(definition)) {
    const key = policyKeys.get(name);
    if (key === undefined || key.argument === null) continue;
    const own = args.get(key.argument);
    if (own === undefined) setJson(merged, key.argument, value);
    else setJson(merged, key.argument, choose(key.precedences[kind] ?? key.precedence, own.value as Json, value));
  }
  return merged;
}

function choose(precedence: Precedence, argument: Json, policy: Json): Json {
  switch (precedence) {
    case 'least':
      return lesser(Number(argument), Number(policy));
    case 'argument':
      return argument;
    case 'policy':
      return policy;
  }
}

function setJson(table: FieldTable, name: string, value: Json): void {
  for (const [key, field] of tableFromJson({ [name]: value })) table.set(key, field);
}
