import type { FileHandle, Files } from '../../core/ports/files.ts';
import { SegmentIndex } from './segment-index.ts';

const namePattern = /^(\d+)-(\d{16})\.(stream|index)$/;

/** Name of a segment's file, or of its index. */
export function segmentName(streamId: number, base: number, kind: 'stream' | 'index' = 'stream'): string {
  return `${streamId}-${String(base).padStart(16, '0')}.${kind}`;
}

/** What a file's name says; null for a file that is none of a stream's. */
export function parseSegmentName(name: string): { readonly streamId: number; readonly base: number; readonly kind: string } | null {
  const match = namePattern.exec(name);
  if (match === null) return null;
  const streamId = Number(match[1]);
  const base = Number(match[2]);
  return Number.isSafeInteger(streamId) && Number.isSafeInteger(base) ? { streamId, base, kind: match[3] as string } : null;
}

/** One file of a stream: chunks, one behind the other. */
export class Segment {
  readonly streamId: number;
  /** Offset of its first message. */
  readonly base: number;
  /** Bytes that chunks have got their place in, and those of them that are durable. */
  bytes = 0;
  durableBytes = 0;
  /** When its first chunk was closed; -1: not known. */
  firstWallMillis = -1;
  next: Segment | null = null;
  isRemoved = false;
  /** Null: it is in its file, if anywhere. */
  index: SegmentIndex | null = new SegmentIndex();
  /** Written by OpenFiles. */
  handle: FileHandle | null = null;
  userCount = 0;

  constructor(streamId: number, base: number) {
    this.streamId = streamId;
    this.base = base;
  }

  get name(): string {
    return segmentName(this.streamId, this.base);
  }

  get indexName(): string {
    return segmentName(this.streamId, this.base, 'index');
  }
}

/** Files of segments that are open: few enough for the process's limit, however many streams there are. */
export class OpenFiles {
  readonly #files: Files;
  #openMax: number;
  /** Least recently used first. */
  readonly #open = new Set<Segment>();

  constructor(files: Files, openMax: number) {
    this.#files = files;
    this.#openMax = openMax;
  }

  /** The segment's file, made if it is not there, open until `release`. @throws Error the system's */
  acquire(segment: Segment): FileHandle {
    const handle = (segment.handle ??= this.#files.open(segment.name, 0));
    segment.userCount++;
    this.#open.delete(segment);
    this.#open.add(segment);
    return handle;
  }

  release(segment: Segment): void {
    segment.userCount--;
    if (segment.isRemoved) this.closeUnused(segment);
    if (this.#open.size <= this.#openMax) return;
    for (const other of this.#open) {
      if (other.userCount === 0) this.closeUnused(other);
      if (this.#open.size <= this.#openMax) return;
    }
  }

  /** Closes the file if nobody uses it. */
  closeUnused(segment: Segment): void {
    if (segment.userCount > 0 || segment.handle === null) return;
    segment.handle.close();
    segment.handle = null;
    this.#open.delete(segment);
  }

  /** What is in use is closed when it is not any more. */
  closeAll(): void {
    this.#openMax = 0;
    for (const segment of this.#open) this.closeUnused(segment);
  }
}
