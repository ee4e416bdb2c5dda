/** The durable side of a turn, as far as the confirm ledger sees it. The broker without a data directory uses `volatileLog`. */
export interface CommitLog {
  /**
   * Asks for everything appended so far to become durable. `then(argument)` is called when it is, in the order of the calls; at once when
   * there is nothing to wait for. With `then` null nobody waits, but what was appended is still to be written.
   */
  commit(then: ((argument: unknown) => void) | null, argument: unknown): void;
}

/** Keeps nothing: every commit is done when it is asked for. */
export const volatileLog: CommitLog = {
  commit(then, argument) {
    if (then !== null) then(argument);
  },
};
