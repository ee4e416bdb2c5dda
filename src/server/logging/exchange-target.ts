import type { EntryLevel } from './log-entry.ts';
import type { LogTarget } from './log-target.ts';

/** Publishes lines of the log as messages; the level is the routing key. */
export type PublishLog = (level: EntryLevel, line: string, contentType: string) => void;

/** The broker's own exchange as a place for the log. Entries from before there is a broker, and while one is being published, are not. */
export class ExchangeTarget implements LogTarget {
  readonly #contentType: string;
  #publish: PublishLog = () => {};
  #isPublishing = false;

  constructor(contentType: string) {
    this.#contentType = contentType;
  }

  attach(publish: PublishLog): void {
    this.#publish = publish;
  }

  write(lines: string, level: EntryLevel): void {
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      this.#publish(level, lines.endsWith('\n') ? lines.slice(0, -1) : lines, this.#contentType);
    } finally {
      this.#isPublishing = false;
    }
  }

  /** Whoever says his last words does not route messages any more. */
  writeLast(): void {}

  reopen(): void {}

  async flush(): Promise<void> {}

  close(): void {
    this.#publish = () => {};
  }
}
