import type { FieldTable, Json } from '../../base/field-table.ts';
import { tableFromJson } from '../../base/field-table.ts';
import { limits } from '../limits.ts';
import type { Steps } from '../stepped-work.ts';
import type { Remarks } from './problems.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where remarks go, and which vhost a file that names none is meant for. */
export interface ReadingContext {
  readonly problems: Remarks;
  readonly warnings: Remarks;
  /** The vhost that everything belongs to; null if the entries say. */
  readonly vhost: string | null;
}

/** One object of a section being read. What does not fit is noted as a problem and read as a harmless value. */
export class Entry {
  readonly path: string;
  readonly context: ReadingContext;
  readonly #value: JsonObject;

  constructor(context: ReadingContext, path: string, value: JsonObject, knownKeys: ReadonlySet<string>) {
    this.context = context;
    this.path = path;
    this.#value = value;
    for (const key of Object.keys(value)) {
      if (!knownKeys.has(key)) context.warnings.add(`${path}: unknown key "${key.slice(0, 100)}" ignored`);
    }
  }

  problem(text: string): void {
    this.context.problems.add(`${this.path}: ${text}`);
  }

  warning(text: string): void {
    this.context.warnings.add(`${this.path}: ${text}`);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#value, key) && this.#value[key] !== null && this.#value[key] !== undefined;
  }

  /** The value as it stands; undefined if it is absent or null. */
  raw(key: string): unknown {
    return this.has(key) ? this.#value[key] : undefined;
  }

  /** A text; without a default it must be there. */
  text(key: string, absent?: string): string {
    const value = this.raw(key);
    if (value === undefined && absent !== undefined) return absent;
    if (typeof value === 'string') return value;
    this.problem(value === undefined ? `key "${key}" is missing` : `"${key}" should be a string`);
    return absent ?? '';
  }

  /** A name as the protocol can carry it: not empty, at most 255 bytes. */
  name(key: string): string {
    const name = this.text(key);
    if (name === '' && this.raw(key) === '') this.problem(`"${key}" is empty`);
    this.#checkLength(key, name);
    return name;
  }

  /** A name that may be empty. */
  shortText(key: string, absent?: string): string {
    const text = this.text(key, absent);
    this.#checkLength(key, text);
    return text;
  }

  /** The entry's vhost, or the one the whole file is meant for. */
  vhost(): string {
    if (this.context.vhost !== null) return this.context.vhost;
    if (this.has('vhost')) return this.name('vhost');
    this.problem('Virtual host does not exist and is not specified in definitions file.');
    return '';
  }

  /** Old files have "true" and 1 for true. */
  boolean(key: string, absent: boolean): boolean {
    const value = this.raw(key);
    if (value === undefined) return absent;
    if (value === true || value === 'true' || value === 1 || value === '1') return true;
    if (value === false || value === 'false' || value === 0 || value === '0') return false;
    this.problem(`"${key}" should be true or false`);
    return absent;
  }

  /** An integer, also written as a string. */
  integer(key: string, absent: number): number {
    const value = this.raw(key);
    if (value === undefined) return absent;
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    if (typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value);
    this.problem(`"${key}" should be an integer`);
    return absent;
  }

  /** A JSON object; null, and the empty list that Erlang makes of an empty object, are empty. */
  object(key: string): Readonly<Record<string, Json>> {
    const value = this.raw(key);
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return {};
    if (isObject(value)) return value as Readonly<Record<string, Json>>;
    this.problem(`"${key}" should be an object`);
    return {};
  }

  arguments(): FieldTable {
    const object = this.object('arguments');
    try {
      const table = tableFromJson(object);
      for (const name of table.keys()) this.#checkLength('arguments', name);
      return table;
    } catch (error) {
      this.problem(error instanceof RangeError ? error.message : 'arguments cannot be read');
      return new Map();
    }
  }

  #checkLength(key: string, text: string): void {
    if (text.length * 3 > limits.nameBytesMax && Buffer.byteLength(text) > limits.nameBytesMax)
      this.problem(`"${key}" is longer than ${limits.nameBytesMax} bytes`);
  }
}

/** What it costs to read an entry, in units of stepped work. */
const entryCost = 4;

/** Reads each entry of a section; entries that are no objects are problems. */
export function* readSection<Result>(
  context: ReadingContext,
  name: string,
  section: unknown,
  keys: readonly string[],
  read: (entry: Entry) => Result | null,
): Steps<Result[]> {
  if (section === undefined || section === null) return [];
  if (!Array.isArray(section)) {
    context.problems.add(`${name}: should be a list`);
    return [];
  }
  const known = new Set(keys);
  const results: Result[] = [];
  for (const [index, value] of section.entries() as ArrayIterator<[number, unknown]>) {
    const path = `${name}[${index}]`;
    yield entryCost;
    if (!isObject(value)) {
      context.problems.add(`${path}: should be an object`);
      continue;
    }
    const result = read(new Entry(context, path, value, known));
    if (result !== null) results.push(result);
  }
  return results;
}
