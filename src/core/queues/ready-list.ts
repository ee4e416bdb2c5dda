// hot path: see docs/STYLE.md
import type { MessageRef, RefOwner, Rename } from '../messages/message-ref.ts';
import { Entry, metaLogged, priorityOf } from './entry.ts';
import { BlockRow } from './block-row.ts';
import type { IndexPager } from './index-pager.ts';
import { ReadyColumns } from './ready-columns.ts';
import { ReturnedMessages } from './returned-messages.ts';
import type { Runs } from './runs.ts';

const initialCapacity = 16;
/** An emptied ring above this capacity is given back, so that a queue that was deep once does not stay large. */
const keptCapacityMax = 1024;
/** Bytes of a place in the ring, and of a message that counts as returned: what gaps are weighed by. */
const holeCost = 16;
const returnedCost = 100;

/**
 * The messages of a queue (or of one priority of it) that can be delivered now, oldest first. A short list is one ring of columns; a long one
 * is a row of blocks, so that neither its growth nor its end moves what is there, and its middle can be on disk. A place whose ref is 0 was
 * taken out of the middle.
 */
export class ReadyList {
  readonly #pager: IndexPager;
  /** The ring, or the block that was asked for last. */
  #columns: ReadyColumns | null = null;
  /** The blocks of a long list; null for a ring. */
  #row: BlockRow | null = null;
  /** When there are blocks: the first sequence number of the one in `#columns`, the last block's columns, and the first number behind it. */
  #start = 0;
  #last: ReadyColumns | null = null;
  #end = 0;
  /** Sequence number of the first place. */
  #head = 1;
  #tail = 1;
  /** Places whose message was taken out of the middle. */
  #holes = 0;
  #returned: ReturnedMessages | null = null;

  constructor(pager: IndexPager) {
    this.#pager = pager;
  }

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

  /** The same for a message whose number is not its place: `numberAt` knows it. */
  pushNumbered(number: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    const sequence = this.#tail;
    const columns = this.#columnsForTail();
    columns.put(sequence & columns.mask, ref, meta, bytes, expiryMillis);
    columns.setNumber(sequence & columns.mask, number);
    this.#tail = sequence + 1;
  }

