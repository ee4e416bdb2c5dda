import { limits } from './limits.ts';

/**
 * Something large that is done in steps: each yields what it cost, in units of about a microsecond, and what comes of it all is returned.
 * Between two steps anything may happen to what it works on.
 */
export type Steps<Result = void> = Generator<number, Result, undefined>;

/** Does all steps one after the other: where nobody waits, as at the start of the broker. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Whoever knows when every socket was looked at. */
interface PollWatch {
  afterPoll(act: () => void): void;
}

/** Does steps until they cost as much as `budget`, or `isLate` says so; returns what they cost, and whether all are done. */
type Work = (budget: number, isLate: () => boolean) => { readonly cost: number; readonly isDone: boolean };

/** Cost of the steps after which the time is read again. */
const timeCost = 32;

/** What each work gets at least when its turn comes: small ones never wait for large ones. */
const shareMin = limits.turnWork / 8;

/**
 * Does what would hold up everybody if it were done at once: as much of it as `limits.turnWork` and `limits.turnWorkMillis` allow between two
 * looks at the sockets, all works in turns. What is small is done before `start` returns.
 */
export class SteppedWork {
  readonly #watch: PollWatch;
  readonly #readMillis: () => number;
  #endMillis = 0;
  readonly #isLate = (): boolean => this.#readMillis() >= this.#endMillis;
  #works: Work[] = [];
  #left: number = limits.turnWork;
  #isWatching = false;

  /** `readMillis` is the time of the moment. */
  constructor(watch: PollWatch, readMillis: () => number) {
    this.#watch = watch;
    this.#readMillis = readMillis;
  }

  /** Works that are not done. */
  get count(): number {
    return this.#works.length;
  }

  /** Calls `done` when all is done, or `failed` with what a step has thrown; for what is small before this returns. */
  start<Result>(steps: Steps<Result>, done: (result: Result) => void, failed: (error: unknown) => void): void {
    const work = workOf(steps, done, failed);
    this.#endMillis = this.#readMillis() + limits.turnWorkMillis;
    if (!this.#go(work, Math.max(shareMin, this.#left))) this.#works.push(work);
    this.#watchOn();
  }

  /** Does all that is left at once: nobody is served any more. */
  finish(): void {
    this.#endMillis = Infinity;
    while (this.#works.length > 0) for (const work of this.#works.splice(0)) this.#go(work, Infinity);
  }

  /** The same as a promise. */
  run<Result>(steps: Steps<Result>): Promise<Result> {
    return new Promise((resolve, reject) => this.start(steps, resolve, reject));
  }

  #go(work: Work, budget: number): boolean {
    const { cost, isDone } = work(budget, this.#isLate);
    this.#left -= cost;
    return isDone;
  }

  #watchOn(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#watch.afterPoll(() => {
      this.#isWatching = false;
      this.#goOn();
    });
  }

  /** Every socket was looked at. */
  #goOn(): void {
    this.#left = limits.turnWork;
    this.#endMillis = this.#readMillis() + limits.turnWorkMillis;
    const works = this.#works;
    this.#works = [];
    const unfinished: Work[] = [];
    let at = 0;
    for (; at < works.length && this.#left > 0 && (at === 0 || !this.#isLate()); at++) {
      const share = Math.max(shareMin, this.#left / (works.length - at));
      const work = works[at] as Work;
      if (!this.#go(work, share)) unfinished.push(work);
    }
    // Those that had no turn come first, what began meanwhile comes last.
    this.#works = [...works.slice(at), ...unfinished, ...this.#works];
    if (this.#left < limits.turnWork || this.#works.length > 0) this.#watchOn();
  }
}

function workOf<Result>(steps: Steps<Result>, done: (result: Result) => void, failed: (error: unknown) => void): Work {
  return (budget, isLate) => {
    let cost = 0;
    let timeAt = timeCost;
    for (;;) {
      let step: IteratorResult<number, Result>;
      try {
        step = steps.next();
      } catch (error) {
        failed(error);
        return { cost, isDone: true };
      }
      if (step.done === true) {
        done(step.value);
        return { cost, isDone: true };
      }
      cost += step.value;
      if (cost >= budget) return { cost, isDone: false };
      if (cost < timeAt) continue;
      if (isLate()) return { cost, isDone: false };
      timeAt = cost + timeCost;
    }
  };
}
