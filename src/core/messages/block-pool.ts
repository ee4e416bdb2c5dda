// hot path: see docs/STYLE.md

/** Sizes of blocks, and how many of each are kept when nobody needs them: 14 MiB together. */
const sizes = [32 * 1024, 64 * 1024, 128 * 1024, 256 * 1024] as const;
const keptCounts = [32, 32, 24, 32] as const;
export const keptBytes = 14 * 1024 * 1024;

/** The blocks of one size that nobody has. */
class FreeList {
  readonly size: number;
  readonly keptCount: number;
  readonly blocks: Buffer[] = [];
  /** The fewest there were since the last look: so many nobody has needed. */
  fewest = 0;

  constructor(size: number, keptCount: number) {
    this.size = size;
    this.keptCount = keptCount;
  }

  take(): Buffer {
    const block = this.blocks.pop() ?? Buffer.allocUnsafeSlow(this.size);
    if (this.blocks.length < this.fewest) this.fewest = this.blocks.length;
    return block;
  }
}

const lists = sizes.map((size, i) => new FreeList(size, keptCounts[i] as number));

/** Bytes beyond those that are always kept. */
function surplusBytes(): number {
  let bytes = 0;
  for (const { blocks, keptCount, size } of lists) bytes += Math.max(0, blocks.length - keptCount) * size;
  return bytes;
}

/** The smallest block and the largest one. */
export const blockBytesMin = sizes[0];
export const blockBytesMax = sizes[3];

/**
 * Lends blocks to the bodies of large messages. Memory that was just used is in the processor's cache, and its pages are there: a body in
 * fresh memory takes five times as long to copy, and for every 64 MiB of it V8 collects its whole heap.
 */
export const blockPool = {
  /** Bytes that nobody needs, and at most are kept for whoever comes: a few large messages. Whoever sets it calls `trim` now and then. */
  freeBytes: 0,
  freeBytesMax: keptBytes,

  /** A block of `bytes` at most: of the largest size that there is below, or when that is none, exactly so many bytes. */
  take: (bytes: number): Buffer => {
    for (let i = lists.length - 1; i >= 0; i--) {
      const list = lists[i] as FreeList;
      if (list.size > bytes) continue;
      if (list.blocks.length > 0) blockPool.freeBytes -= list.size;
      return list.take();
    }
    return Buffer.allocUnsafeSlow(bytes);
  },

  /** Nobody uses the block any more. */
  give: (block: Buffer): void => {
    const list = lists.find(({ size }) => size === block.length);
    if (list === undefined) return;
    if (list.blocks.length >= list.keptCount && surplusBytes() + list.size > blockPool.freeBytesMax - keptBytes) return;
    list.blocks.push(block);
    blockPool.freeBytes += list.size;
  },

  /** Lets half of those go that were not needed since the last time, or all, but for the few that are always kept. */
  trim: (isAll = false): void => {
    for (const list of lists) {
      const surplus = isAll ? list.blocks.length : Math.ceil(list.fewest / 2);
      const count = Math.min(surplus, list.blocks.length - list.keptCount);
      if (count > 0) {
        // Those at the front have been there the longest.
        list.blocks.splice(0, count);
        blockPool.freeBytes -= count * list.size;
      }
      list.fewest = list.blocks.length;
    }
  },
};
