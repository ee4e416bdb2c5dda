// hot path: see docs/STYLE.md
import { checksum } from '../../base/checksum.ts';
import { unitBytes } from './slab.ts';

/*
 * A message in a slab, little-endian words, aligned to 16 bytes and at least 32 long:
 *
 *     +0  body bytes          u32
 *     +4  properties bytes    u32
 *     +8  envelope bytes      u16, format u8, flags u8 (1: the body is a LooseMessage, not here)
 *     +12 arrival             u32, milliseconds of the store's clock modulo 2^32
 *     +16 checksum            u32, of place and all other bytes; 0 for messages in memory only
 *     +20 envelope, properties, body; a loose message has its id (f64) in place of the body
 */

/** Bytes of a record before its envelope. */
export const recordHeaderBytes = 20;
/** What a live record counts for besides its body. */
export const recordShareBytes = 64;
/** The body is not in the record. */
export const looseFlag = 1;
export const looseIdBytes = 8;

/** Bytes a record of so many bytes takes in its slab. */
export function paddedBytes(bytes: number): number {
  return Math.max(2 * unitBytes, (bytes + unitBytes - 1) & ~(unitBytes - 1));
}

/** Bytes a record takes in its slab, padding included. */
export function recordSize(words: Uint32Array, word: number): number {
  const mixed = words[word + 2] as number;
  const bodyBytes = mixed >>> 24 === 0 ? (words[word] as number) : looseIdBytes;
  const bytes = recordHeaderBytes + (mixed & 0xffff) + (words[word + 1] as number) + bodyBytes;
  return Math.max(2 * unitBytes, Math.ceil(bytes / unitBytes) * unitBytes);
}

/** Checksum of a record of so many bytes at `word` that belongs to an offset of a slab; its own checksum word counts as 0. */
export function recordChecksum(words: Uint32Array, word: number, bytes: number, logSequence: number, offset: number): number {
  const own = words[word + 4] as number;
  words[word + 4] = 0;
  const sum = checksum(words, word, word + (bytes >> 2), (logSequence ^ Math.imul(offset, 0x9e3779b1)) >>> 0);
  words[word + 4] = own;
  return sum;
}
