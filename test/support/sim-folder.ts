import type { FileHandle, Files } from '../../src/core/ports/files.ts';
import type { SimFiles } from './sim-files.ts';

/** A folder of a simulated disk: names that begin with `streams/`, say; or, for '', those of the top. Each is synced by itself. */
export class SimFolder implements Files {
  readonly #files: SimFiles;
  readonly #prefix: string;

  constructor(files: SimFiles, prefix: string) {
    this.#files = files;
    this.#prefix = prefix;
  }

  list(): string[] {
    const prefix = this.#prefix;
    return this.#files
      .list()
      .filter(name => name.startsWith(prefix) && !name.includes('/', prefix.length))
      .map(name => name.slice(prefix.length));
  }

  sizeOf(name: string): number {
    return this.#files.sizeOf(this.#prefix + name);
  }

  open(name: string, bytes: number): FileHandle {
    return this.#files.open(this.#prefix + name, bytes);
  }

  openExisting(name: string): FileHandle {
    return this.#files.openExisting(this.#prefix + name);
  }

  rename(from: string, to: string): void {
    this.#files.rename(this.#prefix + from, this.#prefix + to);
  }

  remove(name: string): void {
    this.#files.remove(this.#prefix + name);
  }

  removeLater(name: string): void {
    this.remove(name);
  }

  whenRemoved(done: () => void): void {
    done();
  }

  copy(from: string, to: string, done: (error: Error | null) => void): void {
    this.#files.copy(this.#prefix + from, this.#prefix + to, done);
  }

  syncDirectory(done: (error: Error | null) => void): void {
    this.#files.syncDirectory(done, this.#prefix);
  }

  readWhole(name: string): Buffer {
    return this.#files.readWhole(this.#prefix + name);
  }
}
