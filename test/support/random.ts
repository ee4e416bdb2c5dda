/**
 * Random numbers that a seed repeats: every test that draws prints its seed, and the same seed draws the same. (sfc32, after Chris
 * Doty-Humphrey's PractRand)
 */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#a = 0x9e37_79b9 ^ seed;
    this.#b = 0x243f_6a88;
    this.#c = 0xb7e1_5162 + Math.floor(seed / 0x1_0000_0000);
    this.#counter = 1;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 to below 1. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** From 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }

  /** From `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  chance(probability: number): boolean {
    return this.uint32() < probability * 0x1_0000_0000;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.below(items.length)] as T;
  }

  /** One of the keys, each as likely as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    throw new RangeError('no weights');
  }

  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const other = this.below(i + 1);
      [result[i], result[other]] = [result[other] as T, result[i] as T];
    }
    return result;
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count);
    for (let i = 0; i < count; i++) bytes[i] = this.uint32();
    return bytes;
  }

  /** A count that is small as a rule and now and then large: zero to about `max`. */
  skewed(max: number): number {
    return Math.floor(this.fraction() ** 3 * (max + 1));
  }
}

/** Runs `body` with so many seeds; a failure says which seed it was. SEED in the environment runs that one only. */
export function forSeeds(count: number, body: (random: Random, seed: number) => void, first = 1): void {
  const only = process.env.SEED;
  const seeds = only === undefined ? Array.from({ length: count }, (_, i) => first + i) : [Number(only)];
  for (const seed of seeds) {
    try {
      body(new Random(seed), seed);
    } catch (error) {
      throw new Error(`failed with seed ${seed} (SEED=${seed} repeats it): ${(error as Error).message}`, { cause: error });
    }
  }
}
