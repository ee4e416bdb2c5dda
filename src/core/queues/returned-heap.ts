import { Entry, metaLogged, priorityOf } from './entry.ts';
import type { RefOwner, Rename } from '../messages/message-ref.ts';
import type { Runs } from './runs.ts';

class Returned {
  ref: number;
  meta: number;
  bytes: number;
  sequence: number;
  expiryMillis: number;

  constructor(entry: Entry) {
    this.ref = entry.ref;
    this.meta = entry.meta;
    this.bytes = entry.bytes;
    this.sequence = entry.sequence;
    this.expiryMillis = entry.expiryMillis;
  }
}

/** Few messages that came back, in any order; lowest place first. */
export class ReturnedHeap {
  readonly #heap: Returned[] = [];

  get length(): number {
    return this.#heap.length;
  }

  push(entry: Entry): void {
    const heap = this.#heap;
    const item = new Returned(entry);
    let index = heap.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Returned;
      if (above.sequence <= item.sequence) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = item;
  }

  /** Fills `into` with the first message and leaves it in place. */
  peek(into: Entry): void {
    fill(into, this.#heap[0] as Returned);
  }

  shift(into: Entry): void {
    const heap = this.#heap;
    fill(into, heap[0] as Returned);
    const item = heap.pop() as Returned;
    const count = heap.length;
    if (count === 0) return;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= count) break;
      if (child + 1 < count && (heap[child + 1] as Returned).sequence < (heap[child] as Returned).sequence) child++;
      const below = heap[child] as Returned;
      if (below.sequence >= item.sequence) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = item;
  }

  /** All, in the order of their places. They are not to be changed. */
  sorted(): readonly Readonly<Entry>[] {
    return this.#heap.toSorted((a, b) => a.sequence - b.sequence);
  }

  /** Fills `into` with the message at a place. Returns false when it is not here. */
  find(sequence: number, into: Entry): boolean {
    const item = this.#heap.find(each => each.sequence === sequence);
    if (item === undefined) return false;
    fill(into, item);
    return true;
  }

  /** Takes the message at a place out, wherever it is. Returns false when it is not here. */
  remove(sequence: number, into: Entry): boolean {
    if (this.#heap[0]?.sequence === sequence) {
      this.shift(into);
      return true;
    }
    const index = this.#heap.findIndex(item => item.sequence === sequence);
    if (index < 0) return false;
    fill(into, this.#heap[index] as Returned);
    const rest = this.#heap.splice(0);
    rest.splice(index, 1);
    const entry = Object.assign(new Entry(), into);
    for (const item of rest) {
      fill(entry, item);
      this.push(entry);
    }
    return true;
  }

  /** Adds the places of all that are in the log. */
  addLogged(runs: Runs): void {
    for (const item of this.#heap) if ((item.meta & metaLogged) !== 0) runs.add(priorityOf(item.meta), item.sequence, 1);
  }

  limitExpiries(expiryMillis: number): void {
    for (const item of this.#heap) if (item.expiryMillis === 0 || item.expiryMillis > expiryMillis) item.expiryMillis = expiryMillis;
  }

  relocate(rename: Rename, queue: RefOwner | null): void {
    for (const item of this.#heap) item.ref = rename(item.ref, queue, item.meta, item.sequence, item.bytes, item.expiryMillis);
  }
}

function fill(into: Entry, item: Returned): void {
  into.ref = item.ref;
  into.meta = item.meta;
  into.bytes = item.bytes;
  into.sequence = item.sequence;
  into.expiryMillis = item.expiryMillis;
}
