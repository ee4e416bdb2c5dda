import type { Files } from '../../core/ports/files.ts';

/**
 * Removes the files of segments that streams do not keep any longer, oldest first: a stream's next file goes only when the directory says for
 * good that the one before is gone. Else a loss of power could leave a stream with a hole in it, which nobody could tell from damage.
 */
export class Removals {
  readonly #files: Files;
  readonly #onError: (error: Error) => void;
  /** Names of files that may go together, by stream, oldest first. */
  readonly #waiting = new Map<number, (readonly string[])[]>();
  #isSyncing = false;
  /** Within the call that asks for a sync: files in memory answer at once. */
  #isAsking = false;
  #isClosed = false;

  /** `onError`: a removal that had to wait, or a sync, has failed; what waits stays where it is. */
  constructor(files: Files, onError: (error: Error) => void) {
    this.#files = files;
    this.#onError = onError;
  }

  /** Files of a stream that may go, all at once, when those given before have gone. */
  add(streamId: number, names: readonly string[]): void {
    const waiting = this.#waiting.get(streamId);
    if (waiting === undefined) this.#waiting.set(streamId, [names]);
    else waiting.push(names);
  }

  /** Removes what may go now; the rest follows. @throws Error the system's */
  run(): void {
    while (!this.#isSyncing && !this.#isClosed && this.#waiting.size > 0) {
      for (const [streamId, waiting] of this.#waiting) {
        for (const name of waiting.shift() ?? []) this.#files.remove(name);
        if (waiting.length === 0) this.#waiting.delete(streamId);
      }
      this.#isSyncing = true;
      this.#isAsking = true;
      this.#files.syncDirectory(error => this.#synced(error));
      this.#isAsking = false;
    }
  }

  /** What waits stays, and is found again at the next start. */
  close(): void {
    this.#isClosed = true;
  }

  #synced(error: Error | null): void {
    this.#isSyncing = false;
    if (error !== null) {
      this.#fail(error);
      return;
    }
    if (this.#isAsking) return;
    try {
      this.run();
    } catch (failure) {
      this.#fail(failure as Error);
    }
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.#waiting.clear();
    this.#onError(error);
  }
}
