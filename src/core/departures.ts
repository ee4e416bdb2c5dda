import type { Target } from './exchanges/exchange-type.ts';
import { allAtOnce, type Steps } from './stepped-work.ts';

/** A queue or exchange that is deleted, some of whose bindings are still to be taken away. */
export class Departure {
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

/**
 * What is deleted in a virtual host, with so many bindings that these are taken away in steps. Nobody finds it by its name, nothing is routed
 * to it, and the log has the whole of its deletion; whoever deletes it is answered, and others may have its name, when it is over.
 */
export class Departures {
  readonly #byTerm = new Map<string, Departure>();

  /** These steps are left to be done, by the caller. */
  add(target: Target, steps: Steps): Departure {
    const term = termOf(target.kind, target.name);
    const departure = new Departure(steps);
    this.#byTerm.set(term, departure);
    departure.whenOver(() => this.#byTerm.delete(term));
    return departure;
  }

  /** Null when nothing of that name is on its way out. */
  of(kind: Target['kind'], name: string): Departure | null {
    return this.#byTerm.size === 0 ? null : (this.#byTerm.get(termOf(kind, name)) ?? null);
  }

  /** Somebody is to have the name: does all that is left at once. */
  finish(kind: Target['kind'], name: string): void {
    const departure = this.of(kind, name);
    if (departure !== null) allAtOnce(departure.steps);
  }

  /** The same of all that is on its way out. */
  finishAll(): void {
    for (const departure of [...this.#byTerm.values()]) allAtOnce(departure.steps);
  }
}

function termOf(kind: Target['kind'], name: string): string {
  return `${kind} ${name}`;
}
