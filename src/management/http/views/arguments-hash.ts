import { erlangHash, type ErlangTerm } from '../../../base/erlang-hash.ts';
import { type Field, type FieldTable, fieldTypeName } from '../../../base/field-table.ts';

/** The hash of a binding's arguments in its properties key; the same as RabbitMQ's, so that names kept by tools stay good. */
export function argumentsHash(args: FieldTable): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(erlangHash(tableTerm(args)));
  return bytes.toString('base64url');
}

/** [{<<"name">>, type, Value}], by name. [RabbitMQ: sort_field_table] */
function tableTerm(table: FieldTable): ErlangTerm {
  return [...table]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, field]) => ({ tuple: [name, { atom: fieldTypeName(field) }, valueTerm(field)] }));
}

function valueTerm({ type, value }: Field): ErlangTerm {
  if (value === null) return { atom: 'undefined' };
  if (typeof value === 'boolean') return { atom: String(value) };
  if (typeof value === 'number') return type === 'd' || type === 'f' ? { float: value } : value;
  if (typeof value === 'string' || typeof value === 'bigint' || value instanceof Uint8Array) return value;
  if (value instanceof Map) return tableTerm(value);
  if (Array.isArray(value)) return value.map(item => ({ tuple: [{ atom: fieldTypeName(item) }, valueTerm(item)] }));
  return { tuple: [value.scale, value.value] };
}
