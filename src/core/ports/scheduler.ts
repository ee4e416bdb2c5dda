/** Lets the core ask to be run. The adapter uses the event loop; the simulation and the virtual clock call `run` themselves. */
export interface Scheduler {
  /** Asks for `run` to be called once after the current poll phase. Repeated calls before that are one. */
  armTurn(run: () => void): void;
  /** Asks for `run` to be called when the clock reaches `dueMillis`. A later call replaces an earlier one. */
  armTimer(dueMillis: number, run: () => void): void;
}
