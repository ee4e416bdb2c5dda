// A chunk's bytes. Drawn in docs/internals/streams.md; change the version with every change here and keep the old reader.
import { crc32 } from '../../base/crc32.ts';

/** 'WSTR' */
export const chunkMagic = Buffer.from('WSTR');
const magicWord = chunkMagic.readUInt32LE(0);
export const chunkVersion = 1;
export const chunkHeaderBytes = 64;
/** Bytes of a record before its envelope: u32 body, u32 properties, u16 envelope, u8 format, u8 0. */
export const recordHeaderBytes = 12;

/** What a chunk's header says; one object is filled again for each. */
export class ChunkHeader {
  version = 0;
  filterBytes = 0;
  /** Offset of the first record. */
  firstOffset = 0;
  count = 0;
  /** Bytes of the records behind the header and the filter. */
  dataBytes = 0;
  /** When the chunk was closed: no message in it came later. */
  wallMillis = 0;
  /** All messages before this one were known to be durable when the chunk was closed: where one of them is bad, that is damage. */
  durableOffset = 0;
  /** Records without a filter value. */
  unfilteredCount = 0;
  dataChecksum = 0;

  get totalBytes(): number {
    return chunkHeaderBytes + this.filterBytes + this.dataBytes;
  }

  get endOffset(): number {
    return this.firstOffset + this.count;
  }
}

/** Writes the header in front of filter and records that are in place. The checksums cover the place: stream and position in its file. */
export function writeChunkHeader(buffer: Buffer, header: ChunkHeader, streamId: number, position: number): void {
  buffer.writeUInt32LE(magicWord, 0);
  buffer.writeUInt16LE(chunkVersion, 4);
  buffer.writeUInt16LE(header.filterBytes, 6);
  buffer.writeDoubleLE(header.firstOffset, 8);
  buffer.writeUInt32LE(header.count, 16);
  buffer.writeUInt32LE(header.dataBytes, 20);
  buffer.writeDoubleLE(header.wallMillis, 24);
  buffer.writeDoubleLE(header.durableOffset, 32);
  buffer.writeUInt32LE(streamId, 40);
  buffer.writeUInt32LE(position, 44);
  buffer.writeUInt32LE(crc32(buffer.subarray(chunkHeaderBytes, header.totalBytes)), 48);
  buffer.writeUInt32LE(header.unfilteredCount, 52);
  buffer.writeUInt32LE(0, 56);
  buffer.writeUInt32LE(crc32(buffer.subarray(0, 60)), 60);
}

/** Reads the header at `at` that belongs to a place; false when there is none. At least `chunkHeaderBytes` must be there. */
export function readChunkHeader(buffer: Buffer, at: number, streamId: number, position: number, into: ChunkHeader): boolean {
  if (buffer.readUInt32LE(at) !== magicWord) return false;
  if (buffer.readUInt32LE(at + 40) !== streamId || buffer.readUInt32LE(at + 44) !== position) return false;
  if (buffer.readUInt32LE(at + 60) !== crc32(buffer.subarray(at, at + 60))) return false;
  into.version = buffer.readUInt16LE(at + 4);
  into.filterBytes = buffer.readUInt16LE(at + 6);
  into.firstOffset = buffer.readDoubleLE(at + 8);
  into.count = buffer.readUInt32LE(at + 16);
  into.dataBytes = buffer.readUInt32LE(at + 20);
  into.wallMillis = buffer.readDoubleLE(at + 24);
  into.durableOffset = buffer.readDoubleLE(at + 32);
  into.dataChecksum = buffer.readUInt32LE(at + 48);
  into.unfilteredCount = buffer.readUInt32LE(at + 52);
  return true;
}

/** Whether filter and records behind the header at `at`, which must all be there, are what was written. */
export function isChunkIntact(buffer: Buffer, at: number, header: ChunkHeader): boolean {
  return crc32(buffer.subarray(at + chunkHeaderBytes, at + header.totalBytes)) === header.dataChecksum;
}

/**
 * Where the next header stands in [from, to) of a buffer that begins at `start` of the file; -1: nowhere. For going on behind damage.
 */
export function findChunk(buffer: Buffer, from: number, to: number, streamId: number, start: number, into: ChunkHeader): number {
  for (let at = from; ; at++) {
    at = buffer.indexOf(chunkMagic, at);
    if (at < 0 || at + chunkHeaderBytes > to) return -1;
    if (readChunkHeader(buffer, at, streamId, start + at, into)) return at;
  }
}
