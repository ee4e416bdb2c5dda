// The values of AMQP 0-9-1 field tables: message headers, declaration arguments, client properties.
// Types, pure helpers and the JSON form only; the bytes are in wire/amqp091/table.ts. The type letters are RabbitMQ's dialect, not the specification's
// ('s' is a signed 16-bit integer here). [RabbitMQ docs: AMQP 0-9-1 errata, section 3]

/** Wire tag of a field: t bool, b int8, B uint8, s int16, u uint16, I int32, i uint32, l int64, f float, d double, D decimal, S longstr,
 * A array, T timestamp (uint64 seconds), F table, V void, x byte array. */
export type FieldType = 't' | 'b' | 'B' | 's' | 'u' | 'I' | 'i' | 'l' | 'f' | 'd' | 'D' | 'S' | 'A' | 'T' | 'F' | 'V' | 'x';

/** value / 10^scale; both unsigned on the wire (uint8, uint32). */
export interface Decimal {
  readonly scale: number;
  readonly value: number;
}

/** bigint only for an int64 or uint64 beyond the safe integers; 'S' is a string when it is valid UTF-8, else its bytes. */
export type FieldValue = boolean | number | bigint | string | Uint8Array | Decimal | Field[] | FieldTable | null;

export interface Field {
  readonly type: FieldType;
  readonly value: FieldValue;
}

export type FieldTable = Map<string, Field>;

const emptyTable: FieldTable = new Map();

/** The table, or one that all have in common when it is empty: for tables that are kept by the ten thousand and never changed. */
export function keptTable(table: FieldTable): FieldTable {
  return table.size === 0 ? emptyTable : table;
}

const typeNames: Readonly<Record<FieldType, string>> = {
  t: 'bool',
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'signedint',
  i: 'unsignedint',
  l: 'long',
  f: 'float',
  d: 'double',
  D: 'decimal',
  S: 'longstr',
  A: 'array',
  T: 'timestamp',
  F: 'table',
  V: 'void',
  x: 'binary',
};

/** RabbitMQ's name of the field's type, as its error texts have it: `received the value '5' of type 'byte'`. */
export function fieldTypeName(field: Field): string {
  return typeNames[field.type];
}

const integerTypes = 'bBsuIil';
const floatTypes = 'fd';

/** True for the integer types; a timestamp is none. [RabbitMQ: the types that pass "expected integer"] */
export function isInteger(field: Field): boolean {
  return integerTypes.includes(field.type);
}

/** Types of one class hold comparable values, whatever their width. */
function typeClass(type: FieldType): string {
  if (integerTypes.includes(type)) return 'integer';
  if (floatTypes.includes(type)) return 'float';
  return type;
}

/** Whether two fields mean the same: equal class of type and equal value, deeply. Integers of different widths are equal by value, so are
 * float and double. This is the equivalence of a redeclaration's arguments. [RabbitMQ: assert_args_equivalence] */
export function sameField(a: Field, b: Field): boolean {
  if (typeClass(a.type) !== typeClass(b.type)) return false;
  return sameValue(a.value, b.value);
}

function sameValue(a: FieldValue, b: FieldValue): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index]);
  if (a instanceof Map) return b instanceof Map && sameTable(a, b);
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((field, index) => sameField(field, b[index] as Field));
  }
  if (isDecimal(a)) return isDecimal(b) && a.scale === b.scale && a.value === b.value;
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

/** Whether a header has the value that a binding asks for: numbers are equal by value whatever their type, bytes and text by their bytes. What
 * arrays and tables hold is compared as in `sameField`. [RabbitMQ: rabbit_exchange_type_headers compares the values alone] */
export function matchingField(a: Field, b: Field): boolean {
  if (isNumber(a.value) && isNumber(b.value)) return a.value <= b.value && a.value >= b.value;
  return sameValue(toBytesIfMixed(a.value, b.value), toBytesIfMixed(b.value, a.value));
}

function isNumber(value: FieldValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function toBytesIfMixed(value: FieldValue, other: FieldValue): FieldValue {
  return typeof value === 'string' && other instanceof Uint8Array ? Buffer.from(value, 'utf8') : value;
}

function isDecimal(value: FieldValue): value is Decimal {
  return typeof value === 'object' && value !== null && 'scale' in value;
}

/** Whether two tables hold the same fields, in whatever order. */
export function sameTable(a: FieldTable, b: FieldTable): boolean {
  if (a.size !== b.size) return false;
  for (const [name, field] of a) {
    const other = b.get(name);
    if (other === undefined || !sameField(field, other)) return false;
  }
  return true;
}

export function longstr(value: string): Field {
  return { type: 'S', value };
}

/** The narrower of int32 and int64 that holds n; n must be a safe integer. */
export function int(n: number): Field {
  return { type: n === (n | 0) ? 'I' : 'l', value: n };
}

/** An int64, the type RabbitMQ gives to counts and to integers from JSON. */
export function long(n: number | bigint): Field {
  return { type: 'l', value: n };
}

export function bool(value: boolean): Field {
  return { type: 't', value };
}

export function timestamp(seconds: number): Field {
  return { type: 'T', value: seconds };
}

export function array(fields: Field[]): Field {
  return { type: 'A', value: fields };
}

export function table(fields: FieldTable): Field {
  return { type: 'F', value: fields };
}

export const voidField: Field = { type: 'V', value: null };

/** The form in which RabbitMQ's management API and definitions files have arguments and headers. */
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
