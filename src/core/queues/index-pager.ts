import type { Logger } from '../ports/logger.ts';
import type { IndexPages } from '../ports/index-pages.ts';
import { type Block, slabsOf, unbrokenPriority } from './block.ts';
import type { BlockRow } from './block-row.ts';
import { ReadyColumns } from './ready-columns.ts';

/** Places of a block where nothing else is said: 48 KiB. */
const blockPlacesDefault = 4096;
/** A list is in blocks when it is longer than so many. */
const ringBlocks = 4;
/** Blocks kept for the next one. */
const spareMax = 8;
/** Blocks on disk that are looked into, and stay there. */
const guestsMax = 4;
/** Blocks that are written at once. */
const writingMax = 4;
/** So many blocks that came back last do not go again at once: they may be changed further. */
const restingMax = 16;
/** Lists that are asked for a block when one has none to give. */
const askedMax = 64;

interface Guest {
  readonly block: Block;
  readonly columns: ReadyColumns;
}

/**
 * Keeps what all queues together know of their ready messages within a budget of memory, as far as it is in long lists: blocks in the middle
 * of these go to disk. What is in the log is there as well, so what is written here need not last. [docs/adr/0009-paged-index.md]
 */
export class IndexPager {
  readonly blockPlaces: number;
  /** Places of a list that is not in blocks yet: it turns over faster. */
  readonly ringPlacesMax: number;
  readonly #pages: IndexPages | null;
  readonly #bytesMax: number;
  readonly #logger: Logger | null;
  readonly #rows = new Set<BlockRow>();
  readonly #spare: ReadyColumns[] = [];
  /** The one used longest ago first. */
  readonly #guests: Guest[] = [];
  #writingCount = 0;
  #writingBytes = 0;
  #returns = 0;
  #hasFailed = false;
  /** Whether blocks are written at once: while nothing else can go on, as in recovery. */
  isSynchronous = false;
  /** Bytes of blocks in memory. */
  heldBytes = 0;
  /** Blocks that are on disk only. */
  pagedCount = 0;
  /** Blocks that went to disk and came back, as long as there is a pager. */
  writtenTotal = 0;
  readTotal = 0;

  /** Without `pages` all stays in memory. `blockPlaces` is a power of two, 16 or more. */
  constructor(pages: IndexPages | null, bytesMax: number, logger: Logger | null, blockPlaces = blockPlacesDefault) {
    this.#pages = pages;
    this.#bytesMax = bytesMax;
    this.#logger = logger;
    this.blockPlaces = blockPlaces;
    this.ringPlacesMax = ringBlocks * blockPlaces;
  }

  add(row: BlockRow): void {
    this.#rows.add(row);
  }

  remove(row: BlockRow): void {
    this.#rows.delete(row);
  }

  /** Columns of a block, with whatever was in them before. */
  claim(): ReadyColumns {
    return this.#spare.pop() ?? new ReadyColumns(this.blockPlaces, true);
  }

  /** Counts a block in memory, again if it may have grown. */
  count(block: Block): void {
    const bytes = block.columns === null ? 0 : block.columns.heldBytes;
    this.heldBytes += bytes - block.countedBytes;
    block.countedBytes = bytes;
  }

