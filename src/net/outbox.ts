// hot path: see docs/STYLE.md
import { type ByteSocket, takesAtOnce } from './byte-socket.ts';
import { outboxSlabBytes, slabPool, smallSlabBytes } from './slab-pool.ts';

const noSlab = Buffer.alloc(0);
const nothing = Buffer.alloc(0);
/** Pieces of what is lent below this are copied: that costs less than a write of their own. */
const copiedBytesMax = 8 * 1024;
/**
 * So much of large pieces goes to the socket at a time, a message of 1 MiB as a whole; the rest when that is taken, in another turn. A client that
 * reads while it is written to lets the kernel take 60 KiB after 60 KiB, half a millisecond each, for as long as there is something.
 */
const handedBytesMax = 1280 * 1024;

/** Whoever lends pieces is told when they were sent. */
export interface Lender {
  /** They stay as they are until `release`. */
  hold(): void;
  release(): void;
}

/** What is owed when something was sent: a slab, or the release of what was lent; null for nothing. */
type Debt = Buffer | Lender | null;

/** A write that has both to give back. */
class LenderAndSlab implements Lender {
  readonly #lender: Lender;
  readonly #slab: Buffer;

  constructor(lender: Lender, slab: Buffer) {
    this.#lender = lender;
    this.#slab = slab;
  }

  hold(): void {
    this.#lender.hold();
  }

  release(): void {
    this.#lender.release();
    slabPool.give(this.#slab);
  }
}

/**
 * Bytes on their way to one client. Whoever encodes asks for room and writes into `buffer` at `position`; full slabs go to the socket at
 * once, the last one with `flush` at the end of the turn. Slabs are lent by a pool and given back when the kernel has taken them.
 */
export class Outbox {
  buffer: Buffer = noSlab;
  position = 0;
  readonly #socket: ByteSocket;
  /** Whether most writes are taken within the call, so that a callback for each would be wasted: Node makes an object and a tick of it. */
  readonly #takesAtOnce: boolean;
  /** Beginning of what is not yet in `#chunks`. */
  #start = 0;
  /** Large pieces and the parts of slabs before and between them, in order; empty on the usual way. */
  #chunks: Buffer[] = [];
  /** What is owed when each of them was sent. */
  #debts: Debt[] = [];
  /** How many of them were handed over. */
  #handed = 0;
  /** Bytes of the others. */
  #chunkBytes = 0;
  /** What is owed when a write is done, in the order of the writes. */
  readonly #inFlight: Debt[] = [];
  /** Write callbacks to come for writes whose slabs were given back already, because the kernel took all at once. */
  #settled = 0;
  /** Bytes that may wait for the kernel before the outbox counts as congested. */
  readonly bytesMax: number;
  readonly #onDrained: () => void;
  readonly #onUnsent: () => void;
  readonly #handedBytesMax: number;
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
    if (this.#chunkBytes > 0 && this.#inFlight.length === 0) this.#onUnsent();
    if (this.isCongested && this.pendingBytes <= this.bytesMax / 2) this.#drained();
  };

  /**
   * `onDrained` is called when the outbox was congested and half of `bytesMax` is free again, `onUnsent` when what was handed over of something
   * large is taken and the rest wants a `flush`.
   */
  constructor(socket: ByteSocket, bytesMax: number, onDrained: () => void, onUnsent: () => void, handedMax = handedBytesMax) {
    this.#socket = socket;
    this.#takesAtOnce = takesAtOnce(socket);
    this.bytesMax = bytesMax;
    this.#onDrained = onDrained;
    this.#onUnsent = onUnsent;
    this.#handedBytesMax = handedMax;
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
    this.#addChunk(bytes, null);
  }

  /** Adds a piece of what is lent, which is held until it is sent. */
  appendPiece(piece: Buffer, lender: Lender): void {
    if (piece.length <= copiedBytesMax) {
      this.append(piece);
      return;
    }
    lender.hold();
    this.#addChunk(piece, lender);
  }

  /** Adds all pieces of what is lent. */
  appendLent(lender: Lender & { readonly pieces: readonly Buffer[] }): void {
    for (const piece of lender.pieces) this.appendPiece(piece, lender);
  }

