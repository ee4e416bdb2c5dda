import type { FileHandle, Files } from '../../core/ports/files.ts';
import { slabBytes } from '../../core/messages/slab.ts';
import { slabsPerSegment as defaultSlabsPerSegment } from './layout.ts';

/** Files of deleted segments that are kept to be used again: their blocks exist, so that a write needs no new ones and a sync is short. */
const spareMax = 2;
/** Copies of damaged segments that are kept; with more, something is wrong that more copies do not explain. */
const quarantineMax = 8;
const quarantineSuffix = '.quarantine';

class Segment {
  readonly number: number;
  /** Null for a file that should be there and is not. */
  readonly handle: FileHandle | null;
  /** Slabs of this segment that the message store still has. */
  liveSlabs = 0;
  /** Sequence of the last frame in it that has metadata; 0: none. */
  metadataSequence = 0;
  /** It is being copied. */
  isHeld = false;

  constructor(number: number, handle: FileHandle | null) {
    this.number = number;
    this.handle = handle;
  }
}

/** The journal's files: one per 64 slabs, numbered without gaps from the oldest that is needed to the one being written. */
export class Segments {
  readonly #files: Files;
  readonly #segments = new Map<number, Segment>();
  #obsolete: Segment[] = [];
  readonly slabsPerSegment: number;
  #spare: string[] = [];
  #lastSpare = 0;
  first = 0;
  last = -1;
  #keepsSpares = true;
  /** A file came, went or was renamed, and the directory was not synced since. */
  isDirectoryDirty = false;

  constructor(files: Files, slabsPerSegment: number = defaultSlabsPerSegment) {
    this.#files = files;
    this.slabsPerSegment = slabsPerSegment;
  }

  get segmentBytes(): number {
    return this.slabsPerSegment * slabBytes;
  }

  /** Opens what is there. Returns the numbers found, ascending. */
  load(): number[] {
    const numbers: number[] = [];
    for (const name of this.#files.list()) {
      const number = numberOfFile(name);
      if (number >= 0) numbers.push(number);
      else if (/^spare-\d+\.seg$/.test(name)) this.#files.remove(name);
    }
    numbers.sort((a, b) => a - b);
    for (const number of numbers) this.#segments.set(number, new Segment(number, this.#files.openExisting(fileName(number))));
    this.first = numbers[0] ?? 0;
    this.last = numbers[numbers.length - 1] ?? -1;
    return numbers;
  }

