/** Size of the buffers that outboxes are filled in. */
export const outboxSlabBytes = 64 * 1024;
const keptMax = 64;

const free: Buffer[] = [];

/** Lends buffers to outboxes while they have something to send, so that an idle connection holds none. */
export const slabPool = {
  take(): Buffer {
    return free.pop() ?? Buffer.allocUnsafeSlow(outboxSlabBytes);
  },

  give(slab: Buffer): void {
    if (free.length < keptMax) free.push(slab);
  },
};
