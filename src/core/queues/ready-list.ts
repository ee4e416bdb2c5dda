// hot path: see docs/STYLE.md
import type { MessageRef, Rename } from '../messages/message-store.ts';
import { type Entry, metaRedelivered } from './entry.ts';
import type { Queue } from './queue.ts';
import { ReturnedHeap } from './returned-heap.ts';

const initialCapacity = 16;
/** An emptied ring above this capacity is given back, so that a queue that was deep once does not stay large. */
const keptCapacityMax = 1024;
/** Bytes of a place in the ring, and of a message that counts as returned: what gaps are weighed by. */
const holeCost = 16;
const returnedCost = 100;

/**
 * The messages of a queue (or of one priority of it) that can be delivered now, oldest first. Entries are columns of typed arrays in a
 * ring: a message's place is its sequence number, so it need not be stored. A place whose ref is 0 was taken out of the middle.
 */
export class ReadyList {
  #refs: Uint32Array | null = null;
  #metas: Uint32Array | null = null;
  #bytes: Uint32Array | null = null;
  /** Made when the first message with a time to live comes. */
  #expiries: Float64Array | null = null;
  #mask = 0;
  /** Sequence number of the first place in the ring. */
  #head = 1;
  #tail = 1;
  /** Places in the ring whose message was taken out of the middle. */
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
    if (this.#refs === null || sequence - this.#head > this.#mask) this.#grow();
    const index = sequence & this.#mask;
    (this.#refs as Uint32Array)[index] = ref;
    (this.#metas as Uint32Array)[index] = meta;
    (this.#bytes as Uint32Array)[index] = bytes;
    if (this.#expiries !== null) this.#expiries[index] = expiryMillis;
    else if (expiryMillis !== 0) this.#startExpiries(index, expiryMillis);
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
      const index = sequence & this.#mask;
      (this.#refs as Uint32Array)[index] = ref;
      (this.#metas as Uint32Array)[index] = meta;
      (this.#bytes as Uint32Array)[index] = bytes;
      if (this.#expiries !== null) this.#expiries[index] = expiryMillis;
      else if (expiryMillis !== 0) this.#startExpiries(index, expiryMillis);
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
      if ((this.#refs as Uint32Array)[this.#head & this.#mask] === 0) continue;
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
      const index = sequence & this.#mask;
      (this.#metas as Uint32Array)[index] = ((this.#metas as Uint32Array)[index] as number) | metaRedelivered;
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
  }

  /** Takes the message with this sequence number out of the list, wherever it is. Returns false when it is not here. */
  remove(sequence: number, into: Entry): boolean {
    if (this.#returned?.remove(sequence, into)) return true;
    if (sequence < this.#head || sequence >= this.#tail) return false;
    const refs = this.#refs as Uint32Array;
    if (refs[sequence & this.#mask] === 0) return false;
    this.#fill(into, sequence);
    refs[sequence & this.#mask] = 0;
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
      if ((this.#refs as Uint32Array)[sequence & this.#mask] === 0) continue;
      this.#fill(into, sequence);
      isStopped = !visit(into);
    }
  }

  /** No message expires later than `expiryMillis`. */
  limitExpiries(expiryMillis: number): void {
    this.#returned?.limitExpiries(expiryMillis);
    if (this.#refs === null) return;
    this.#expiries ??= new Float64Array(this.#mask + 1);
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const index = sequence & this.#mask;
      const old = this.#expiries[index] as number;
      if (old === 0 || old > expiryMillis) this.#expiries[index] = expiryMillis;
    }
  }

  relocate(rename: Rename, queue: Queue): void {
    this.#returned?.relocate(rename, queue);
    const refs = this.#refs;
    if (refs === null) return;
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const index = sequence & this.#mask;
      const ref = refs[index] as number;
      if (ref === 0) continue;
      const expiryMillis = this.#expiries === null ? 0 : (this.#expiries[index] as number);
      refs[index] = rename(
        ref,
        queue,
        (this.#metas as Uint32Array)[index] as number,
        sequence,
        (this.#bytes as Uint32Array)[index] as number,
        expiryMillis,
      );
    }
  }

  #fill(into: Entry, sequence: number): void {
    const index = sequence & this.#mask;
    into.ref = (this.#refs as Uint32Array)[index] as number;
    into.meta = (this.#metas as Uint32Array)[index] as number;
    into.bytes = (this.#bytes as Uint32Array)[index] as number;
    into.sequence = sequence;
    into.expiryMillis = this.#expiries === null ? 0 : (this.#expiries[index] as number);
  }

  /** A message that was taken out of the middle has its place in the ring still. */
  #fillHole(entry: Entry): void {
    const index = entry.sequence & this.#mask;
    (this.#refs as Uint32Array)[index] = entry.ref;
    (this.#metas as Uint32Array)[index] = entry.meta;
    (this.#bytes as Uint32Array)[index] = entry.bytes;
    if (this.#expiries !== null) this.#expiries[index] = entry.expiryMillis;
    else if (entry.expiryMillis !== 0) this.#startExpiries(index, entry.expiryMillis);
    this.#holes--;
  }

  #skipHoles(): void {
    const refs = this.#refs as Uint32Array;
    while (this.#holes > 0 && this.#head < this.#tail && refs[this.#head & this.#mask] === 0) {
      this.#head++;
      this.#holes--;
    }
    if (this.#head === this.#tail) this.#emptied();
  }

  #emptied(): void {
    this.#expiries = null;
    if (this.#mask >= keptCapacityMax) {
      this.#refs = null;
      this.#metas = null;
      this.#bytes = null;
      this.#mask = 0;
    }
  }

  #startExpiries(index: number, expiryMillis: number): void {
    this.#expiries = new Float64Array(this.#mask + 1);
    this.#expiries[index] = expiryMillis;
  }

  #grow(): void {
    const capacity = this.#refs === null ? initialCapacity : (this.#mask + 1) * 2;
    this.#refs = this.#grownU32(this.#refs, capacity);
    this.#metas = this.#grownU32(this.#metas, capacity);
    this.#bytes = this.#grownU32(this.#bytes, capacity);
    if (this.#expiries !== null) {
      const old = this.#expiries;
      const grown = new Float64Array(capacity);
      for (let sequence = this.#head; sequence < this.#tail; sequence++)
        grown[sequence & (capacity - 1)] = old[sequence & this.#mask] as number;
      this.#expiries = grown;
    }
    this.#mask = capacity - 1;
  }

  #grownU32(old: Uint32Array | null, capacity: number): Uint32Array {
    const grown = new Uint32Array(capacity);
    if (old === null) return grown;
    const length = old.length;
    // The ring's content is at most two runs of the old array, and stays in order at the same sequence numbers modulo the new capacity.
    const from = this.#head & (length - 1);
    const first = old.subarray(from);
    const second = old.subarray(0, from);
    const to = this.#head & (capacity - 1);
    grown.set(first, to);
    grown.set(second, (to + first.length) & (capacity - 1));
    return grown;
  }
}
