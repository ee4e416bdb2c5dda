// hot path: see docs/STYLE.md
import type { ByteSocket } from './byte-socket.ts';
import { outboxSlabBytes, slabPool, smallSlabBytes } from './slab-pool.ts';

const noSlab = Buffer.alloc(0);

/**
 * Bytes on their way to one client. Whoever encodes asks for room and writes into `buffer` at `position`; full slabs go to the socket at
 * once, the last one with `flush` at the end of the turn. Slabs are lent by a pool and given back when the kernel has taken them.
 */
export class Outbox {
  buffer: Buffer = noSlab;
  position = 0;
  readonly #socket: ByteSocket;
  /** Beginning of what is not yet in `#chunks`. */
  #start = 0;
  /** Large pieces and the parts of slabs before and between them, in order; empty on the usual way. */
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  /** Slab to give back when a write is done, in the order of the writes; null for a write that needs nothing. */
  readonly #inFlight: (Buffer | null)[] = [];
  /** Write callbacks to come for writes whose slabs were given back already, because the kernel took all at once. */
  #settled = 0;
  /** Bytes that may wait for the kernel before the outbox counts as congested. */
  readonly bytesMax: number;
  readonly #onDrained: () => void;
  /** Writes that did not go to the kernel at once and are done since: shows that a congested client still reads. */
  writesDone = 0;
  /** True while more waits for the kernel than `bytesMax`: whoever produces has to stop until `onDrained`. */
  isCongested = false;
  readonly #written = (): void => {
    if (this.#settled > 0) {
      this.#settled--;
      return;
    }
    this.writesDone++;
    this.#giveBack(this.#inFlight.shift() ?? null);
    if (this.isCongested && this.pendingBytes <= this.bytesMax / 2) this.#drained();
  };

  /** `onDrained` is called when the outbox was congested and half of `bytesMax` is free again. */
  constructor(socket: ByteSocket, bytesMax: number, onDrained: () => void) {
    this.#socket = socket;
    this.bytesMax = bytesMax;
    this.#onDrained = onDrained;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength + this.#chunkBytes + this.position - this.#start;
  }

  get isEmpty(): boolean {
    return this.position === this.#start && this.#chunkBytes === 0;
  }

  /** Makes sure that `count` bytes, at most a slab, fit behind `position`. */
  reserve(count: number): void {
    if (this.position + count <= this.buffer.length) return;
    if (this.buffer.length === smallSlabBytes && this.#chunkBytes === 0 && this.position - this.#start + count <= outboxSlabBytes) {
      this.#enlarge();
      return;
    }
    if (this.buffer !== noSlab) this.#write();
    if (this.position + count <= this.buffer.length) return;
    if (this.buffer !== noSlab) slabPool.give(this.buffer);
    this.#takeSlab(count);
  }

  /** Adds bytes: copied, or when they are more than a slab holds sent from where they are, and then they must stay unchanged. */
  append(bytes: Buffer): void {
    if (bytes.length > outboxSlabBytes) {
      this.appendChunk(bytes);
      return;
    }
    this.reserve(bytes.length);
    bytes.copy(this.buffer, this.position);
    this.position += bytes.length;
  }

  /** Adds bytes without copying; they must stay unchanged until they are sent. */
  appendChunk(bytes: Buffer): void {
    this.#closePart();
    this.#chunks.push(bytes);
    this.#chunkBytes += bytes.length;
    if (this.#chunkBytes > this.bytesMax) this.isCongested = true;
  }

  /** Hands everything to the socket. */
  flush(): void {
    if (this.position > this.#start || this.#chunkBytes > 0) this.#write();
    if (this.position === 0 && this.buffer !== noSlab) {
      slabPool.give(this.buffer);
      this.buffer = noSlab;
    }
  }

  /** Gives back what is held; nothing is sent after it. */
  discard(): void {
    if (this.buffer !== noSlab) slabPool.give(this.buffer);
    this.buffer = noSlab;
    this.position = 0;
    this.#start = 0;
    this.#chunks = [];
    this.#chunkBytes = 0;
  }

  #takeSlab(count: number): void {
    this.buffer = slabPool.take(count);
    this.position = 0;
    this.#start = 0;
  }

  /** More than a few messages are for this client: what there is goes to a whole slab. */
  #enlarge(): void {
    const small = this.buffer;
    const from = this.#start;
    const to = this.position;
    this.#takeSlab(outboxSlabBytes);
    small.copy(this.buffer, 0, from, to);
    this.position = to - from;
    slabPool.give(small);
  }

  #closePart(): void {
    if (this.position === this.#start) return;
    this.#chunks.push(this.buffer.subarray(this.#start, this.position));
    this.#chunkBytes += this.position - this.#start;
    this.#start = this.position;
  }

  /** Writes all; afterwards the outbox is empty, with or without a slab. */
  #write(): void {
    const socket = this.#socket;
    if (this.#chunkBytes === 0) {
      socket.write(this.buffer.subarray(this.#start, this.position), this.#written);
      if (this.#inFlight.length === 0 && socket.writableLength === 0) {
        // The usual way: nothing was under way, and the kernel took it all.
        this.#settled++;
        this.position = 0;
        this.#start = 0;
        if (this.isCongested) this.#drained();
        return;
      }
      this.#inFlight.push(this.buffer);
    } else {
      this.#closePart();
      const chunks = this.#chunks;
      this.#chunks = [];
      this.#chunkBytes = 0;
      socket.cork();
      for (let i = 0; i < chunks.length; i++) {
        this.#inFlight.push(i === chunks.length - 1 ? this.buffer : null);
        socket.write(chunks[i] as Buffer, this.#written);
      }
      socket.uncork();
    }
    const slab = this.buffer;
    this.position = 0;
    this.#start = 0;
    if (socket.writableLength === 0) {
      // The kernel has a copy of everything: the slab is free again, warm in the cache.
      this.#settled += this.#inFlight.length;
      for (const item of this.#inFlight) if (item !== slab) this.#giveBack(item);
      this.#inFlight.length = 0;
      if (this.isCongested) this.#drained();
    } else {
      this.buffer = noSlab;
      if (socket.writableLength > this.bytesMax) this.isCongested = true;
    }
  }

  #drained(): void {
    this.isCongested = false;
    this.#onDrained();
  }

  #giveBack(slab: Buffer | null): void {
    if (slab !== null && slab !== noSlab) slabPool.give(slab);
  }
}
