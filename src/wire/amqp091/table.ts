// Field tables and field arrays on the wire.
//   table: bytes(4) { nameLength(1) name tag(1) value }*      array: bytes(4) { tag(1) value }*      [AMQP 0-9-1 4.2.5.5]
import type { Decimal, Field, FieldTable, FieldType, FieldValue } from '../../base/field-table.ts';
import { DecodeError } from '../decode-error.ts';
import { decodeText, isText, textBytes, writeText } from '../../base/text.ts';

/** How much structure a peer may make us build from few bytes. */
export interface TableLimits {
  /** Tables and arrays inside one another; the outermost table is depth 1. */
  readonly depthMax: number;
  /** Entries of the table and of all tables and arrays in it together. */
  readonly entryCountMax: number;
}

export const tableLimits: TableLimits = { depthMax: 32, entryCountMax: 65_536 };

/** For what a peer sends before it has said who it is. */
export const tableLimitsBeforeAuthentication: TableLimits = { depthMax: 32, entryCountMax: 1024 };

/** Encoding refuses deeper tables: room for what the broker wraps around a table of the greatest depth it accepts. */
const encodeDepthMax = 48;

export interface DecodedTable {
  readonly table: FieldTable;
  /** The place behind the table. */
  readonly next: number;
}

/** The table at `start`, where its four-byte length is. Of entries with the same name the first counts, as in RabbitMQ.
 * Throws DecodeError: truncated, trailing, unknown-type, too-deep, too-many. */
export function decodeTable(buffer: Buffer, start: number, end: number, limits: TableLimits = tableLimits): DecodedTable {
  const decoder = new TableDecoder(buffer, start, end, limits);
  const table = decoder.table(1);
  return { table, next: decoder.at };
}

class TableDecoder {
  at: number;
  readonly #buffer: Buffer;
  readonly #limits: TableLimits;
  #end: number;
  #entryCount = 0;

  constructor(buffer: Buffer, start: number, end: number, limits: TableLimits) {
    this.at = start;
    this.#buffer = buffer;
    this.#end = Math.min(end, buffer.length);
    this.#limits = limits;
  }

  table(depth: number): FieldTable {
    const table: FieldTable = new Map();
    const outerEnd = this.#enter(depth);
    while (this.at < this.#end) {
      this.#countEntry();
      const nameBytes = this.#buffer[this.#take(1)] as number;
      const nameStart = this.#take(nameBytes);
      const name = decodeText(this.#buffer, nameStart, nameStart + nameBytes);
      const field = this.#field(depth);
      if (!table.has(name)) table.set(name, field);
    }
    this.#end = outerEnd;
    return table;
  }

  #array(depth: number): Field[] {
    const fields: Field[] = [];
    const outerEnd = this.#enter(depth);
    while (this.at < this.#end) {
      this.#countEntry();
      fields.push(this.#field(depth));
    }
    this.#end = outerEnd;
    return fields;
  }

  /** Goes into a table or array: reads its length and narrows the end to it. Returns the end to go back to. */
  #enter(depth: number): number {
    if (depth > this.#limits.depthMax) throw new DecodeError('too-deep', `table nested deeper than ${this.#limits.depthMax}`);
    const bytes = this.#buffer.readUInt32BE(this.#take(4));
    const outerEnd = this.#end;
    if (this.at + bytes > outerEnd) throw new DecodeError('truncated', `table of ${bytes} bytes is cut short`);
    this.#end = this.at + bytes;
    return outerEnd;
  }

  #countEntry(): void {
    if (++this.#entryCount > this.#limits.entryCountMax) {
      throw new DecodeError('too-many', `table with more than ${this.#limits.entryCountMax} entries`);
    }
  }

  /** Steps over so many bytes and returns where they start. */
  #take(bytes: number): number {
    const start = this.at;
    if (start + bytes > this.#end) throw new DecodeError('truncated', 'field value is cut short');
    this.at = start + bytes;
    return start;
  }

