import { createHash } from 'node:crypto';
import type { FieldTable } from '../../base/field-table.ts';

/** Keys longer than this are known by their hash. */
const plainCharsMax = 200;

/**
 * The key by which a message belongs to a group; null for one that belongs to none. Numbers and their texts are the same key; tables and arrays
 * are none.
 */
export function groupKey(headers: FieldTable | null, header: string): string | null {
  const value = headers?.get(header)?.value;
  switch (typeof value) {
    case 'string':
      return value.length <= plainCharsMax ? value : hashed(value);
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return value instanceof Uint8Array ? hashed(value) : null;
  }
}

function hashed(value: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(value).digest('hex')}`;
}
