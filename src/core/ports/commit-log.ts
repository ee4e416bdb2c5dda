import type { IndexPages } from './index-pages.ts';

/** What waits for the disk. */
export interface Backlog {
  /** Whether it is so much that publishers have to be held up. `onCaughtUp` calls back once when that is over. */
  readonly isBehind: boolean;
  onCaughtUp(callback: () => void): void;
}

/** Puts messages that are not durable, and what queues know of all, away to disk when they need too much memory. */
export interface PagedMessages {
  /** Where queues put what they know of messages far from their ends. */
  readonly indexPages: IndexPages;
  /** What is on its way to disk. */
  readonly pages: Backlog;
  /** The same of large bodies of durable messages: who publishes small ones does not wait for them. */
  readonly bodies: Backlog;
  /** Gives space on disk back of which more than half is not needed, when that is more than `slackBytes` in all. */
  compactPages(slackBytes: number): void;
}

/** The durable side of a turn, as far as the confirm ledger sees it. The broker without a data directory uses `volatileLog`. */
export interface CommitLog extends Backlog {
  /**
   * Asks for everything recorded so far to become durable. `then(argument)` is called when it is, in the order of the calls; at once when
   * there is nothing to wait for. With `then` null nobody waits, but what was recorded is still to be written soon.
   */
  commit(then: ((argument: unknown) => void) | null, argument: unknown): void;
  /** Whether a commit has to be waited for: something was recorded that is not durable yet. */
  readonly isPending: boolean;
  /** The same for metadata: a declaration is answered when it is durable. */
  readonly isMetadataPending: boolean;
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
