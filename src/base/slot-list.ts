/**
 * Objects that come and go, as a Set of them, but each is found again by the number of its slot. A Set that much is added to and taken from
 * makes a new table now and then, and the old ones hold on to each other and to what was in them until the next full garbage collection:
 * with ten thousand connections coming and going a second that is most of the young generation.
 */
export class SlotList<T extends object> implements Iterable<T> {
  readonly #items: (T | null)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#items.length - this.#free.length;
  }

  /** Returns the slot, for `remove`. */
  add(item: T): number {
    const slot = this.#free.pop() ?? this.#items.length;
    this.#items[slot] = item;
    return slot;
  }

  /** The slot may be given to another object at once. Nothing happens when it is empty. */
  remove(slot: number): void {
    if (this.#items[slot] === null || slot >= this.#items.length) return;
    this.#items[slot] = null;
    this.#free.push(slot);
  }

  /** Calls `act` with each, in no particular order, and makes nothing on the way: for what is done to thousands twice a second. */
  visit(act: (item: T) => void): void {
    for (let slot = 0; slot < this.#items.length; slot++) {
      const item = this.#items[slot];
      if (item !== null && item !== undefined) act(item);
    }
  }

  /** In no particular order. What is removed meanwhile is left out; what is added meanwhile may or may not be there. */
  *[Symbol.iterator](): Iterator<T> {
    for (let slot = 0; slot < this.#items.length; slot++) {
      const item = this.#items[slot];
      if (item !== null && item !== undefined) yield item;
    }
  }
}
