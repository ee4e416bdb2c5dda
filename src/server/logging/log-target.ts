import type { EntryLevel } from './log-entry.ts';

/** Where lines go. Writing never waits: a target that cannot keep up drops lines, counts them, and says so when it can. */
export interface LogTarget {
  /** The lines of one entry, of that level. */
  write(lines: string, level: EntryLevel): void;
  /** The last words of a process that is about to exit: written before this returns, as far as anyone reads. */
  writeLast(lines: string): void;
  /** Opens files anew, for tools that have moved them away. */
  reopen(): void;
  /** Resolves when everything written has left the process, or after `timeoutMillis`. */
  flush(timeoutMillis: number): Promise<void>;
  /** Lets go of what is open; after `flush`. */
  close(): void;
}

/** Most bytes that wait for a slow disk or a reader that does not read. */
export const backlogCharsMax = 1024 * 1024;

export function droppedNotice(count: number): string {
  return `... ${count} log entries dropped: the log could not be written as fast as they came\n`;
}
