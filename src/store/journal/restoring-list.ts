import { groupPages, RestoringGroup, type RestoringGroups } from './restoring-group.ts';
import { entryWords, pageEntries, RestoringPage } from './restoring-page.ts';

const groupEntries = pageEntries * groupPages;

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
 * any size. Pages of 256 numbers, made when needed and dropped when empty, in groups of neighbours that can be put aside.
 */
export class RestoringList {
  readonly #budget: RestoringGroups;
  readonly #groups = new Map<number, RestoringGroup>();
  #lastNumber = -1;
  #lastGroup: RestoringGroup | null = null;
  count = 0;

  constructor(budget: RestoringGroups) {
    this.#budget = budget;
  }

  /** Adds a message, or gives one that is there its new place in the log. Returns whether it is new. */
  put(sequence: number, logSequence: number, unit: number, priority: number, bodyBytes: number, expiryMillis: number): boolean {
    const page = this.#pageOf(sequence, true) as RestoringPage;
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
    if (--page.live === 0) this.#dropPage(sequence);
    return true;
  }

  /** Calls `visit` for every message in ascending order and lets go of them. */
  drain(visit: (entry: RestoredEntry) => void): void {
    const entry = new RestoredEntry();
    for (const number of [...this.#groups.keys()].sort((a, b) => a - b)) {
      const group = this.#groups.get(number) as RestoringGroup;
      this.#budget.use(group);
      this.#groups.delete(number);
      // Who visits may fill another list, and this group is not to be put aside for it.
      const pages = [...group.pages];
      this.#budget.drop(group);
      for (const [index, page] of pages.entries()) {
        if (page !== null) drainPage(page, number * groupEntries + index * pageEntries, entry, visit);
      }
    }
    this.#lastGroup = null;
    this.#lastNumber = -1;
    this.count = 0;
  }

  #pageOf(sequence: number, isMade: boolean): RestoringPage | null {
    const group = this.#groupOf(sequence, isMade);
    if (group === null) return null;
    const index = Math.floor((sequence % groupEntries) / pageEntries);
    let page = group.pages[index] as RestoringPage | null;
    if (page === null && isMade) {
      page = new RestoringPage();
      group.pages[index] = page;
      group.pageCount++;
    }
    return page;
  }

  #groupOf(sequence: number, isMade: boolean): RestoringGroup | null {
    const number = Math.floor(sequence / groupEntries);
    if (number === this.#lastNumber && this.#lastGroup?.aside === null) return this.#lastGroup;
    let group = this.#groups.get(number) ?? null;
    if (group === null) {
      if (!isMade) return null;
      group = new RestoringGroup();
      this.#groups.set(number, group);
    }
    this.#budget.use(group);
    this.#lastNumber = number;
    this.#lastGroup = group;
    return group;
  }

  /** Nothing is left in a page. */
  #dropPage(sequence: number): void {
    const group = this.#lastGroup as RestoringGroup;
    group.pages[Math.floor((sequence % groupEntries) / pageEntries)] = null;
    if (--group.pageCount > 0) return;
    this.#groups.delete(this.#lastNumber);
    this.#budget.drop(group);
    this.#lastGroup = null;
    this.#lastNumber = -1;
  }
}

/** Calls `visit` for every message of a page, whose first number is `first`. */
function drainPage(page: RestoringPage, first: number, entry: RestoredEntry, visit: (entry: RestoredEntry) => void): void {
  for (let index = 0; index < pageEntries; index++) {
    const at = index * entryWords;
    if (page.words[at] === 0) continue;
    entry.sequence = first + index;
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
