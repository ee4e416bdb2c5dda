// hot path: see docs/STYLE.md
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import { type Entry, metaRedelivered } from './entry.ts';
import type { Queue } from './queue.ts';
import { blockPlaces, ReadyColumns } from './ready-columns.ts';
import { ReturnedHeap } from './returned-heap.ts';

const initialCapacity = 16;
/** An emptied ring above this capacity is given back, so that a queue that was deep once does not stay large. */
const keptCapacityMax = 1024;
/** Blocks that are done are forgotten when there are so many. */
const doneBlocksMax = 64;
/** Bytes of a place in the ring, and of a message that counts as returned: what gaps are weighed by. */
const holeCost = 16;
const returnedCost = 100;

/**
 * The messages of a queue (or of one priority of it) that can be delivered now, oldest first. A short list is one ring of columns; a long one
 * is a row of blocks, so that neither its growth nor its end moves what is there. A place whose ref is 0 was taken out of the middle.
 */
export class ReadyList {
  /** The ring, or the block that was asked for last. */
  #columns: ReadyColumns | null = null;
  /** The blocks of a long list, in order; null for a ring. Those before `#done` are done and null. */
  #blocks: (ReadyColumns | null)[] | null = null;
  /** The number of the first of `#blocks`: a message's sequence number divided by the places of a block. */
  #firstBlock = 0;
  #done = 0;
  /** A block that is done and may be used again. */
  #spare: ReadyColumns | null = null;
  /** The number of the block in `#columns`, when there are blocks. */
  #current = 0;
  /** Sequence number of the first place. */
  #head = 1;
  #tail = 1;
  /** Places whose message was taken out of the middle. */
  #holes = 0;
  #returned: ReturnedHeap | null = null;

  get length(): number {
    return this.#tail - this.#head - this.#holes + (this.#returned === null ? 0 : this.#returned.length);
  }

  get isEmpty(): boolean {
    return this.#tail === this.#head && (this.#returned === null || this.#returned.length === 0);
  }

  /** Appends a message; returns its sequence number. `expiryMillis` 0 means it does not expire. */
  push(ref: MessageRef, meta: number, bytes: number, expiryMillis: number): number {
    const sequence = this.#tail;
    const columns = this.#columnsForTail();
    columns.put(sequence & columns.mask, ref, meta, bytes, expiryMillis);
    this.#tail = sequence + 1;
    return sequence;
  }

  /**
   * Recovery: puts a message to the place it had. Places that are skipped are holes; a message older than all others, or far in front of
   * them, counts as returned.
   */
  restore(sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    // Places never go back: what was returned is older than the ring, and a number that was given is not given again.
    if (sequence < this.#head) {
      this.putBack({ ref, meta, bytes, sequence, expiryMillis });
      return;
    }
    if (sequence < this.#tail) {
      const columns = this.#at(sequence);
      columns.put(sequence & columns.mask, ref, meta, bytes, expiryMillis);
      this.#holes--;
      return;
    }
    this.startAt(sequence);
    this.push(ref, meta, bytes, expiryMillis);
  }

  /** The number that the next message gets. */
  get nextSequence(): number {
    return this.#tail;
  }

