// hot path: see docs/STYLE.md
import { copyBytes } from '../../base/bytes.ts';
import { shownBytes } from '../../core/messages/envelope.ts';
import type { PivotFormat } from '../../core/ports/message-format.ts';
import type { StreamMessage } from '../../core/ports/stream-log.ts';
import { addToFilter } from './bloom-filter.ts';
import { ChunkHeader, chunkHeaderBytes, recordHeaderBytes, writeChunkHeader } from './chunk.ts';

/** A chunk is closed before it gets larger than this; a single message may be. */
export const chunkBytesMax = 64 * 1024;
const firstBytes = 2048;

/** A chunk that messages are added to. */
export class ChunkBuilder {
  readonly #pivot: PivotFormat;
  readonly header = new ChunkHeader();
  #buffer: Buffer;
  #at: number;

  /** `bytesLikely` is what it will probably need. */
  constructor(pivot: PivotFormat, firstOffset: number, filterBytes: number, bytesLikely: number) {
    this.#pivot = pivot;
    this.header.firstOffset = firstOffset;
    this.header.filterBytes = filterBytes;
    this.#at = chunkHeaderBytes + filterBytes;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(firstBytes, Math.min(bytesLikely, chunkBytesMax)));
    this.#buffer.fill(0, 0, this.#at);
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#at;
  }

  /** Most bytes that a message takes. */
  bytesOf(p: StreamMessage): number {
    return recordHeaderBytes + p.envelopeBytes + p.propertiesBytes + this.#pivot.streamOffsetBytes + p.bodyBytes;
  }

  add(p: StreamMessage, offset: number, filterValue: string | null): void {
    const most = this.#at + this.bytesOf(p);
    if (most > this.#buffer.length) this.#grow(most);
    const { header } = this;
    const target = this.#buffer;
    const start = this.#at;
    const envelopeBytes = shownBytes(p.envelope, p.envelopeStart);
    let at = start + recordHeaderBytes;
    copyBytes(p.envelope, p.envelopeStart, target, at, envelopeBytes);
    at += envelopeBytes;
    const propertiesEnd = this.#pivot.writeWithStreamOffset(p.properties, p.propertiesStart, p.propertiesBytes, offset, target, at);
    const propertiesBytes = propertiesEnd - at;
    at = propertiesEnd;
    if (p.large === null) copyBytes(p.body, p.bodyStart, target, at, p.bodyBytes);
    else p.large.copyTo(target, at);
    target.writeUInt32LE(p.bodyBytes, start);
    target.writeUInt32LE(propertiesBytes, start + 4);
    target.writeUInt16LE(envelopeBytes, start + 8);
    target[start + 10] = p.format;
    target[start + 11] = 0;
    this.#at = at + p.bodyBytes;
    header.count++;
    if (filterValue === null) header.unfilteredCount++;
    else addToFilter(target, chunkHeaderBytes, header.filterBytes, filterValue);
  }

  /** Closes the chunk for a place; returns its bytes. */
  close(streamId: number, position: number, durableOffset: number, wallMillis: number): Buffer {
    const { header } = this;
    header.dataBytes = this.#at - chunkHeaderBytes - header.filterBytes;
    header.durableOffset = durableOffset;
    header.wallMillis = wallMillis;
    writeChunkHeader(this.#buffer, header, streamId, position);
    return this.#buffer.subarray(0, this.#at);
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(this.#buffer.length * 2, chunkBytesMax)));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}