  /**
   * Recovery: nothing before this segment is needed; the files stay until `removeObsolete`. What lacks from there on counts as there, with
   * nothing readable in it.
   */
  startAt(floor: number): void {
    for (const segment of this.#segments.values()) {
      if (segment.number >= floor) continue;
      this.#segments.delete(segment.number);
      this.#obsolete.push(segment);
    }
    this.first = floor;
    for (let number = floor; number < this.last; number++) {
      if (!this.#segments.has(number)) this.#segments.set(number, new Segment(number, null));
    }
  }

  /** Removes what recovery found and did not need; to be called when all it needed is durable. */
  removeObsolete(): void {
    for (const segment of this.#obsolete.splice(0)) this.#dispose(segment);
  }

  get count(): number {
    return this.last - this.first + 1;
  }

  /** The first slab of the segment behind the last. */
  get nextSegmentStart(): number {
    return (this.last + 1) * this.slabsPerSegment;
  }

  /** Whether the log has this segment, be its file there or not. */
  has(number: number): boolean {
    return this.#segments.has(number);
  }

  numberOf(logSequence: number): number {
    return Math.floor(logSequence / this.slabsPerSegment);
  }

  /** Place of a slab in its segment's file. */
  positionOf(logSequence: number): number {
    return (logSequence % this.slabsPerSegment) * slabBytes;
  }

  /** Whether the slab's file is there. */
  isPresent(logSequence: number): boolean {
    return (this.#segments.get(this.numberOf(logSequence))?.handle ?? null) !== null;
  }

  /** @throws RangeError for a slab whose file is not there */
  handleOf(logSequence: number): FileHandle {
    const number = this.numberOf(logSequence);
    const handle = this.#segment(number).handle;
    if (handle === null) throw new RangeError(`journal: segment ${fileName(number)} is missing`);
    return handle;
  }

  /**
   * The slab is in use from now on; makes the segment's file when it is the first of one.
   * @throws Error the system's, when the file cannot be made
   */
  slabOpened(logSequence: number): void {
    const number = this.numberOf(logSequence);
    if (!this.#segments.has(number)) this.#create(number);
    this.#segment(number).liveSlabs++;
  }

  slabDied(logSequence: number): void {
    const segment = this.#segments.get(this.numberOf(logSequence));
    if (segment !== undefined) segment.liveSlabs--;
  }

  /** A frame with metadata is in the slab. */
  hasMetadata(logSequence: number, sequence: number): void {
    const segment = this.#segment(this.numberOf(logSequence));
    segment.metadataSequence = Math.max(segment.metadataSequence, sequence);
  }

  /** The oldest segment whose messages are alive, or whose metadata stands in no snapshot up to `snapshotSequence`, or that is written. */
  firstNeeded(snapshotSequence: number): number {
    let number = this.first;
    for (; number < this.last; number++) {
      const segment = this.#segment(number);
      if (segment.liveSlabs > 0 || segment.isHeld || segment.metadataSequence > snapshotSequence) break;
    }
    return number;
  }

  /** Gives segments up. To be called when it is durable that they are not needed. */
  removeBelow(floor: number): void {
    for (; this.first < floor && this.first <= this.last; this.first++) {
      const segment = this.#segments.get(this.first);
      if (segment === undefined) continue;
      this.#segments.delete(this.first);
      this.#dispose(segment);
    }
  }

  /** Whether files are kept to be used again; not while the disk is full: their blocks are wanted. */
  keepSpares(isWanted: boolean): void {
    this.#keepsSpares = isWanted;
    if (isWanted) return;
    for (const spare of this.#spare.splice(0)) this.#files.remove(spare);
    this.isDirectoryDirty = true;
  }

  syncDirectory(done: (error: Error | null) => void): void {
    this.isDirectoryDirty = false;
    this.#files.syncDirectory(done);
  }

  /** Keeps a copy of a damaged segment, for whoever wants to look into it; one per segment. */
  quarantine(number: number, done: (name: string | null, error: Error | null) => void): void {
    const segment = this.#segments.get(number);
    if (segment === undefined || segment.handle === null || segment.isHeld) return;
    const names = this.#files.list().filter(name => name.endsWith(quarantineSuffix));
    const name = `${fileName(number)}${quarantineSuffix}`;
    if (names.includes(name) || names.length >= quarantineMax) return;
    segment.isHeld = true;
    this.#files.copy(fileName(number), name, error => {
      segment.isHeld = false;
      done(name, error);
    });
  }

  close(): void {
    for (const segment of this.#segments.values()) segment.handle?.close();
    for (const segment of this.#obsolete.splice(0)) segment.handle?.close();
    this.#segments.clear();
    for (const spare of this.#spare) this.#files.remove(spare);
    this.#spare = [];
  }

  #create(number: number): void {
    const spare = this.#spare.pop();
    if (spare !== undefined) this.#files.rename(spare, fileName(number));
    this.isDirectoryDirty = true;
    this.#segments.set(number, new Segment(number, this.#files.open(fileName(number), this.segmentBytes)));
    if (this.last < this.first) this.first = number;
    this.last = number;
  }

  #dispose(segment: Segment): void {
    if (segment.handle === null) return;
    segment.handle.close();
    if (this.#keepsSpares && this.#spare.length < spareMax) {
      const spare = `spare-${++this.#lastSpare}.seg`;
      this.#files.rename(fileName(segment.number), spare);
      this.#spare.push(spare);
    } else {
      this.#files.removeLater(fileName(segment.number));
    }
    this.isDirectoryDirty = true;
  }

  #segment(number: number): Segment {
    const segment = this.#segments.get(number);
    if (segment === undefined) throw new RangeError(`journal: no segment ${number}`);
    return segment;
  }
}

export function fileName(number: number): string {
  return `${String(number).padStart(10, '0')}.seg`;
}

/** The number of a segment's file; -1 for any other. */
export function numberOfFile(name: string): number {
  const match = /^(\d{10})\.seg$/.exec(name);
  return match === null ? -1 : Number(match[1]);
}
