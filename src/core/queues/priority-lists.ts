// hot path: see docs/STYLE.md
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import type { Queue } from './queue.ts';
import { type Entry, metaPriorityShift, priorityOf } from './entry.ts';
import type { IndexPager } from './index-pager.ts';
import { ReadyList } from './ready-list.ts';
import type { ReadyLists } from './ready-lists.ts';

/** The ready messages of a queue by priority; a queue without priorities has one list. The highest goes first. [RabbitMQ docs: priority] */
export class PriorityLists implements ReadyLists {
  readonly priorityMax: number;
  readonly #lists: (ReadyList | null)[];
  readonly #pager: IndexPager;
  /** No list above this one has messages. */
  #top = 0;
  #length = 0;
  /** Where lists that are yet to be made begin. */
  #firstSequence = 1;
  /** Whether a message with a time to live has come since the queue was last empty. */
  hasExpiries = false;

  constructor(priorityMax: number, pager: IndexPager) {
    this.#pager = pager;
    this.priorityMax = priorityMax;
    this.#lists = new Array<ReadyList | null>(priorityMax + 1).fill(null);
  }

  get length(): number {
    return this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  list(priority: number): ReadyList {
    return this.#lists[priority] ?? this.#made(priority);
  }

  #made(priority: number): ReadyList {
    const list = new ReadyList(this.#pager);
    list.startAt(this.#firstSequence);
    this.#lists[priority] = list;
    return list;
  }

  get hasNumbersPerLevel(): boolean {
    return this.priorityMax > 0;
  }

  get nextSequence(): number {
    return Math.max(this.#firstSequence, ...this.#lists.map(list => list?.nextSequence ?? 1));
  }

  nextSequenceAt(priority: number): number {
    return this.list(this.levelOf(priority)).nextSequence;
  }

  startAt(sequence: number): void {
    this.#firstSequence = sequence;
    for (const list of this.#lists) list?.startAt(sequence);
  }

  /** The list that messages of a priority go to. */
  levelOf(priority: number): number {
    return priority > this.priorityMax ? this.priorityMax : priority;
  }

  /** Appends a message to a list; returns its sequence number there. */
  push(ref: MessageRef, meta: number, bytes: number, expiryMillis: number, priority: number): number {
    const level = this.levelOf(priority);
    if (level > this.#top) this.#top = level;
    if (expiryMillis !== 0) this.hasExpiries = true;
    this.#length++;
    // The message's own priority is kept, not the list's: it counts again in the queue that gets it as a dead letter.
    return this.list(level).push(ref, meta | (priority << metaPriorityShift), bytes, expiryMillis);
  }

  /** Fills `into` with the first message and leaves it in place. There must be one. */
  peek(into: Entry): void {
    let list = this.list(this.#top);
    while (list.isEmpty) list = this.list(--this.#top);
    list.peek(into);
  }

  putBack(entry: Entry): void {
    const level = Math.min(priorityOf(entry.meta), this.priorityMax);
    if (level > this.#top) this.#top = level;
    if (entry.expiryMillis !== 0) this.hasExpiries = true;
    this.#length++;
    this.list(level).putBack(entry);
  }

  /** Takes the first message out into `into`. There must be one. */
  shift(into: Entry): void {
    let list = this.list(this.#top);
    while (list.isEmpty) list = this.list(--this.#top);
    list.shift(into);
    this.wasShifted();
  }

  /** Counts a message that was taken out of one of the lists directly. */
  wasShifted(): void {
    if (--this.#length === 0) {
      this.hasExpiries = false;
      this.#top = 0;
    }
  }

  /** Recovery: puts a message to the place it had. */
  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    const level = this.levelOf(priority);
    if (level > this.#top) this.#top = level;
    if (expiryMillis !== 0) this.hasExpiries = true;
    this.#length++;
    this.list(level).restore(sequence, ref, meta | (priority << metaPriorityShift), bytes, expiryMillis);
  }

  /** Takes one message out of the middle. */
  remove(priority: number, sequence: number, into: Entry): boolean {
    if (!this.list(priority).remove(sequence, into)) return false;
    this.wasShifted();
    return true;
  }

  forEach(into: Entry, visit: (entry: Entry) => boolean): void {
    let goesOn = true;
    for (let priority = this.priorityMax; priority >= 0 && goesOn; priority--) {
      this.#lists[priority]?.forEach(into, entry => {
        goesOn = visit(entry);
        return goesOn;
      });
    }
  }

  /** No message expires later than this: for a queue that gets a shorter time to live by a policy. */
  limitExpiries(expiryMillis: number): void {
    if (this.#length === 0) return;
    this.hasExpiries = true;
    for (const list of this.#lists) list?.limitExpiries(expiryMillis);
  }

  relocate(rename: Rename, queue: Queue, slabs: ReadonlySet<number> | null): void {
    for (const list of this.#lists) list?.relocate(rename, queue, slabs);
  }
}
