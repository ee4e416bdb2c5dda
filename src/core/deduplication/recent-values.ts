/** A value and until when it counts. */
interface Known {
  readonly expiryMillis: number;
  /** Distinguishes it from an earlier one of the same value. */
  readonly serial: number;
}

/** Keeps what is remembered elsewhere, too: on disk. */
export interface ValueKeeper {
  keep(serial: number, value: string, expiryMillis: number): void;
  /** The same for one of many, when it is asked to write them. */
  keepLater(serial: number, value: string, expiryMillis: number): void;
  forget(serial: number): void;
}

/** Remembers so many values for so long; the oldest go first. */
export class RecentValues {
  readonly #sizeMax: number;
  readonly #ttlMillis: number;
  readonly #keeper: ValueKeeper | null;
  readonly #known = new Map<string, Known>();
  /** In the order in which they came, from `#oldest` on; some are not known any more. */
  #order: { readonly value: string; readonly serial: number }[] = [];
  #oldest = 0;
  #lastSerial = 0;

  /** `ttlMillis` Infinity: for as long as there is room. */
  constructor(sizeMax: number, ttlMillis: number, keeper: ValueKeeper | null = null) {
    this.#sizeMax = sizeMax;
    this.#ttlMillis = ttlMillis;
    this.#keeper = keeper;
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
    const expiryMillis = nowMillis + (ttlMillis ?? this.#ttlMillis);
    this.#keeper?.keep(serial, value, expiryMillis);
    this.#put(serial, value, expiryMillis, nowMillis);
  }

  /** Adds the value of a message that has been there for a while. */
  learn(value: string, nowMillis: number, ttlMillis: number | null): void {
    this.#takeIn(value, nowMillis + (ttlMillis ?? this.#ttlMillis), nowMillis);
  }

  /** Takes a value over from another memory; it is not remembered for longer than this one does. */
  adopt(value: string, expiryMillis: number, nowMillis: number): void {
    this.#takeIn(value, Math.min(expiryMillis, nowMillis + this.#ttlMillis), nowMillis);
  }

  /** All values, oldest first, and until when they count. */
  *values(): Generator<[value: string, expiryMillis: number]> {
    for (const [value, { expiryMillis }] of this.#known) yield [value, expiryMillis];
  }

  #takeIn(value: string, expiryMillis: number, nowMillis: number): void {
    const serial = ++this.#lastSerial;
    this.#keeper?.keepLater(serial, value, expiryMillis);
    this.#put(serial, value, expiryMillis, nowMillis);
  }

  #put(serial: number, value: string, expiryMillis: number, nowMillis: number): void {
    const old = this.#known.get(value);
    if (old !== undefined) this.#keeper?.forget(old.serial);
    this.#known.set(value, { expiryMillis, serial });
    this.#order.push({ value, serial });
    this.#shrink(nowMillis);
  }

  /** Recovery: a value that was remembered; they come in the order in which they were. */
  restore(serial: number, value: string, expiryMillis: number): void {
    const old = this.#known.get(value);
    if (old !== undefined) this.#keeper?.forget(old.serial);
    this.#lastSerial = Math.max(this.#lastSerial, serial);
    this.#known.set(value, { expiryMillis, serial });
    this.#order.push({ value, serial });
  }

  /** Forgets a value. */
  remove(value: string): void {
    const known = this.#known.get(value);
    if (known === undefined) return;
    this.#known.delete(value);
    this.#keeper?.forget(known.serial);
  }

  #shrink(nowMillis: number): void {
    for (let first = this.#order[this.#oldest]; first !== undefined; first = this.#order[this.#oldest]) {
      const known = this.#known.get(first.value);
      if (known !== undefined && known.serial === first.serial) {
        if (this.#known.size <= this.#sizeMax && nowMillis < known.expiryMillis) break;
        this.#known.delete(first.value);
        this.#keeper?.forget(first.serial);
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
