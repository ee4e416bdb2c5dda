/** Size of the buffers that outboxes are filled in. */
export const outboxSlabBytes = 64 * 1024;
/** Size of those that they begin with: when one message goes to ten thousand clients, each of them has one at the same time. */
export const smallSlabBytes = 1024;
const keptMax = 64;
const smallKeptMax = 4096;

const free: Buffer[] = [];
const smallFree: Buffer[] = [];

/** Lends buffers to outboxes while they have something to send, so that an idle connection holds none. */
export const slabPool = {
  /** A buffer for `count` bytes and more to come. */
  take(count: number): Buffer {
    if (count <= smallSlabBytes) return smallFree.pop() ?? Buffer.allocUnsafeSlow(smallSlabBytes);
    return free.pop() ?? Buffer.allocUnsafeSlow(outboxSlabBytes);
  },

  give(slab: Buffer): void {
    if (slab.length === smallSlabBytes) {
      if (smallFree.length < smallKeptMax) smallFree.push(slab);
    } else if (free.length < keptMax) free.push(slab);
  },
};
