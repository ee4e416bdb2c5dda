import type { FileHandle, Files } from '../../core/ports/files.ts';
import { slabBytes } from '../../core/messages/slab.ts';
import { slabsPerSegment } from './layout.ts';

export const segmentBytes = slabsPerSegment * slabBytes;
/** Files of deleted segments that are kept to be used again: their blocks exist, so that a write needs no new ones and a sync is short. */
const spareMax = 2;

class Segment {
  readonly number: number;
  readonly handle: FileHandle;
  /** Slabs of this segment that the message store still has. */
  liveSlabs = 0;

  constructor(number: number, handle: FileHandle) {
    this.number = number;
    this.handle = handle;
  }
}

/** The journal's files: one per 64 slabs, numbered without gaps from the oldest that is needed to the one being written. */
export class Segments {
  readonly #files: Files;
  readonly #segments = new Map<number, Segment>();
  #spare: string[] = [];
  #lastSpare = 0;
  first = 0;
  last = -1;
  /** A file came, went or was renamed, and the directory was not synced since. */
  isDirectoryDirty = false;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Opens what is there. Returns the numbers found, ascending. */
  load(): number[] {
    const numbers: number[] = [];
    for (const name of this.#files.list()) {
      const match = /^(\d{10})\.seg$/.exec(name);
      if (match !== null) numbers.push(Number(match[1]));
      else if (/^spare-\d+\.seg$/.test(name)) this.#files.remove(name);
    }
    numbers.sort((a, b) => a - b);
    for (const number of numbers) this.#segments.set(number, new Segment(number, this.#files.open(fileName(number), 0)));
    this.first = numbers[0] ?? 0;
    this.last = numbers[numbers.length - 1] ?? -1;
    return numbers;
  }

  get count(): number {
    return this.last - this.first + 1;
  }

  has(number: number): boolean {
    return this.#segments.has(number);
  }

  handleOf(logSequence: number): FileHandle {
    return this.#segment(Math.floor(logSequence / slabsPerSegment)).handle;
  }

  /** The slab is in use from now on; makes the segment's file when it is the first of one. */
  slabOpened(logSequence: number): void {
    const number = Math.floor(logSequence / slabsPerSegment);
    if (!this.#segments.has(number)) this.#create(number);
    this.#segment(number).liveSlabs++;
  }

  slabDied(logSequence: number): void {
    const segment = this.#segments.get(Math.floor(logSequence / slabsPerSegment));
    if (segment !== undefined) segment.liveSlabs--;
  }

  /** Whether the oldest segment holds nothing that is needed and is not the one being written. */
  get isFirstDead(): boolean {
    return this.first < this.last && this.#segment(this.first).liveSlabs === 0;
  }

  /** Gives the oldest segment up. */
  removeFirst(): void {
    const segment = this.#segment(this.first);
    segment.handle.close();
    this.#segments.delete(this.first);
    this.first++;
    if (this.#spare.length < spareMax) {
      const spare = `spare-${++this.#lastSpare}.seg`;
      this.#files.rename(fileName(segment.number), spare);
      this.#spare.push(spare);
    } else {
      this.#files.remove(fileName(segment.number));
    }
    this.isDirectoryDirty = true;
  }

  syncDirectory(done: (error: Error | null) => void): void {
    this.isDirectoryDirty = false;
    this.#files.syncDirectory(done);
  }

  close(): void {
    for (const segment of this.#segments.values()) segment.handle.close();
    this.#segments.clear();
    for (const spare of this.#spare) this.#files.remove(spare);
    this.#spare = [];
  }

  #create(number: number): void {
    const spare = this.#spare.pop();
    if (spare !== undefined) this.#files.rename(spare, fileName(number));
    this.#segments.set(number, new Segment(number, this.#files.open(fileName(number), segmentBytes)));
    this.isDirectoryDirty = true;
    if (this.last < this.first) this.first = number;
    this.last = number;
  }

  #segment(number: number): Segment {
    const segment = this.#segments.get(number);
    if (segment === undefined) throw new RangeError(`journal: no segment ${number}`);
    return segment;
  }
}

/** Place of a slab in its segment's file. */
export function slabPosition(logSequence: number): number {
  return (logSequence % slabsPerSegment) * slabBytes;
}

export function fileName(number: number): string {
  return `${String(number).padStart(10, '0')}.seg`;
}
