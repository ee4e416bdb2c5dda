import { slabBytes, unitBytes } from '../../core/messages/slab.ts';
import { frameEnd, type FrameHeader, frameHeaderBytes, frameMagic, readFrameHeader } from './layout.ts';
import type { Segments } from './segments.ts';
import type { SlabReader } from './slab-reader.ts';

/** A start of the broker: its frames are in this segment and those behind it, up to the next start's. */
export interface Run {
  readonly firstSegment: number;
  readonly owner: number;
}

/**
 * All frames of a journal in the order of their places, as columns: a busy journal has a million. Every slab's frames are a chain from its
 * first byte; where the chain breaks though more should come, the rest of the slab is searched. Bytes of message bodies that look like a
 * frame are not taken for one: nobody outside knows the number of the run (`owner`).
 */
export class FrameList {
  readonly #segments: Segments;
  readonly #reader: SlabReader;
  readonly #runs: readonly Run[];
  #places = new Float64Array(64);
  #numbers = new Uint32Array(64 * 4);
  count = 0;
  /** Highest sequence that a frame says is durable. */
  durableSequence = 0;
  /** Bytes behind the last frame that begin with what looks like the header of another one. */
  tornBytes = 0;
  /** Highest format version of a frame. */
  version = 0;
  /** Lowest one; Infinity without frames. */
  oldestVersion = Infinity;

  constructor(segments: Segments, reader: SlabReader, runs: readonly Run[]) {
    this.#segments = segments;
    this.#reader = reader;
    this.#runs = runs;
  }

  sequence(index: number): number {
    return this.#places[index * 2 + 1] as number;
  }

  logSequence(index: number): number {
    return Math.floor((this.#places[index * 2] as number) / slabBytes);
  }

  offset(index: number): number {
    return (this.#places[index * 2] as number) % slabBytes;
  }

  bodyBytes(index: number): number {
    return this.#numbers[index * 4] as number;
  }

  opsBytes(index: number): number {
    return this.#numbers[index * 4 + 1] as number;
  }

  opsChecksum(index: number): number {
    return this.#numbers[index * 4 + 2] as number;
  }

  floor(index: number): number {
    return this.#numbers[index * 4 + 3] as number;
  }

  /** Bytes in the file, header and padding included. */
  bytes(index: number): number {
    return frameHeaderBytes + this.bodyBytes(index) + Math.ceil(this.opsBytes(index) / unitBytes) * unitBytes;
  }

  /** Reads the headers of the given segments, which ascend. */
  load(numbers: readonly number[]): void {
    for (const number of numbers) this.#loadSegment(number);
  }

  #loadSegment(number: number): void {
    const { slabsPerSegment } = this.#segments;
    const first = number * slabsPerSegment;
    let lastUsed = -1;
    let owner: number | null = null;
    for (let slab = 0; slab < slabsPerSegment; slab++) {
      const reading = this.#header(first + slab, 0);
      if (reading.state !== 'good') continue;
      owner ??= reading.header.owner;
      lastUsed = slab;
    }
    owner ??= this.#runOf(number);
    if (owner === null) return;
    // The slab behind the last that is known to be used may be one whose first frame is damaged.
    for (let slab = 0; slab <= Math.min(lastUsed + 1, slabsPerSegment - 1); slab++) this.#loadSlab(first + slab, owner, slab > lastUsed);
  }

  #loadSlab(logSequence: number, owner: number, isBehindLast: boolean): void {
    let offset = 0;
    while (slabBytes - offset >= frameHeaderBytes) {
      const reading = this.#header(logSequence, offset);
      if (reading.state === 'good' && reading.header.owner === owner) {
        this.#add(reading.header);
        offset = frameEnd(reading.header);
        continue;
      }
      // A slab that was never written, and the unused end of one, need no search: the next one goes on with the next number.
      if (offset === 0 ? isBehindLast && reading.state !== 'bad' : this.#goesOn(logSequence + 1, owner)) return;
      const next = this.#find(logSequence, offset + unitBytes, owner);
      if (next < 0) {
        if (reading.state === 'bad') this.#noteTorn(logSequence, offset, owner);
        return;
      }
      offset = next;
    }
  }

  /**
   * A header that does not check out may be an unfinished write, or nothing but what an earlier use of the file left: it is one of this
   * run when most of what identifies it is as it should be.
   */
  #noteTorn(logSequence: number, offset: number, owner: number): void {
    const at = this.#reader.read(logSequence, offset, slabBytes - offset);
    const { words } = this.#reader;
    const matches = [words[at] === frameMagic, words[at + 4] === owner, words[at + 9] === logSequence, words[at + 10] === offset];
    if (matches.filter(Boolean).length < 3) return;
    let last = (slabBytes - offset) >> 2;
    while (words[at + last - 1] === 0) last--;
    this.tornBytes = last * 4;
  }

  /** Whether a slab begins with the frame behind the last one found. */
  #goesOn(logSequence: number, owner: number): boolean {
    if (this.count === 0 || !this.#segments.has(this.#segments.numberOf(logSequence))) return false;
    const reading = this.#header(logSequence, 0);
    if (reading.state !== 'good') return false;
    // Another run may have taken up the sequence before the last frames of this one.
    const expected = this.sequence(this.count - 1) + 1;
    return reading.header.owner === owner ? reading.header.sequence === expected : reading.header.sequence <= expected;
  }

  /** Offset of the next frame in a slab; -1 for none. */
  #find(logSequence: number, from: number, owner: number): number {
    const { words } = this.#reader;
    if (from + frameHeaderBytes > slabBytes) return -1;
    const base = this.#reader.read(logSequence, from, slabBytes - from);
    for (let offset = from; offset + frameHeaderBytes <= slabBytes; offset += unitBytes) {
      const at = base + ((offset - from) >> 2);
      if (words[at] !== frameMagic) continue;
      const reading = readFrameHeader(words, at, logSequence, offset, slabBytes);
      if (reading.state === 'good' && reading.header.owner === owner) return offset;
    }
    return -1;
  }

  #header(logSequence: number, offset: number): ReturnType<typeof readFrameHeader> {
    const at = this.#reader.read(logSequence, offset, frameHeaderBytes);
    return readFrameHeader(this.#reader.words, at, logSequence, offset, slabBytes);
  }

  #runOf(number: number): number | null {
    let owner: number | null = null;
    for (const run of this.#runs) if (run.firstSegment <= number) owner = run.owner;
    return owner;
  }

  #add(header: FrameHeader): void {
    if (this.count * 2 === this.#places.length) {
      const places = new Float64Array(this.#places.length * 2);
      places.set(this.#places);
      this.#places = places;
      const numbers = new Uint32Array(this.#numbers.length * 2);
      numbers.set(this.#numbers);
      this.#numbers = numbers;
    }
    const at = this.count++;
    this.#places[at * 2] = header.logSequence * slabBytes + header.offset;
    this.#places[at * 2 + 1] = header.sequence;
    this.#numbers[at * 4] = header.bodyBytes;
    this.#numbers[at * 4 + 1] = header.opsBytes;
    this.#numbers[at * 4 + 2] = header.opsChecksum;
    this.#numbers[at * 4 + 3] = header.floor;
    if (header.durableSequence > this.durableSequence) this.durableSequence = header.durableSequence;
    if (header.version > this.version) this.version = header.version;
    if (header.version < this.oldestVersion) this.oldestVersion = header.version;
    this.tornBytes = 0;
  }
}
