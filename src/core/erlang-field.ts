import type { Field, FieldTable } from '../base/field-table.ts';
import { fieldTypeName } from '../base/field-table.ts';

/** A field's value the way RabbitMQ's error texts print it: 5, true, <<"text">>, [{signedint,1}], [{<<"key">>,longstr,<<"x">>}]. [Erlang ~p] */
export function erlangValue(field: Field): string {
  const { value } = field;
  if (value === null) return 'undefined';
  if (typeof value === 'string') return erlangBinary(Buffer.from(value, 'utf8'));
  if (value instanceof Uint8Array) return erlangBinary(value);
  if (Array.isArray(value)) return `[${value.map(item => `{${fieldTypeName(item)},${erlangValue(item)}}`).join(',')}]`;
  if (value instanceof Map) return erlangTable(value);
  if (typeof value === 'object') return `{${value.scale},${value.value}}`;
  // A whole number keeps its point where the type is a floating one.
  if (field.type === 'd' || field.type === 'f') return Number.isInteger(value) ? `${String(value)}.0` : String(value);
  return String(value);
}

function erlangTable(table: FieldTable): string {
  return `[${erlangTableItems(table).join(',')}]`;
}

/** The fields of a table as Erlang prints them: {<<"x-max-length">>,long,5}. */
export function erlangTableItems(table: FieldTable): string[] {
  return Array.from(table, ([name, field]) => `{${erlangBinary(Buffer.from(name, 'utf8'))},${fieldTypeName(field)},${erlangValue(field)}}`);
}

/** A binary as Erlang prints it: text in quotes where all of it is printable ASCII, else numbers. [Erlang io_lib, ~p] */
export function erlangBinary(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<<>>';
  const isPrintable = bytes.every(byte => (byte >= 32 && byte < 127) || (byte >= 8 && byte <= 13) || byte === 27);
  if (!isPrintable) return `<<${[...bytes].join()}>>`;
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replace(/["\\]/g, '\\$&')
    // oxlint-disable-next-line no-control-regex
    .replace(/[\x08-\x0d\x1b]/g, control => escapes[control] as string);
  return `<<"${text}">>`;
}

const escapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
};
