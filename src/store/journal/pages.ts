import { crc32 } from '../../base/crc32.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';

/** Pages of one file: it is removed when none of them is in use. */
const pagesPerFile = 64;

class PageFile {
  readonly name: string;
  readonly isUsed = new Uint8Array(pagesPerFile);
  usedCount = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** Where an image is. */
interface Page {
  readonly file: PageFile;
  readonly index: number;
  readonly bytes: number;
  readonly crc: number;
  /** It is being written or read. */
  isBusy: boolean;
  /** Nobody wants it any more, though it is busy still. */
  isFreed: boolean;
}

/**
 * Images of what need not be in memory, by their keys: slabs that are not in the log, and parts of queues' indexes. Nothing is ever synced,
 * and what is left of an earlier start is removed by its ending (`removeTemporaries`). A file is open while it is read or written only: there
 * may be many.
 */
export class Pages<Key extends object> {
  readonly #files: Files;
  readonly #prefix: string;
  readonly #slotBytes: number;
  readonly #pages = new Map<Key, Page>();
  /** Files with room. */
  readonly #open: PageFile[] = [];
  readonly #names = new Set<string>();
  #lastNumber = 0;

  /** No image is longer than `slotBytes`; the files are called `prefix`-N.tmp. */
  constructor(files: Files, prefix: string, slotBytes: number) {
    this.#files = files;
    this.#prefix = prefix;
    this.#slotBytes = slotBytes;
  }

  /** Keys that have an image. */
  get count(): number {
    return this.#pages.size;
  }

  has(key: Key): boolean {
    return this.#pages.has(key);
  }

  /** Writes an image. Calls back when it is there; its bytes must stay until then, unless it is freed. */
  write(key: Key, image: Buffer, done: (error: Error | null) => void): void {
    const { page, handle, error } = this.#place(key, image);
    if (handle === null) {
      done(error);
      return;
    }
    page.isBusy = true;
    handle.write(image, page.index * this.#slotBytes, failure => {
      handle.close();
      if (failure !== null) this.free(key);
      this.#rest(page);
      done(failure);
    });
  }

  /** The same at once; returns why it is not there. */
  writeNow(key: Key, image: Buffer): Error | null {
    const { page, handle, error } = this.#place(key, image);
    if (handle === null) return error;
    try {
      handle.writeSync(image, page.index * this.#slotBytes);
      return null;
    } catch (failure) {
      this.free(key);
      return failure as Error;
    } finally {
      handle.close();
    }
  }

  /** Reads an image; `into` has room for it. */
  read(key: Key, into: Buffer, done: (error: Error | null) => void): void {
    const page = this.#pages.get(key);
    let handle: FileHandle;
    try {
      if (page === undefined) throw new Error('it is not there');
      handle = this.#files.openExisting(page.file.name);
    } catch (error) {
      done(error as Error);
      return;
    }
    const image = into.subarray(0, page.bytes);
    page.isBusy = true;
    handle.read(image, page.index * this.#slotBytes, (error, count) => {
      handle.close();
      this.#rest(page);
      if (error !== null) done(error);
      else if (count < page.bytes || crc32(image) !== page.crc) done(new Error('it is not what was written'));
      else done(null);
    });
  }

  /** The same at once; returns what is wrong with it. */
  readNow(key: Key, into: Buffer): Error | null {
    try {
      const page = this.#pages.get(key);
      if (page === undefined) throw new Error('it is not there');
      const image = into.subarray(0, page.bytes);
      const handle = this.#files.openExisting(page.file.name);
      let count = 0;
      try {
        count = handle.readSync(image, page.index * this.#slotBytes);
      } finally {
        handle.close();
      }
      if (count === page.bytes && crc32(image) === page.crc) return null;
      into.fill(0);
      return new Error('it is not what was written');
    } catch (error) {
      into.fill(0);
      return error as Error;
    }
  }

  /** The image is not needed any more. */
  free(key: Key): void {
    const page = this.#pages.get(key);
    if (page === undefined) return;
    this.#pages.delete(key);
    page.isFreed = true;
    if (!page.isBusy) this.#release(page);
  }

  /** Gives all up; a file that is busy goes when it is not. */
  close(): void {
    for (const key of [...this.#pages.keys()]) this.free(key);
  }

  /** Whether a file is one of these: it is not left over. */
  isOwn(name: string): boolean {
    return this.#names.has(name);
  }

  /** Gives an image its place in a file, which is open then. */
  #place(key: Key, image: Buffer): { page: Page; handle: FileHandle; error: null } | { page: null; handle: null; error: Error } {
    const file = this.#fileWithRoom();
    let handle: FileHandle;
    try {
      if (image.length > this.#slotBytes) throw new RangeError(`an image of ${image.length} bytes does not fit its place`);
      handle = this.#files.open(file.name, 0);
    } catch (error) {
      return { page: null, handle: null, error: error as Error };
    }
    const index = file.isUsed.indexOf(0);
    file.isUsed[index] = 1;
    if (++file.usedCount === pagesPerFile) this.#open.splice(this.#open.indexOf(file), 1);
    const page: Page = { file, index, bytes: image.length, crc: crc32(image), isBusy: false, isFreed: false };
    this.#pages.set(key, page);
    return { page, handle, error: null };
  }

  #rest(page: Page): void {
    page.isBusy = false;
    if (page.isFreed) this.#release(page);
  }

  #release({ file, index }: Page): void {
    file.isUsed[index] = 0;
    if (file.usedCount-- === pagesPerFile) this.#open.push(file);
    if (file.usedCount > 0) return;
    this.#open.splice(this.#open.indexOf(file), 1);
    this.#remove(file);
  }

  #fileWithRoom(): PageFile {
    const file = this.#open[0];
    if (file !== undefined) return file;
    const made = new PageFile(`${this.#prefix}-${++this.#lastNumber}.tmp`);
    this.#names.add(made.name);
    this.#open.push(made);
    return made;
  }

  #remove(file: PageFile): void {
    this.#names.delete(file.name);
    this.#files.removeLater(file.name);
  }
}
