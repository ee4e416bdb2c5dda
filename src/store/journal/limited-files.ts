import type { FileHandle, Files } from '../../core/ports/files.ts';

/** Files that are kept open for their next use. */
const openMaxDefault = 64;
/** Descriptors that are kept aside while a file is open, for a commit that touches more files than are open. */
const reservedMax = 4;
/** How often it is tried again to open a file for which the process has no descriptor. */
const retryMillis = 50;

/** A descriptor that is kept for nothing. */
export interface Reserved {
  close(): void;
}

const noReserve = (): Reserved => ({ close() {} });

/** The process, or the system, has as many files open as it may have. */
export function isOutOfDescriptors(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'EMFILE' || code === 'ENFILE';
}

/**
 * The same files with a bounded number of them open: of those that are not in use, and have nothing that is not synced, the one that was used
 * longest ago is closed, and opened again when it is wanted. Where there is no descriptor one is given up at once, and where none can be,
 * what can wait waits: a file that cannot be opened now has not failed. [reliability: A9]
 */
export class LimitedFiles implements Files {
  readonly #files: Files;
  readonly #openMax: number;
  /** Files that are open, the one used longest ago first. */
  readonly #open = new Set<LimitedFile>();
  readonly #reserve: () => Reserved;
  readonly #reserved: Reserved[] = [];

  /** `reserve` takes a descriptor for nothing, or throws as for a file that cannot be opened. */
  constructor(files: Files, openMax = openMaxDefault, reserve: () => Reserved = noReserve) {
    this.#files = files;
    this.#openMax = openMax;
    this.#reserve = reserve;
  }

  /** Files that are open now. */
  get openCount(): number {
    return this.#open.size;
  }

  list(): string[] {
    return this.withRoom(() => this.#files.list());
  }

  sizeOf(name: string): number {
    return this.#files.sizeOf(name);
  }

  open(name: string, bytes: number): FileHandle {
    return new LimitedFile(this, name, () => this.withRoom(() => this.#files.open(name, bytes)));
  }

  openExisting(name: string): FileHandle {
    return new LimitedFile(this, name, () => this.reopen(name));
  }

  /** Who renames or removes a file has closed it. */
  rename(from: string, to: string): void {
    this.#files.rename(from, to);
  }

  remove(name: string): void {
    this.#files.remove(name);
  }

  removeLater(name: string): void {
    this.#files.removeLater(name);
  }

  whenRemoved(done: () => void): void {
    this.#files.whenRemoved(done);
  }

  copy(from: string, to: string, done: (error: Error | null) => void): void {
    this.#files.copy(from, to, done);
  }

  syncDirectory(done: (error: Error | null) => void): void {
    this.#files.syncDirectory(error => {
      if (!isOutOfDescriptors(error)) done(error);
      else if (this.#giveUp()) this.syncDirectory(done);
      else this.later(() => this.syncDirectory(done));
    });
  }

  readWhole(name: string): Buffer {
    return this.withRoom(() => this.#files.readWhole(name));
  }

  /** Opens a file again. @throws Error the system's */
  reopen(name: string): FileHandle {
    return this.withRoom(() => this.#files.openExisting(name));
  }

  /** Takes note that a file is open and was used; closes others when there are too many. */
  used(file: LimitedFile): void {
    this.#open.delete(file);
    this.#open.add(file);
    while (this.#open.size > this.#openMax && this.#giveUpOne(file));
    this.#keepReserve();
  }

  closed(file: LimitedFile): void {
    this.#open.delete(file);
    if (this.#open.size === 0) for (const reserved of this.#reserved.splice(0)) reserved.close();
  }

  later(act: () => void): void {
    setTimeout(act, retryMillis);
  }

  /** Does what needs a descriptor; where there is none, files that are not in use are closed, one after the other. */
  withRoom<T>(act: () => T): T {
    for (;;) {
      try {
        return act();
      } catch (error) {
        // What is given up is taken again at once: nobody else comes between.
        if (!isOutOfDescriptors(error) || !this.#giveUp()) throw error;
      }
    }
  }

  #keepReserve(): void {
    try {
      while (this.#reserved.length < reservedMax) this.#reserved.push(this.#reserve());
    } catch {
      // It is tried again with every use.
    }
  }

  #giveUp(): boolean {
    if (this.#giveUpOne(null)) return true;
    const reserved = this.#reserved.pop();
    reserved?.close();
    return reserved !== undefined;
  }

  /** Closes the file that was used longest ago, of those that can be. */
  #giveUpOne(except: LimitedFile | null): boolean {
    for (const file of this.#open) {
      if (file === except || !file.isIdle) continue;
      this.#open.delete(file);
      file.rest();
      return true;
    }
    return false;
  }
}

class LimitedFile implements FileHandle {
  readonly #files: LimitedFiles;
  readonly #name: string;
  #open: () => FileHandle;
  /** Null while it is closed because others are open. */
  #handle: FileHandle | null = null;
  #isClosed = false;
  /** Reads, writes and syncs under way. */
  #busyCount = 0;
  /** Writes that no sync has covered. */
  #unsyncedCount = 0;

  /**
   * Opens it by `open`, or when it is first used where there is no descriptor for it now: whatever is done with it comes after that.
   * @throws Error the system's, of any other kind
   */
  constructor(files: LimitedFiles, name: string, open: () => FileHandle) {
    this.#files = files;
    this.#name = name;
    this.#open = open;
    try {
      this.#opened();
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
    }
  }

  /** Whether it can be closed without anything being lost: a sync must be asked of the descriptor that was written to. */
  get isIdle(): boolean {
    return this.#busyCount === 0 && this.#unsyncedCount === 0;
  }

  /** Closes it until it is wanted. */
  rest(): void {
    this.#handle?.close();
    this.#handle = null;
  }

  write(bytes: Buffer, position: number, done: (error: Error | null) => void): void {
    this.#use(
      handle =>
        handle.write(bytes, position, error => {
          this.#unsyncedCount++;
          this.#done(error, done);
        }),
      done,
    );
  }

  sync(done: (error: Error | null) => void): void {
    // A write that is under way is not covered.
    const covered = this.#unsyncedCount;
    this.#use(
      handle =>
        handle.sync(error => {
          if (error === null) this.#unsyncedCount -= covered;
          this.#done(error, done);
        }),
      done,
    );
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    this.#use(
      handle => handle.read(into, position, (error, count) => this.#done(error, failure => done(failure, count))),
      error => done(error, 0),
    );
  }

  writeSync(bytes: Buffer, position: number): void {
    this.#opened().writeSync(bytes, position);
  }

  readSync(into: Buffer, position: number): number {
    return this.#opened().readSync(into, position);
  }

  close(): void {
    this.#isClosed = true;
    this.#files.closed(this);
    this.rest();
  }

  /** Does something with the open file; later when it cannot be opened for want of a descriptor. */
  #use(act: (handle: FileHandle) => void, failed: (error: Error) => void): void {
    if (this.#isClosed) return;
    let handle: FileHandle;
    try {
      handle = this.#opened();
    } catch (error) {
      if (isOutOfDescriptors(error)) this.#files.later(() => this.#use(act, failed));
      else failed(error as Error);
      return;
    }
    this.#busyCount++;
    act(handle);
  }

  #opened(): FileHandle {
    if (this.#handle === null) {
      this.#handle = this.#open();
      this.#open = () => this.#files.reopen(this.#name);
    }
    this.#files.used(this);
    return this.#handle;
  }

  #done(error: Error | null, done: (error: Error | null) => void): void {
    this.#busyCount--;
    done(error);
  }
}
