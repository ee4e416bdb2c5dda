// The journal's bytes. Drawn in docs/internals/journal.md; change the version with every change here and keep the old reader.
import { checksum } from '../../base/checksum.ts';

/** 'WRNJ' */
export const frameMagic = 0x4a4e5257;
/**
 * 2: operations may say that an entry waits (opWait). 3: or who has taken it (opTaken), or that it moved (opMove). 4: a message's
 * number is its own in its queue, and not only in its priority. What earlier ones had means the same.
 */
export const formatVersion = 4;
/** Before, messages of different priorities may have the same number in one queue. */
export const numbersPerQueueVersion = 4;
export const frameHeaderBytes = 64;
export const frameHeaderWords = frameHeaderBytes / 4;
/** Slabs of 1 MiB per segment file, as a rule: tests have fewer. */
export const slabsPerSegment = 64;

/** What a frame's header says. */
export interface FrameHeader {
  readonly version: number;
  /** For the replicated engine: which part of the broker's state the frame belongs to, and who may write it. The local journal has one. */
  readonly shard: number;
  readonly epoch: number;
  /** Whose frame it is: a random number of each start of the broker. A segment has frames of one owner; others in it are left-overs. */
  readonly owner: number;
  /** Ascends by one from frame to frame. */
  readonly sequence: number;
  /** Sequence of the last frame that was known to be durable when this one was written: a bad frame up to it is damage, not a torn tail. */
  readonly durableSequence: number;
  /** Place: slab in the log and offset in the slab. */
  readonly logSequence: number;
  readonly offset: number;
  /** Bytes of message records behind the header. */
  readonly bodyBytes: number;
  /** Bytes of operations behind the records. */
  readonly opsBytes: number;
  /** Number of the oldest segment that is needed, given all up to this frame. Older ones may be there or not. */
  readonly floor: number;
  readonly opsChecksum: number;
}

/** Offset behind a frame, in its slab. */
export function frameEnd(header: FrameHeader): number {
  return header.offset + frameHeaderBytes + header.bodyBytes + Math.ceil(header.opsBytes / 16) * 16;
}

/** Writes a header at `offset` of a slab; the operations must be in place behind the records. */
export function writeFrameHeader(words: Uint32Array, header: Omit<FrameHeader, 'opsChecksum'>): void {
  const at = header.offset >> 2;
  const opsAt = at + frameHeaderWords + (header.bodyBytes >> 2);
  words[at] = frameMagic;
  words[at + 1] = (header.version << 16) | 1;
  words[at + 2] = header.shard;
  words[at + 3] = header.epoch;
  words[at + 4] = header.owner;
  words[at + 5] = header.sequence >>> 0;
  words[at + 6] = Math.floor(header.sequence / 0x1_0000_0000);
  words[at + 7] = header.durableSequence >>> 0;
  words[at + 8] = Math.floor(header.durableSequence / 0x1_0000_0000);
  words[at + 9] = header.logSequence;
  words[at + 10] = header.offset;
  words[at + 11] = header.bodyBytes;
  words[at + 12] = header.opsBytes;
  words[at + 13] = checksum(words, opsAt, opsAt + (header.opsBytes >> 2), header.logSequence);
  words[at + 14] = header.floor;
  words[at + 15] = checksum(words, at, at + 15, header.logSequence);
}

/**
 * What is found where a header should be: `empty` space, something `bad`, a header of some `other` place or time as in a file that is
 * used again, or a `good` one.
 */
export type HeaderReading = { readonly state: 'empty' | 'bad' | 'other' } | { readonly state: 'good'; readonly header: FrameHeader };

const empty: HeaderReading = { state: 'empty' };
const bad: HeaderReading = { state: 'bad' };
const other: HeaderReading = { state: 'other' };

/** Reads the header at `at` (in words) that belongs to a place in the log. The frame of a good one lies within a slab of `slabBytes`. */
export function readFrameHeader(words: Uint32Array, at: number, logSequence: number, offset: number, slabBytes: number): HeaderReading {
  if (words[at] !== frameMagic) return isEmpty(words, at) ? empty : bad;
  if (words[at + 15] !== checksum(words, at, at + 15, words[at + 9] as number)) return bad;
  if (words[at + 9] !== logSequence || words[at + 10] !== offset) return other;
  const header = {
    version: (words[at + 1] as number) >>> 16,
    shard: words[at + 2] as number,
    epoch: words[at + 3] as number,
    owner: words[at + 4] as number,
    sequence: (words[at + 6] as number) * 0x1_0000_0000 + (words[at + 5] as number),
    durableSequence: (words[at + 8] as number) * 0x1_0000_0000 + (words[at + 7] as number),
    logSequence,
    offset,
    bodyBytes: words[at + 11] as number,
    opsBytes: words[at + 12] as number,
    floor: words[at + 14] as number,
    opsChecksum: words[at + 13] as number,
  };
  return frameEnd(header) <= slabBytes ? { state: 'good', header } : bad;
}

function isEmpty(words: Uint32Array, at: number): boolean {
  for (let i = 0; i < frameHeaderWords; i++) if (words[at + i] !== 0) return false;
  return true;
}
