// Text on the wire is meant to be UTF-8, but RabbitMQ checks it only in methods without content: routing keys of messages, property values
// and header names may be any bytes and must come out as they came in. A byte that is no UTF-8 therefore becomes the lone surrogate
// U+DC00 + byte (valid UTF-8 never decodes to one), and goes back to that byte when encoded.
import { isUtf8 } from 'node:buffer';

const isAscii = (buffer: Buffer, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) if ((buffer[at] as number) > 0x7f) return false;
  return true;
};

/** True when the bytes are valid UTF-8. */
export function isText(buffer: Buffer, start: number, end: number): boolean {
  return isAscii(buffer, start, end) || isUtf8(buffer.subarray(start, end));
}

/** The string of these bytes, without loss even where they are not UTF-8. */
export function decodeText(buffer: Buffer, start: number, end: number): string {
  if (isAscii(buffer, start, end)) return buffer.toString('latin1', start, end);
  if (isUtf8(buffer.subarray(start, end))) return buffer.toString('utf8', start, end);
  return decodeEscaped(buffer, start, end);
}

function decodeEscaped(buffer: Buffer, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; ) {
    const bytes = sequenceBytes(buffer, at, end);
    text += bytes === 0 ? String.fromCharCode(0xdc00 + (buffer[at] as number)) : buffer.toString('utf8', at, at + bytes);
    at += bytes === 0 ? 1 : bytes;
  }
  return text;
}

/** Length of the valid UTF-8 sequence at this place, 0 when there is none. */
function sequenceBytes(buffer: Buffer, at: number, end: number): number {
  for (let bytes = 1; bytes <= 4 && at + bytes <= end; bytes++) if (isUtf8(buffer.subarray(at, at + bytes))) return bytes;
  return 0;
}

/** How many bytes `writeText` writes. */
export function textBytes(text: string): number {
  if (text.isWellFormed()) return Buffer.byteLength(text);
  let bytes = 0;
  for (const character of text) bytes += escapedByte(character) === -1 ? Buffer.byteLength(character) : 1;
  return bytes;
}

/** Writes the text and returns the place behind it. */
export function writeText(text: string, buffer: Buffer, at: number): number {
  if (text.isWellFormed()) return at + buffer.write(text, at);
  for (const character of text) {
    const byte = escapedByte(character);
    if (byte === -1) at += buffer.write(character, at);
    else buffer[at++] = byte;
  }
  return at;
}

/** The byte that a character of `decodeText` stands for, or -1. */
function escapedByte(character: string): number {
  const code = character.charCodeAt(0);
  return character.length === 1 && code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : -1;
}

/**
 * The same text as one piece. V8 keeps what was put together as a tree of its parts until somebody looks at a character: for a text that
 * stays, that is several times its size.
 */
export function flat(text: string): string {
  return Number.isNaN(text.charCodeAt(0)) ? '' : text;
}
