import { checksum } from '../../base/checksum.ts';
import { recordChecksum, recordSize } from '../../core/messages/record.ts';
import type { FrameList } from './frame-list.ts';
import { frameHeaderBytes } from './layout.ts';
import type { LooseFiles } from './loose-files.ts';
import { looseIdOf } from './record-reader.ts';
import type { SlabReader } from './slab-reader.ts';

/** Finds where the log ends: which of the frames that are there count. */
export class LogEnd {
  readonly #frames: FrameList;
  readonly #reader: SlabReader;
  readonly #loose: LooseFiles;
  /** 1 for frames that never count: see `leftOvers`. */
  readonly isLeftOver: Uint8Array;
  /** Bytes of an unfinished last write. */
  tornBytes = 0;
  /** Slab of the first frame that may be in the page cache only. */
  firstUnsyncedSlab = Infinity;

  constructor(frames: FrameList, reader: SlabReader, loose: LooseFiles) {
    this.#frames = frames;
    this.#reader = reader;
    this.#loose = loose;
    this.isLeftOver = leftOvers(frames);
  }

  /**
   * Where the log ends. Frames up to the durable watermark must all be there. Behind it stands the commit that was under way: what of it is
   * whole and without a gap counts, the rest does not.
   */
  find(): number {
    const frames = this.#frames;
    const durable = frames.durableSequence;
    let expected = -1;
    for (let i = 0; i < frames.count; i++) {
      if (this.isLeftOver[i] === 1) continue;
      const sequence = frames.sequence(i);
      if (sequence > durable) {
        this.firstUnsyncedSlab = Math.min(this.firstUnsyncedSlab, frames.logSequence(i));
        if ((expected >= 0 && sequence !== expected && expected > durable) || !this.#isWhole(i)) {
          for (let rest = i; rest < frames.count; rest++) this.tornBytes += frames.bytes(rest);
          return i;
        }
      }
      expected = sequence + 1;
    }
    return frames.count;
  }

  /** Whether every byte of a frame, and every large body that it names, is what was meant to be written. */
  #isWhole(index: number): boolean {
    const frames = this.#frames;
    const logSequence = frames.logSequence(index);
    const from = frames.offset(index);
    const bytes = frames.bytes(index);
    const at = this.#reader.read(logSequence, from, bytes);
    const { words } = this.#reader;
    const opsAt = at + ((frameHeaderBytes + frames.bodyBytes(index)) >> 2);
    if (checksum(words, opsAt, opsAt + (frames.opsBytes(index) >> 2), logSequence) !== frames.opsChecksum(index)) return false;
    const end = from + frameHeaderBytes + frames.bodyBytes(index);
    const large: { id: number; bodyBytes: number }[] = [];
    for (let offset = from + frameHeaderBytes; offset < end; ) {
      const word = at + ((offset - from) >> 2);
      const size = recordSize(words, word);
      if (offset + size > end || words[word + 4] !== recordChecksum(words, word, size, logSequence, offset)) return false;
      if ((words[word + 2] as number) >>> 24 !== 0) large.push({ id: looseIdOf(words, word), bodyBytes: words[word] as number });
      offset += size;
    }
    return large.every(({ id, bodyBytes }) => this.#loose.isWhole(id, bodyBytes));
  }
}

/**
 * Frames that an earlier recovery did not count: the run after it gave their numbers again, further behind. They stay where they are and
 * never count.
 */
function leftOvers(frames: FrameList): Uint8Array {
  const result = new Uint8Array(frames.count);
  let next = Infinity;
  for (let i = frames.count - 1; i >= 0; i--) {
    const sequence = frames.sequence(i);
    if (sequence >= next) result[i] = 1;
    else next = sequence;
  }
  return result;
}
