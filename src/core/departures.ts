import type { Target } from './exchanges/exchange-type.ts';
import { allAtOnce, type Steps } from './stepped-work.ts';
import { Task } from './task.ts';

/**
 * What is deleted in a virtual host, with so many bindings that these are taken away in steps. Nobody finds it by its name, nothing is routed
 * to it, and the log has the whole of its deletion; whoever deletes it is answered, and others may have its name, when it is over.
 */
export class Departures {
  readonly #byTerm = new Map<string, Task>();

  /** These steps are left to be done, by the caller. */
  add(target: Target, steps: Steps): Task {
    const term = termOf(target.kind, target.name);
    const task = new Task(steps);
    this.#byTerm.set(term, task);
    task.whenOver(() => this.#byTerm.delete(term));
    return task;
  }

  /** Null when nothing of that name is on its way out. */
  of(kind: Target['kind'], name: string): Task | null {
    return this.#byTerm.size === 0 ? null : (this.#byTerm.get(termOf(kind, name)) ?? null);
  }

  /** Somebody is to have the name: does all that is left at once. */
  finish(kind: Target['kind'], name: string): void {
    const task = this.of(kind, name);
    if (task !== null) allAtOnce(task.steps);
  }

  /** The same of all that is on its way out. */
  finishAll(): void {
    for (const task of [...this.#byTerm.values()]) allAtOnce(task.steps);
  }
}

function termOf(kind: Target['kind'], name: string): string {
  return `${kind} ${name}`;
}
