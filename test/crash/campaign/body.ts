import { crc32 } from 'node:zlib';
import { Random } from '../../support/random.ts';

/** 'WCRP' */
const magic = 0x50524357;
export const bodyBytesMin = 16;
/** Bytes that bodies are filled with: each begins at a place of its own. */
const filling = new Random(7).bytes(512 * 1024);
const fillingPlaces = 65_536;

/** Writes a body that names its first copy and is checked by a CRC-32 of all of it: magic, copy, length, checksum, then filling. */
export function writeBody(into: Buffer, at: number, copy: number, bytes: number): void {
  into.writeUInt32LE(magic, at);
  into.writeUInt32LE(copy, at + 4);
  into.writeUInt32LE(bytes, at + 8);
  const from = (copy * 31) % fillingPlaces;
  filling.copy(into, at + bodyBytesMin, from, from + bytes - bodyBytesMin);
  into.writeUInt32LE(checksumOf(into, at, bytes), at + 12);
}

/** The copy that a body names; -1 when it is not what was sent. */
export function readBody(body: Buffer): number {
  if (body.length < bodyBytesMin || body.readUInt32LE(0) !== magic || body.readUInt32LE(8) !== body.length) return -1;
  return checksumOf(body, 0, body.length) === body.readUInt32LE(12) ? body.readUInt32LE(4) : -1;
}

function checksumOf(bytes: Buffer, at: number, count: number): number {
  return crc32(bytes.subarray(at + bodyBytesMin, at + count), crc32(bytes.subarray(at, at + 12)));
}

/** Bytes of a body: mostly few, some of a few kilobytes, some of several frames, some with a file of their own. */
export function bodyBytesOf(random: Random): number {
  const chance = random.uint32() / 0x1_0000_0000;
  if (chance < 0.93) return bodyBytesMin + random.below(300);
  if (chance < 0.998) return bodyBytesMin + random.below(5000);
  if (chance < 0.9997) return 20_000 + random.below(60_000);
  return 250_000 + random.below(100_000);
}

/** A body of its own. */
export function makeBody(copy: number, bytes: number): Buffer {
  const body = Buffer.allocUnsafe(bytes);
  writeBody(body, 0, copy, bytes);
  return body;
}
