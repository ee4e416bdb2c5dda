/** A reader that has buffers and can do without for a while. */
export interface BufferHolder {
  /** Lets go of its buffers and returns how many bytes they were; 0 when it cannot now. */
  giveUpBuffers(): number;
}

/** What most reads ask for: several whole chunks. */
export const blockBytes = 256 * 1024;
/** Buffers kept for the next read. */
const spareBlocksMax = 8;

/**
 * The memory that readers of all streams share. A reader has at most two buffers: one that it reads from and one that is being filled.
 * When there is no room, readers that were served longest ago lose theirs and read again later; if nobody can, the next one waits.
 */
export class ReadMemory {
  readonly #bytesMax: number;
  readonly #spare: Buffer[] = [];
  /** Holders, the least recently served first. */
  readonly #holders = new Set<BufferHolder>();
  #waiting: (() => void)[] = [];
  usedBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A buffer of so many bytes or more, or null: then `retry` is called when there may be one. Without it nobody loses his. */
  take(bytes: number, holder: BufferHolder, retry: (() => void) | null): Buffer | null {
    const size = Math.max(bytes, blockBytes);
    while (this.usedBytes + size > this.#bytesMax && this.usedBytes > 0) {
      if (retry === null) return null;
      if (!this.#reclaim(holder)) {
        this.#waiting.push(retry);
        return null;
      }
    }
    this.usedBytes += size;
    this.#holders.delete(holder);
    this.#holders.add(holder);
    return size === blockBytes ? (this.#spare.pop() ?? Buffer.allocUnsafeSlow(size)) : Buffer.allocUnsafeSlow(size);
  }

  give(buffer: Buffer): void {
    this.usedBytes -= buffer.length;
    if (buffer.length === blockBytes && this.#spare.length < spareBlocksMax) this.#spare.push(buffer);
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const retry of waiting) retry();
  }

  /** The holder has no buffers any more. */
  forget(holder: BufferHolder): void {
    this.#holders.delete(holder);
  }

  #reclaim(asking: BufferHolder): boolean {
    for (const holder of this.#holders) {
      if (holder !== asking && holder.giveUpBuffers() > 0) return true;
    }
    return false;
  }
}
