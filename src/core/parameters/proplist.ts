// How RabbitMQ checks the value of a parameter: key by key, each with a check of its own. [RabbitMQ: rabbit_parameter_validation]
import type { Json } from '../../base/field-table.ts';
import { erlangProplist, erlangTerm } from '../definitions/erlang-term.ts';

/** RabbitMQ's texts of what is wrong with a value that is called `name`; none if nothing is. */
export type ValueCheck = (name: string, value: Json) => readonly string[];

export interface Constraint {
  readonly key: string;
  readonly check: ValueCheck;
  readonly isMandatory: boolean;
}

export function mandatory(key: string, check: ValueCheck): Constraint {
  return { key, check, isMandatory: true };
}

export function optional(key: string, check: ValueCheck): Constraint {
  return { key, check, isMandatory: false };
}

/** An object as it is, and an empty one for an empty list, which is the same in Erlang; null for anything else. */
export function objectOf(value: Json): Readonly<Record<string, Json>> | null {
  if (Array.isArray(value)) return value.length === 0 ? {} : null;
  return typeof value === 'object' ? value : null;
}

/** What is wrong with an object: keys that nobody knows first, then the constraints from the last to the first, as RabbitMQ tells it. */
export function proplistProblems(name: string, constraints: readonly Constraint[], value: Json): string[] {
  const object = objectOf(value);
  if (object === null) return [Array.isArray(value) ? `Unrecognised terms ${erlangTerm(value)} in ${name}` : notAList(name, value)];
  const problems = constraints
    .map(({ key, check, isMandatory }) => {
      if (Object.hasOwn(object, key)) return check(key, object[key] as Json);
      return isMandatory ? [`Key "${key}" not found in ${name}`] : [];
    })
    .reverse()
    .flat();
  const known = new Set(constraints.map(({ key }) => key));
  const unknown = Object.entries(object).filter(([key]) => !known.has(key));
  if (unknown.length === 0) return problems;
  return [`Unrecognised terms ${erlangProplist(unknown.sort(([a], [b]) => (a < b ? -1 : 1)))} in ${name}`, ...problems];
}

function notAList(name: string, value: Json): string {
  return `${name} not a list ${erlangTerm(value)}`;
}

/** A check by one condition, whose text says what the value should have been. */
function should(be: string, isRight: (value: Json) => boolean): ValueCheck {
  return (name, value) => (isRight(value) ? [] : [`${name} should be ${be}, actually was ${erlangTerm(value)}`]);
}

export const isNumber = should('a number', value => typeof value === 'number');
export const isText = should('binary', value => typeof value === 'string');
export const isFlag = should('boolean', value => typeof value === 'boolean');
export const isList = should('list', Array.isArray);

export function isOneOf(...values: readonly string[]): ValueCheck {
  const named = should(`one of ${erlangTerm([...values])}`, value => values.includes(value as string));
  return (name, value) => (typeof value === 'string' ? named(name, value) : isText(name, value));
}

export function isProplist(...constraints: readonly Constraint[]): ValueCheck {
  return (name, value) => proplistProblems(name, constraints, value);
}

/** An object of any keys whose values fit one check. */
export function isMapOf(check: ValueCheck): ValueCheck {
  return (name, value) => {
    const object = objectOf(value);
    return object === null ? [notAList(name, value)] : Object.entries(object).flatMap(([key, item]) => check(key, item));
  };
}