  #addChunk(bytes: Buffer, lender: Lender | null): void {
    this.#closePart();
    this.#chunks.push(bytes);
    this.#debts.push(lender);
    this.#chunkBytes += bytes.length;
    if (this.#chunkBytes > this.bytesMax) this.isCongested = true;
  }

  /** Hands everything to the socket, or of something large a part, unless it is the end. */
  flush(isEnd = false): void {
    if (this.position > this.#start || this.#chunkBytes > 0) this.#write(isEnd ? Infinity : this.#handedBytesMax);
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
    for (; this.#handed < this.#debts.length; this.#handed++) this.#giveBack(this.#debts[this.#handed] as Debt);
    this.#handedAll();
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
    this.#debts.push(null);
    this.#chunkBytes += this.position - this.#start;
    this.#start = this.position;
  }

  /** Writes all; afterwards the outbox is empty, with or without a slab. When there are large pieces they wait from `bytesMax` on. */
  #write(bytesMax = this.#handedBytesMax): void {
    const socket = this.#socket;
    if (this.#chunkBytes === 0) {
      const bytes = this.buffer.subarray(this.#start, this.position);
      const isUntold = this.#takesAtOnce && this.#inFlight.length === 0;
      if (isUntold) socket.write(bytes);
      else socket.write(bytes, this.#written);
      if (this.#inFlight.length === 0 && socket.writableLength === 0) {
        // The usual way: nothing was under way, and the kernel took it all.
        if (!isUntold) this.#settled++;
        this.position = 0;
        this.#start = 0;
        if (this.isCongested) this.#drained();
        return;
      }
      // It waits after all: this is told of in its place, right behind it.
      if (isUntold) socket.write(nothing, this.#written);
      this.#inFlight.push(null);
    } else {
      this.#closePart();
      this.#hand(bytesMax);
    }
    const isAllTaken = socket.writableLength === 0;
    // When the kernel has a copy of everything the slab is free again, warm in the cache.
    if (this.#chunkBytes > 0) this.#owe(this.#debts);
    else if (!isAllTaken) this.#owe(this.#inFlight);
    this.position = 0;
    this.#start = 0;
    if (isAllTaken) {
      this.#settled += this.#inFlight.length;
      for (const debt of this.#inFlight) this.#giveBack(debt);
      this.#inFlight.length = 0;
      if (this.#chunkBytes > 0) this.#onUnsent();
      if (this.isCongested && this.pendingBytes <= this.bytesMax / 2) this.#drained();
    } else if (this.pendingBytes > this.bytesMax) {
      this.isCongested = true;
    }
  }

  /** Hands chunks to the socket until `bytesMax` wait there. */
  #hand(bytesMax: number): void {
    const socket = this.#socket;
    let room = bytesMax - socket.writableLength;
    if (room <= 0) return;
    socket.cork();
    while (room > 0 && this.#handed < this.#chunks.length) {
      const chunk = this.#chunks[this.#handed] as Buffer;
      this.#inFlight.push(this.#debts[this.#handed] as Debt);
      this.#handed++;
      this.#chunkBytes -= chunk.length;
      room -= chunk.length;
      socket.write(chunk, this.#written);
    }
    socket.uncork();
    if (this.#handed === this.#chunks.length) {
      this.#handedAll();
    } else if (this.#handed > this.#chunks.length / 2) {
      this.#chunks.splice(0, this.#handed);
      this.#debts.splice(0, this.#handed);
      this.#handed = 0;
    }
  }

  #handedAll(): void {
    this.#chunks = [];
    this.#debts = [];
    this.#handed = 0;
    this.#chunkBytes = 0;
  }

  #drained(): void {
    this.isCongested = false;
    this.#onDrained();
  }

  /** The slab, if there is anything in it, goes back with the last of `debts`. */
  #owe(debts: Debt[]): void {
    if (this.position === 0) return;
    const last = debts.length - 1;
    const lender = debts[last] as Lender | null;
    debts[last] = lender === null ? this.buffer : new LenderAndSlab(lender, this.buffer);
    this.buffer = noSlab;
  }

  #giveBack(debt: Debt): void {
    if (debt === null) return;
    if (Buffer.isBuffer(debt)) slabPool.give(debt);
    else debt.release();
  }
}
