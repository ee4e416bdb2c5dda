// hot path: see docs/STYLE.md
import type { StreamFilter, StreamReader } from '../../core/ports/stream-log.ts';
import { mayHave } from './bloom-filter.ts';
import { ChunkHeader, chunkHeaderBytes, findChunk, isChunkIntact, readChunkHeader, recordHeaderBytes } from './chunk.ts';
import type { FileStreamLog } from './file-stream-log.ts';
import { type BufferHolder, blockBytes } from './read-memory.ts';
import type { Segment } from './segment.ts';

const noBytes = Buffer.alloc(0);

/** Where a reader begins: a chunk, and what of the chunks from there on it leaves out. */
export interface ReadingPlace {
  readonly segment: Segment;
  readonly position: number;
  /** Offset of the chunk at that place; -1: not known. */
  readonly offset: number;
  /** The first message wanted. */
  readonly fromOffset: number;
  /** Chunks that were closed before are left out until one was not. */
  readonly fromMillis: number;
}

/** Bytes of a part of a segment, read from its file. */
class Block {
  segment: Segment | null = null;
  start = 0;
  bytes = 0;
  buffer: Buffer | null = null;

  has(segment: Segment, position: number, bytes: number): boolean {
    return this.buffer !== null && this.segment === segment && position >= this.start && position + bytes <= this.start + this.bytes;
  }
}

/**
 * Reads a stream from a place to its end, and goes on as it grows. What was written last is read from memory that all readers share; the
 * rest from the files, in blocks of several chunks, the next of which is read while the consumer is busy with this one. Each chunk is checked
 * before anything of it is shown; what is damaged is reported and passed over.
 */
export class FileStreamReader implements StreamReader, BufferHolder {
  bytes: Buffer = noBytes;
  envelopeStart = 0;
  envelopeBytes = 0;
  propertiesStart = 0;
  propertiesBytes = 0;
  bodyStart = 0;
  bodyBytes = 0;
  format = 0;
  offset = -1;
  readonly #log: FileStreamLog;
  readonly #filter: StreamFilter | null;
  readonly #wanted: ReadonlySet<string>;
  readonly #onReadable: () => void;
  readonly #header = new ChunkHeader();
  readonly #retry = (): void => this.#onReadable();
  #fromOffset: number;
  #fromMillis: number;
  /** The next chunk: its place, and its first offset where that is known. */
  #segment: Segment;
  #position: number;
  #expected: number;
  /** Of the chunk that is being read: its place, what is left of it. */
  #chunkPosition = 0;
  #chunkOffset = 0;
  #at = 0;
  #end = 0;
  #left = 0;
  #nextOffset = 0;
  #block = new Block();
  #ahead = new Block();
  #isLoading = false;
  /** Looking for the next chunk behind damage. */
  #isSearching = false;
  #isClosed = false;
  #isAtEnd = false;

  constructor(log: FileStreamLog, place: ReadingPlace, filter: StreamFilter | null, onReadable: () => void) {
    this.#log = log;
    this.#filter = filter;
    this.#wanted = new Set(filter?.values);
    this.#onReadable = onReadable;
    this.#segment = place.segment;
    this.#position = place.position;
    this.#expected = place.offset;
    this.#fromOffset = place.fromOffset;
    this.#fromMillis = place.fromMillis;
  }

  get isAtEnd(): boolean {
    return this.#isClosed || this.#isAtEnd;
  }

