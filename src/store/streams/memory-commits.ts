import type { CommitLog } from '../../core/ports/commit-log.ts';
import type { CommitParticipant } from '../../core/ports/commit-participant.ts';

/** Commits of a broker that keeps everything in memory: done when they are asked for. */
export class MemoryCommits implements CommitLog {
  readonly isPending = false;
  readonly isMetadataPending = false;
  readonly isBehind = false;
  readonly #participant: CommitParticipant;

  /** What `participant` writes must be written at once. */
  constructor(participant: CommitParticipant) {
    this.#participant = participant;
  }

  commit(then: ((argument: unknown) => void) | null, argument: unknown): void {
    const participant = this.#participant;
    if (participant.hasWork) {
      participant.take();
      participant.write(error => {
        if (error !== null) throw error;
      });
      participant.committed();
    }
    if (then !== null) then(argument);
  }

  onCaughtUp(callback: () => void): void {
    callback();
  }
}
