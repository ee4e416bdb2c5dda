import type { IndexPages } from '../../core/ports/index-pages.ts';
import { RestoringPage } from './restoring-page.ts';

/** Pages that are put aside together: their image fits a place for a block of a queue's index. */
export const groupPages = 8;

/** What has to be known of a page's image to read it. */
interface Aside {
  readonly index: number;
  readonly hasExpiries: boolean;
  readonly hasMetas: boolean;
  readonly bytes: number;
}

/** Neighbouring pages of a list: in memory, or put aside on disk. */
export class RestoringGroup {
  readonly pages: (RestoringPage | null)[] = new Array<RestoringPage | null>(groupPages).fill(null);
  pageCount = 0;
  /** Of a group that is on disk: its pages, in order. */
  aside: readonly Aside[] | null = null;
  /** Bytes that are counted for it. */
  countedBytes = 0;
}

/** Keeps what recovery knows of entries within a budget, for all lists together: what was used longest ago is put aside. */
export class RestoringGroups {
  readonly #pages: IndexPages;
  readonly #bytesMax: number;
  /** Those in memory, the one used longest ago first. */
  readonly #held = new Set<RestoringGroup>();
  #last: RestoringGroup | null = null;
  #heldBytes = 0;
  #hasFailed = false;
  asideTotal = 0;

  constructor(pages: IndexPages, bytesMax: number) {
    this.#pages = pages;
    this.#bytesMax = bytesMax;
  }

  /**
   * A group is wanted: it is in memory until the next one is.
   * @throws Error when it was put aside and cannot be read: then nothing was lost, and another start may do
   */
  use(group: RestoringGroup): void {
    if (group.aside !== null) this.#load(group, group.aside);
    // It has grown since.
    if (this.#last !== null && this.#held.has(this.#last)) this.#count(this.#last);
    this.#last = group;
    this.#held.delete(group);
    this.#held.add(group);
    this.#count(group);
    for (const oldest of this.#held) {
      if (this.#heldBytes <= this.#bytesMax || this.#hasFailed || oldest === group) return;
      this.#putAside(oldest);
    }
  }

  /** A group is not needed any more. */
  drop(group: RestoringGroup): void {
    this.#held.delete(group);
    this.#heldBytes -= group.countedBytes;
    group.countedBytes = 0;
    if (group.aside !== null) this.#pages.free(group);
  }

  #count(group: RestoringGroup): void {
    let bytes = 0;
    for (const page of group.pages) if (page !== null) bytes += page.heldBytes;
    this.#heldBytes += bytes - group.countedBytes;
    group.countedBytes = bytes;
  }

  #putAside(group: RestoringGroup): void {
    this.#count(group);
    this.#held.delete(group);
    const bytes = group.countedBytes;
    this.#heldBytes -= bytes;
    group.countedBytes = 0;
    // Few have more to tell than is in an image: they stay.
    if (!group.pages.every(page => page === null || page.isPlain)) return;
    const image = Buffer.allocUnsafe(bytes);
    const aside: Aside[] = [];
    let at = 0;
    for (const [index, page] of group.pages.entries()) {
      if (page === null) continue;
      aside.push({ index, hasExpiries: page.expiries !== null, hasMetas: page.metas !== null, bytes: page.heldBytes });
      at = page.copyTo(image, at);
    }
    if (this.#pages.writeNow(group, image) !== null) {
      this.#hasFailed = true;
      return;
    }
    group.aside = aside;
    group.pages.fill(null);
    this.asideTotal++;
  }

  #load(group: RestoringGroup, aside: readonly Aside[]): void {
    const image = Buffer.allocUnsafe(aside.reduce((sum, { bytes }) => sum + bytes, 0));
    const error = this.#pages.readNow(group, image);
    if (error !== null) throw new Error(`what recovery put aside cannot be read again: ${error.message}`, { cause: error });
    let at = 0;
    for (const { index, hasExpiries, hasMetas } of aside) {
      const page = new RestoringPage();
      at = page.copyFrom(image, at, hasExpiries, hasMetas);
      group.pages[index] = page;
    }
    group.aside = null;
    this.#pages.free(group);
  }
}
