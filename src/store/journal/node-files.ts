import fs from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import { readFully } from './read-fully.ts';

class NodeFile implements FileHandle {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Buffer, position: number, done: (error: Error | null) => void): void {
    let written = 0;
    const next = (error: Error | null, count: number): void => {
      written += error === null ? count : 0;
      if (error !== null || written === bytes.length) done(error);
      else if (count === 0) done(new Error('a write made no progress'));
      else fs.write(this.#fd, bytes, written, bytes.length - written, position + written, next);
    };
    fs.write(this.#fd, bytes, 0, bytes.length, position, next);
  }

  sync(done: (error: Error | null) => void): void {
    fs.fdatasync(this.#fd, done);
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    let got = 0;
    const next = (error: Error | null, count: number): void => {
      got += error === null ? count : 0;
      if (error !== null || count === 0 || got === into.length) done(error, got);
      else fs.read(this.#fd, into, got, into.length - got, position + got, next);
    };
    fs.read(this.#fd, into, 0, into.length, position, next);
  }

  writeSync(bytes: Buffer, position: number): void {
    let written = 0;
    while (written < bytes.length) {
      const count = fs.writeSync(this.#fd, bytes, written, bytes.length - written, position + written);
      if (count === 0) throw new Error('a write made no progress');
      written += count;
    }
  }

  readSync(into: Buffer, position: number): number {
    return readFully(this.#fd, into, position);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** Takes a descriptor that can be given up when a file is to be opened and there is no other. @throws Error when there is none */
export function reserveDescriptor(): { close(): void } {
  const fd = fs.openSync(devNull, fs.constants.O_RDONLY);
  return { close: () => fs.closeSync(fd) };
}

/** The files of a directory of the machine. */
export class NodeFiles implements Files {
  readonly #directory: string;
  /** Files that are to go, the first of them under way. */
  readonly #going: string[] = [];
  #whenGone: (() => void)[] = [];

  /** Makes the directory, for its owner only, when it does not exist. */
  constructor(directory: string) {
    this.#directory = directory;
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  list(): string[] {
    return fs.readdirSync(this.#directory);
  }

  sizeOf(name: string): number {
    return fs.statSync(join(this.#directory, name)).size;
  }

  open(name: string, bytes: number): FileHandle {
    const path = join(this.#directory, name);
    const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
    if (bytes > 0 && fs.fstatSync(fd).size < bytes) fs.ftruncateSync(fd, bytes);
    return new NodeFile(fd);
  }

  openExisting(name: string): FileHandle {
    return new NodeFile(fs.openSync(join(this.#directory, name), fs.constants.O_RDWR));
  }

  rename(from: string, to: string): void {
    fs.renameSync(join(this.#directory, from), join(this.#directory, to));
  }

  remove(name: string): void {
    fs.rmSync(join(this.#directory, name), { force: true });
  }

  removeLater(name: string): void {
    this.#going.push(name);
    if (this.#going.length === 1) this.#removeNext();
  }

  whenRemoved(done: () => void): void {
    if (this.#going.length === 0) done();
    else this.#whenGone.push(done);
  }

  /** One at a time: so they go in order, and leave the pool's other threads to reads and writes. */
  #removeNext(): void {
    fs.unlink(join(this.#directory, this.#going[0] as string), () => {
      this.#going.shift();
      if (this.#going.length > 0) this.#removeNext();
      else for (const done of this.#whenGone.splice(0)) done();
    });
  }

  syncDirectory(done: (error: Error | null) => void): void {
    let fd: number;
    try {
      // At once, so that a descriptor that was given up for it is not taken by a connection.
      fd = fs.openSync(this.#directory, fs.constants.O_RDONLY);
    } catch (error) {
      done(error as Error);
      return;
    }
    fs.fsync(fd, error => fs.close(fd, closeError => done(error ?? closeError ?? null)));
  }

  copy(from: string, to: string, done: (error: Error | null) => void): void {
    const path = join(this.#directory, to);
    // The copy shares blocks with the original where the file system can do that.
    fs.copyFile(join(this.#directory, from), path, fs.constants.COPYFILE_FICLONE, error => {
      if (error === null) done(null);
      else fs.rm(path, { force: true }, () => done(error));
    });
  }

  readWhole(name: string): Buffer {
    return fs.readFileSync(join(this.#directory, name));
  }
}
