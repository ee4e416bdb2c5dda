// hot path: see docs/STYLE.md

/** Is shown neighbours: `count` messages of one priority, the first of which has the number `first`. */
export type VisitRun = (priority: number, first: number, count: number) => void;

/**
 * Puts numbers that come one after the other together. Messages of different priorities are no neighbours, not even where a queue makes no
 * difference between them: the log finds a message by its priority, and the queue may get levels later.
 */
export class Runs {
  readonly #visit: VisitRun;
  #priority = 0;
  #first = 0;
  #count = 0;

  constructor(visit: VisitRun) {
    this.#visit = visit;
  }

  add(priority: number, first: number, count: number): void {
    if (priority !== this.#priority || first !== this.#first + this.#count) {
      this.end();
      this.#priority = priority;
      this.#first = first;
    }
    this.#count += count;
  }

  /** To be called behind the last number. */
  end(): void {
    if (this.#count > 0) this.#visit(this.#priority, this.#first, this.#count);
    this.#count = 0;
  }
}
