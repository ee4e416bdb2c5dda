import type { History } from '../../../core/statistics/history.ts';
import type { Statistics } from '../../../core/statistics/statistics.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRange } from '../sample-ranges.ts';

/** Writes numbers with their rates: `name`, and `name_details` with the rate and, where a range was asked for, the samples. */
export class RateWriter {
  readonly #statistics: Statistics;

  constructor(statistics: Statistics) {
    this.#statistics = statistics;
  }

  /** `columns` of the history add up to the number. */
  write(
    into: JsonObject,
    name: string,
    value: number,
    history: History | undefined,
    columns: readonly number[],
    range: SampleRange | null,
  ): void {
    into[name] = value;
    into[`${name}_details`] = history === undefined ? this.#unknown(value, range) : this.#details(history, columns, range);
  }

  /** Changes a second between the last two samples. */
  rate(history: History | undefined, columns: readonly number[]): number {
    if (history === undefined) return 0;
    let rise = 0;
    for (const column of columns) rise += history.lastRise(column);
    return (rise * 1000) / this.#statistics.sampleMillis;
  }

  #details(history: History, columns: readonly number[], range: SampleRange | null): JsonObject {
    const rate = this.rate(history, columns);
    if (range === null) return { rate };
    return this.#withSamples(rate, range, ageTicks => {
      let sample = 0;
      for (const column of columns) sample += history.valueAgo(column, ageTicks);
      return sample;
    });
  }

  /** Of an object that is younger than the latest sample. */
  #unknown(value: number, range: SampleRange | null): JsonObject {
    return range === null ? { rate: 0 } : this.#withSamples(0, range, ageTicks => (ageTicks === 0 ? value : 0));
  }

  #withSamples(rate: number, range: SampleRange, sampleAgo: (ageTicks: number) => number): JsonObject {
    const { sampleMillis, tickWallMillis } = this.#statistics;
    const { ageSeconds, incrementSeconds } = range;
    const samples: { sample: number; timestamp: number }[] = [];
    for (let seconds = 0; seconds <= ageSeconds; seconds += incrementSeconds) {
      const sample = sampleAgo(Math.round((seconds * 1000) / sampleMillis));
      samples.push({ sample, timestamp: Math.round(tickWallMillis - seconds * 1000) });
    }
    const newest = samples[0]?.sample ?? 0;
    const oldest = samples.at(-1)?.sample ?? 0;
    const spanSeconds = (samples.length - 1) * incrementSeconds;
    const sum = samples.reduce((total, { sample }) => total + sample, 0);
    return { avg: sum / samples.length, avg_rate: spanSeconds === 0 ? 0 : (newest - oldest) / spanSeconds, rate, samples };
  }
}
