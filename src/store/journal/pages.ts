import { crc32 } from '../../base/crc32.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import { type Slab, slabBytes } from '../../core/messages/slab.ts';

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

/** Where a slab's image is. */
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
 * Images of slabs that are for memory only, so that these need not be in memory: nothing is ever synced, and what is left of an earlier start
 * is removed by its ending (`removeTemporaries`). A file is open while it is read or written only: there may be many.
 */
export class Pages {
  readonly #files: Files;
  readonly #pages = new Map<Slab, Page>();
  /** Files with room. */
  readonly #open: PageFile[] = [];
  #lastNumber = 0;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Slabs that have an image. */
  get count(): number {
    return this.#pages.size;
  }

  has(slab: Slab): boolean {
    return this.#pages.has(slab);
  }

  /** Writes a full slab's image. Calls back when it is there; the slab's bytes must stay until then. */
  write(slab: Slab, done: (error: Error | null) => void): void {
    const file = this.#fileWithRoom();
    let handle: FileHandle;
    try {
      handle = this.#files.open(file.name, 0);
    } catch (error) {
      done(error as Error);
      return;
    }
    const index = file.isUsed.indexOf(0);
    file.isUsed[index] = 1;
    if (++file.usedCount === pagesPerFile) this.#open.splice(this.#open.indexOf(file), 1);
    const bytes = Math.min(slab.position, slabBytes);
    const image = slab.bytes.subarray(0, bytes);
    const page: Page = { file, index, bytes, crc: crc32(image), isBusy: true, isFreed: false };
    this.#pages.set(slab, page);
    handle.write(image, index * slabBytes, error => {
      handle.close();
      if (error !== null) this.free(slab);
      this.#rest(page);
      done(error);
    });
  }

  /** Reads a slab's image; `into` is as long as a slab. */
  read(slab: Slab, into: Buffer, done: (error: Error | null) => void): void {
    const page = this.#pages.get(slab) as Page;
    const image = into.subarray(0, page.bytes);
    let handle: FileHandle;
    try {
      handle = this.#files.openExisting(page.file.name);
    } catch (error) {
      done(error as Error);
      return;
    }
    page.isBusy = true;
    handle.read(image, page.index * slabBytes, (error, count) => {
      handle.close();
      this.#rest(page);
      if (error !== null) done(error);
      else if (count < page.bytes || crc32(image) !== page.crc) done(new Error('it is not what was written'));
      else done(null);
    });
  }

  /** The same at once; returns what is wrong with it. */
  readNow(slab: Slab, into: Buffer): Error | null {
    const { file, index, bytes, crc } = this.#pages.get(slab) as Page;
    const image = into.subarray(0, bytes);
    try {
      const handle = this.#files.openExisting(file.name);
      const count = handle.readSync(image, index * slabBytes);
      handle.close();
      if (count === bytes && crc32(image) === crc) return null;
      into.fill(0);
      return new Error('it is not what was written');
    } catch (error) {
      into.fill(0);
      return error as Error;
    }
  }

  /** The image is not needed any more. */
  free(slab: Slab): void {
    const page = this.#pages.get(slab);
    if (page === undefined) return;
    this.#pages.delete(slab);
    page.isFreed = true;
    if (!page.isBusy) this.#release(page);
  }

  /** Gives all up; a file that is busy goes when it is not. */
  close(): void {
    for (const slab of [...this.#pages.keys()]) this.free(slab);
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
    const made = new PageFile(`pages-${++this.#lastNumber}.tmp`);
    this.#open.push(made);
    return made;
  }

  #remove(file: PageFile): void {
    this.#files.remove(file.name);
  }
}
