/** What was found in a data directory. */
export interface RecoveryReport {
  frames: number;
  /** Messages in queues, counted per queue, and those that exchanges hold. */
  entries: number;
  /** Bytes of an unfinished last write that do not count. */
  tornBytes: number;
  /** What is damaged though it was written whole once: each is a loss that must be told. */
  damaged: string[];
  /** Operations for queues that do not exist any more, and settlements of messages that are not there. */
  orphans: number;
  wasClean: boolean;
  /** Whether no definition was ever stored here. */
  isBlank: boolean;
  millis: number;
}

/** The journal was written by something that this version does not understand, or cannot be read without losing what it holds. */
export class JournalError extends Error {}

/** What is there is in order, and of a version that is not this one. */
export class JournalFormatError extends JournalError {
  constructor(what: string, format: number, known: number) {
    super(`${what} written by ${format > known ? 'a newer' : 'another'} version (format ${format}; this one knows ${known})`);
  }
}
