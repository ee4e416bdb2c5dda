import { crc32 } from '../../base/crc32.ts';

/** A chunk is entered when it begins so many bytes behind the last that was. */
const strideBytes = 256 * 1024;
const entryBytes = 24;
const headerBytes = 16;
const magicWord = Buffer.from('WSIX').readUInt32LE(0);
const indexVersion = 1;

/** Where some chunks of a segment begin, for a reader that looks for an offset or a time: it goes on from there chunk by chunk. */
export class SegmentIndex {
  readonly #offsets: number[] = [];
  readonly #times: number[] = [];
  readonly #positions: number[] = [];

  /** Tells of the next chunk. */
  add(offset: number, wallMillis: number, position: number): void {
    const last = this.#positions.length - 1;
    if (last >= 0 && position - (this.#positions[last] as number) < strideBytes) return;
    this.#offsets.push(offset);
    this.#times.push(wallMillis);
    this.#positions.push(position);
  }

  /** Position of a chunk that begins at the offset or before. */
  beforeOffset(offset: number): number {
    return this.#before(this.#offsets, offset);
  }

  /** Position of a chunk such that all in front of it is older than the time. */
  beforeTime(wallMillis: number): number {
    return this.#before(this.#times, wallMillis - 1);
  }

  #before(values: readonly number[], value: number): number {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : (this.#positions[low - 1] as number);
  }

  encode(): Buffer {
    const count = this.#positions.length;
    const bytes = Buffer.alloc(headerBytes + count * entryBytes);
    bytes.writeUInt32LE(magicWord, 0);
    bytes.writeUInt32LE(indexVersion, 4);
    bytes.writeUInt32LE(count, 8);
    for (let i = 0; i < count; i++) {
      const at = headerBytes + i * entryBytes;
      bytes.writeDoubleLE(this.#offsets[i] as number, at);
      bytes.writeDoubleLE(this.#times[i] as number, at + 8);
      bytes.writeDoubleLE(this.#positions[i] as number, at + 16);
    }
    bytes.writeUInt32LE(crc32(bytes.subarray(headerBytes)), 12);
    return bytes;
  }

  /** Null when the bytes are no index: it can be done without. */
  static decode(bytes: Buffer): SegmentIndex | null {
    if (bytes.length < headerBytes || bytes.readUInt32LE(0) !== magicWord || bytes.readUInt32LE(4) !== indexVersion) return null;
    const count = bytes.readUInt32LE(8);
    if (bytes.length !== headerBytes + count * entryBytes || bytes.readUInt32LE(12) !== crc32(bytes.subarray(headerBytes))) return null;
    const index = new SegmentIndex();
    for (let at = headerBytes; at < bytes.length; at += entryBytes)
      index.add(bytes.readDoubleLE(at), bytes.readDoubleLE(at + 8), bytes.readDoubleLE(at + 16));
    return index;
  }
}
