import type { LogCategory, Logger } from '../core/ports/logger.ts';

const intervalMillis = 10_000;

/**
 * Warnings that a client could bring about by the thousand: each kind is logged at most once in ten seconds, with how often it happened
 * in between.
 */
export class RareLog {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { loggedMillis: number; silentCount: number }>();

  /** `now` gives monotonic milliseconds. */
  constructor(logger: Logger, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** `kind` is one of a fixed few; `text` is only made when it is logged. */
  warn(category: LogCategory, kind: string, text: () => string): void {
    const now = this.#now();
    const seen = this.#kinds.get(kind);
    if (seen !== undefined && now - seen.loggedMillis < intervalMillis) {
      seen.silentCount++;
      return;
    }
    const silentCount = seen?.silentCount ?? 0;
    this.#kinds.set(kind, { loggedMillis: now, silentCount: 0 });
    this.#logger.warning(category, silentCount === 0 ? text() : `${text()} (and ${silentCount} more like it since the last such message)`);
  }
}
