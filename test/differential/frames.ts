// Frames to bytes and back: methods and content headers by name.
import { basicProperties, type FieldType, type MethodShape, methodsById, reservedFields } from './method-table.ts';
import { decodeTable, encodeTable, type FieldTable, printBytes, printTable, type FieldValue } from './field-value.ts';

export const frameMethod = 1;
export const frameHeader = 2;
export const frameBody = 3;
export const frameHeartbeat = 8;
const frameEnd = 0xce;

export function encodeFrame(type: number, channel: number, payload: Buffer, end = frameEnd): Buffer {
  const out = Buffer.alloc(payload.length + 8);
  out.writeUInt8(type, 0);
  out.writeUInt16BE(channel, 1);
  out.writeUInt32BE(payload.length, 3);
  payload.copy(out, 7);
  out.writeUInt8(end, payload.length + 7);
  return out;
}

/** What a script gave for one argument: text, or a table. */
export type Argument = Buffer | FieldTable;

/** The text of an argument; empty for none and for a table. */
export function argumentText(argument: Argument | undefined): string {
  return Buffer.isBuffer(argument) ? argument.toString() : '';
}

function unsigned(text: string, bytes: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt.asUintN(64, BigInt(text)));
  return out.subarray(8 - bytes);
}

function encodeArgument(type: Exclude<FieldType, 'bit'>, argument: Argument | undefined): Buffer {
  if (type === 'table') return encodeTable(argument === undefined || Buffer.isBuffer(argument) ? [] : argument);
  const bytes = Buffer.isBuffer(argument) ? argument : Buffer.alloc(0);
  switch (type) {
    case 'shortstr':
      return Buffer.concat([Buffer.from([bytes.length]), bytes]);
    case 'longstr':
      return Buffer.concat([unsigned(String(bytes.length), 4), bytes]);
    case 'octet':
      return unsigned(bytes.toString() || '0', 1);
    case 'short':
      return unsigned(bytes.toString() || '0', 2);
    case 'long':
      return unsigned(bytes.toString() || '0', 4);
    case 'longlong':
      return unsigned(bytes.toString() || '0', 8);
  }
}

/** The payload of a method frame. Throws on an argument that the method does not have. */
export function encodeMethod(shape: MethodShape, given: ReadonlyMap<string, Argument>): Buffer {
  for (const name of given.keys())
    if (!shape.fields.some(field => field.name === name)) throw new SyntaxError(`${shape.name} has no field ${name}`);
  const parts = [unsigned(String(shape.classId), 2), unsigned(String(shape.methodId), 2)];
  let bits: boolean[] = [];
  const flush = (): void => {
    if (bits.length > 0) parts.push(Buffer.from([bits.reduce((octet, bit, index) => octet | (bit ? 1 << index : 0), 0)]));
    bits = [];
  };
  for (const field of shape.fields) {
    const argument = given.get(field.name);
    if (field.type === 'bit') {
      bits.push(argumentText(argument) === 'true');
    } else {
      flush();
      parts.push(encodeArgument(field.type, argument));
    }
  }
  flush();
  return Buffer.concat(parts);
}

