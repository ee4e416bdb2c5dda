// hot path: see docs/STYLE.md
import type { BodyStage } from './body-stage.ts';
import { blockBytesMax, blockBytesMin, blockPool } from './block-pool.ts';

/**
 * The body of a large message, in pieces. Whoever made it holds it, as do the messages that have it, connections that are sending it and files it
 * is being written to; when the last one has let go its blocks serve the next message. What is neither held nor read at once may change.
 * Who holds it for good need not let go: its blocks are then the garbage collector's.
 */
export class LargeBody {
  readonly #pieces: Buffer[] = [];
  readonly #isLent: boolean;
  #holders = 1;
  #bytes = 0;
  /** How much of the last piece is filled. */
  #filledBytes = 0;
  /** Writes it to disk while it is coming; null for most, and when it is a message's. */
  stage: BodyStage | null = null;

  private constructor(isLent: boolean) {
    this.#isLent = isLent;
  }

  /** A body that is to come, in blocks of the pool. */
  static empty(): LargeBody {
    return new LargeBody(true);
  }

  /** A body whose pieces are nobody else's and stay as they are. */
  static of(pieces: readonly Buffer[]): LargeBody {
    const body = new LargeBody(false);
    for (const piece of pieces) {
      body.#pieces.push(piece);
      body.#bytes += piece.length;
    }
    return body;
  }

  /** In order. To be used at once, unless the body is held. */
  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether somebody holds it besides: it stays in memory whoever lets go. */
  get isShared(): boolean {
    return this.#holders > 1;
  }

  /** Bytes of memory that it takes. */
  get heldBytes(): number {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  /** Copies a part of what is to be `bytesMax` bytes in all. Blocks grow with what has come: what is only announced costs nothing. */
  append(source: Buffer, start: number, end: number, bytesMax: number): void {
    let at = start;
    while (at < end) {
      let block = this.#pieces[this.#pieces.length - 1];
      if (block === undefined || this.#filledBytes === block.length) {
        block = blockPool.take(Math.min(bytesMax - this.#bytes, blockBytesMax, Math.max(blockBytesMin, this.#bytes)));
        this.#pieces.push(block);
        this.#filledBytes = 0;
        this.stage?.grown();
      }
      const count = Math.min(end - at, block.length - this.#filledBytes);
      source.copy(block, this.#filledBytes, at, at + count);
      this.#filledBytes += count;
      this.#bytes += count;
      at += count;
    }
  }

  /** Takes a block of at most so many bytes for whoever fills it, all of it. */
  extend(bytesMax: number): Buffer {
    const block = blockPool.take(bytesMax);
    this.#pieces.push(block);
    this.#filledBytes = block.length;
    this.#bytes += block.length;
    return block;
  }

  /** Copies all of it; returns where it ends. */
  copyTo(target: Buffer, at: number): number {
    let end = at;
    for (const piece of this.#pieces) end += piece.copy(target, end);
    return end;
  }

  /** A copy in one piece. */
  toBuffer(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** It is not to go to disk. */
  unstage(): void {
    const { stage } = this;
    this.stage = null;
    stage?.discard();
  }

  /** It stays as it is until `release`. */
  hold(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders !== 0 || !this.#isLent) return;
    this.unstage();
    for (const piece of this.#pieces) blockPool.give(piece);
    this.#pieces.length = 0;
  }
}
