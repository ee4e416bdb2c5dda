import type { FileHandle, Files } from '../../core/ports/files.ts';

/** What is kept aside so that consumers, acknowledgements, purges and deletes go on when the disk is full. */
export const reserveBytes = 8 * 1024 * 1024;
const reserveName = 'reserve.fill';
const pieceBytes = 256 * 1024;
/** How often a write is tried again that found no room. */
const retryMillis = 250;

/** A disk has no room, or the user's share of it is used up. */
function isFull(error: Error | null): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * What happens when the disk is full. A write that finds no room has done no harm: the reserve is given up, publishers are held, and the
 * write is tried again until it succeeds. Its confirms wait for it. An error of a sync is another matter, and is never tried again: nobody
 * knows what became of the bytes.
 */
export class FullDisk {
  readonly #directory: Files;
  /** Called once when there is no room, until `hasRoom`. */
  onFull: (error: Error) => void = () => {};
  /** Called when there is room again. */
  onRoom: () => void = () => {};
  #isFull = false;
  #isFilling = false;
  #waiting: (() => void)[] = [];

  /** `directory` is where the reserve is kept. */
  constructor(directory: Files) {
    this.#directory = directory;
  }

  /** The same files, with writes that wait for room. */
  wrap(files: Files): Files {
    return new PatientFiles(files, this);
  }

  /** There is room again: the reserve is put aside anew, unless it is there. Does nothing when that fails: it is tried the next time. */
  keepReserve(): void {
    if (this.#isFull) this.onRoom();
    this.#isFull = false;
    const directory = this.#directory;
    if (this.#isFilling) return;
    try {
      if (directory.list().includes(reserveName) && directory.sizeOf(reserveName) === reserveBytes) return;
      const handle = directory.open(reserveName, 0);
      this.#isFilling = true;
      this.#fill(handle, Buffer.alloc(pieceBytes), 0);
    } catch {
      this.#isFilling = false;
    }
  }

  /** No room: gives the reserve up. Returns whether there was one. */
  release(error: Error): boolean {
    let had = false;
    try {
      had = this.#directory.list().includes(reserveName);
      if (had) this.#directory.remove(reserveName);
    } catch {
      // Then it is as if there had been none.
    }
    if (!this.#isFull) {
      this.#isFull = true;
      this.onFull(error);
    }
    return had;
  }

  /** Calls back when a write that found no room is to be tried again. */
  later(error: Error, retry: () => void): void {
    const had = this.release(error);
    this.#waiting.push(retry);
    // All that wait are tried together.
    if (this.#waiting.length > 1) return;
    setTimeout(
      () => {
        for (const next of this.#waiting.splice(0)) next();
      },
      had ? 0 : retryMillis,
    );
  }

  #fill(handle: FileHandle, piece: Buffer, position: number): void {
    if (position === reserveBytes || this.#isFull) {
      handle.close();
      this.#isFilling = false;
      return;
    }
    handle.write(piece, position, error => {
      if (error === null) {
        this.#fill(handle, piece, position + piece.length);
        return;
      }
      handle.close();
      this.#isFilling = false;
      this.#directory.remove(reserveName);
    });
  }
}

class PatientFiles implements Files {
  readonly #files: Files;
  readonly #disk: FullDisk;

  constructor(files: Files, disk: FullDisk) {
    this.#files = files;
    this.#disk = disk;
  }

  list(): string[] {
    return this.#files.list();
  }

  sizeOf(name: string): number {
    return this.#files.sizeOf(name);
  }

  open(name: string, bytes: number): FileHandle {
    return this.#handle(this.#atOnce(() => this.#files.open(name, bytes)));
  }

  openExisting(name: string): FileHandle {
    return this.#handle(this.#files.openExisting(name));
  }

  rename(from: string, to: string): void {
    this.#atOnce(() => this.#files.rename(from, to));
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

  /** A copy is for whoever wants to look into damage: it is not worth the reserve. */
  copy(from: string, to: string, done: (error: Error | null) => void): void {
    this.#files.copy(from, to, done);
  }

  syncDirectory(done: (error: Error | null) => void): void {
    this.#files.syncDirectory(done);
  }

  readWhole(name: string): Buffer {
    return this.#files.readWhole(name);
  }

  /** What cannot wait is tried once more with the reserve given up. */
  #atOnce<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!isFull(error as Error) || !this.#disk.release(error as Error)) throw error;
      return act();
    }
  }

  #handle(handle: FileHandle): FileHandle {
    const disk = this.#disk;
    const write = (bytes: Buffer, position: number, done: (error: Error | null) => void): void => {
      handle.write(bytes, position, error => {
        if (error !== null && isFull(error)) disk.later(error, () => write(bytes, position, done));
        else done(error);
      });
    };
    return {
      write,
      sync: done => handle.sync(done),
      read: (into, position, done) => handle.read(into, position, done),
      writeSync: (bytes, position) => handle.writeSync(bytes, position),
      readSync: (into, position) => handle.readSync(into, position),
      close: () => handle.close(),
    };
  }
}