class PayloadReader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  integer(size: number): bigint {
    let value = 0n;
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.bytes.readUInt8(this.at++));
    return value;
  }

  slice(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError('truncated');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

const sizes = { octet: 1, short: 2, long: 4, longlong: 8, timestamp: 8 } as const;

/** A field as the recordings print it; tables stay tables, so that the caller can normalise them first. */
export type ReadField = string | FieldTable;

export interface ReadMethod {
  readonly name: string;
  readonly hasContent: boolean;
  readonly fields: ReadonlyMap<string, ReadField>;
}

/** Reads a method frame's payload. Unknown methods come back as `method C.M` with their bytes; throws RangeError when truncated or too long. */
export function decodeMethod(payload: Buffer): ReadMethod {
  const reader = new PayloadReader(payload);
  const ids = `${reader.integer(2)}.${reader.integer(2)}`;
  const shape = methodsById.get(ids);
  if (shape === undefined)
    return { name: `method ${ids}`, hasContent: false, fields: new Map([['payload', payload.subarray(4).toString('hex')]]) };
  const fields = new Map<string, ReadField>();
  let bit = 8;
  let octet = 0;
  for (const field of shape.fields) {
    let value: ReadField;
    if (field.type === 'bit') {
      if (bit === 8) {
        octet = Number(reader.integer(1));
        bit = 0;
      }
      value = String((octet & (1 << bit++)) !== 0);
    } else {
      bit = 8;
      if (field.type === 'table') value = decodeTable(reader.slice(Number(reader.integer(4))));
      else if (field.type === 'shortstr') value = printBytes(reader.slice(Number(reader.integer(1))));
      else if (field.type === 'longstr') value = printBytes(reader.slice(Number(reader.integer(4))));
      else value = String(reader.integer(sizes[field.type]));
    }
    if (!reservedFields.has(field.name)) fields.set(field.name, value);
  }
  if (reader.at !== payload.length) throw new RangeError(`${payload.length - reader.at} bytes too many in ${shape.name}`);
  return { name: shape.name, hasContent: shape.hasContent, fields };
}

function propertyBytes(type: 'shortstr' | 'octet' | 'table' | 'timestamp', value: FieldValue): Buffer {
  if (value.type === 'F' && type === 'table') return encodeTable(value.value);
  if (value.type === 'V' || value.type === 'A' || value.type === 'F')
    throw new SyntaxError(`a property of type ${type} cannot be ${value.type}`);
  const bytes = value.type === 'S' || value.type === 'x' ? value.value : Buffer.from(String(value.value));
  if (type === 'shortstr') return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  return unsigned(bytes.toString(), type === 'octet' ? 1 : 8);
}

/** The payload of a content header frame. Throws on a property that class basic does not have. */
export function encodeHeader(classId: number, bodyBytes: number, properties: FieldTable): Buffer {
  const given = new Map(properties.map(([key, value]) => [key.toString(), value]));
  for (const name of given.keys())
    if (!basicProperties.some(property => property.name === name)) throw new SyntaxError(`no property ${name}`);
  let flags = 0;
  const parts: Buffer[] = [];
  basicProperties.forEach((property, index) => {
    const value = given.get(property.name);
    if (value === undefined) return;
    flags |= 1 << (15 - index);
    parts.push(propertyBytes(property.type, value));
  });
  return Buffer.concat([
    unsigned(String(classId), 2),
    unsigned('0', 2),
    unsigned(String(bodyBytes), 8),
    unsigned(String(flags), 2),
    ...parts,
  ]);
}

/** Reads a content header's payload: the body's length and the properties in wire order, as text or (headers) as a table. */
export function decodeHeader(payload: Buffer): { readonly bodyBytes: number; readonly properties: ReadonlyMap<string, ReadField> } {
  const reader = new PayloadReader(payload);
  reader.at = 4;
  const bodyBytes = Number(reader.integer(8));
  const flags = Number(reader.integer(2));
  const properties = new Map<string, ReadField>();
  basicProperties.forEach((property, index) => {
    if ((flags & (1 << (15 - index))) === 0) return;
    if (property.type === 'table') properties.set(property.name, decodeTable(reader.slice(Number(reader.integer(4)))));
    else if (property.type === 'shortstr') properties.set(property.name, printBytes(reader.slice(Number(reader.integer(1)))));
    else properties.set(property.name, String(reader.integer(sizes[property.type])));
  });
  if (reader.at !== payload.length) throw new RangeError(`${payload.length - reader.at} bytes too many in a content header`);
  return { bodyBytes, properties };
}

export function printField(value: ReadField): string {
  return typeof value === 'string' ? value : printTable(value);
}
