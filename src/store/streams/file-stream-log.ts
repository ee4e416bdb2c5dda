// hot path: see docs/STYLE.md
import type { StreamFilter, StreamLog, StreamMessage, StreamReader, StreamRetention, StreamStart } from '../../core/ports/stream-log.ts';
import { ChunkBuilder, chunkBytesMax } from './chunk-builder.ts';
import type { RecoveredSegment } from './recover-segment.ts';
import { Segment } from './segment.ts';
import { SegmentIndex } from './segment-index.ts';
import type { StreamStore } from './stream-store.ts';
import { FileStreamReader, type ReadingPlace } from './stream-reader.ts';

/** A chunk that has its place. */
export class PlacedChunk {
  readonly segment: Segment;
  readonly position: number;
  readonly bytes: Buffer;
  readonly firstOffset: number;
  readonly endOffset: number;
  readonly wallMillis: number;

  constructor(segment: Segment, position: number, bytes: Buffer, firstOffset: number, endOffset: number, wallMillis: number) {
    this.segment = segment;
    this.position = position;
    this.bytes = bytes;
    this.firstOffset = firstOffset;
    this.endOffset = endOffset;
    this.wallMillis = wallMillis;
  }
}

/** The last chunk that is durable. */
export interface LastChunk {
  readonly segment: Segment;
  readonly position: number;
  readonly offset: number;
  readonly wallMillis: number;
}

const nothing = (): void => {};

/** A stream in files: segments of chunks of messages (docs/internals/streams.md). */
export class FileStreamLog implements StreamLog {
  readonly id: number;
  readonly host: StreamStore;
  /** Oldest first; there is always one. */
  readonly segments: Segment[] = [];
  readonly readers = new Set<FileStreamReader>();
  /** Chunks written lately, by first offset: who reads at the end of the stream reads no file. */
  readonly tail = new Map<number, PlacedChunk>();
  onDurable: () => void = nothing;
  nextOffset = 0;
  endOffset = 0;
  bytes = 0;
  isRemoved = false;
  /** Written by the host: whether it is in its list of streams with something to write. */
  isDirty = false;
  /** Whether something was written since the start. */
  hasWritten = false;
  #retention: StreamRetention;
  #builder: ChunkBuilder | null = null;
  #bytesLikely = 0;
  #wallMillis = 0;
  #placed: PlacedChunk[] = [];
  #last: LastChunk | null = null;
  #hasRolled = false;
  #damageCount = 0;

  constructor(host: StreamStore, id: number, retention: StreamRetention) {
    this.host = host;
    this.id = id;
    this.#retention = retention;
    this.segments.push(new Segment(id, 0));
  }

  get firstOffset(): number {
    return Math.min((this.segments[0] as Segment).base, this.endOffset);
  }

  get segmentCount(): number {
    return this.segments.length;
  }

