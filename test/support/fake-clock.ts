import type { Clock } from '../../src/core/ports/clock.ts';
import type { Scheduler } from '../../src/core/ports/scheduler.ts';

/** Time that moves when a test says so. */
export class FakeClock implements Clock {
  nowMillis = 1000;
  wallMillis = 1_700_000_000_000;
  /** The time that the next `refresh` reads. */
  millis = 1000;
  #wallAtZero = 1_700_000_000_000 - 1000;

  refresh(): void {
    this.nowMillis = this.millis;
    this.wallMillis = this.#wallAtZero + this.millis;
  }

  /** The Unix time that the next `refresh` reads. */
  get wallNow(): number {
    return this.#wallAtZero + this.millis;
  }

  readMillis(): number {
    return this.millis;
  }

  advance(millis: number): void {
    this.millis += millis;
  }

  /** Somebody sets the machine's clock: the Unix time moves, and nothing else. */
  jumpWall(millis: number): void {
    this.#wallAtZero += millis;
    this.wallMillis += millis;
  }
}

/** Remembers what is to be run; the test runs it. */
export class ManualScheduler implements Scheduler {
  turn: (() => void) | null = null;
  timer: (() => void) | null = null;
  timerDueMillis = Infinity;

  armTurn(run: () => void): void {
    this.turn = run;
  }

  armTimer(dueMillis: number, run: () => void): void {
    this.timerDueMillis = dueMillis;
    this.timer = run;
  }

  /** Runs the turn that was asked for; false when none was. */
  runTurn(): boolean {
    const run = this.turn;
    if (run === null) return false;
    this.turn = null;
    run();
    return true;
  }

  /** Calls back for the timer, when it is due at `nowMillis`; false when it is not. */
  runTimer(nowMillis: number): boolean {
    const run = this.timer;
    if (run === null || this.timerDueMillis > nowMillis) return false;
    this.timer = null;
    this.timerDueMillis = Infinity;
    run();
    return true;
  }
}
