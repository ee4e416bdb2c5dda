import type { Retention } from './retention.ts';
import { Series } from './series.ts';

/** Numbers that are sampled together, by name; the order of the names is the order of the values. */
export class Columns {
  readonly names: readonly string[];
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(names: readonly string[]) {
    this.names = names;
    this.#indexes = new Map(names.map((name, index) => [name, index]));
  }

  index(name: string): number {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`no column ${name}`);
    return index;
  }
}

/**
 * What was sampled of one object: its numbers at each tick of the sampler, and at every so manyth for longer. Columns that never changed
 * take no room.
 */
export class History {
  readonly columns: Columns;
  readonly #retentions: readonly Retention[];
  /** Per retention and column; null while the column never changed. */
  readonly #series: (Series | null)[];
  readonly #first: Float64Array;
  readonly #latest: Float64Array;
  readonly #previous: Float64Array;
  /** Tick of the last sample that differed from the one before. */
  lastChangeTick: number;
  /** Tick of the latest sample. */
  latestTick: number;

  constructor(columns: Columns, retentions: readonly Retention[], tick: number, values: Float64Array) {
    const count = columns.names.length;
    this.columns = columns;
    this.#retentions = retentions;
    this.#series = Array.from({ length: count * retentions.length }, () => null);
    this.#first = values.slice(0, count);
    this.#latest = values.slice(0, count);
    this.#previous = values.slice(0, count);
    this.lastChangeTick = tick;
    this.latestTick = tick;
  }

  /** Notes the values at a tick. `values` is not kept. */
  push(tick: number, values: Float64Array): void {
    const count = this.#latest.length;
    const sampleMillis = (this.#retentions[0] as Retention).intervalMillis;
    for (let column = 0; column < count; column++) {
      const value = values[column] as number;
      const latest = this.#latest[column] as number;
      this.#previous[column] = latest;
      if (value !== latest) {
        this.#latest[column] = value;
        this.lastChangeTick = tick;
      }
      if (value === this.#first[column] && this.#series[column] === null) continue;
      for (let level = 0; level < this.#retentions.length; level++) {
        const { intervalMillis, count: countMax } = this.#retentions[level] as Retention;
        const every = intervalMillis / sampleMillis;
        if (tick % every !== 0) continue;
        const index = level * count + column;
        let series = this.#series[index] as Series | null;
        if (series === null) series = this.#series[index] = new Series(countMax, this.#first[column] as number);
        series.push(tick / every, value);
      }
    }
    this.latestTick = tick;
  }

  /** The value of the latest sample. */
  latest(column: number): number {
    return this.#latest[column] as number;
  }

  /** How much the value rose between the last two samples. */
  lastRise(column: number): number {
    return (this.#latest[column] as number) - (this.#previous[column] as number);
  }

  /**
   * The value about `ageTicks` ticks before the latest sample, from the finest samples that reach so far back.
   */
  valueAgo(column: number, ageTicks: number): number {
    if (ageTicks <= 0) return this.latest(column);
    const count = this.#latest.length;
    const sampleMillis = (this.#retentions[0] as Retention).intervalMillis;
    const lastLevel = this.#retentions.length - 1;
    for (let level = 0; level <= lastLevel; level++) {
      const { intervalMillis, count: kept } = this.#retentions[level] as Retention;
      const every = intervalMillis / sampleMillis;
      if (level < lastLevel && ageTicks > (kept - 1) * every) continue;
      const series = this.#series[level * count + column] as Series | null;
      if (series === null) return this.#first[column] as number;
      return series.value(Math.max(0, Math.floor((this.latestTick - ageTicks) / every)));
    }
    return this.#first[column] as number;
  }
}
