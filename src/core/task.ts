import type { Steps } from './stepped-work.ts';

/** Something that is done in steps, and others wait for its end. Whoever is in need of it may do the steps, or all that are left of them. */
export class Task {
  readonly steps: Steps;
  #isOver = false;
  readonly #waiting: (() => void)[] = [];

  constructor(steps: Steps) {
    this.steps = this.#all(steps);
  }

  /** Calls back when it is over: at once when it is. */
  whenOver(then: () => void): void {
    if (this.#isOver) then();
    else this.#waiting.push(then);
  }

  *#all(steps: Steps): Steps {
    try {
      yield* steps;
    } finally {
      this.#isOver = true;
      for (const then of this.#waiting.splice(0)) then();
    }
  }
}