  next(): boolean {
    this.#isAtEnd = false;
    for (;;) {
      while (this.#left > 0) {
        if (!this.#readRecord()) break;
        if (this.offset >= this.#fromOffset && (this.#filter === null || this.#isWanted(this.#filter))) return true;
      }
      if (!this.#enterChunk()) return false;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#left = 0;
    this.#log.readers.delete(this);
    if (!this.#isLoading) this.#releaseBuffers();
  }

  giveUpBuffers(): number {
    if (this.#isLoading || (this.#block.buffer === null && this.#ahead.buffer === null)) return 0;
    const before = this.#log.host.memory.usedBytes;
    if (this.#left > 0 && this.bytes === this.#block.buffer) {
      this.#position = this.#chunkPosition;
      this.#segment = this.#block.segment as Segment;
      this.#expected = this.#chunkOffset;
      this.#fromOffset = Math.max(this.#fromOffset, this.#nextOffset);
      this.#left = 0;
    }
    this.#releaseBuffers();
    return before - this.#log.host.memory.usedBytes;
  }

  /** Points the fields at the record at `#at` and goes behind it; false when there is no room for what it says. */
  #readRecord(): boolean {
    const { bytes } = this;
    const at = this.#at;
    if (at + recordHeaderBytes > this.#end) return this.#giveUpChunk();
    this.bodyBytes = bytes.readUInt32LE(at);
    this.propertiesBytes = bytes.readUInt32LE(at + 4);
    this.envelopeBytes = bytes.readUInt16LE(at + 8);
    this.format = bytes[at + 10] as number;
    this.envelopeStart = at + recordHeaderBytes;
    this.propertiesStart = this.envelopeStart + this.envelopeBytes;
    this.bodyStart = this.propertiesStart + this.propertiesBytes;
    this.#at = this.bodyStart + this.bodyBytes;
    if (this.#at > this.#end) return this.#giveUpChunk();
    this.offset = this.#nextOffset++;
    this.#left--;
    return true;
  }

  #giveUpChunk(): boolean {
    this.#left = 0;
    this.#log.damaged(this.#segment, this.#chunkPosition);
    return false;
  }

  #isWanted(filter: StreamFilter): boolean {
    const value = this.#log.host.pivot.streamFilterValue(this.bytes, this.propertiesStart, this.propertiesBytes);
    return value === null ? filter.matchesUnfiltered : this.#wanted.has(value);
  }

  /** Goes to the next chunk that has something for this reader; false when it is not in memory. */
  #enterChunk(): boolean {
    const header = this.#header;
    for (;;) {
      if (this.#isClosed || !this.#findSegment()) return false;
      const segment = this.#segment;
      const position = this.#position;
      const tail = this.#log.tail.get(this.#expected);
      const isTail = tail !== undefined && tail.segment === segment && tail.position === position;
      let buffer: Buffer;
      let at = 0;
      if (isTail) {
        buffer = tail.bytes;
        readChunkHeader(buffer, 0, this.#log.id, position, header);
      } else {
        if (!this.#isThere(chunkHeaderBytes)) return false;
        at = position - this.#block.start;
        buffer = this.#block.buffer as Buffer;
        if (this.#block.bytes - at < chunkHeaderBytes || !readChunkHeader(buffer, at, this.#log.id, position, header)) {
          this.#search(at);
          continue;
        }
        if (!this.#isThere(header.totalBytes)) return false;
        at = position - this.#block.start;
        buffer = this.#block.buffer as Buffer;
        if (this.#block.bytes - at < header.totalBytes) {
          this.#search(at + 1);
          continue;
        }
      }
      const isSkipped = this.#isSkipped(buffer, at, header);
      if (!isSkipped && !isTail && !isChunkIntact(buffer, at, header)) {
        this.#search(at + 1);
        continue;
      }
      this.#isSearching = false;
      this.#position = position + header.totalBytes;
      this.#expected = header.endOffset;
      if (isSkipped) continue;
      this.bytes = buffer;
      this.#at = at + chunkHeaderBytes + header.filterBytes;
      this.#end = at + header.totalBytes;
      this.#left = header.count;
      this.#nextOffset = header.firstOffset;
      this.#chunkPosition = position;
      this.#chunkOffset = header.firstOffset;
      this.#fromMillis = 0;
      if (!isTail) this.#readAhead();
      return true;
    }
  }

  /** Goes to the segment that the next chunk is in; false at the stream's end. */
  #findSegment(): boolean {
    for (;;) {
      const segment = this.#segment;
      if (segment.isRemoved) {
        // What it was about to read is over its age or length.
        const first = this.#log.segments[0];
        if (first === undefined) return false;
        this.#goTo(first);
        continue;
      }
      const { next } = segment;
      const isRead = this.#position >= segment.durableBytes;
      // What an unfinished write has left behind the last chunk does not count: the next segment says where it is to go on.
      if (next !== null && ((isRead && segment.durableBytes === segment.bytes) || this.#expected === next.base)) {
        // Between two files of a stream there is nothing, unless one is missing or cut.
        if (this.#expected >= 0 && this.#expected < next.base) this.#log.damaged(segment, this.#position);
        this.#goTo(next);
        continue;
      }
      if (!isRead) return true;
      this.#isAtEnd = true;
      this.#releaseBuffers();
      return false;
    }
  }

  #goTo(segment: Segment): void {
    this.#segment = segment;
    this.#position = 0;
    this.#expected = segment.base;
    this.#isSearching = false;
  }

  #isSkipped(buffer: Buffer, at: number, header: ChunkHeader): boolean {
    if (header.endOffset <= this.#fromOffset || header.count === 0 || header.wallMillis < this.#fromMillis) return true;
    const filter = this.#filter;
    if (filter === null || (filter.matchesUnfiltered && header.unfilteredCount > 0)) return false;
    for (const value of filter.values) if (mayHave(buffer, at + chunkHeaderBytes, header.filterBytes, value)) return false;
    return true;
  }

  /** There is no sound chunk where one should be: goes on at the next header behind `from` of the block. */
  #search(from: number): void {
    const block = this.#block;
    if (!this.#isSearching) this.#log.damaged(this.#segment, this.#position);
    this.#isSearching = true;
    this.#expected = -1;
    const found = findChunk(block.buffer as Buffer, from, block.bytes, this.#log.id, block.start, this.#header);
    if (found >= 0) {
      this.#position = block.start + found;
      return;
    }
    // A header may begin in this block and end in the next.
    const end = block.start + block.bytes;
    this.#position = end >= this.#segment.durableBytes ? end : Math.max(this.#position + 1, end - chunkHeaderBytes + 1);
    // The file is shorter than it was.
    if (block.bytes === 0) this.#position = this.#segment.durableBytes;
  }

  /** Whether so many bytes of the next chunk are in the block, or all there are; else they are fetched. */
  #isThere(bytes: number): boolean {
    const segment = this.#segment;
    const position = this.#position;
    const wanted = Math.min(bytes, segment.durableBytes - position);
    for (let attempt = 0; attempt < 2; attempt++) {
      if (this.#block.has(segment, position, wanted)) return true;
      if (this.#isLoading) return false;
      if (this.#ahead.has(segment, position, wanted)) {
        this.#giveBack(this.#block);
        const block = this.#block;
        this.#block = this.#ahead;
        this.#ahead = block;
        return true;
      }
      this.#releaseBuffers();
      if (!this.#load(this.#block, segment, position, wanted, this.#retry)) return false;
      if (this.#block.start === position && this.#block.segment === segment) return true;
    }
    return true;
  }

  /** Begins to read the block behind this one, when this one is under way. */
  #readAhead(): void {
    const block = this.#block;
    if (this.#ahead.buffer !== null || this.#isLoading || this.#position - block.start < block.bytes / 4) return;
    let end = this.#position;
    while (end + chunkHeaderBytes <= block.start + block.bytes) {
      const at = end - block.start;
      if (!readChunkHeader(block.buffer as Buffer, at, this.#log.id, end, this.#header)) break;
      if (at + this.#header.totalBytes > block.bytes) break;
      end += this.#header.totalBytes;
    }
    if (end < this.#segment.durableBytes) this.#load(this.#ahead, this.#segment, end, 1, null);
  }

  /** Reads into a block without buffer; true when that is done already. Without `retry` nothing happens where memory is short. */
  #load(block: Block, segment: Segment, position: number, bytes: number, retry: (() => void) | null): boolean {
    const { host } = this.#log;
    const size = Math.min(Math.max(bytes, blockBytes), segment.durableBytes - position);
    const buffer = host.memory.take(size, this, retry);
    if (buffer === null) return false;
    this.#isLoading = true;
    let isWithin = true;
    host.read(segment, buffer.subarray(0, size), position, count => {
      this.#isLoading = false;
      block.buffer = buffer;
      block.segment = segment;
      block.start = position;
      block.bytes = count;
      if (this.#isClosed) this.#releaseBuffers();
      if (!isWithin) this.#onReadable();
    });
    isWithin = false;
    return !this.#isLoading;
  }

  #releaseBuffers(): void {
    this.#giveBack(this.#block);
    this.#giveBack(this.#ahead);
    this.#log.host.memory.forget(this);
  }

  #giveBack(block: Block): void {
    const { buffer } = block;
    if (buffer === null) return;
    block.buffer = null;
    block.segment = null;
    this.#log.host.memory.give(buffer);
  }
}
