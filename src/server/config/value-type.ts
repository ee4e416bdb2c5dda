import { Secret } from '../../base/secret.ts';

/** A value that is not of its key's type; `expected` completes the sentence "expected ...". */
export class Mismatch {
  readonly expected: string;

  constructor(expected: string) {
    this.expected = expected;
  }
}

/** The type of a key's value: how it is named in messages and in the reference, and how its text is read. */
export interface ValueType<T> {
  /** Completes "expected ...", and is the type column of the reference. */
  readonly label: string;
  /** True if the text must not be repeated in any message. */
  readonly isSecret: boolean;
  parse(text: string): T | Mismatch;
}

function valueType<T>(label: string, parse: (text: string) => T | undefined): ValueType<T> {
  return {
    label,
    isSecret: false,
    parse: text => {
      const value = parse(text);
      return value === undefined ? new Mismatch(label) : value;
    },
  };
}

/** Any text. */
export const text: ValueType<string> = valueType('text', value => value);

/** Any text but none at all. */
export const someText: ValueType<string> = valueType('text (not empty)', value => (value === '' ? undefined : value));

/** A path in the file system, looked up only where it is used. */
export const path: ValueType<string> = valueType('a path', value => (value === '' ? undefined : value));

/** A file the broker has to be able to read; load-config.ts looks whether it can. */
export const readableFile: ValueType<string> = valueType('the path of a readable file', value => (value === '' ? undefined : value));

/** A regular expression, judged by the engine that will run it (the broker's linear-time one), not here. */
export const regularExpression: ValueType<string> = valueType('a regular expression', value => value);

/** A value of a key that has no effect: whatever it is, it is taken. */
export const anything: ValueType<string> = valueType('-', value => value);

export const secret: ValueType<Secret> = { label: 'text (secret)', isSecret: true, parse: value => new Secret(value) };

/** RabbitMQ takes true and false, and on and off for a few keys; here each of them, and yes and no, is taken everywhere. */
export const boolean: ValueType<boolean> = valueType('true or false', value => {
  switch (value.toLowerCase()) {
    case 'true':
    case 'on':
    case 'yes':
      return true;
    case 'false':
    case 'off':
    case 'no':
      return false;
    default:
      return undefined;
  }
});

function parseInteger(value: string): number | undefined {
  if (!/^[+-]?[0-9]{1,16}$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const label = max === Number.MAX_SAFE_INTEGER ? `an integer, ${min} or more` : `an integer from ${min} to ${max}`;
  return valueType(label, value => {
    const number = parseInteger(value);
    return number === undefined || number < min || number > max ? undefined : number;
  });
}

export function decimal(min: number): ValueType<number> {
  return valueType(`a number, ${min} or more, such as 0.6`, value => {
    if (!/^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(value)) return undefined;
    const number = Number(value);
    return number < min ? undefined : number;
  });
}

/** `type`, or the word infinity for Infinity. */
export function orInfinity(type: ValueType<number>): ValueType<number> {
  return valueType(`${type.label}, or infinity`, value => {
    if (value === 'infinity') return Number.POSITIVE_INFINITY;
    const number = type.parse(value);
    return number instanceof Mismatch ? undefined : number;
  });
}

/** `type`, or the word none for null. */
export function orNone<T>(type: ValueType<T>): ValueType<T | null> {
  return valueType<T | null>(`${type.label}, or none`, value => {
    if (value === 'none') return null;
    const parsed = type.parse(value);
    return parsed instanceof Mismatch ? undefined : parsed;
  });
}

/** One of some words. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  const label = words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`;
  return valueType(label, value => words.find(word => word === value));
}

/** One of some words, each meaning a value: for RabbitMQ's aliases and module names. */
export function meaning<T>(words: Readonly<Record<string, T>>): ValueType<T> {
  const known = new Map(Object.entries(words));
  return valueType(`one of ${[...known.keys()].join(', ')}`, value => known.get(value));
}

/** How many items a list may have. */
const LIST_COUNT_MAX = 1000;

/** Values separated by commas. */
export function listOf<T>(type: ValueType<T>): ValueType<readonly T[]> {
  return valueType<readonly T[]>(`a list, separated by commas, each ${type.label}`, value => {
    const parts = value.split(',').map(part => part.trim());
    if (parts.length > LIST_COUNT_MAX) return undefined;
    const items: T[] = [];
    for (const part of parts) {
      const item = type.parse(part);
      if (item instanceof Mismatch) return undefined;
      items.push(item);
    }
    return items;
  });
}

export { valueType };
