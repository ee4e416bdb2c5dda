/** An open file. All positions are explicit; a write is complete (never short) when it is reported done. */
export interface FileHandle {
  write(bytes: Buffer, position: number, done: (error: Error | null) => void): void;
  /** Makes what was written durable (fdatasync). */
  sync(done: (error: Error | null) => void): void;
  /** Reads as much as there is, at most `into.length`; reports the count. */
  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void;
  /** The same at once, for recovery. */
  readSync(into: Buffer, position: number): number;
  /** Writes and makes durable at once, for recovery. */
  writeSync(bytes: Buffer, position: number): void;
  close(): void;
}

/** The files of one directory: one of the core's three doors to the outside. Real, or simulated with faults. */
export interface Files {
  /** Names of the files in the directory. */
  list(): string[];
  sizeOf(name: string): number;
  /** Opens a file for reading and writing; makes it, `bytes` long and zero, when it does not exist. */
  open(name: string, bytes: number): FileHandle;
  /** Takes effect at once; durable after the next `syncDirectory`. */
  rename(from: string, to: string): void;
  remove(name: string): void;
  syncDirectory(done: (error: Error | null) => void): void;
  /** Writes a small file so that after a crash it is there whole, or the old one is. */
  replace(name: string, bytes: Buffer, done: (error: Error | null) => void): void;
  readWhole(name: string): Buffer;
}
