// hot path: see docs/STYLE.md
import type { MessageStore } from '../../core/messages/message-store.ts';
import { type Slab, slabBytes, unitBytes } from '../../core/messages/slab.ts';
import { formatVersion, frameHeaderBytes, writeFrameHeader } from './layout.ts';
import { Ops, opWords } from './ops.ts';
import type { Segments } from './segments.ts';

/** Free bytes without which a new frame is not begun in a slab. */
const frameRoomBytes = frameHeaderBytes + 8 * unitBytes;

/** A frame, or what of one is in a slab, that is to be written. */
export class Region {
  readonly slab: Slab;
  readonly from: number;
  readonly to: number;

  constructor(slab: Slab, from: number, to: number) {
    this.slab = slab;
    this.from = from;
    this.to = to;
  }
}

/**
 * The end of the log: the slab that is being filled, the frame that is open in it, the operations that will stand behind its records, and
 * the frames that are closed and not written yet.
 */
export class LogTail {
  readonly ops = new Ops();
  readonly #segments: Segments;
  readonly #owner: number;
  /** The slab of the log that is being filled. */
  slab: Slab | null = null;
  /** Where the open frame begins in it; -1 when the slab has no room for one. */
  #frameStart = -1;
  nextLogSequence = 0;
  nextSequence = 1;
  /** The last frame known to be durable. */
  durableSequence = 0;
  /** Oldest segment that is needed, as the last frames of commits say it. */
  floor = 0;
  /** Sequence of the last frame with metadata. */
  metadataSequence = 0;
  /** The operations gathered have metadata among them. */
  hasMetadata = false;
  #sealed: Region[] = [];
  #sealedBytes = 0;

  constructor(segments: Segments, owner: number) {
    this.#segments = segments;
    this.#owner = owner;
  }

  /** Whether there is something to write. */
  get hasRecords(): boolean {
    if (this.ops.length > 0 || this.#sealed.length > 0) return true;
    return this.slab !== null && this.#frameStart >= 0 && this.slab.position > this.#frameStart + frameHeaderBytes;
  }

  get unwrittenBytes(): number {
    const open = this.slab !== null && this.#frameStart >= 0 ? this.slab.position - this.#frameStart : 0;
    return open + this.#sealedBytes + this.ops.length * 4;
  }

  /** Bytes of the frames that are closed. */
  get sealedBytes(): number {
    return this.#sealedBytes;
  }

  /** Whether something of a slab is to be written still. */
  holds(slab: Slab): boolean {
    if (slab === this.slab) return true;
    for (const region of this.#sealed) if (region.slab === slab) return true;
    return false;
  }

  /** Goes on in the next slab; gives it its place in the log and returns the one before. */
  open(slab: Slab): Slab | null {
    const full = this.slab;
    if (full !== null && this.#frameStart >= 0) this.#sealFrame(full, 0, false, false);
    this.slab = slab;
    this.#frameStart = 0;
    slab.logSequence = this.nextLogSequence++;
    return full;
  }

  /** Sees to it that there is a slab for what is gathered. With nothing but ops the frame goes into one of its own kind all the same: there is one log. */
  ensureSlab(store: MessageStore): void {
    if (this.slab === null || this.#frameStart < 0) store.openLogSlab();
  }

  /** Closes the open frame around all that is gathered, with the commit's floor; there is a slab. */
  seal(store: MessageStore, floor: number): void {
    this.#sealOps(store, floor);
    this.hasMetadata = false;
  }

  /** Takes out the frames that are closed. */
  take(): readonly Region[] {
    const regions = this.#sealed;
    this.#sealed = [];
    this.#sealedBytes = 0;
    return regions;
  }

  /** Places the gathered operations behind the records, in as many frames as it takes. The last one has the commit's floor. */
  #sealOps(store: MessageStore, floor: number): void {
    const { ops } = this;
    let at = 0;
    // In one frame where they fit a slab, so that what was recorded together is found together, or not at all.
    const wanted = ops.length * 4;
    if (wanted > slabBytes - (this.slab as Slab).position && wanted <= slabBytes - frameRoomBytes) store.openLogSlab();
    for (;;) {
      const slab = this.slab as Slab;
      const room = (slabBytes - slab.position) >> 2;
      let end = at;
      if (ops.length - at <= room) end = ops.length;
      else
        for (let next = opWords(ops.words, end); end + next <= ops.length && end + next - at <= room; next = opWords(ops.words, end))
          end += next;
      slab.words.set(ops.words.subarray(at, end), slab.position >> 2);
      const isStuck = end === at;
      // Not said by a frame, it would not be so after a crash.
      if (end === ops.length && (end > at || slab.position > this.#frameStart + frameHeaderBytes)) this.floor = floor;
      this.#sealFrame(slab, (end - at) * 4, true, end > at && this.hasMetadata);
      at = end;
      if (at === ops.length) break;
      // An operation that does not fit what is left of the slab goes to the next.
      if (isStuck || this.#frameStart < 0) store.openLogSlab();
    }
    ops.clear();
  }

  /** Closes the open frame of a slab, whose operations stand behind its records, and begins the next one if there is room. */
  #sealFrame(slab: Slab, opsBytes: number, isContinued: boolean, hasMetadata: boolean): void {
    const offset = this.#frameStart;
    const bodyBytes = slab.position - offset - frameHeaderBytes;
    if (bodyBytes > 0 || opsBytes > 0) {
      const sequence = this.nextSequence++;
      writeFrameHeader(slab.words, {
        version: formatVersion,
        shard: 0,
        epoch: 1,
        owner: this.#owner,
        sequence,
        durableSequence: this.durableSequence,
        logSequence: slab.logSequence,
        offset,
        bodyBytes,
        opsBytes,
        floor: this.floor,
      });
      if (hasMetadata) {
        this.#segments.hasMetadata(slab.logSequence, sequence);
        this.metadataSequence = sequence;
      }
      const end = (slab.position + opsBytes + unitBytes - 1) & ~(unitBytes - 1);
      slab.bytes.fill(0, slab.position + opsBytes, end);
      slab.position = end;
      this.#sealed.push(new Region(slab, offset, end));
      this.#sealedBytes += end - offset;
      this.#frameStart = end;
    } else {
      slab.position = offset;
    }
    if (isContinued && slabBytes - slab.position >= frameRoomBytes) {
      this.#frameStart = slab.position;
      slab.position += frameHeaderBytes;
    } else {
      this.#frameStart = -1;
      slab.position = slabBytes;
    }
  }
}
