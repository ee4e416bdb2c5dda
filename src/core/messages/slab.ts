// hot path: see docs/STYLE.md

/** Records begin at multiples of this. */
export const unitBytes = 16;
/** 65,536 units: a unit's number fits 16 bits of a MessageRef, and a slab in turnover fits the processor's cache. */
export const slabBytes = 1024 * 1024;

const noBytes = Buffer.alloc(0);
const noWords = new Uint32Array(0);

/** A fixed piece of memory that is filled with records from front to back; it can be put away to disk and fetched again. */
export class Slab {
  id = 0;
  bytes: Buffer = noBytes;
  words: Uint32Array = noWords;
  /** Where the next record goes. */
  position = 0;
  liveCount = 0;
  /** Body bytes of live records and a fixed share for the rest: what counts for sparseness. */
  liveBytes = 0;
  /** Owners per record, by offset / 32 (no record is shorter); null while every record has one owner. 0 means one. */
  shares: Uint32Array | null = null;
  /** Place in the log, counted in slabs from its beginning; -1 for a slab that is not part of the log. */
  logSequence = -1;
  isResident = true;
  /** Somebody fetches the bytes. */
  isLoading = false;
  /** Its bytes came from disk, and each record is checked before it is used. */
  wasFetched = false;
  /** Grows with the time at which the slab was opened. */
  order = 0;
  /** When its bytes were fetched last: it is not put away again at once. */
  loadedMillis = 0;
  /** Its bytes are not all in the log's file yet: it must keep them, alive or not. */
  isPinned = false;

  reset(id: number, bytes: Buffer | null, logSequence: number): void {
    this.id = id;
    this.logSequence = logSequence;
    // The first units stay empty, so that no message is named 0.
    this.position = unitBytes * 2;
    this.liveCount = 0;
    this.liveBytes = 0;
    this.shares = null;
    this.isLoading = false;
    this.isPinned = false;
    this.wasFetched = false;
    if (bytes === null) this.dropBytes();
    else this.setBytes(bytes);
  }

  setBytes(bytes: Buffer): void {
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, slabBytes / 4);
    this.isResident = true;
    this.isLoading = false;
  }

  /** Lets go of the bytes; returns them. */
  dropBytes(): Buffer {
    const { bytes } = this;
    this.bytes = noBytes;
    this.words = noWords;
    this.isResident = false;
    return bytes;
  }
}
