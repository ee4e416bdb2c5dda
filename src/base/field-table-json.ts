// Field tables as JSON, the way RabbitMQ's management API reads and shows arguments and headers.
import type { Field, FieldTable } from './field-table.ts';
import { array, bool, long, longstr, table, voidField } from './field-table.ts';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Arrays and objects in JSON may nest this deep, as tables may on the wire. */
const depthMax = 32;

/** A table from a JSON object: strings become longstr, integers int64, other numbers double, null void.
 * Throws RangeError when it nests deeper than 32. [RabbitMQ: to_amqp_table] */
export function tableFromJson(object: Readonly<Record<string, unknown>>): FieldTable {
  return tableAt(object, 1);
}

function tableAt(object: object, depth: number): FieldTable {
  if (depth > depthMax) throw new RangeError(`arguments nest deeper than ${depthMax}`);
  const fields: FieldTable = new Map();
  for (const [name, value] of Object.entries(object)) fields.set(name, fieldAt(value, depth));
  return fields;
}

function fieldAt(value: unknown, depth: number): Field {
  switch (typeof value) {
    case 'string':
      return longstr(value);
    case 'boolean':
      return bool(value);
    case 'number':
      return numberField(value);
    case 'object':
      if (value === null) return voidField;
      if (!Array.isArray(value)) return table(tableAt(value, depth + 1));
      if (depth >= depthMax) throw new RangeError(`arguments nest deeper than ${depthMax}`);
      return array(value.map((item: unknown) => fieldAt(item, depth + 1)));
    default:
      return voidField;
  }
}

function numberField(value: number): Field {
  if (Number.isSafeInteger(value)) return long(value);
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) return long(BigInt(value));
  return { type: 'd', value };
}

/** A table as a JSON object. Bytes that are valid UTF-8 are shown as text, others in base64 behind RabbitMQ's notice; a decimal is shown as
 * the number it means; an int64 beyond the safe integers as the nearest number. */
export function tableToJson(fields: FieldTable): Record<string, Json> {
  // Object.fromEntries defines properties, so that a header named __proto__ is only a name.
  return Object.fromEntries(Array.from(fields, ([name, field]) => [name, fieldToJson(field)]));
}

export function fieldToJson(field: Field): Json {
  const value = field.value;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return bytesToText(value);
  if (value instanceof Map) return tableToJson(value);
  if (Array.isArray(value)) return value.map(fieldToJson);
  return value.value / 10 ** value.scale;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** [RabbitMQ: utf8_safe; base64 in lines of 76 characters] */
function bytesToText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
    return `Not UTF-8, base64 is: ${base64.replace(/.{76}(?=.)/g, '$&\n')}`;
  }
}
