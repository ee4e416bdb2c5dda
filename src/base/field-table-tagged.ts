import type { Field, FieldTable, FieldType, FieldValue } from './field-table.ts';

export type { FieldTable } from './field-table.ts';

/** A value that survives JSON without losing its wire type: numbers beyond JSON's reach and bytes are written as strings. */
export type TaggedValue =
  | boolean
  | number
  | string
  | null
  | TaggedField[]
  | TaggedTable
  | { readonly scale: number; readonly value: number };
export type TaggedField = readonly [type: string, value: TaggedValue];
export type TaggedTable = readonly (readonly [name: string, type: string, value: TaggedValue])[];

const noFields: TaggedTable = [];

/** A table in a form for JSON that `tableFromTagged` turns back into the same table. */
export function tableToTagged(table: FieldTable): TaggedTable {
  if (table.size === 0) return noFields;
  return [...table].map(([name, field]) => {
    const [type, value] = toTagged(field);
    return [name, type, value] as const;
  });
}

export function tableFromTagged(tagged: TaggedTable): FieldTable {
  return new Map(tagged.map(([name, type, value]) => [name, fromTagged([type, value])]));
}

/** Marks of a value that JSON has no form for, behind the type letter. */
const bigMark = 'n';
const bytesMark = '#';
const oddNumberMark = '~';

function toTagged(field: Field): TaggedField {
  const { type, value } = field;
  if (typeof value === 'bigint') return [type + bigMark, value.toString()];
  if (value instanceof Uint8Array) return [type + bytesMark, Buffer.from(value).toString('base64')];
  if (value instanceof Map) return [type, tableToTagged(value)];
  if (Array.isArray(value)) return [type, value.map(toTagged)];
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
    return [type + oddNumberMark, Object.is(value, -0) ? '-0' : String(value)];
  return [type, value];
}

function fromTagged([tag, value]: TaggedField): Field {
  const type = tag[0] as FieldType;
  return { type, value: valueOf(type, tag[1] ?? '', value) };
}

function valueOf(type: FieldType, mark: string, value: TaggedValue): FieldValue {
  if (mark === bigMark) return BigInt(value as string);
  if (mark === bytesMark) return new Uint8Array(Buffer.from(value as string, 'base64'));
  if (mark === oddNumberMark) return Number(value);
  if (type === 'F') return tableFromTagged(value as TaggedTable);
  if (type === 'A') return (value as TaggedField[]).map(fromTagged);
  return value as FieldValue;
}
