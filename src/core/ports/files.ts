/** An open file. All positions are explicit; a write is complete (never short) when it is reported done. */
export interface FileHandle {
  write(bytes: Buffer, position: number, done: (error: Error | null) => void): void;
  /** Makes durable (fdatasync) what was written, as far as it was reported done before the call. */
  sync(done: (error: Error | null) => void): void;
  /** Reads as much as there is, at most `into.length`; reports the count. */
  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void;
  /** The same at once, for what is not to last: it is never synced. @throws Error the system's */
  writeSync(bytes: Buffer, position: number): void;
  /** Reads at once, for recovery. @throws Error the system's */
  readSync(into: Buffer, position: number): number;
  close(): void;
}

/**
 * The files of one directory: one of the core's three doors to the outside. Real, or simulated with faults. Whatever makes, renames or
 * removes a file takes effect at once and is durable after the next `syncDirectory`. [reliability: S4, S8]
 */
export interface Files {
  /** Names of the files in the directory. */
  list(): string[];
  sizeOf(name: string): number;
  /** Opens a file for reading and writing; makes it when it does not exist. It is at least `bytes` long afterwards, new bytes being 0. */
  open(name: string, bytes: number): FileHandle;
  /** Opens a file that exists. @throws Error when it does not */
  openExisting(name: string): FileHandle;
  rename(from: string, to: string): void;
  /** Nothing happens when there is no such file. */
  remove(name: string): void;
  /**
   * Removes a file soon, in the order of the calls: a large one takes its time to go, in which nobody is to be held up. Its name is not used again.
   * One that cannot be removed stays.
   */
  removeLater(name: string): void;
  /** Calls back when nothing is left to be removed. */
  whenRemoved(done: () => void): void;
  /** Makes a copy under a new name; an error leaves no half of one. */
  copy(from: string, to: string, done: (error: Error | null) => void): void;
  syncDirectory(done: (error: Error | null) => void): void;
  readWhole(name: string): Buffer;
}
