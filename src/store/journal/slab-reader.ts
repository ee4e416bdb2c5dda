import { slabBytes } from '../../core/messages/slab.ts';
import type { Segments } from './segments.ts';

/** Small frames are read many at a time. */
const windowBytes = 32 * 1024;

/** Reads pieces of slabs from the journal's files, for recovery and inspection. What is not there reads as 0. */
export class SlabReader {
  readonly #segments: Segments;
  readonly #buffer: Buffer;
  /** Words of the last piece; read at once, never kept. */
  readonly words: Uint32Array;
  #logSequence = -1;
  #from = 0;
  #to = 0;

  constructor(segments: Segments) {
    this.#segments = segments;
    this.words = new Uint32Array(slabBytes / 4);
    this.#buffer = Buffer.from(this.words.buffer);
  }

  /**
   * Makes `count` bytes from an offset of a slab readable; returns where they begin in `words`. The offset is a multiple of 4.
   * @throws Error the system's
   */
  read(logSequence: number, offset: number, count: number): number {
    if (logSequence !== this.#logSequence || offset < this.#from || offset + count > this.#to) {
      const end = Math.min(slabBytes, offset + Math.max(count, windowBytes));
      const target = this.#buffer.subarray(0, end - offset);
      const got = this.#segments.isPresent(logSequence)
        ? this.#segments.handleOf(logSequence).readSync(target, this.#segments.positionOf(logSequence) + offset)
        : 0;
      target.fill(0, got);
      this.#logSequence = logSequence;
      this.#from = offset;
      this.#to = end;
    }
    return (offset - this.#from) >> 2;
  }
}
