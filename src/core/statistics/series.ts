const initialCapacity = 8;

/**
 * One number over time, in a ring that grows up to a fixed size. Nothing is kept while the number stays what it was, so that the history
 * of an idle queue takes no memory. Times are ticks: 0, 1, 2 ... of one interval.
 */
export class Series {
  readonly #countMax: number;
  #values: Float64Array | null = null;
  /** Tick of the oldest kept value. */
  #first = 0;
  /** Tick of the newest kept value. */
  #last = -1;
  #lastChange = 0;
  /** The value before the oldest kept one, and of every tick while none is kept. */
  #before: number;

  constructor(countMax: number, value: number) {
    this.#countMax = countMax;
    this.#before = value;
  }

  /** Whether values are kept, other than the one that did not change. */
  get isKept(): boolean {
    return this.#values !== null;
  }

  /** Notes the value at a tick; ticks come in order, one after the other. */
  push(tick: number, value: number): void {
    if (this.#values === null) {
      if (value === this.#before) return;
      this.#values = new Float64Array(initialCapacity);
      this.#first = tick;
      this.#last = tick - 1;
    }
    const previous = this.#last < this.#first ? this.#before : this.#at(this.#last);
    if (value !== previous) this.#lastChange = tick;
    else if (tick - this.#lastChange > this.#countMax) {
      this.#values = null;
      this.#before = value;
      return;
    }
    if (tick - this.#first >= this.#values.length) this.#makeRoom(tick);
    this.#last = tick;
    this.#values[tick % this.#values.length] = value;
  }

  /** The value at a tick: before the kept ones the oldest that is known, after them the newest. */
  value(tick: number): number {
    if (this.#values === null || tick < this.#first) return this.#before;
    return this.#at(Math.min(tick, this.#last));
  }

  #at(tick: number): number {
    const values = this.#values as Float64Array;
    return values[tick % values.length] as number;
  }

  #makeRoom(tick: number): void {
    const old = this.#values as Float64Array;
    if (old.length >= this.#countMax) {
      // The value that falls out is what earlier ticks are answered with from now on.
      while (tick - this.#first >= old.length) this.#before = this.#at(this.#first++);
      return;
    }
    const values = new Float64Array(Math.min(this.#countMax, old.length * 2));
    for (let at = this.#first; at <= this.#last; at++) values[at % values.length] = this.#at(at);
    this.#values = values;
  }
}
