import fs from 'node:fs';
import { join } from 'node:path';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import { readFully } from './read-fully.ts';

class ReadOnlyFile implements FileHandle {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(): never {
    throw readOnlyError();
  }

  writeSync(): never {
    throw readOnlyError();
  }

  sync(): never {
    throw readOnlyError();
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    setImmediate(() => {
      try {
        done(null, this.readSync(into, position));
      } catch (error) {
        done(error as Error, 0);
      }
    });
  }

  readSync(into: Buffer, position: number): number {
    return readFully(this.#fd, into, position);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** The files of a directory, for looking only: nothing is made, changed or removed, whatever is asked for. */
export class ReadOnlyFiles implements Files {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  list(): string[] {
    try {
      return fs.readdirSync(this.#directory);
    } catch (error) {
      // What was never used has no directory.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  sizeOf(name: string): number {
    return fs.statSync(join(this.#directory, name)).size;
  }

  open(name: string): FileHandle {
    return this.openExisting(name);
  }

  openExisting(name: string): FileHandle {
    return new ReadOnlyFile(fs.openSync(join(this.#directory, name), fs.constants.O_RDONLY));
  }

  rename(): never {
    throw readOnlyError();
  }

  /** What would be removed stays. */
  remove(): void {}

  removeLater(): void {}

  whenRemoved(done: () => void): void {
    done();
  }

  copy(_from: string, _to: string, done: (error: Error | null) => void): void {
    done(readOnlyError());
  }

  syncDirectory(done: (error: Error | null) => void): void {
    done(readOnlyError());
  }

  readWhole(name: string): Buffer {
    return fs.readFileSync(join(this.#directory, name));
  }
}

function readOnlyError(): Error {
  return new Error('the directory is opened for reading only');
}
