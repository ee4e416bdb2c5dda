import { createHash } from 'node:crypto';
import type { Field, FieldTable } from '../../base/field-table.ts';

/** Values longer than this are known by their hash. */
const plainCharsMax = 64;

/**
 * The value by which a message is recognised, as a text that differs for different values and types; null for a message that has none and is
 * never a duplicate. Tables and arrays are no values. [rabbitmq-message-deduplication]
 */
export function deduplicationValue(headers: FieldTable | null, header: string): string | null {
  const field = headers?.get(header);
  return field === undefined ? null : textOf(field);
}

function textOf({ type, value }: Field): string | null {
  if (value === null) return 'void';
  switch (typeof value) {
    case 'string':
      return value.length <= plainCharsMax ? `s${value}` : hashed(value);
    case 'number':
    case 'bigint':
      return type === 'T' ? `t${value}` : `n${value}`;
    case 'boolean':
      return `b${value}`;
    default:
      return value instanceof Uint8Array ? hashed(value) : null;
  }
}

function hashed(value: string | Uint8Array): string {
  return `h${createHash('sha256').update(value).digest('base64')}`;
}
