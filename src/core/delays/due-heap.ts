/** Up to this many firsts are looked for one by one. */
const fewMax = 1000;

/**
 * What is due when, for a million things and more: numbers in columns, ordered by a binary heap. A thing is known by its slot, which is
 * given to another when it is removed. Equal times come out in the order of their numbers.
 */
export class DueHeap {
  /** By slot. */
  #due = new Float64Array(64);
  #number = new Float64Array(64);
  #place = new Int32Array(64);
  /** Slots in heap order. */
  #heap = new Int32Array(64);
  #count = 0;
  readonly #free: number[] = [];
  #slotCount = 0;

  get count(): number {
    return this.#count;
  }

  /** Slots in use or free; columns that a caller keeps beside need as many. */
  get slotCount(): number {
    return this.#slotCount;
  }

  /** The slot that is due first; -1 when there is none. */
  get first(): number {
    return this.#count === 0 ? -1 : (this.#heap[0] as number);
  }

  due(slot: number): number {
    return this.#due[slot] as number;
  }

  number(slot: number): number {
    return this.#number[slot] as number;
  }

  /** Adds a thing; returns its slot. */
  add(number: number, dueMillis: number): number {
    const slot = this.#free.pop() ?? this.#slotCount++;
    if (slot >= this.#due.length) this.#grow();
    this.#due[slot] = dueMillis;
    this.#number[slot] = number;
    this.#put(slot, this.#count++);
    this.#up(this.#place[slot] as number);
    return slot;
  }

  remove(slot: number): void {
    const place = this.#place[slot] as number;
    const last = this.#heap[--this.#count] as number;
    this.#free.push(slot);
    this.#place[slot] = -1;
    if (last === slot) return;
    this.#put(last, place);
    this.#up(place);
    this.#down(this.#place[last] as number);
  }

  /** Sets another time. */
  move(slot: number, dueMillis: number): void {
    this.#due[slot] = dueMillis;
    this.#up(this.#place[slot] as number);
    this.#down(this.#place[slot] as number);
  }

  /** The slot of the thing with this number; -1 when there is none. Looks at all of them. */
  find(number: number): number {
    for (let at = 0; at < this.#count; at++) {
      const slot = this.#heap[at] as number;
      if (this.#number[slot] === number) return slot;
    }
    return -1;
  }

  /** A part of the slots in the order in which they are due: `count` of them behind the first `offset`. Not all are sorted for it. */
  slotsFrom(offset: number, count: number): number[] {
    if (offset + count <= fewMax) return this.#firstSlots(offset + count).slice(offset);
    const slots = this.#heap.slice(0, this.#count);
    const end = Math.min(offset + count, slots.length);
    if (offset >= end) return [];
    // What is before the part, and what is behind it, is brought to its side and not looked at again.
    this.#select(slots, 0, slots.length - 1, offset);
    if (end < slots.length) this.#select(slots, offset, slots.length - 1, end);
    return Array.from(slots.subarray(offset, end)).sort((a, b) => this.#compare(a, b));
  }

  /** Orders slots as far as it takes that `nth` has the one that belongs there, with none that is due later before it. [Hoare: FIND] */
  #select(slots: Int32Array, from: number, to: number, nth: number): void {
    let low = from;
    let high = to;
    while (low < high) {
      const pivot = slots[(low + high) >>> 1] as number;
      let left = low;
      let right = high;
      while (left <= right) {
        while (this.#compare(slots[left] as number, pivot) < 0) left++;
        while (this.#compare(slots[right] as number, pivot) > 0) right--;
        if (left > right) break;
        const slot = slots[left] as number;
        slots[left++] = slots[right] as number;
        slots[right--] = slot;
      }
      if (nth <= right) high = right;
      else if (nth >= left) low = left;
      else return;
    }
  }

  #firstSlots(count: number): number[] {
    const slots: number[] = [];
    /** Places of the heap whose slots may be next. */
    const places = this.#count === 0 ? [] : [0];
    while (slots.length < count && places.length > 0) {
      let best = 0;
      for (let i = 1; i < places.length; i++) if (this.#compare(this.#at(places[i]), this.#at(places[best])) < 0) best = i;
      const place = places[best] as number;
      slots.push(this.#at(place));
      places.splice(best, 1);
      for (const child of [place * 2 + 1, place * 2 + 2]) if (child < this.#count) places.push(child);
    }
    return slots;
  }

  /** All slots, in no order. */
  *slots(): Generator<number> {
    for (let at = 0; at < this.#count; at++) yield this.#heap[at] as number;
  }

  #at(place: number | undefined): number {
    return this.#heap[place as number] as number;
  }

  #compare(a: number, b: number): number {
    return this.due(a) - this.due(b) || this.number(a) - this.number(b);
  }

  #put(slot: number, place: number): void {
    this.#heap[place] = slot;
    this.#place[slot] = place;
  }

  #up(start: number): void {
    let place = start;
    const slot = this.#heap[place] as number;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent] as number;
      if (this.#compare(above, slot) <= 0) break;
      this.#put(above, place);
      place = parent;
    }
    this.#put(slot, place);
  }

  #down(start: number): void {
    let place = start;
    const slot = this.#heap[place] as number;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#compare(this.#heap[child + 1] as number, this.#heap[child] as number) < 0) child++;
      const below = this.#heap[child] as number;
      if (this.#compare(below, slot) >= 0) break;
      this.#put(below, place);
      place = child;
    }
    this.#put(slot, place);
  }

  #grow(): void {
    this.#due = grown(this.#due, Float64Array);
    this.#number = grown(this.#number, Float64Array);
    this.#place = grown(this.#place, Int32Array);
    this.#heap = grown(this.#heap, Int32Array);
  }
}

/** The same numbers with room for as many again. */
export function grown<Column extends Float64Array | Int32Array>(column: Column, type: new (length: number) => Column): Column {
  const larger = new type(column.length * 2);
  larger.set(column);
  return larger;
}