  /** Writes blocks to disk until the rest is within the budget, as far as that can be; first of all those of `row`. */
  makeRoom(row: BlockRow | null): void {
    while (this.#pages !== null && !this.#hasFailed && this.heldBytes - this.#writingBytes > this.#bytesMax) {
      if (!this.isSynchronous && this.#writingCount >= writingMax) return;
      const block = row?.victim ?? this.#anyVictim();
      if (block === null) return;
      if (this.isSynchronous) this.#writeNow(block, this.#pages);
      else this.#write(block, this.#pages);
    }
  }

  /** Whether a block came back a moment ago. */
  isResting(block: Block): boolean {
    return this.#returns - block.lastReturn < restingMax;
  }

  /** A look at a block that is on disk and stays there. */
  guest(block: Block): ReadyColumns {
    const guests = this.#guests;
    const index = guests.findIndex(guest => guest.block === block);
    if (index >= 0) {
      const [guest] = guests.splice(index, 1) as [Guest];
      guests.push(guest);
      return guest.columns;
    }
    if (guests.length === guestsMax) this.dismiss((guests[0] as Guest).block);
    const columns = this.claim();
    this.#load(block, columns);
    guests.push({ block, columns });
    return columns;
  }

  /** Forgets what was looked at of a block. */
  dismiss(block: Block): void {
    const guest = this.#dismissed(block);
    if (guest === null) return;
    block.row.moved(block.number);
    this.#letGo(guest);
  }

  /** Brings a block back into memory, at once. */
  bringBack(block: Block): void {
    let columns = this.#dismissed(block);
    if (columns === null) {
      columns = this.claim();
      this.#load(block, columns);
    }
    this.#install(block, columns);
    if (block.row.isInside(block)) this.makeRoom(block.row);
  }

  /** Brings a block back into memory, soon. An error is nobody's yet: it is read again when it is needed. */
  fetch(block: Block): void {
    const pages = this.#pages;
    if (pages === null || block.columns !== null || block.isReading) return;
    block.isReading = true;
    const { returns } = block;
    const columns = this.claim();
    const target = columns.readTarget(block.hasExpiries, block.hasNumbers);
    pages.read(block, target, error => {
      block.isReading = false;
      if (error !== null || block.isGone || block.columns !== null || block.returns !== returns) {
        this.#letGo(columns);
        return;
      }
      this.readTotal++;
      this.#take(block, columns, target);
      this.dismiss(block);
      this.#install(block, columns);
    });
  }

  /** A block is done. */
  drop(block: Block): void {
    const { columns } = block;
    block.isGone = true;
    block.row.moved(block.number);
    this.dismiss(block);
    if (columns === null) {
      this.pagedCount--;
      this.#pages?.free(block);
      return;
    }
    if (block.isWriting) this.#pages?.free(block);
    else this.#letGo(columns);
    block.columns = null;
    this.count(block);
  }

  #anyVictim(): Block | null {
    const asked = Math.min(askedMax, this.#rows.size);
    for (let i = 0; i < asked; i++) {
      const row = this.#rows.values().next().value as BlockRow;
      this.#rows.delete(row);
      this.#rows.add(row);
      const { victim } = row;
      if (victim !== null) return victim;
    }
    return null;
  }

  #write(block: Block, pages: IndexPages): void {
    const bytes = block.countedBytes;
    block.isWriting = true;
    block.hasChanged = false;
    this.#writingCount++;
    this.#writingBytes += bytes;
    pages.write(block, (block.columns as ReadyColumns).toImage(), error => {
      block.isWriting = false;
      this.#writingCount--;
      this.#writingBytes -= bytes;
      if (error !== null) this.#failed(error);
      else if (!block.isGone && (block.hasChanged || !block.row.isInside(block))) pages.free(block);
      else if (!block.isGone) this.#leave(block);
      this.makeRoom(null);
    });
  }

  #writeNow(block: Block, pages: IndexPages): void {
    const error = pages.writeNow(block, (block.columns as ReadyColumns).toImage());
    if (error === null) this.#leave(block);
    else this.#failed(error);
  }

  /** What cannot be put away stays in memory; that is no reason to end. */
  #failed(error: Error): void {
    if (!this.#hasFailed)
      this.#logger?.warning('store', `queues keep their index in memory, for it cannot be written to disk: ${error.message}`);
    this.#hasFailed = true;
  }

  /** A block is on disk as it is: it need not be in memory. */
  #leave(block: Block): void {
    const columns = block.columns as ReadyColumns;
    block.slabs = slabsOf(columns);
    block.hasExpiries = columns.expiries !== null;
    block.hasNumbers = columns.numbers !== null;
    block.unbrokenPriority = unbrokenPriority(columns);
    block.expiryLimitMillis = 0;
    block.columns = null;
    block.row.moved(block.number);
    this.count(block);
    this.#letGo(columns);
    this.pagedCount++;
    this.writtenTotal++;
  }

  /** A block is in memory again. */
  #install(block: Block, columns: ReadyColumns): void {
    block.columns = columns;
    block.returns++;
    block.lastReturn = ++this.#returns;
    this.pagedCount--;
    this.#pages?.free(block);
    this.count(block);
  }

  /** @throws Error when it cannot be read, which is the end: see `IndexPages.lost` */
  #load(block: Block, columns: ReadyColumns): void {
    const pages = this.#pages as IndexPages;
    const target = columns.readTarget(block.hasExpiries, block.hasNumbers);
    const problem = pages.readNow(block, target);
    if (problem !== null) {
      const error = new Error(`a part of a queue's index cannot be read: ${problem.message}`, { cause: problem });
      pages.lost(error);
      throw error;
    }
    this.readTotal++;
    this.#take(block, columns, target);
  }

  /** What was read becomes what the block is by now. */
  #take(block: Block, columns: ReadyColumns, target: Buffer): void {
    columns.hasRead(target, block.hasExpiries, block.hasNumbers);
    if (block.expiryLimitMillis === 0) return;
    for (let index = 0; index <= columns.mask; index++) columns.limitExpiry(index, block.expiryLimitMillis);
  }

  #dismissed(block: Block): ReadyColumns | null {
    const index = this.#guests.findIndex(guest => guest.block === block);
    if (index < 0) return null;
    const [guest] = this.#guests.splice(index, 1) as [Guest];
    return guest.columns;
  }

  #letGo(columns: ReadyColumns): void {
    columns.clear();
    if (this.#spare.length < spareMax) this.#spare.push(columns);
  }
}
