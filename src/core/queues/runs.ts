// hot path: see docs/STYLE.md

/** Is shown neighbours: `count` messages of one level, the first of which has the number `first`. */
export type VisitRun = (priority: number, first: number, count: number) => void;

/** Puts numbers that come one after the other together. */
export class Runs {
  readonly #priority: number;
  readonly #visit: VisitRun;
  #first = 0;
  #count = 0;

  /** `priority` is one of the level whose messages they are. */
  constructor(priority: number, visit: VisitRun) {
    this.#priority = priority;
    this.#visit = visit;
  }

  add(first: number, count: number): void {
    if (first !== this.#first + this.#count) {
      this.end();
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
