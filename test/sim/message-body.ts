import { crc32 } from 'node:zlib';

/** 'WBDY' */
const magic = 0x59444257;
export const bodyHeaderBytes = 16;
/** What stands for the checksum while it is made. */
const noChecksum = Buffer.alloc(4);

/** A body that says which message it is and whether it is whole: magic, id, length, CRC-32 of all else; then bytes that the id makes. */
export function makeBody(id: number, bytes: number): Buffer {
  const body = Buffer.alloc(Math.max(bodyHeaderBytes, bytes));
  let state = (id * 0x9e3779b1) >>> 0;
  for (let at = bodyHeaderBytes; at + 4 <= body.length && at < 4096; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    body.writeUInt32LE(state, at);
  }
  for (let at = 4096; at < body.length; at += 4080)
    body.copy(body, at, bodyHeaderBytes, Math.min(bodyHeaderBytes + 4080, bodyHeaderBytes + body.length - at));
  body.writeUInt32LE(magic, 0);
  body.writeUInt32LE(id, 4);
  body.writeUInt32LE(body.length, 8);
  body.writeUInt32LE(crc32(body), 12);
  return body;
}

/** What a record of the log is, from its body or the beginning of it: a message, or a value that is remembered. */
export function recordName(body: Buffer): string {
  const isMessage = body.length >= 8 && body.readUInt32LE(0) === magic;
  return isMessage ? `message ${body.readUInt32LE(4)}` : `value ${body.toString()}`;
}

/** The message's id. @throws Error when the body is not what was made */
export function readBody(body: Buffer): number {
  if (body.length < bodyHeaderBytes || body.readUInt32LE(0) !== magic) throw new Error(`a body of ${body.length} bytes that nobody sent`);
  const id = body.readUInt32LE(4);
  if (body.readUInt32LE(8) !== body.length)
    throw new Error(`the body of message ${id} has ${body.length} bytes in place of ${body.readUInt32LE(8)}`);
  const checksum = crc32(body.subarray(bodyHeaderBytes), crc32(noChecksum, crc32(body.subarray(0, 12))));
  if (checksum !== body.readUInt32LE(12)) throw new Error(`the body of message ${id} is not what was sent`);
  return id;
}
