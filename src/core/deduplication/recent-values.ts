/** A value and until when it counts. */
interface Known {
  readonly expiryMillis: number;
  /** Distinguishes it from an earlier one of the same value. */
  readonly serial: number;
}

/** Remembers so many values for so long; the oldest go first. */
export class RecentValues {
  readonly #sizeMax: number;
  readonly #ttlMillis: number;
  readonly #known = new Map<string, Known>();
  /** In the order in which they came, from `#oldest` on; some are not known any more. */
  #order: { readonly value: string; readonly serial: number }[] = [];
  #oldest = 0;
  #lastSerial = 0;

  /** `ttlMillis` Infinity: for as long as there is room. */
  constructor(sizeMax: number, ttlMillis: number) {
    this.#sizeMax = sizeMax;
    this.#ttlMillis = ttlMillis;
  }

  get size(): number {
    return this.#known.size;
  }

  has(value: string, nowMillis: number): boolean {
    const known = this.#known.get(value);
    return known !== undefined && nowMillis < known.expiryMillis;
  }

  /** `ttlMillis` null: as the memory has it. */
  add(value: string, nowMillis: number, ttlMillis: number | null): void {
    const serial = ++this.#lastSerial;
    this.#known.set(value, { expiryMillis: nowMillis + (ttlMillis ?? this.#ttlMillis), serial });
    this.#order.push({ value, serial });
    this.#shrink(nowMillis);
  }

  #shrink(nowMillis: number): void {
    for (let first = this.#order[this.#oldest]; first !== undefined; first = this.#order[this.#oldest]) {
      const known = this.#known.get(first.value);
      if (known !== undefined && known.serial === first.serial) {
        if (this.#known.size <= this.#sizeMax && nowMillis < known.expiryMillis) break;
        this.#known.delete(first.value);
      }
      this.#oldest++;
    }
    if (this.#order.length < 2 * this.#known.size + 1024) return;
    this.#order = this.#order.slice(this.#oldest).filter(({ value, serial }) => this.#known.get(value)?.serial === serial);
    this.#oldest = 0;
  }

  /** Places in the memory's books, for tests: it stays near the size. */
  get bookedCount(): number {
    return this.#order.length;
  }
}
