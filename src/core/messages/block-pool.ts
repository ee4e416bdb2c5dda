// hot path: see docs/STYLE.md

/** Sizes of blocks, and bytes of each size that are kept when nobody needs them: 14 MiB together. */
const sizes = [32 * 1024, 64 * 1024, 128 * 1024, 256 * 1024] as const;
const keptBytesMax = [1024 * 1024, 2 * 1024 * 1024, 3 * 1024 * 1024, 8 * 1024 * 1024] as const;
const free: Buffer[][] = sizes.map(() => []);

/** The smallest block and the largest one. */
export const blockBytesMin = sizes[0];
export const blockBytesMax = sizes[3];

/**
 * Lends blocks to the bodies of large messages. Memory that was just used is in the processor's cache, and its pages are there: a body in
 * fresh memory takes five times as long to copy, and V8's collector has to find out that it is not needed any more.
 */
export const blockPool = {
  /** A block of `bytes` at most: of the largest size that there is below, or when that is none, exactly so many bytes. */
  take: (bytes: number): Buffer => {
    for (let i = sizes.length - 1; i >= 0; i--) {
      const size = sizes[i] as number;
      if (size <= bytes) return free[i]?.pop() ?? Buffer.allocUnsafeSlow(size);
    }
    return Buffer.allocUnsafeSlow(bytes);
  },

  /** Nobody uses the block any more. */
  give: (block: Buffer): void => {
    const index = sizes.findIndex(size => size === block.length);
    const list = free[index];
    if (list !== undefined && (list.length + 1) * block.length <= (keptBytesMax[index] as number)) list.push(block);
  },

  /** Bytes that are kept for others. */
  get freeBytes(): number {
    return free.reduce((sum, list, i) => sum + list.length * (sizes[i] as number), 0);
  },
};
