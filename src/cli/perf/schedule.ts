import { badArgument } from '../cli-error.ts';

interface Step {
  readonly value: number;
  readonly seconds: number;
}

/** A value that changes with time: each step for its seconds, and then from the first again. */
export class Schedule {
  readonly steps: readonly Step[];
  readonly #cycleSeconds: number;
  readonly #cycleTotal: number;

  constructor(steps: readonly Step[]) {
    this.steps = steps;
    this.#cycleSeconds = steps.reduce((sum, { seconds }) => sum + seconds, 0);
    this.#cycleTotal = steps.reduce((sum, { value, seconds }) => sum + value * seconds, 0);
  }

  static constant(value: number): Schedule {
    return new Schedule([{ value, seconds: 1 }]);
  }

  /** Reads `200:10` and the like. @throws CliError for anything else, and for a value above `most` or below `least` */
  static parse(option: string, words: readonly string[], least: number, most: number): Schedule | null {
    if (words.length === 0) return null;
    const steps = words.map(word => {
      const [, value, seconds] = /^(\d{1,12}):(\d{1,9})$/.exec(word) ?? [];
      if (value === undefined || Number(seconds) === 0 || Number(value) < least || Number(value) > most)
        throw badArgument(
          `--${option} wants ${least === 0 ? 'a value' : `a value of at least ${least}`} and seconds, as 200:10, not ${word}`,
        );
      return { value: Number(value), seconds: Number(seconds) };
    });
    return new Schedule(steps);
  }

  /** The value so many seconds after the start. */
  at(elapsedSeconds: number): number {
    let left = elapsedSeconds % this.#cycleSeconds;
    for (const { value, seconds } of this.steps) {
      if (left < seconds) return value;
      left -= seconds;
    }
    return this.steps.at(-1)?.value ?? 0;
  }

  /** Of a rate: how many were due in so many seconds. */
  total(elapsedSeconds: number): number {
    const cycles = Math.floor(elapsedSeconds / this.#cycleSeconds);
    let left = elapsedSeconds - cycles * this.#cycleSeconds;
    let total = cycles * this.#cycleTotal;
    for (const { value, seconds } of this.steps) {
      total += value * Math.min(left, seconds);
      left -= Math.min(left, seconds);
    }
    return total;
  }
}
