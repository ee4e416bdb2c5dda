const nothing = Buffer.alloc(0);

/** Puts bytes together that come in pieces. What is held grows with what has come, never with what was announced. */
export class ByteGatherer {
  #buffer: Buffer = nothing;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  append(source: Buffer, start: number, end: number): void {
    const needed = this.#count + end - start;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(2 * this.#buffer.length, this.#buffer.length + 1024 * 1024), 256));
      this.#buffer.copy(larger, 0, 0, this.#count);
      this.#buffer = larger;
    }
    source.copy(this.#buffer, this.#count, start, end);
    this.#count = needed;
  }

  /** All that was put together; it is not used again here. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#count);
    this.#buffer = nothing;
    this.#count = 0;
    return taken;
  }
}
