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

const nothing = new Float64Array(0);
const noSeries: readonly (Series | null)[] = [];

/**
 * What was sampled of one object: its numbers at each tick of the sampler, and at every so manyth for longer. All begin at zero, and take no
 * room as long as they stay there: idle queues and channels are many.
 */
export class History {
  readonly columns: Columns;
  readonly #retentions: readonly Retention[];
  /** Per retention and column; null while the column never changed. Empty while none did. */
  #series: readonly (Series | null)[] = noSeries;
  /** The latest sample and behind it the one before; empty while all samples were zero. */
  #values: Float64Array = nothing;
  /** Tick of the last sample that differed from the one before. */
  lastChangeTick: number;
  /** Tick of the latest sample. */
  latestTick: number;

  constructor(columns: Columns, retentions: readonly Retention[], tick: number) {
    this.columns = columns;
    this.#retentions = retentions;
    this.lastChangeTick = tick;
    this.latestTick = tick;
  }

  /** Notes the values at a tick, one for each column. `values` is not kept. */
  push(tick: number, values: Float64Array): void {
    this.latestTick = tick;
    const count = this.columns.names.length;
    if (this.#values === nothing) {
      let column = 0;
      while (column < count && values[column] === 0) column++;
      if (column === count) return;
      this.#values = new Float64Array(2 * count);
    }
    const kept = this.#values;
    kept.copyWithin(count, 0, count);
    for (let column = 0; column < count; column++) {
      const value = values[column] as number;
      if (value !== kept[column]) {
        kept[column] = value;
        this.lastChangeTick = tick;
      }
      if (value !== 0 || this.#seriesOf(0, column) !== null) this.#pushColumn(column, tick, value);
    }
  }

  #pushColumn(column: number, tick: number, value: number): void {
    const count = this.columns.names.length;
    const sampleMillis = (this.#retentions[0] as Retention).intervalMillis;
    for (let level = 0; level < this.#retentions.length; level++) {
      const { intervalMillis, count: countMax } = this.#retentions[level] as Retention;
      const every = intervalMillis / sampleMillis;
      if (tick % every !== 0) continue;
      if (this.#series === noSeries) this.#series = Array.from({ length: count * this.#retentions.length }, () => null);
      let series = this.#seriesOf(level, column);
      if (series === null) (this.#series as (Series | null)[])[level * count + column] = series = new Series(countMax, 0);
      series.push(tick / every, value);
    }
  }

  #seriesOf(level: number, column: number): Series | null {
    return this.#series[level * this.columns.names.length + column] ?? null;
  }

  /** The value of the latest sample. */
  latest(column: number): number {
    return this.#values[column] ?? 0;
  }

  /** How much the value rose between the last two samples. */
  lastRise(column: number): number {
    return this.latest(column) - (this.#values[this.columns.names.length + column] ?? 0);
  }

  /**
   * The value about `ageTicks` ticks before the latest sample, from the finest samples that reach so far back.
   */
  valueAgo(column: number, ageTicks: number): number {
    if (ageTicks <= 0) return this.latest(column);
    const sampleMillis = (this.#retentions[0] as Retention).intervalMillis;
    const lastLevel = this.#retentions.length - 1;
    for (let level = 0; level <= lastLevel; level++) {
      const { intervalMillis, count: kept } = this.#retentions[level] as Retention;
      const every = intervalMillis / sampleMillis;
      if (level < lastLevel && ageTicks > (kept - 1) * every) continue;
      const series = this.#seriesOf(level, column);
      if (series === null) return 0;
      return series.value(Math.max(0, Math.floor((this.latestTick - ageTicks) / every)));
    }
    return 0;
  }
}