  #field(depth: number): Field {
    const buffer = this.#buffer;
    const tag = buffer[this.#take(1)] as number;
    switch (tag) {
      case 0x53: // S
        return { type: 'S', value: this.#longstr() };
      case 0x74: // t
        return { type: 't', value: buffer[this.#take(1)] !== 0 };
      case 0x62: // b
        return { type: 'b', value: buffer.readInt8(this.#take(1)) };
      case 0x42: // B
        return { type: 'B', value: buffer.readUInt8(this.#take(1)) };
      case 0x73: // s
        return { type: 's', value: buffer.readInt16BE(this.#take(2)) };
      case 0x75: // u
        return { type: 'u', value: buffer.readUInt16BE(this.#take(2)) };
      case 0x49: // I
        return { type: 'I', value: buffer.readInt32BE(this.#take(4)) };
      case 0x69: // i
        return { type: 'i', value: buffer.readUInt32BE(this.#take(4)) };
      case 0x6c: // l
      case 0x4c: // L, which RabbitMQ reads as a signed 64-bit integer too and never writes
        return { type: 'l', value: readInt64(buffer, this.#take(8)) };
      case 0x54: // T
        return { type: 'T', value: readUint64(buffer, this.#take(8)) };
      case 0x66: // f
        return { type: 'f', value: buffer.readFloatBE(this.#take(4)) };
      case 0x64: // d
        return { type: 'd', value: buffer.readDoubleBE(this.#take(8)) };
      case 0x44: {
        // D
        const start = this.#take(5);
        return { type: 'D', value: { scale: buffer[start] as number, value: buffer.readUInt32BE(start + 1) } };
      }
      case 0x46: // F
        return { type: 'F', value: this.table(depth + 1) };
      case 0x41: // A
        return { type: 'A', value: this.#array(depth + 1) };
      case 0x78: // x
        return { type: 'x', value: this.#bytes() };
      case 0x56: // V
        return { type: 'V', value: null };
      default:
        throw new DecodeError('unknown-type', `unknown field type ${tag}`);
    }
  }

  #longstr(): string | Uint8Array {
    const bytes = this.#buffer.readUInt32BE(this.#take(4));
    const start = this.#take(bytes);
    if (isText(this.#buffer, start, this.at)) return this.#buffer.toString('utf8', start, this.at);
    return copy(this.#buffer, start, this.at);
  }

  #bytes(): Uint8Array {
    const bytes = this.#buffer.readUInt32BE(this.#take(4));
    const start = this.#take(bytes);
    return copy(this.#buffer, start, this.at);
  }
}

/** A copy, so that a kept value does not hold on to the chunk it was read from. */
function copy(buffer: Buffer, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer.subarray(start, end));
}

function readInt64(buffer: Buffer, at: number): number | bigint {
  const value = buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : buffer.readBigInt64BE(at);
}

/** An unsigned 64-bit integer; bigint only beyond the safe integers. */
export function readUint64(buffer: Buffer, at: number): number | bigint {
  const value = buffer.readUInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : buffer.readBigUInt64BE(at);
}

/** Writes an unsigned 64-bit integer. Throws RangeError when it is none. In two halves where that is exact: a BigInt costs four times as
 * much, and allocates. */
export function writeUint64(buffer: Buffer, value: number | bigint, at: number): number {
  if (!Number.isSafeInteger(value)) return buffer.writeBigUInt64BE(BigInt(value), at);
  buffer.writeUInt32BE(Math.floor((value as number) / 0x1_0000_0000), at);
  return buffer.writeUInt32BE((value as number) >>> 0, at + 4);
}

function writeInt64(buffer: Buffer, value: number | bigint, at: number): number {
  if (!Number.isSafeInteger(value)) return buffer.writeBigInt64BE(BigInt(value), at);
  buffer.writeInt32BE(Math.floor((value as number) / 0x1_0000_0000), at);
  return buffer.writeUInt32BE((value as number) >>> 0, at + 4);
}

/** The table's bytes, with its four-byte length. Throws RangeError for a name over 255 bytes, a number outside its type, or nesting
 * deeper than 48. */
export function encodeTable(table: FieldTable): Buffer {
  const buffer = Buffer.allocUnsafe(tableSize(table));
  writeTable(table, buffer, 0);
  return buffer;
}

/** How many bytes `writeTable` writes, the length included. Throws RangeError as `encodeTable` does. */
export function tableSize(table: FieldTable): number {
  return tableBytes(table, 1);
}

function tableBytes(table: FieldTable, depth: number): number {
  if (depth > encodeDepthMax) throw new RangeError(`table nested deeper than ${encodeDepthMax}`);
  let bytes = 4;
  for (const [name, field] of table) {
    const nameBytes = textBytes(name);
    if (nameBytes > 255) throw new RangeError(`field name of ${nameBytes} bytes, more than 255`);
    bytes += 1 + nameBytes + fieldBytes(field, depth);
  }
  return bytes;
}

function fieldBytes(field: Field, depth: number): number {
  const value = field.value;
  switch (field.type) {
    case 'V':
      return 1;
    case 't':
    case 'b':
    case 'B':
      return 2;
    case 's':
    case 'u':
      return 3;
    case 'I':
    case 'i':
    case 'f':
      return 5;
    case 'D':
      return 6;
    case 'l':
    case 'd':
    case 'T':
      return 9;
    case 'S':
    case 'x':
      return 5 + (typeof value === 'string' ? textBytes(value) : (value as Uint8Array).length);
    case 'F':
      return 1 + tableBytes(value as FieldTable, depth + 1);
    case 'A': {
      if (depth + 1 > encodeDepthMax) throw new RangeError(`table nested deeper than ${encodeDepthMax}`);
      let bytes = 5;
      for (const item of value as Field[]) bytes += fieldBytes(item, depth + 1);
      return bytes;
    }
  }
}

/** Writes the table at `at`, where there must be room for `tableSize` bytes, and returns the place behind it. */
export function writeTable(table: FieldTable, buffer: Buffer, at: number): number {
  let next = at + 4;
  for (const [name, field] of table) {
    const nameEnd = writeText(name, buffer, next + 1);
    buffer[next] = nameEnd - next - 1;
    next = writeField(field, buffer, nameEnd);
  }
  buffer.writeUInt32BE(next - at - 4, at);
  return next;
}

function writeField(field: Field, buffer: Buffer, at: number): number {
  buffer[at] = field.type.charCodeAt(0);
  return writeValue(field.type, field.value, buffer, at + 1);
}

function writeValue(type: FieldType, value: FieldValue, buffer: Buffer, at: number): number {
  switch (type) {
    case 'V':
      return at;
    case 't':
      return buffer.writeUInt8(value === true ? 1 : 0, at);
    case 'b':
      return buffer.writeInt8(value as number, at);
    case 'B':
      return buffer.writeUInt8(value as number, at);
    case 's':
      return buffer.writeInt16BE(value as number, at);
    case 'u':
      return buffer.writeUInt16BE(value as number, at);
    case 'I':
      return buffer.writeInt32BE(value as number, at);
    case 'i':
      return buffer.writeUInt32BE(value as number, at);
    case 'l':
      return writeInt64(buffer, value as number | bigint, at);
    case 'T':
      return writeUint64(buffer, value as number | bigint, at);
    case 'f':
      return buffer.writeFloatBE(value as number, at);
    case 'd':
      return buffer.writeDoubleBE(value as number, at);
    case 'D':
      buffer.writeUInt8((value as Decimal).scale, at);
      return buffer.writeUInt32BE((value as Decimal).value, at + 1);
    case 'S':
    case 'x':
      return writeLongBytes(value as string | Uint8Array, buffer, at);
    case 'F':
      return writeTable(value as FieldTable, buffer, at);
    case 'A': {
      let next = at + 4;
      for (const item of value as Field[]) next = writeField(item, buffer, next);
      buffer.writeUInt32BE(next - at - 4, at);
      return next;
    }
  }
}

function writeLongBytes(value: string | Uint8Array, buffer: Buffer, at: number): number {
  const start = at + 4;
  let next: number;
  if (typeof value === 'string') {
    next = writeText(value, buffer, start);
  } else {
    buffer.set(value, start);
    next = start + value.length;
  }
  buffer.writeUInt32BE(next - start, at);
  return next;
}
