const pageEntries = 256;
const entryWords = 3;

class Page {
  /** Log slab; unit and priority; body bytes. A slab's number is kept plus one: 0 is no entry. */
  readonly words = new Uint32Array(pageEntries * entryWords);
  expiries: Float64Array | null = null;
  /** What a clean stop noted. */
  metas: Uint32Array | null = null;
  /** Of entries that were tried before: how often, and until when they wait. */
  retries: Uint32Array | null = null;
  dues: Float64Array | null = null;
  /** Of dead letters that are kept: numbers of the queues that have them, by index. */
  taken: Map<number, number[]> | null = null;
  live = 0;
}

/** A message as the log names it. */
export class RestoredEntry {
  sequence = 0;
  logSequence = 0;
  unit = 0;
  priority = 0;
  bodyBytes = 0;
  /** Unix time; 0: never. */
  expiryMillis = 0;
  /** As a clean stop noted it, or 0. */
  meta = 0;
  retryCount = 0;
  /** Unix time until which it waits; 0: it does not. */
  dueMillis = 0;
  /** Numbers of queues that have it already. */
  taken: readonly number[] = [];
}

/**
 * The messages of one level of a queue while the log is read: they come and go by their numbers, mostly but not always in order, with gaps of
 * any size. Pages of 256 numbers, made when needed and dropped when empty.
 */
export class RestoringList {
  readonly #pages = new Map<number, Page>();
  #lastNumber = -1;
  #lastPage: Page | null = null;
  count = 0;

  /** Adds a message, or gives one that is there its new place in the log. Returns whether it is new. */
  put(sequence: number, logSequence: number, unit: number, priority: number, bodyBytes: number, expiryMillis: number): boolean {
    const page = this.#pageOf(sequence, true) as Page;
    const index = sequence % pageEntries;
    const at = index * entryWords;
    const isNew = page.words[at] === 0;
    page.words[at] = logSequence + 1;
    page.words[at + 1] = unit | (priority << 16);
    page.words[at + 2] = bodyBytes;
    if (page.expiries !== null) page.expiries[index] = expiryMillis;
    else if (expiryMillis !== 0) {
      page.expiries = new Float64Array(pageEntries);
      page.expiries[index] = expiryMillis;
    }
    if (isNew) {
      if (page.metas !== null) page.metas[index] = 0;
      if (page.retries !== null) page.retries[index] = 0;
      if (page.dues !== null) page.dues[index] = 0;
      page.taken?.delete(index);
      page.live++;
      this.count++;
    }
    return isNew;
  }

  /** Notes the meta of a message that is there. */
  flag(sequence: number, meta: number): void {
    const page = this.#pageOf(sequence, false);
    const index = sequence % pageEntries;
    if (page === null || page.words[index * entryWords] === 0) return;
    page.metas ??= new Uint32Array(pageEntries);
    page.metas[index] = meta;
  }

  /** Notes until when a message that is there waits. */
  wait(sequence: number, dueMillis: number, retryCount: number): void {
    const page = this.#pageOf(sequence, false);
    const index = sequence % pageEntries;
    if (page === null || page.words[index * entryWords] === 0) return;
    page.retries ??= new Uint32Array(pageEntries);
    page.dues ??= new Float64Array(pageEntries);
    page.retries[index] = retryCount;
    page.dues[index] = dueMillis;
  }

  /** Notes who has taken a message that is there and dead. */
  take(sequence: number, targetId: number): void {
    const page = this.#pageOf(sequence, false);
    const index = sequence % pageEntries;
    if (page === null || page.words[index * entryWords] === 0) return;
    page.taken ??= new Map();
    const taken = page.taken.get(index);
    if (taken === undefined) page.taken.set(index, [targetId]);
    else if (!taken.includes(targetId)) taken.push(targetId);
  }

  /** Takes a message out; false when it is not there. */
  remove(sequence: number): boolean {
    const page = this.#pageOf(sequence, false);
    if (page === null) return false;
    const at = (sequence % pageEntries) * entryWords;
    if (page.words[at] === 0) return false;
    page.words[at] = 0;
    this.count--;
    if (--page.live === 0) {
      this.#pages.delete(Math.floor(sequence / pageEntries));
      this.#lastPage = null;
      this.#lastNumber = -1;
    }
    return true;
  }

  /** Calls `visit` for every message in ascending order and lets go of them. */
  drain(visit: (entry: RestoredEntry) => void): void {
    const entry = new RestoredEntry();
    this.#lastPage = null;
    this.#lastNumber = -1;
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const page = this.#pages.get(number) as Page;
      this.#pages.delete(number);
      for (let index = 0; index < pageEntries; index++) {
        const at = index * entryWords;
        if (page.words[at] === 0) continue;
        entry.sequence = number * pageEntries + index;
        entry.logSequence = (page.words[at] as number) - 1;
        entry.unit = (page.words[at + 1] as number) & 0xffff;
        entry.priority = (page.words[at + 1] as number) >>> 16;
        entry.bodyBytes = page.words[at + 2] as number;
        entry.expiryMillis = page.expiries === null ? 0 : (page.expiries[index] as number);
        entry.meta = page.metas === null ? 0 : (page.metas[index] as number);
        entry.retryCount = page.retries === null ? 0 : (page.retries[index] as number);
        entry.dueMillis = page.dues === null ? 0 : (page.dues[index] as number);
        entry.taken = page.taken?.get(index) ?? [];
        visit(entry);
      }
    }
    this.count = 0;
  }

  #pageOf(sequence: number, isMade: boolean): Page | null {
    const number = Math.floor(sequence / pageEntries);
    if (number === this.#lastNumber) return this.#lastPage;
    let page = this.#pages.get(number) ?? null;
    if (page === null) {
      if (!isMade) return null;
      page = new Page();
      this.#pages.set(number, page);
    }
    this.#lastNumber = number;
    this.#lastPage = page;
    return page;
  }
}
