/** What the process says of its memory, in bytes. */
export interface MemorySample {
  readonly residentBytes: number;
  /** Of JavaScript objects and of the buffers outside its heap: what V8 has asked the allocator for. */
  readonly allocatedBytes: number;
}

/**
 * Memory in use, which is not the resident set: what a burst of messages took and gave back stays with the C library's allocator, which
 * hands little of it back to the system but all of it to the next burst. Were it counted as used, an alarm might never end. So what is
 * given back without the resident set getting smaller is subtracted, until it is asked for again.
 */
export class MemoryUse {
  #last: MemorySample | null = null;
  #reusableBytes = 0;

  /** Takes note of a sample; returns the bytes in use. */
  note(sample: MemorySample): number {
    if (this.#last !== null) {
      const allocated = sample.allocatedBytes - this.#last.allocatedBytes;
      const resident = sample.residentBytes - this.#last.residentBytes;
      // What grows beside the allocations is no hoard: TLS sessions, code, the tables of the kernel's side.
      if (allocated < 0 || resident < allocated) this.#reusableBytes += resident - allocated;
    }
    this.#last = sample;
    this.#reusableBytes = Math.max(0, Math.min(this.#reusableBytes, sample.residentBytes - sample.allocatedBytes));
    return sample.residentBytes - this.#reusableBytes;
  }
}
