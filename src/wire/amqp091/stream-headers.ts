// hot path: see docs/STYLE.md
// Two headers of stream messages, found and added without decoding the table they are in. [RabbitMQ docs: streams]
import { copyBytes, equalBytes } from '../../base/bytes.ts';
import { ContentEncodingFlag, ContentTypeFlag, HeadersFlag } from './constants.gen.ts';

const offsetName = Buffer.from('x-stream-offset');
const filterName = Buffer.from('x-stream-filter-value');
const longTag = 0x6c;
const longstrTag = 0x53;
const entryBytes = 1 + offsetName.length + 1 + 8;
/** What properties become longer by with an offset. */
export const streamOffsetBytes = 4 + entryBytes;

/**
 * Writes properties with a header x-stream-offset behind their other headers. Returns where they end in `target`, or -1 when they have one
 * already: then they have to be decoded. `bytes` must be a well-formed property list; its table need not be.
 */
export function writeWithStreamOffset(
  properties: Buffer,
  start: number,
  bytes: number,
  offset: number,
  target: Buffer,
  at: number,
): number {
  const end = start + bytes;
  const table = headersPlace(properties, start, end);
  const high = properties[start] as number;
  const low = properties[start + 1] as number;
  if (((high << 8) & HeadersFlag) === 0) {
    copyBytes(properties, start, target, at, table - start);
    target[at] = high | (HeadersFlag >> 8);
    target[at + 1] = low;
    let to = at + (table - start);
    to = writeUint32(target, to, entryBytes);
    to = writeEntry(target, to, offset);
    copyBytes(properties, table, target, to, end - table);
    return to + (end - table);
  }
  if (findValue(properties, table, end, offsetName) > 0) return -1;
  const tableBytes = readUint32(properties, table);
  const tableEnd = table + 4 + tableBytes;
  if (tableEnd > end) return -1;
  copyBytes(properties, start, target, at, tableEnd - start);
  writeUint32(target, at + (table - start), tableBytes + entryBytes);
  const to = writeEntry(target, at + (tableEnd - start), offset);
  copyBytes(properties, tableEnd, target, to, end - tableEnd);
  return to + (end - tableEnd);
}

/** The value of the header x-stream-filter-value; null when there is none or it is no text. */
export function streamFilterValue(properties: Buffer, start: number, bytes: number): string | null {
  if ((((properties[start] as number) << 8) & HeadersFlag) === 0) return null;
  const end = start + bytes;
  const at = findValue(properties, headersPlace(properties, start, end), end, filterName);
  if (at === 0 || properties[at] !== longstrTag) return null;
  const textStart = at + 5;
  const textEnd = textStart + readUint32(properties, at + 1);
  return textEnd > end ? null : properties.toString('utf8', textStart, textEnd);
}

/** Where the header table is in a property list, or would be. */
function headersPlace(properties: Buffer, start: number, end: number): number {
  const flags = ((properties[start] as number) << 8) | (properties[start + 1] as number);
  let at = start + 2;
  if ((flags & ContentTypeFlag) !== 0) at += 1 + (properties[at] as number);
  if ((flags & ContentEncodingFlag) !== 0) at += 1 + (properties[at] as number);
  return Math.min(at, end);
}

/** Where the value of a name is, at its type; 0 when the table does not have it, or is broken in front of it. */
function findValue(buffer: Buffer, table: number, limit: number, name: Buffer): number {
  const end = Math.min(table + 4 + readUint32(buffer, table), limit);
  let at = table + 4;
  while (at < end) {
    const nameBytes = buffer[at] as number;
    const value = at + 1 + nameBytes;
    if (value >= end) return 0;
    if (nameBytes === name.length && equalBytes(buffer, at + 1, name, 0, nameBytes)) return value;
    const bytes = valueBytes(buffer, value, end);
    if (bytes < 0) return 0;
    at = value + 1 + bytes;
  }
  return 0;
}

/** Bytes of the value behind its type; -1 for an unknown type. */
function valueBytes(buffer: Buffer, at: number, end: number): number {
  switch (buffer[at]) {
    case 0x56: // V
      return 0;
    case 0x74: // t
    case 0x62: // b
    case 0x42: // B
      return 1;
    case 0x73: // s
    case 0x75: // u
      return 2;
    case 0x49: // I
    case 0x69: // i
    case 0x66: // f
      return 4;
    case 0x44: // D
      return 5;
    case longTag:
    case 0x4c: // L
    case 0x64: // d
    case 0x54: // T
      return 8;
    case longstrTag:
    case 0x78: // x
    case 0x41: // A
    case 0x46: // F
      return at + 5 > end ? -1 : 4 + readUint32(buffer, at + 1);
    default:
      return -1;
  }
}

function writeEntry(target: Buffer, at: number, offset: number): number {
  target[at] = offsetName.length;
  copyBytes(offsetName, 0, target, at + 1, offsetName.length);
  let to = at + 1 + offsetName.length;
  target[to++] = longTag;
  to = writeUint32(target, to, Math.floor(offset / 0x1_0000_0000));
  return writeUint32(target, to, offset >>> 0);
}

function writeUint32(target: Buffer, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >> 16;
  target[at + 2] = value >> 8;
  target[at + 3] = value;
  return at + 4;
}

function readUint32(buffer: Buffer, at: number): number {
  return (
    (buffer[at] as number) * 0x100_0000 +
    (((buffer[at + 1] as number) << 16) | ((buffer[at + 2] as number) << 8) | (buffer[at + 3] as number))
  );
}
