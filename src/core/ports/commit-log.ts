/** The durable side of a turn, as far as the confirm ledger sees it. The broker without a data directory uses `volatileLog`. */
export interface CommitLog {
  /**
   * Asks for everything recorded so far to become durable. `then(argument)` is called when it is, in the order of the calls; at once when
   * there is nothing to wait for. With `then` null nobody waits, but what was recorded is still to be written soon.
   */
  commit(then: ((argument: unknown) => void) | null, argument: unknown): void;
  /** Whether a commit has to be waited for: something was recorded that is not durable yet. */
  readonly isPending: boolean;
  /** The same for metadata: a declaration is answered when it is durable. */
  readonly isMetadataPending: boolean;
  /** Whether so much waits for the disk that publishers have to be held up. `onCaughtUp` is called once when that is over. */
  readonly isBehind: boolean;
  onCaughtUp(callback: () => void): void;
}

/** Keeps nothing: every commit is done when it is asked for. */
export const volatileLog: CommitLog = {
  isPending: false,
  isMetadataPending: false,
  isBehind: false,
  commit(then, argument) {
    if (then !== null) then(argument);
  },
  onCaughtUp(callback) {
    callback();
  },
};
