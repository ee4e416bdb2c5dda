import type { JsonObject } from './reply.ts';

const columnsMax = 200;

/** Wanted keys; null wants everything below. */
type Wanted = Map<string, Wanted | null>;

/** Reduces an object to the columns `a,b.c` names; everything without any. [RabbitMQ docs: HTTP API, columns] */
export function selectColumns(columns: string | null): (object: JsonObject) => JsonObject {
  if (columns === null || columns === '') return object => object;
  const wanted: Wanted = new Map();
  for (const path of columns.split(',').slice(0, columnsMax)) add(wanted, path.split('.'));
  return object => pick(object, wanted);
}

function add(wanted: Wanted, path: readonly string[]): void {
  const [key = '', ...rest] = path;
  const below = wanted.get(key);
  if (below === null) return;
  if (rest.length === 0) {
    wanted.set(key, null);
    return;
  }
  const inner: Wanted = below ?? new Map();
  wanted.set(key, inner);
  add(inner, rest);
}

function pick(object: JsonObject, wanted: Wanted): JsonObject {
  const picked: [string, unknown][] = [];
  for (const [key, below] of wanted) {
    if (!Object.hasOwn(object, key)) continue;
    const value = object[key];
    if (below === null || typeof value !== 'object' || value === null) picked.push([key, value]);
    else if (Array.isArray(value)) picked.push([key, value.map(item => (isObject(item) ? pick(item, below) : item))]);
    else picked.push([key, pick(value as JsonObject, below)]);
  }
  return Object.fromEntries(picked);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
