// hot path: see docs/STYLE.md
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import { type Entry, metaPriorityShift, priorityOf } from './entry.ts';
import type { IndexPager } from './index-pager.ts';
import { NumberedList } from './numbered-list.ts';
import type { Queue } from './queue.ts';
import type { DetachedList, ReadyLists } from './ready-lists.ts';
import { Runs, type VisitRun } from './runs.ts';

/** The ready messages of a queue by priority. The highest goes first. [RabbitMQ docs: priority] */
export class PriorityLists implements ReadyLists {
  readonly priorityMax: number;
  readonly #pager: IndexPager;
  readonly #lists: (NumberedList | null)[];
  /** No list above this one has messages. */
  #top = 0;
  #length = 0;
  #nextSequence = 1;
  /** Whether a message with a time to live has come since the queue was last empty. */
  hasExpiries = false;

  constructor(priorityMax: number, pager: IndexPager) {
    this.#pager = pager;
    this.priorityMax = priorityMax;
    this.#lists = new Array<NumberedList | null>(priorityMax + 1).fill(null);
  }

  get length(): number {
    return this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  startAt(sequence: number): void {
    this.#nextSequence = Math.max(this.#nextSequence, sequence);
  }

  /** The list that messages of a priority go to. */
  levelOf(priority: number): number {
    return priority > this.priorityMax ? this.priorityMax : priority;
  }

  push(ref: MessageRef, meta: number, bytes: number, expiryMillis: number, priority: number): number {
    const sequence = this.#nextSequence++;
    // The message's own priority is kept, not the list's: it counts again in the queue that gets it as a dead letter.
    this.#entering(this.levelOf(priority), expiryMillis).push(sequence, ref, meta | (priority << metaPriorityShift), bytes, expiryMillis);
    return sequence;
  }

  peek(into: Entry): void {
    this.#first().peek(into);
  }

  shift(into: Entry): void {
    this.#first().shift(into);
    this.#wasShifted();
  }

  shiftOldest(into: Entry): void {
    let oldest = this.#first();
    for (let level = this.#top - 1; level >= 0; level--) {
      const list = this.#lists[level];
      if (list !== null && list !== undefined && !list.isEmpty && list.firstNumber < oldest.firstNumber) oldest = list;
    }
    oldest.shift(into);
    this.#wasShifted();
  }

  putBack(entry: Entry): void {
    this.#entering(this.levelOf(priorityOf(entry.meta)), entry.expiryMillis).putBack(entry);
  }

  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    this.startAt(sequence + 1);
    this.#entering(this.levelOf(priority), expiryMillis).restore(
      sequence,
      ref,
      meta | (priority << metaPriorityShift),
      bytes,
      expiryMillis,
    );
  }

  remove(level: number, sequence: number, into: Entry): boolean {
    const list = this.#lists[level] ?? null;
    if (list === null || !list.remove(sequence, into)) return false;
    this.#wasShifted();
    return true;
  }

  find(level: number, sequence: number, into: Entry): boolean {
    const list = this.#lists[level] ?? null;
    return list !== null && list.find(sequence, into);
  }

  forEach(into: Entry, visit: (entry: Entry) => boolean, skip = 0): void {
    let left = skip;
    for (let priority = this.priorityMax; priority >= 0; priority--) {
      const list = this.#lists[priority];
      if (list === null || list === undefined) continue;
      if (left < list.length && !list.forEach(into, visit, left)) return;
      left = Math.max(0, left - list.length);
    }
  }

  forEachRun(visit: VisitRun): void {
    const runs = new Runs(visit);
    for (const list of this.#lists) list?.addLogged(runs);
    runs.end();
  }

  detach(): DetachedList[] {
    const detached = this.#lists.filter(list => list !== null && !list.isEmpty) as NumberedList[];
    this.#lists.fill(null);
    this.#length = 0;
    this.hasExpiries = false;
    this.#top = 0;
    return detached;
  }

  limitExpiries(expiryMillis: number): void {
    if (this.#length === 0) return;
    this.hasExpiries = true;
    for (const list of this.#lists) list?.limitExpiries(expiryMillis);
  }

  relocate(rename: Rename, queue: Queue, slabs: ReadonlySet<number> | null): void {
    for (const list of this.#lists) list?.relocate(rename, queue, slabs);
  }

  /** The list of the highest priority there is. There must be a message. */
  #first(): NumberedList {
    let list = this.#lists[this.#top] as NumberedList | null;
    while (list === null || list.isEmpty) list = this.#lists[--this.#top] as NumberedList | null;
    return list;
  }

  /** The list of a level that is about to get a message. */
  #entering(level: number, expiryMillis: number): NumberedList {
    if (level > this.#top) this.#top = level;
    if (expiryMillis !== 0) this.hasExpiries = true;
    this.#length++;
    return (this.#lists[level] ??= new NumberedList(this.#pager));
  }

  #wasShifted(): void {
    if (--this.#length === 0) {
      this.hasExpiries = false;
      this.#top = 0;
    }
  }
}