  get #active(): Segment {
    return this.segments[this.segments.length - 1] as Segment;
  }

  append(p: StreamMessage, filterValue: string | null, wallMillis: number): number {
    let builder = this.#builder;
    if (builder !== null && builder.bytes + builder.bytesOf(p) > chunkBytesMax) {
      this.#closeChunk(builder);
      this.#bytesLikely = chunkBytesMax;
      builder = null;
    }
    builder ??= this.#builder = new ChunkBuilder(this.host.pivot, this.nextOffset, this.#retention.filterBytes, this.#bytesLikely);
    // A clock that was set back must not make later messages older than earlier ones: they are looked for by time.
    this.#wallMillis = Math.max(this.#wallMillis, wallMillis);
    const offset = this.nextOffset++;
    const before = builder.bytes;
    builder.add(p, offset, filterValue);
    this.host.recorded(this, builder.bytes - before);
    return offset;
  }

  /** Closes what is being gathered; returns the chunks that are to be written. */
  take(): PlacedChunk[] {
    this.isDirty = false;
    const builder = this.#builder;
    if (builder !== null) {
      this.#bytesLikely = builder.bytes;
      this.#closeChunk(builder);
    }
    const placed = this.#placed;
    this.#placed = [];
    return placed;
  }

  /** Chunks that were taken are durable. */
  committed(chunks: readonly PlacedChunk[]): void {
    if (this.isRemoved) return;
    for (const chunk of chunks) {
      chunk.segment.durableBytes = chunk.position + chunk.bytes.length;
      this.endOffset = chunk.endOffset;
      if (this.readers.size > 0) this.host.keepTail(this, chunk);
    }
    const last = chunks.findLast(chunk => chunk.endOffset > chunk.firstOffset);
    if (last !== undefined)
      this.#last = { segment: last.segment, position: last.position, offset: last.firstOffset, wallMillis: last.wallMillis };
    if (this.#hasRolled) {
      this.#hasRolled = false;
      this.keepToLimits(this.#wallMillis);
    }
    this.onDurable();
  }

  /** Adds an empty chunk that says that all before it is durable: damage there is told from an unfinished write then. */
  mark(wallMillis: number): void {
    if (this.#builder !== null || this.endOffset !== this.nextOffset || this.isRemoved || !this.hasWritten) return;
    this.#wallMillis = Math.max(this.#wallMillis, wallMillis);
    this.#builder = new ChunkBuilder(this.host.pivot, this.nextOffset, 0, 0);
    this.host.recorded(this, 0);
  }

  /** Gives up what is over the limits that the stream has. */
  keepToLimits(wallMillis: number): void {
    this.retain(this.#retention, wallMillis);
  }

  retain(retention: StreamRetention, wallMillis: number): void {
    this.#retention = retention;
    const { bytesMax, ageMillisMax } = retention;
    for (;;) {
      const [first, second] = this.segments;
      if (first === undefined || second === undefined || second.durableBytes === 0) return;
      const isTooLong = bytesMax >= 0 && this.bytes > bytesMax;
      // All in the first segment came before what the second begins with.
      const isTooOld = ageMillisMax >= 0 && second.firstWallMillis >= 0 && second.firstWallMillis < wallMillis - ageMillisMax;
      if (!isTooLong && !isTooOld) return;
      this.segments.shift();
      this.bytes -= first.bytes;
      this.host.removeSegment(first);
    }
  }

  read(start: StreamStart, filter: StreamFilter | null, onReadable: () => void): StreamReader {
    const reader = new FileStreamReader(this, this.#placeOf(start), filter, onReadable);
    this.readers.add(reader);
    return reader;
  }

  remove(): void {
    if (this.isRemoved) return;
    this.isRemoved = true;
    this.#builder = null;
    this.tail.clear();
    for (const reader of this.readers) reader.close();
    for (const segment of this.segments) segment.isRemoved = true;
    this.host.removeLog(this);
  }

  /** Reports damage in a segment; a stream has many chunks, and not each of them is worth a line. */
  damaged(segment: Segment, position: number): void {
    this.host.damaged(this, segment, position, this.#damageCount++);
  }

  /** Recovery: these segments were found, the last of them read through; `last` is a chunk of one of them. */
  recovered(found: readonly RecoveredSegment[], last: LastChunk | null): void {
    const final = found.at(-1);
    if (final === undefined) return;
    this.segments.length = 0;
    for (const { segment } of found) {
      const before = this.segments.at(-1);
      if (before !== undefined) before.next = segment;
      this.segments.push(segment);
      this.bytes += segment.bytes;
    }
    this.nextOffset = final.endOffset;
    this.endOffset = final.endOffset;
    if (last !== null) {
      this.#last = last;
      this.#wallMillis = last.wallMillis;
    }
    // What an unfinished write has left must not be taken for anything, so the next chunk goes to a file of its own. Recovery writes
    // nothing: the index of the file that ends here stays in memory.
    if (final.isTorn) this.#follow(this.nextOffset);
  }

  #closeChunk(builder: ChunkBuilder): void {
    this.#builder = null;
    this.hasWritten = true;
    const { header } = builder;
    const { segmentBytesMax, bytesMax } = this.#retention;
    // A segment is what goes at once: it must not be longer than the whole stream may be.
    const most = bytesMax >= 0 ? Math.min(segmentBytesMax, Math.max(bytesMax, chunkBytesMax)) : segmentBytesMax;
    let segment = this.#active;
    if (segment.bytes > 0 && segment.bytes + builder.bytes > most && header.firstOffset > segment.base)
      segment = this.#roll(header.firstOffset);
    const position = segment.bytes;
    const bytes = builder.close(this.id, position, this.endOffset, this.#wallMillis);
    segment.bytes += bytes.length;
    this.bytes += bytes.length;
    if (segment.firstWallMillis < 0) segment.firstWallMillis = this.#wallMillis;
    segment.index?.add(header.firstOffset, this.#wallMillis, position);
    this.#placed.push(new PlacedChunk(segment, position, bytes, header.firstOffset, header.endOffset, this.#wallMillis));
  }

  #roll(base: number): Segment {
    const full = this.#active;
    const segment = this.#follow(base);
    this.#hasRolled = true;
    this.host.writeIndex(full);
    return segment;
  }

  /** The next segment, behind the last. */
  #follow(base: number): Segment {
    const segment = new Segment(this.id, base);
    this.#active.next = segment;
    this.segments.push(segment);
    return segment;
  }

  #placeOf(start: StreamStart): ReadingPlace {
    switch (start.kind) {
      case 'first':
        return this.#firstPlace(0);
      case 'next':
        return this.#endPlace(this.nextOffset);
      case 'last': {
        const last = this.#last;
        if (last === null || last.segment.isRemoved) return this.#endPlace(0);
        return { segment: last.segment, position: last.position, offset: last.offset, fromOffset: 0, fromMillis: 0 };
      }
      case 'offset': {
        const { offset } = start;
        if (offset >= this.endOffset) return this.#endPlace(offset);
        if (offset <= this.firstOffset) return this.#firstPlace(0);
        let at = this.segments.length - 1;
        while (at > 0 && (this.segments[at] as Segment).base > offset) at--;
        const segment = this.segments[at] as Segment;
        return { segment, position: this.#indexOf(segment).beforeOffset(offset), offset: -1, fromOffset: offset, fromMillis: 0 };
      }
      case 'time': {
        const { wallMillis } = start;
        if (this.#last === null || this.#last.wallMillis < wallMillis) {
          // What is on its way to the disk may be of that time.
          if (this.#wallMillis < wallMillis) return this.#endPlace(this.nextOffset);
          return { ...this.#endPlace(0), fromMillis: wallMillis };
        }
        let at = this.segments.length - 1;
        while (at > 0 && !isBefore(this.segments[at] as Segment, wallMillis)) at--;
        const segment = this.segments[at] as Segment;
        return { segment, position: this.#indexOf(segment).beforeTime(wallMillis), offset: -1, fromOffset: 0, fromMillis: wallMillis };
      }
    }
  }

  #firstPlace(fromOffset: number): ReadingPlace {
    const segment = this.segments[0] as Segment;
    return { segment, position: 0, offset: segment.base, fromOffset, fromMillis: 0 };
  }

  /** Behind all that is durable. */
  #endPlace(fromOffset: number): ReadingPlace {
    let at = this.segments.length - 1;
    while (at > 0 && (this.segments[at] as Segment).durableBytes === 0) at--;
    const segment = this.segments[at] as Segment;
    return { segment, position: segment.durableBytes, offset: this.endOffset, fromOffset, fromMillis: 0 };
  }

  #indexOf(segment: Segment): SegmentIndex {
    return segment.index ?? this.host.readIndex(segment) ?? new SegmentIndex();
  }
}

function isBefore(segment: Segment, wallMillis: number): boolean {
  return segment.durableBytes > 0 && segment.firstWallMillis >= 0 && segment.firstWallMillis < wallMillis;
}
