// What importing a file of definitions would change. An import adds and overwrites; it deletes nothing.
import type { Json, JsonRecord } from './types.ts';
import { isRecord } from './payload.ts';

export interface Change {
  readonly section: string;
  readonly kind: 'added' | 'changed' | 'refused';
  readonly name: string;
  /** Fields that would be other than now: name, now, then. */
  readonly fields: readonly { readonly name: string; readonly now: string; readonly then: string }[];
}

export interface Difference {
  readonly changes: readonly Change[];
  /** What is the same already. */
  readonly sameCount: number;
  /** What is here and not in the file: it stays. */
  readonly keptCount: number;
}

/** The sections of a file, and what tells their objects apart. */
const sections: Readonly<Record<string, readonly string[]>> = {
  vhosts: ['name'],
  users: ['name'],
  permissions: ['vhost', 'user'],
  topic_permissions: ['vhost', 'user', 'exchange'],
  parameters: ['vhost', 'component', 'name'],
  global_parameters: ['name'],
  policies: ['vhost', 'name'],
  exchanges: ['vhost', 'name'],
  queues: ['vhost', 'name'],
  bindings: ['vhost', 'source', 'destination_type', 'destination', 'routing_key', 'arguments'],
};
/** What is declared once and cannot be changed: a file that has it otherwise is refused, or the object is left as it is. */
const unchangeable: ReadonlySet<string> = new Set(['exchanges', 'queues']);
/** Facts that say nothing of the object itself. */
const ignored: ReadonlySet<string> = new Set(['metadata', 'limits', 'hashing_algorithm']);

/** @throws Error when the text is no file of definitions */
export function parseDefinitions(text: string): JsonRecord {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch {
    throw new Error('The file is no JSON.');
  }
  if (!isRecord(parsed) || !Object.keys(sections).some(section => Array.isArray(parsed[section])))
    throw new Error('The file has no definitions in it.');
  return parsed;
}

/** `vhost` fills in the virtual host of files that are of one only. */
export function differenceOf(now: JsonRecord, then: JsonRecord, vhost: string | null): Difference {
  const changes: Change[] = [];
  let sameCount = 0;
  let keptCount = 0;
  for (const [section, keys] of Object.entries(sections)) {
    const present = byKey(now[section], keys, vhost);
    const wanted = byKey(then[section], keys, vhost);
    for (const [key, object] of wanted) {
      const name = keys
        .filter(part => part !== 'arguments' || isFilled(object[part]))
        .map(part => shown(object[part]))
        .join(' · ');
      const before = present.get(key);
      if (before === undefined) {
        changes.push({ section, kind: 'added', name, fields: [] });
        continue;
      }
      const fields = Object.keys(object)
        .filter(field => !ignored.has(field) && !keys.includes(field) && !isSame(before[field], object[field]))
        .map(field => ({
          name: field,
          now: section === 'users' && field === 'password_hash' ? 'another' : shown(before[field]),
          then: section === 'users' && field.startsWith('password') ? 'of the file' : shown(object[field]),
        }));
      if (fields.length === 0) sameCount++;
      else changes.push({ section, kind: unchangeable.has(section) ? 'refused' : 'changed', name, fields });
    }
    for (const key of present.keys()) if (!wanted.has(key)) keptCount++;
  }
  return { changes, sameCount, keptCount };
}

function byKey(list: Json | undefined, keys: readonly string[], vhost: string | null): Map<string, JsonRecord> {
  const found = new Map<string, JsonRecord>();
  for (const item of Array.isArray(list) ? list : []) {
    if (!isRecord(item)) continue;
    const object: JsonRecord = keys.includes('vhost') && item['vhost'] === undefined && vhost !== null ? { ...item, vhost } : item;
    found.set(JSON.stringify(keys.map(key => sorted(object[key] ?? null))), object);
  }
  return found;
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(sorted(normal(a))) === JSON.stringify(sorted(normal(b)));
}

/** Tags are a list or a text with commas. */
function normal(value: Json | undefined): Json {
  if (value === undefined) return null;
  return Array.isArray(value) && value.every(item => typeof item === 'string') ? value.join(',') : value;
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map(key => [key, sorted(value[key] ?? null)]),
  );
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
}

function isFilled(value: Json | undefined): boolean {
  return isRecord(value) && Object.keys(value).length > 0;
}
