/** Something beside the broker's log that becomes durable in the log's commits, so that one commit stands for both. */
export interface CommitParticipant {
  /** Whether something was recorded that no commit has taken. */
  readonly hasWork: boolean;
  /** Bytes that were recorded and are not durable. */
  readonly unwrittenBytes: number;
  /** A commit begins: all that was recorded so far is part of it. */
  take(): void;
  /** Writes and syncs what was taken. */
  write(done: (error: Error | null) => void): void;
  /** What was taken is durable, and so is all that the log recorded up to then. */
  committed(): void;
}
