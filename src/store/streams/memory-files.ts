import type { FileHandle, Files } from '../../core/ports/files.ts';

const pageBytes = 64 * 1024;

class MemoryFile implements FileHandle {
  readonly #pages: Buffer[] = [];
  size = 0;

  write(bytes: Buffer, position: number, done: (error: Error | null) => void): void {
    this.writeSync(bytes, position);
    done(null);
  }

  writeSync(bytes: Buffer, position: number): void {
    this.#visit(position, bytes.length, (page, start, at, count) => bytes.copy(page, start, at, at + count));
    this.size = Math.max(this.size, position + bytes.length);
  }

  sync(done: (error: Error | null) => void): void {
    done(null);
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    done(null, this.readSync(into, position));
  }

  readSync(into: Buffer, position: number): number {
    const bytes = Math.max(0, Math.min(this.size - position, into.length));
    this.#visit(position, bytes, (page, start, at, count) => page.copy(into, at, start, start + count));
    return bytes;
  }

  /** Goes through the pages that so many bytes at a position are on; `at` counts from the position. */
  #visit(position: number, bytes: number, visit: (page: Buffer, start: number, at: number, count: number) => void): void {
    for (let at = 0; at < bytes; ) {
      const index = Math.floor((position + at) / pageBytes);
      const start = position + at - index * pageBytes;
      const count = Math.min(bytes - at, pageBytes - start);
      while (this.#pages.length <= index) this.#pages.push(Buffer.alloc(pageBytes));
      visit(this.#pages[index] as Buffer, start, at, count);
      at += count;
    }
  }

  close(): void {}
}

/** Files for a broker that keeps everything in memory. Whatever is asked is done at once. */
export class MemoryFiles implements Files {
  readonly #files = new Map<string, MemoryFile>();

  list(): string[] {
    return [...this.#files.keys()];
  }

  sizeOf(name: string): number {
    return this.#file(name).size;
  }

  open(name: string, bytes: number): FileHandle {
    let file = this.#files.get(name);
    if (file === undefined) {
      file = new MemoryFile();
      this.#files.set(name, file);
    }
    file.size = Math.max(file.size, bytes);
    return file;
  }

  openExisting(name: string): FileHandle {
    return this.#file(name);
  }

  rename(from: string, to: string): void {
    this.#files.set(to, this.#file(from));
    this.#files.delete(from);
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  removeLater(name: string): void {
    this.remove(name);
  }

  whenRemoved(done: () => void): void {
    done();
  }

  copy(from: string, to: string, done: (error: Error | null) => void): void {
    this.open(to, 0).write(this.readWhole(from), 0, done);
  }

  syncDirectory(done: (error: Error | null) => void): void {
    done(null);
  }

  readWhole(name: string): Buffer {
    const file = this.#file(name);
    const bytes = Buffer.alloc(file.size);
    file.readSync(bytes, 0);
    return bytes;
  }

  #file(name: string): MemoryFile {
    const file = this.#files.get(name);
    if (file === undefined) throw new Error(`no file ${name}`);
    return file;
  }
}
