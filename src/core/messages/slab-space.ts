// hot path: see docs/STYLE.md
import type { LogRegionListener } from './log-region-listener.ts';
import { paddedBytes, recordChecksum, recordShareBytes } from './record.ts';
import { Slab, slabBytes, unitBytes } from './slab.ts';

/** What a MessageRef can name. */
const slabCountMax = 32_768;
/** Slabs that only operations of the log get: queues can be emptied when there is no room for another message. */
const reservedSlabs = 64;
/** Part of all slabs above which no publisher should go on. */
const scarcePart = 0.95;
/** Empty slabs kept for the next message: two turn over without the allocator, a few more take a burst. */
const spareSlabsMax = 8;

/**
 * The slabs of a message store: which there are, which two are being filled, and where room for the next record is. One series of slabs is
 * for memory only, the other is part of the log: its slabs are images of the log's file (docs/internals/journal.md).
 *
 * Slabs are taken back when nothing in them is alive. Those that are not needed for long can be without bytes in memory (`evict`, `load`).
 */
export class SlabSpace {
  readonly slabs: (Slab | null)[] = [null];
  readonly #freeIds: number[] = [];
  readonly #spareBytes: Buffer[] = [];
  #lastOrder = 0;
  /** The slab that messages for memory only go to. */
  memorySlab: Slab | null = null;
  /** The slab of the log that is being filled. */
  logSlab: Slab | null = null;
  protected listener: LogRegionListener | null = null;

  /** Body bytes of all messages alive, counted once per message. */
  liveBytes = 0;
  liveCount = 0;
  residentSlabs = 0;
  /** Slabs whose bytes are on disk only: while there are none, everything is resident. */
  evictedSlabs = 0;
  /** Resident slabs whose bytes came from disk. */
  fetchedSlabs = 0;

  /** From now on persistent messages go to slabs of the log. */
  attachLog(listener: LogRegionListener): void {
    this.listener = listener;
  }

  get hasLog(): boolean {
    return this.listener !== null;
  }

  /** Bytes of memory that slabs take, filled or not. */
  get slabsBytes(): number {
    return (this.residentSlabs + this.#spareBytes.length) * slabBytes;
  }

  /** Slabs that there are, with and without bytes in memory. */
  get slabCount(): number {
    return this.residentSlabs + this.evictedSlabs;
  }

  /** Whether there are almost as many messages as can be named, in memory and on disk: publishers are to be held. */
  get isScarce(): boolean {
    return this.slabCount > slabCountMax * scarcePart;
  }

  /**
   * Makes room for a record, counts it, and returns its offset in the slab of its series that is being filled.
   * @throws RangeError when as many slabs are filled as can be named
   */
  claim(isLog: boolean, bytes: number, owners: number, bodyBytes: number): number {
    const size = paddedBytes(bytes);
    let slab = isLog ? this.logSlab : this.memorySlab;
    if (slab === null || slab.position + size > slabBytes) {
      if (this.slabCount >= slabCountMax - reservedSlabs) throw new RangeError('message memory: address space used up');
      slab = isLog ? this.openLogSlab() : this.#openMemorySlab();
    }
    const offset = slab.position;
    slab.position = offset + size;
    slab.liveCount++;
    slab.liveBytes += bodyBytes + recordShareBytes;
    this.liveCount++;
    this.liveBytes += bodyBytes;
    if (owners > 1) {
      slab.shares ??= new Uint32Array(slabBytes / unitBytes / 2);
      slab.shares[offset >> 5] = owners;
    }
    return offset;
  }

  /** Gives a record of the log its checksum, which covers its place too; the padding behind it is cleared. */
  seal(slab: Slab, offset: number, end: number): void {
    const next = offset + paddedBytes(end - offset);
    slab.bytes.fill(0, end, next);
    slab.words[(offset >> 2) + 4] = recordChecksum(slab.words, offset >> 2, next - offset, slab.logSequence, offset);
  }

  /** Opens the log's next slab, also when the current one is not full. */
  openLogSlab(): Slab {
    const full = this.logSlab;
    const slab = (this.logSlab = this.#newSlab(this.slabBuffer(), 0));
    const listener = this.listener as LogRegionListener;
    slab.logSequence = listener.slabOpened(slab);
    slab.position = listener.firstOffset;
    slab.isPinned = true;
    if (full !== null) this.dropIfDead(full);
    return slab;
  }

  /** Nothing in the slab is alive. One that is being filled goes on. */
  protected died(slab: Slab): void {
    if (slab.logSequence >= 0) {
      if (slab !== this.logSlab && !slab.isPinned) this.retire(slab);
    } else if (slab === this.memorySlab) {
      // A queue that keeps up starts over in the same, cache-warm bytes.
      slab.position = 2 * unitBytes;
    } else {
      this.retire(slab);
    }
  }

  /** Lets a slab of the log without live messages go. */
  dropIfDead(slab: Slab): void {
    if (slab.liveCount === 0 && slab !== this.logSlab && !slab.isPinned) this.retire(slab);
  }

  /** Gives a slab up, whatever is in it. */
  retire(slab: Slab): void {
    if (this.slabs[slab.id] !== slab) return;
    this.slabs[slab.id] = null;
    this.#freeIds.push(slab.id);
    if (slab.isResident) {
      this.residentSlabs--;
      if (slab.wasFetched) this.fetchedSlabs--;
      this.#spare(slab.dropBytes());
    } else {
      this.evictedSlabs--;
    }
    this.listener?.slabDied(slab);
  }

  /** Takes the bytes of a slab out of memory; whoever calls has them on disk. */
  evict(slab: Slab): void {
    if (!slab.isResident) return;
    this.residentSlabs--;
    this.evictedSlabs++;
    if (slab.wasFetched) this.fetchedSlabs--;
    slab.wasFetched = false;
    this.#spare(slab.dropBytes());
  }

  /** Gives a slab its bytes back; `isChecked` when they are known to be what they were. */
  load(slab: Slab, bytes: Buffer, isChecked: boolean): void {
    if (slab.isResident) return;
    this.residentSlabs++;
    this.evictedSlabs--;
    if (!isChecked) this.fetchedSlabs++;
    slab.wasFetched = !isChecked;
    slab.setBytes(bytes);
  }

  /** A buffer to load a slab into. */
  slabBuffer(): Buffer {
    return this.#spareBytes.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
  }

  /** Recovery: a slab of the log that has live messages and whose bytes are on disk. */
  addLogSlab(logSequence: number): Slab {
    const slab = this.#newSlab(null, logSequence);
    slab.position = slabBytes;
    // Older than all that comes, whatever the order in which recovery finds them.
    slab.order = logSequence - Number.MAX_SAFE_INTEGER;
    return slab;
  }

  #openMemorySlab(): Slab {
    const full = this.memorySlab;
    const slab = (this.memorySlab = this.#newSlab(this.slabBuffer(), -1));
    if (full !== null && full.liveCount === 0) this.retire(full);
    this.listener?.memorySlabOpened(slab);
    return slab;
  }

  #newSlab(bytes: Buffer | null, logSequence: number): Slab {
    const id = this.#freeIds.pop() ?? this.slabs.length;
    if (id >= slabCountMax) throw new RangeError('message memory: address space used up');
    const slab = new Slab();
    slab.reset(id, bytes, logSequence);
    slab.order = ++this.#lastOrder;
    if (bytes === null) this.evictedSlabs++;
    else this.residentSlabs++;
    this.slabs[id] = slab;
    return slab;
  }

  #spare(bytes: Buffer): void {
    if (this.#spareBytes.length < spareSlabsMax) this.#spareBytes.push(bytes);
  }
}
