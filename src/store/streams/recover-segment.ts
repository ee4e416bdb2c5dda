import type { FileHandle } from '../../core/ports/files.ts';
import { ChunkHeader, chunkHeaderBytes, chunkVersion, findChunk, isChunkIntact, readChunkHeader } from './chunk.ts';
import { Segment } from './segment.ts';

/** A segment as it was found. */
export interface RecoveredSegment {
  readonly segment: Segment;
  readonly endOffset: number;
  /** Whether there is something behind its last chunk that does not count. */
  readonly isTorn: boolean;
}

/** What reading through the last segment of a stream has found. */
export interface LastSegment extends RecoveredSegment {
  readonly tornBytes: number;
  /** Positions of chunks that are bad though they were durable once. */
  readonly damaged: readonly number[];
  /** Whether there is something that may be in the page cache only. */
  readonly isUnsynced: boolean;
  /** Whether all segments before were durable when something in this one was written. */
  readonly isBehindDurable: boolean;
  readonly lastChunk: { readonly position: number; readonly offset: number; readonly wallMillis: number } | null;
}

/** A stream was written by something that this version does not understand. */
export class StreamFormatError extends Error {}

class Candidate {
  readonly position: number;
  readonly totalBytes: number;
  readonly firstOffset: number;
  readonly endOffset: number;
  readonly wallMillis: number;

  constructor(position: number, header: ChunkHeader) {
    this.position = position;
    this.totalBytes = header.totalBytes;
    this.firstOffset = header.firstOffset;
    this.endOffset = header.endOffset;
    this.wallMillis = header.wallMillis;
  }
}

/** A segment that another follows: what is in it is looked at when it is read. `endOffset` is where the next begins. */
export function olderSegment(streamId: number, base: number, endOffset: number, handle: FileHandle, fileBytes: number): RecoveredSegment {
  const segment = new Segment(streamId, base);
  segment.bytes = fileBytes;
  segment.durableBytes = fileBytes;
  segment.index = null;
  const bytes = Buffer.alloc(chunkHeaderBytes);
  const header = new ChunkHeader();
  if (handle.readSync(bytes, 0) === chunkHeaderBytes && readChunkHeader(bytes, 0, streamId, 0, header)) {
    assertVersion(header);
    segment.firstWallMillis = header.wallMillis;
  }
  return { segment, endOffset, isTorn: false };
}

/**
 * Reads the headers of a stream's last segment, and all of the chunks behind the last that says what was durable. What is bad in front of
 * that is damage; behind it stands an unfinished write, of which the unbroken beginning counts and the rest is cut.
 */
export function lastSegment(streamId: number, base: number, handle: FileHandle, fileBytes: number): LastSegment {
  const segment = new Segment(streamId, base);
  const window = new Window(handle, fileBytes);
  const header = new ChunkHeader();
  const damaged: number[] = [];
  let candidates: Candidate[] = [];
  let last: Candidate | null = null;
  let durableOffset = 0;
  let position = 0;
  let endOffset = base;
  let end = 0;

  /** All that is durable for sure needs no further look here. */
  const settle = (): void => {
    let count = 0;
    for (; count < candidates.length; count++) {
      const chunk = candidates[count] as Candidate;
      if (chunk.endOffset > durableOffset || (chunk.firstOffset === chunk.endOffset && chunk.firstOffset >= durableOffset)) break;
      accept(chunk);
    }
    if (count > 0) candidates = candidates.slice(count);
  };
  const accept = (chunk: Candidate): void => {
    if (segment.firstWallMillis < 0) segment.firstWallMillis = chunk.wallMillis;
    segment.index?.add(chunk.firstOffset, chunk.wallMillis, chunk.position);
    if (chunk.endOffset > chunk.firstOffset) last = chunk;
    endOffset = chunk.endOffset;
    end = chunk.position + chunk.totalBytes;
  };

  while (position + chunkHeaderBytes <= fileBytes) {
    const at = window.need(position, chunkHeaderBytes);
    if (!readChunkHeader(window.buffer, at, streamId, position, header) || position + header.totalBytes > fileBytes) {
      const found = findBehind(window, position + 1, streamId, header);
      // Whoever wrote what comes behind did not know of anything durable here: the write was not finished.
      const before = candidates.at(-1)?.endOffset ?? endOffset;
      if (found < 0 || header.durableOffset <= before) break;
      damaged.push(position);
      position = found;
      continue;
    }
    assertVersion(header);
    candidates.push(new Candidate(position, header));
    if (header.durableOffset > durableOffset) {
      durableOffset = header.durableOffset;
      settle();
    }
    position += header.totalBytes;
  }

  let isUnsynced = false;
  for (const chunk of candidates) {
    const at = window.need(chunk.position, chunk.totalBytes);
    if (!readChunkHeader(window.buffer, at, streamId, chunk.position, header) || !isChunkIntact(window.buffer, at, header)) break;
    accept(chunk);
    isUnsynced ||= chunk.endOffset > chunk.firstOffset;
  }
  segment.bytes = end;
  segment.durableBytes = end;
  const lastChunk = last as Candidate | null;
  return {
    segment,
    endOffset,
    isTorn: end < fileBytes,
    tornBytes: fileBytes - end,
    damaged,
    isUnsynced,
    isBehindDurable: durableOffset >= base,
    lastChunk:
      lastChunk === null ? null : { position: lastChunk.position, offset: lastChunk.firstOffset, wallMillis: lastChunk.wallMillis },
  };
}

/** Position of the next header at or behind `from`; -1: none. */
function findBehind(window: Window, from: number, streamId: number, into: ChunkHeader): number {
  for (let position = from; position + chunkHeaderBytes <= window.fileBytes; ) {
    window.need(position, Window.largeBytes);
    const found = findChunk(window.buffer, position - window.start, window.bytes, streamId, window.start, into);
    if (found >= 0) return window.start + found;
    position = Math.max(position + 1, window.start + window.bytes - chunkHeaderBytes + 1);
  }
  return -1;
}

function assertVersion({ version }: ChunkHeader): void {
  if (version > chunkVersion)
    throw new StreamFormatError(`a stream was written by a newer version (format ${version}; this one knows ${chunkVersion})`);
}

/** A part of the file in memory: a large one where chunks are small, so that reading header by header is not slow. */
class Window {
  static readonly largeBytes = 256 * 1024;
  static readonly #smallBytes = 4096;
  readonly fileBytes: number;
  readonly #handle: FileHandle;
  buffer: Buffer;
  start = 0;
  bytes = 0;

  constructor(handle: FileHandle, fileBytes: number) {
    this.#handle = handle;
    this.fileBytes = fileBytes;
    this.buffer = Buffer.alloc(Math.min(Window.largeBytes, fileBytes));
  }

  /** Brings so many bytes at a position, or as many as there are, into the buffer; returns where they are in it. */
  need(position: number, bytes: number): number {
    const wanted = Math.min(bytes, this.fileBytes - position);
    if (position >= this.start && position + wanted <= this.start + this.bytes) return position - this.start;
    // Far behind what was read last: chunks are large, and what is between headers need not be read.
    const isFar = position > this.start + this.bytes || this.bytes === 0;
    const size = Math.max(wanted, Math.min(isFar ? Window.#smallBytes : Window.largeBytes, this.fileBytes - position));
    if (this.buffer.length < size) this.buffer = Buffer.alloc(size);
    this.bytes = this.#handle.readSync(this.buffer.subarray(0, size), position);
    this.buffer.fill(0, this.bytes, size);
    this.start = position;
    return 0;
  }
}
