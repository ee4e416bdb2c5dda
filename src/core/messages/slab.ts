// hot path: see docs/STYLE.md

/** Records begin at multiples of this. */
export const unitBytes = 16;
/** 65,536 units: a unit's number fits 16 bits of a MessageRef, and a slab in turnover fits the processor's cache. */
export const slabBytes = 1024 * 1024;

/** A fixed piece of memory that is filled with records from front to back. */
export class Slab {
  id = 0;
  readonly bytes: Buffer;
  readonly words: Uint32Array;
  /** Where the next record goes. */
  position = 0;
  liveCount = 0;
  /** Bytes of live records, padding included. */
  liveBytes = 0;
  /** Owners per record, by offset / 32 (no record is shorter); null while every record has one owner. 0 means one. */
  shares: Uint32Array | null = null;

  constructor() {
    this.bytes = Buffer.allocUnsafeSlow(slabBytes);
    this.words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, slabBytes / 4);
  }

  reset(id: number): void {
    this.id = id;
    // The first unit stays empty, so that no message is named 0.
    this.position = unitBytes * 2;
    this.liveCount = 0;
    this.liveBytes = 0;
    this.shares?.fill(0);
  }
}
