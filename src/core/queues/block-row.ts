import { Block } from './block.ts';
import type { IndexPager } from './index-pager.ts';
import type { ReadyColumns } from './ready-columns.ts';

/** Blocks that are done are forgotten when there are so many. */
const doneBlocksMax = 64;
/** Blocks behind the head's that are in memory, or on their way. */
const aheadBlocks = 2;

/**
 * The blocks of a long list, in order. The one at the head and the last one are in memory always; those between them go to disk when the
 * pager says so, the newest first, because a queue is read from its oldest end.
 */
export class BlockRow {
  readonly #pager: IndexPager;
  /** Called when a block's columns, as `read` returned them, are not to be used any more. */
  readonly #onMoved: (number: number) => void;
  /** Those before `#done` are done and null. */
  #blocks: (Block | null)[] = [];
  /** The number of the first of `#blocks`. */
  #first: number;
  #done = 0;

  /** `first` is the number of the first block that is to be appended. */
  constructor(pager: IndexPager, first: number, onMoved: (number: number) => void) {
    this.#pager = pager;
    this.#first = first;
    this.#onMoved = onMoved;
    pager.add(this);
  }

  /** Number of the next block to be appended. */
  get end(): number {
    return this.#first + this.#blocks.length;
  }

  /** A new block behind the last. */
  append(): ReadyColumns {
    const pager = this.#pager;
    const full = this.#blocks.at(-1);
    const columns = pager.claim();
    const block = new Block(this, this.end, columns);
    this.#blocks.push(block);
    pager.count(block);
    if (full !== undefined && full !== null) pager.count(full);
    pager.makeRoom(this);
    return columns;
  }

  /** A block's columns, which are not to be changed and are good until `onMoved`. */
  read(number: number): ReadyColumns {
    const block = this.#block(number);
    return block.columns ?? this.#pager.guest(block);
  }

  /** A block's columns, to be changed at once. */
  change(number: number): ReadyColumns {
    const block = this.#block(number);
    if (block.columns === null) this.#pager.bringBack(block);
    block.hasChanged = true;
    return block.columns as ReadyColumns;
  }

  /** The head is in this block: those before it are done, those behind it are fetched. */
  headIsIn(number: number): void {
    const blocks = this.#blocks;
    const pager = this.#pager;
    const head = number - this.#first;
    if (head === this.#done) return;
    while (this.#done < head) {
      pager.drop(blocks[this.#done] as Block);
      blocks[this.#done++] = null;
    }
    const block = blocks[head] as Block;
    if (block.columns === null) pager.bringBack(block);
    for (let ahead = 1; ahead <= aheadBlocks; ahead++) {
      const next = blocks[head + ahead];
      if (next !== undefined && next !== null) pager.fetch(next);
    }
    if (this.#done < doneBlocksMax || this.#done * 2 < blocks.length) return;
    blocks.splice(0, this.#done);
    this.#first += this.#done;
    this.#done = 0;
  }

  /** Whether a message of the block may be in one of these slabs; null stands for all. */
  mayBeIn(number: number, slabs: ReadonlySet<number> | null): boolean {
    return this.#block(number).mayBeIn(slabs);
  }

  /** See Block; -1 too for a block in memory, which has to be looked through. */
  unbrokenPriority(number: number): number {
    const block = this.#block(number);
    return block.columns === null ? block.unbrokenPriority : -1;
  }

  /** No message at these places of a block expires later than `expiryMillis`. What is on disk is told when it comes back. */
  limitExpiries(number: number, from: number, to: number, expiryMillis: number): void {
    const block = this.#block(number);
    const { columns } = block;
    if (columns !== null) {
      block.hasChanged = true;
      for (let index = from; index < to; index++) columns.limitExpiry(index, expiryMillis);
      this.#pager.count(block);
      return;
    }
    const old = block.expiryLimitMillis;
    if (old === 0 || old > expiryMillis) block.expiryLimitMillis = expiryMillis;
    this.#pager.dismiss(block);
  }

  /** The list is empty, or is kept otherwise from now on. */
  close(): void {
    for (const block of this.#blocks) if (block !== null) this.#pager.drop(block);
    this.#blocks = [];
    this.#pager.remove(this);
  }

  // --- for the pager

  /** The newest block that may go to disk; null for none. */
  get victim(): Block | null {
    const blocks = this.#blocks;
    for (let index = blocks.length - 2; index > this.#done + aheadBlocks; index--) {
      const block = blocks[index] as Block;
      if (block.columns !== null && !block.isWriting && !this.#pager.isResting(block)) return block;
    }
    return null;
  }

  /** Whether a block is so far from both ends that it may be on disk. */
  isInside(block: Block): boolean {
    const index = block.number - this.#first;
    return index > this.#done + aheadBlocks && index < this.#blocks.length - 1;
  }

  /** A block's columns are not to be used any more. */
  moved(number: number): void {
    this.#onMoved(number);
  }

  #block(number: number): Block {
    return this.#blocks[number - this.#first] as Block;
  }
}
