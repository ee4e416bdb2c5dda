const subBits = 5;
const subCount = 1 << subBits;
const groups = 40;

/** Times in microseconds, kept in buckets of 3 % width: adding one costs nothing, whatever their number. */
export class Histogram {
  readonly #counts = new Float64Array(groups * subCount);
  count = 0;
  min = Infinity;
  max = 0;
  #sum = 0;

  add(micros: number): void {
    const value = micros > 0 ? micros : 0;
    this.count++;
    this.#sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const index = bucketOf(value);
    this.#counts[index] = (this.#counts[index] as number) + 1;
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /** The time that a part (0 to 1) of all did not exceed; 0 without any. */
  quantile(part: number): number {
    if (this.count === 0) return 0;
    let left = Math.ceil(part * this.count);
    if (left <= 0) return this.min;
    for (let index = 0; index < this.#counts.length; index++) {
      left -= this.#counts[index] as number;
      if (left <= 0) return Math.max(this.min, Math.min(this.max, topOf(index)));
    }
    return this.max;
  }

  clear(): void {
    this.#counts.fill(0);
    this.count = 0;
    this.min = Infinity;
    this.max = 0;
    this.#sum = 0;
  }
}

function bucketOf(value: number): number {
  if (value < subCount) return Math.floor(value);
  const exponent = Math.min(groups - 2, Math.floor(Math.log2(value)) - subBits);
  const sub = Math.min(subCount - 1, Math.floor(value / 2 ** exponent) - subCount);
  return (exponent + 1) * subCount + sub;
}

/** The largest value of a bucket. */
function topOf(index: number): number {
  if (index < subCount) return index;
  const exponent = Math.floor(index / subCount) - 1;
  return (subCount + (index % subCount) + 1) * 2 ** exponent - 1;
}