  /** The number that a message was pushed with; it is kept while its place is there, whether the message is or not. */
  numberAt(place: number): number {
    const { numbers, mask } = this.#at(place);
    return (numbers as Float64Array)[place & mask] as number;
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
      const columns = this.#toChange(sequence);
      columns.put(sequence & columns.mask, ref, meta, bytes, expiryMillis);
      this.#holes--;
      return;
    }
    this.startAt(sequence);
    this.push(ref, meta, bytes, expiryMillis);
  }

  /** Where the first place is that is not done with; the next number when there is none. */
  get firstSequence(): number {
    return this.#head;
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
      this.#returned ??= new ReturnedMessages();
      this.#returned.push(entry);
    }
    this.#holes = 0;
    this.#emptied();
    this.#head = sequence;
    this.#tail = sequence;
  }

  /** Puts a message back to its old place. */
  putBack(entry: Entry): void {
    if (entry.sequence >= this.#head) {
      this.#fillHole(entry);
      return;
    }
    this.#returned ??= new ReturnedMessages();
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
    else if (this.#row !== null && (this.#head & this.#blockMask) === 0) this.#row.headIsIn(this.#numberOf(this.#head));
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
    if (this.#refAt(sequence) === 0) return false;
    this.#fill(into, sequence);
    const { refs, mask } = this.#toChange(sequence);
    refs[sequence & mask] = 0;
    this.#holes++;
    this.#skipHoles();
    return true;
  }

  /**
   * Calls `visit` for every message but the first `skip`, oldest first, without taking any out. `visit` returns false to stop. Must not change the
   * list.
   */
  forEach(into: Entry, visit: (entry: Entry) => boolean, skip = 0): void {
    const returned = this.#returned;
    const returnedCount = returned === null ? 0 : returned.length;
    if (returned !== null && skip < returnedCount && !returned.forEach(visit, into, skip)) return;
    for (let sequence = this.#behind(Math.max(0, skip - returnedCount)); sequence < this.#tail; sequence++) {
      if (this.#refAt(sequence) === 0) continue;
      this.#fill(into, sequence);
      if (!visit(into)) return;
    }
  }

  /** The place behind the first `count` messages of the ring. What is on disk is not read where it has no gaps. */
  #behind(count: number): number {
    let sequence = this.#head;
    if (this.#holes === 0) return sequence + count;
    const places = this.#pager.blockPlaces;
    for (let left = count; left > 0 && sequence < this.#tail; ) {
      if (this.#row !== null && left >= places && sequence % places === 0 && this.#row.unbrokenPriority(this.#numberOf(sequence)) >= 0) {
        left -= places;
        sequence += places;
      } else {
        if (this.#refAt(sequence) !== 0) left--;
        sequence++;
      }
    }
    return sequence;
  }

  /** The same one by one, each in `into`. Allocates: for browsing several lists at once. */
  *entries(into: Entry): Generator<Entry> {
    const returned: Entry[] = [];
    this.#returned?.forEach(entry => returned.push(Object.assign(new Entry(), entry)) > 0, into);
    for (const entry of returned) yield Object.assign(into, entry);
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      if (this.#refAt(sequence) === 0) continue;
      this.#fill(into, sequence);
      yield into;
    }
  }

  /** Adds the numbers of all that are in the log: those that messages were pushed with, where there are such. */
  addLogged(runs: Runs): void {
    this.#returned?.addLogged(runs);
    const places = this.#pager.blockPlaces;
    for (let first = this.#head; first < this.#tail; ) {
      let end = this.#tail;
      if (this.#row !== null) {
        const number = this.#numberOf(first);
        end = Math.min(end, (number + 1) * places);
        // What is on disk need not be read where it has no gaps.
        const priority = end - first === places ? this.#row.unbrokenPriority(number) : -1;
        if (priority >= 0) {
          runs.add(priority, first, places);
          first = end;
          continue;
        }
      }
      const { refs, metas, numbers, mask } = this.#at(first);
      for (; first < end; first++) {
        const index = first & mask;
        const meta = metas[index] as number;
        if (refs[index] !== 0 && (meta & metaLogged) !== 0)
          runs.add(priorityOf(meta), numbers === null ? first : (numbers[index] as number), 1);
      }
    }
  }

  /** An empty list whose numbers go on where those of this one end. */
  successor(): ReadyList {
    const list = new ReadyList(this.#pager);
    list.startAt(this.#tail);
    return list;
  }

  /** No message expires later than `expiryMillis`. */
  limitExpiries(expiryMillis: number): void {
    this.#returned?.limitExpiries(expiryMillis);
    const row = this.#row;
    if (row !== null) {
      for (let first = this.#head; first < this.#tail; ) {
        const end = Math.min(this.#tail, (this.#numberOf(first) + 1) * this.#pager.blockPlaces);
        const from = first & this.#blockMask;
        row.limitExpiries(this.#numberOf(first), from, from + end - first, expiryMillis);
        first = end;
      }
      return;
    }
    const columns = this.#columns as ReadyColumns;
    for (let sequence = this.#head; sequence < this.#tail; sequence++) columns.limitExpiry(sequence & columns.mask, expiryMillis);
  }

  /** Renames messages; `slabs` are those whose messages may get another name, null for all. */
  relocate(rename: Rename, queue: RefOwner | null, slabs: ReadonlySet<number> | null): void {
    this.#returned?.relocate(rename, queue);
    for (let first = this.#head; first < this.#tail; ) {
      let end = this.#tail;
      if (this.#row !== null) {
        const number = this.#numberOf(first);
        end = Math.min(end, (number + 1) * this.#pager.blockPlaces);
        if (this.#row.mayBeIn(number, slabs)) this.#relocatePart(first, end, rename, queue);
      } else {
        this.#relocatePart(first, end, rename, queue);
      }
      first = end;
    }
  }

  #relocatePart(from: number, to: number, rename: Rename, queue: RefOwner | null): void {
    for (let sequence = from; sequence < to; sequence++) {
      const { refs, metas, bytes, expiries, mask } = this.#at(sequence);
      const index = sequence & mask;
      const ref = refs[index] as number;
      if (ref === 0) continue;
      const expiryMillis = expiries === null ? 0 : (expiries[index] as number);
      const name = rename(ref, queue, metas[index] as number, sequence, bytes[index] as number, expiryMillis);
      if (name !== ref) this.#toChange(sequence).refs[index] = name;
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
    const columns = this.#toChange(entry.sequence);
    columns.put(entry.sequence & columns.mask, entry.ref, entry.meta, entry.bytes, entry.expiryMillis);
    this.#holes--;
  }

  #skipHoles(): void {
    while (this.#holes > 0 && this.#head < this.#tail && this.#refAt(this.#head) === 0) {
      this.#head++;
      this.#holes--;
    }
    if (this.#head === this.#tail) this.#emptied();
    else if (this.#row !== null) this.#row.headIsIn(this.#numberOf(this.#head));
  }

  #refAt(sequence: number): number {
    const { refs, mask } = this.#at(sequence);
    return refs[sequence & mask] as number;
  }

  get #blockMask(): number {
    return this.#pager.blockPlaces - 1;
  }

  /** The number of a sequence number's block. */
  #numberOf(sequence: number): number {
    return Math.floor(sequence / this.#pager.blockPlaces);
  }

  /** Where the place of a sequence number from head up to tail is. Not to be changed. */
  #at(sequence: number): ReadyColumns {
    const columns = this.#columns as ReadyColumns;
    if (this.#row === null) return columns;
    const offset = sequence - this.#start;
    return offset >= 0 && offset <= columns.mask ? columns : this.#turnTo(this.#row, sequence);
  }

  #turnTo(row: BlockRow, sequence: number): ReadyColumns {
    const number = this.#numberOf(sequence);
    const columns = row.read(number);
    this.#columns = columns;
    this.#start = number * this.#pager.blockPlaces;
    return columns;
  }

  /** The same for a change that is made at once. */
  #toChange(sequence: number): ReadyColumns {
    if (this.#row === null) return this.#columns as ReadyColumns;
    const number = this.#numberOf(sequence);
    const columns = this.#row.change(number);
    this.#columns = columns;
    this.#start = number * this.#pager.blockPlaces;
    return columns;
  }

  /** A block's columns are not to be used any more. */
  #moved(number: number): void {
    // Before all sequence numbers there can be.
    if (this.#start === number * this.#pager.blockPlaces) this.#start = -1 - this.#pager.blockPlaces;
  }

  #columnsForTail(): ReadyColumns {
    const sequence = this.#tail;
    if (this.#row === null) {
      const columns = this.#columns;
      if (columns !== null && sequence - this.#head <= columns.mask) return columns;
      const places = columns === null ? initialCapacity : (columns.mask + 1) * 2;
      if (places <= this.#pager.ringPlacesMax) {
        const grown = new ReadyColumns(places);
        if (columns !== null) grown.takeOver(columns, this.#head, sequence);
        this.#columns = grown;
        return grown;
      }
      this.#startBlocks();
    }
    if (sequence === this.#end) {
      this.#last = (this.#row as unknown as BlockRow).append();
      this.#end += this.#pager.blockPlaces;
    }
    return this.#last as ReadyColumns;
  }

  /** The ring is full and as long as it may be: what is in it goes into blocks. */
  #startBlocks(): void {
    const ring = this.#columns as ReadyColumns;
    const places = this.#pager.blockPlaces;
    const row = new BlockRow(this.#pager, this.#numberOf(this.#head), number => this.#moved(number));
    for (let first = this.#head; first < this.#tail; ) {
      const end = Math.min(this.#tail, (row.end + 1) * places);
      this.#last = row.append();
      this.#last.takeOver(ring, first, end);
      first = end;
    }
    this.#row = row;
    this.#end = row.end * places;
    // Not the ring any more: it is as it was, while the blocks change.
    this.#columns = this.#last;
    this.#start = this.#end - places;
  }

  #emptied(): void {
    if (this.#row !== null) {
      this.#row.close();
      this.#row = null;
      this.#last = null;
      this.#columns = null;
    } else if (this.#columns !== null) {
      this.#columns.expiries = null;
      if (this.#columns.mask >= keptCapacityMax) this.#columns = null;
    }
  }
}
