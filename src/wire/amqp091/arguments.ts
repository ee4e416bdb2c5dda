// What the codecs of methods and properties are made of: a reader over argument bytes, and a writer of one method frame.
//   frame: type(1) channel(2) size(4) classId(2) methodId(2) arguments 0xCE      [AMQP 0-9-1 2.3.5]
import type { FieldTable } from '../../base/field-table.ts';
import { DecodeError } from '../decode-error.ts';
import { decodeText, isText, textBytes, writeText } from '../../base/text.ts';
import { FrameEnd, FrameMethod } from './constants.gen.ts';
import type { TableLimits } from './table.ts';
import { decodeTable, readUint64, writeTable, writeUint64 } from './table.ts';

/** Reads arguments in wire order. Every method throws DecodeError when the bytes do not suffice. */
export class ArgumentReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer;
    this.#end = Math.min(end, buffer.length);
    this.#at = start;
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#end) throw new DecodeError('truncated', 'arguments are cut short');
    this.#at = start + bytes;
    return start;
  }

  skip(bytes: number): void {
    this.#take(bytes);
  }

  octet(): number {
    return this.#buffer.readUInt8(this.#take(1));
  }

  short(): number {
    return this.#buffer.readUInt16BE(this.#take(2));
  }

  long(): number {
    return this.#buffer.readUInt32BE(this.#take(4));
  }

  /** A number beyond the safe integers reads as Infinity: no delivery tag of ours equals it. */
  longlong(): number {
    const start = this.#take(8);
    const value = this.#buffer.readUInt32BE(start) * 0x1_0000_0000 + this.#buffer.readUInt32BE(start + 4);
    return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
  }

  timestamp(): number | bigint {
    return readUint64(this.#buffer, this.#take(8));
  }

  /** Text that must be UTF-8. [RabbitMQ: 501 "FRAME_ERROR - Malformed UTF-8 in shortstr"] */
  shortstr(): string {
    const bytes = this.octet();
    const start = this.#take(bytes);
    if (!isText(this.#buffer, start, this.#at)) throw new DecodeError('malformed-utf8', 'Malformed UTF-8 in shortstr');
    return this.#buffer.toString('utf8', start, this.#at);
  }

  /** Text of a method with content, which RabbitMQ does not check: bytes that are no UTF-8 survive, see text.ts. */
  looseShortstr(): string {
    const bytes = this.octet();
    const start = this.#take(bytes);
    return decodeText(this.#buffer, start, this.#at);
  }

  /** The bytes themselves, a view of the read chunk: copy what is to be kept beyond the turn. */
  longstr(): Buffer {
    const bytes = this.long();
    const start = this.#take(bytes);
    return this.#buffer.subarray(start, this.#at);
  }

  table(limits: TableLimits): FieldTable {
    const { table, next } = decodeTable(this.#buffer, this.#at, this.#end, limits);
    this.#at = next;
    return table;
  }

  skipShortstr(): void {
    this.#take(this.octet());
  }

  skipLongstr(): void {
    this.#take(this.long());
  }

  /** RabbitMQ matches the arguments exactly, so bytes left over are as wrong as missing ones. */
  end(): void {
    if (this.#at !== this.#end) throw new DecodeError('trailing', `${this.#end - this.#at} bytes behind the arguments`);
  }
}

/** Bytes of a shortstr with its length octet. Throws RangeError when the text is longer than 255 bytes. */
export function shortstrBytes(text: string): number {
  const bytes = textBytes(text);
  if (bytes > 255) throw new RangeError(`short string of ${bytes} bytes, more than 255`);
  return 1 + bytes;
}

/** Writes one method frame into a buffer of exactly its size. */
export class MethodFrameWriter {
  readonly #buffer: Buffer;
  #at: number;

  constructor(channel: number, method: number, argumentBytes: number) {
    const payloadBytes = 4 + argumentBytes;
    this.#buffer = Buffer.allocUnsafe(8 + payloadBytes);
    this.#at = this.#buffer.writeUInt8(FrameMethod, 0);
    this.short(channel);
    this.long(payloadBytes);
    this.long(method);
  }

  octet(value: number): void {
    this.#at = this.#buffer.writeUInt8(value, this.#at);
  }

  short(value: number): void {
    this.#at = this.#buffer.writeUInt16BE(value, this.#at);
  }

  long(value: number): void {
    this.#at = this.#buffer.writeUInt32BE(value, this.#at);
  }

  longlong(value: number): void {
    this.#at = writeUint64(this.#buffer, value, this.#at);
  }

  shortstr(text: string): void {
    const next = writeText(text, this.#buffer, this.#at + 1);
    this.#buffer[this.#at] = next - this.#at - 1;
    this.#at = next;
  }

  longstr(bytes: Uint8Array): void {
    this.long(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  table(table: FieldTable): void {
    this.#at = writeTable(table, this.#buffer, this.#at);
  }

  finish(): Buffer {
    this.octet(FrameEnd);
    return this.#buffer;
  }
}