  /** No number below this one is given from now on. */
  startAt(sequence: number): void {
    if (sequence <= this.#tail) return;
    if ((sequence - this.#tail) * holeCost > (this.#tail - this.#head - this.#holes) * returnedCost) this.#returnAll(sequence);
    while (this.#tail < sequence) {
      this.push(0, 0, 0, 0);
      this.#holes++;
    }
  }

  /** Makes all that is in the ring count as returned, and lets the ring begin at a place far behind. */
  #returnAll(sequence: number): void {
    const entry: Entry = { ref: 0, meta: 0, bytes: 0, sequence: 0, expiryMillis: 0 };
    for (; this.#head < this.#tail; this.#head++) {
      if (this.#refAt(this.#head) === 0) continue;
      this.#fill(entry, this.#head);
      this.#returned ??= new ReturnedHeap();
      this.#returned.push(entry);
    }
    this.#holes = 0;
    this.#emptied();
    this.#head = sequence;
    this.#tail = sequence;
  }

  /** Recovery: flags every message as delivered before. */
  markRedelivered(): void {
    this.#returned?.markRedelivered();
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const { metas, mask } = this.#at(sequence);
      metas[sequence & mask] = (metas[sequence & mask] as number) | metaRedelivered;
    }
  }

  /** Puts a message back to its old place. */
  putBack(entry: Entry): void {
    if (entry.sequence >= this.#head) {
      this.#fillHole(entry);
      return;
    }
    this.#returned ??= new ReturnedHeap();
    this.#returned.push(entry);
  }

  /** Fills `into` with the first message. The list must not be empty. */
  peek(into: Entry): void {
    if (this.#returned !== null && this.#returned.length > 0) this.#returned.peek(into);
    else this.#fill(into, this.#head);
  }

  /** Takes the first message out into `into`. The list must not be empty. */
  shift(into: Entry): void {
    if (this.#returned !== null && this.#returned.length > 0) {
      this.#returned.shift(into);
      return;
    }
    this.#fill(into, this.#head);
    this.#head++;
    if (this.#head === this.#tail) this.#emptied();
    else if (this.#holes > 0) this.#skipHoles();
    else if (this.#blocks !== null && (this.#head & (blockPlaces - 1)) === 0) this.#dropDone();
  }

  /** Fills `into` with the message of this sequence number and leaves it in place. Returns false when it is not here. */
  find(sequence: number, into: Entry): boolean {
    if (sequence < this.#head || sequence >= this.#tail) return this.#returned !== null && this.#returned.find(sequence, into);
    if (this.#refAt(sequence) === 0) return false;
    this.#fill(into, sequence);
    return true;
  }

  /** Takes the message with this sequence number out of the list, wherever it is. Returns false when it is not here. */
  remove(sequence: number, into: Entry): boolean {
    // What was returned is older than the ring.
    if (sequence < this.#head || sequence >= this.#tail) return this.#returned !== null && this.#returned.remove(sequence, into);
    const { refs, mask } = this.#at(sequence);
    if (refs[sequence & mask] === 0) return false;
    this.#fill(into, sequence);
    refs[sequence & mask] = 0;
    this.#holes++;
    this.#skipHoles();
    return true;
  }

  /** Calls `visit` for every message, oldest first, without taking any out. `visit` returns false to stop. Must not change the list. */
  forEach(into: Entry, visit: (entry: Entry) => boolean): void {
    let isStopped = false;
    this.#returned?.forEach(entry => {
      if (!isStopped) isStopped = !visit(entry);
    }, into);
    for (let sequence = this.#head; sequence < this.#tail && !isStopped; sequence++) {
      if (this.#refAt(sequence) === 0) continue;
      this.#fill(into, sequence);
      isStopped = !visit(into);
    }
  }

  /** No message expires later than `expiryMillis`. */
  limitExpiries(expiryMillis: number): void {
    this.#returned?.limitExpiries(expiryMillis);
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const columns = this.#at(sequence);
      columns.limitExpiry(sequence & columns.mask, expiryMillis);
    }
  }

  relocate(rename: Rename, queue: Queue): void {
    this.#returned?.relocate(rename, queue);
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const { refs, metas, bytes, expiries, mask } = this.#at(sequence);
      const index = sequence & mask;
      const ref = refs[index] as number;
      if (ref === 0) continue;
      const expiryMillis = expiries === null ? 0 : (expiries[index] as number);
      refs[index] = rename(ref, queue, metas[index] as number, sequence, bytes[index] as number, expiryMillis);
    }
  }

  #fill(into: Entry, sequence: number): void {
    const columns = this.#at(sequence);
    const index = sequence & columns.mask;
    into.ref = columns.refs[index] as number;
    into.meta = columns.metas[index] as number;
    into.bytes = columns.bytes[index] as number;
    into.sequence = sequence;
    into.expiryMillis = columns.expiries === null ? 0 : (columns.expiries[index] as number);
  }

  /** A message that was taken out of the middle has its place still. */
  #fillHole(entry: Entry): void {
    const columns = this.#at(entry.sequence);
    columns.put(entry.sequence & columns.mask, entry.ref, entry.meta, entry.bytes, entry.expiryMillis);
    this.#holes--;
  }

  #skipHoles(): void {
    while (this.#holes > 0 && this.#head < this.#tail && this.#refAt(this.#head) === 0) {
      this.#head++;
      this.#holes--;
    }
    if (this.#head === this.#tail) this.#emptied();
    else if (this.#blocks !== null) this.#dropDone();
  }

  #refAt(sequence: number): number {
    const { refs, mask } = this.#at(sequence);
    return refs[sequence & mask] as number;
  }

  /** Where the place of a sequence number from head up to tail is. */
  #at(sequence: number): ReadyColumns {
    if (this.#blocks === null) return this.#columns as ReadyColumns;
    const block = Math.floor(sequence / blockPlaces);
    if (block !== this.#current) {
      this.#current = block;
      this.#columns = this.#blocks[block - this.#firstBlock] as ReadyColumns;
    }
    return this.#columns as ReadyColumns;
  }

  #columnsForTail(): ReadyColumns {
    const sequence = this.#tail;
    if (this.#blocks === null) {
      const columns = this.#columns;
      if (columns !== null && sequence - this.#head <= columns.mask) return columns;
      const places = columns === null ? initialCapacity : (columns.mask + 1) * 2;
      if (places <= blockPlaces) {
        const grown = new ReadyColumns(places);
        if (columns !== null) grown.takeOver(columns, this.#head, sequence);
        this.#columns = grown;
        return grown;
      }
      this.#startBlocks();
    }
    const blocks = this.#blocks as unknown as (ReadyColumns | null)[];
    if (Math.floor(sequence / blockPlaces) - this.#firstBlock === blocks.length) {
      blocks.push(this.#spare ?? new ReadyColumns(blockPlaces));
      this.#spare = null;
    }
    return this.#at(sequence);
  }

  /** The ring is full and as long as a block: what is in it goes into two blocks. */
  #startBlocks(): void {
    const ring = this.#columns as ReadyColumns;
    const first = Math.floor(this.#head / blockPlaces);
    const end = (first + 1) * blockPlaces;
    const one = new ReadyColumns(blockPlaces);
    one.takeOver(ring, this.#head, Math.min(end, this.#tail));
    this.#blocks = [one];
    if (this.#tail > end) {
      const two = new ReadyColumns(blockPlaces);
      two.takeOver(ring, end, this.#tail);
      this.#blocks.push(two);
    }
    this.#firstBlock = first;
    this.#done = 0;
    this.#current = first;
    this.#columns = one;
  }

  /** Forgets the blocks before the head's. */
  #dropDone(): void {
    const blocks = this.#blocks as (ReadyColumns | null)[];
    const head = Math.floor(this.#head / blockPlaces) - this.#firstBlock;
    while (this.#done < head) {
      this.#spare = blocks[this.#done] as ReadyColumns;
      blocks[this.#done++] = null;
    }
    if (this.#done < doneBlocksMax || this.#done * 2 < blocks.length) return;
    blocks.splice(0, this.#done);
    this.#firstBlock += this.#done;
    this.#done = 0;
  }

  #emptied(): void {
    if (this.#blocks !== null) {
      this.#blocks = null;
      this.#spare = null;
      this.#columns = null;
    } else if (this.#columns !== null) {
      this.#columns.expiries = null;
      if (this.#columns.mask >= keptCapacityMax) this.#columns = null;
    }
  }
}
