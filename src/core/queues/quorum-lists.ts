// hot path: see docs/STYLE.md
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import { Entry, metaLogged, metaPriorityShift, priorityOf } from './entry.ts';
import type { IndexPager } from './index-pager.ts';
import type { Queue } from './queue.ts';
import { ReadyList } from './ready-list.ts';
import type { DetachedList, ReadyLists } from './ready-lists.ts';
import { ReturnedList } from './returned-list.ts';
import { Runs, type VisitRun } from './runs.ts';

/** Priorities above this one are high. [RabbitMQ docs: quorum queues, priorities] */
const normalPriorityMax = 4;
/** So many messages are taken before one of normal priority goes before those of high priority. */
const highInARow = 2;

/**
 * The ready messages of a quorum queue: first what came back, in the order in which it did, then two of high priority for each of normal
 * priority. Numbers are given once for both levels, so that a message keeps its number in a queue of another type.
 * [RabbitMQ 4.0 to 4.2: rabbit_fifo, rabbit_fifo_q]
 */
export class QuorumLists implements ReadyLists {
  #high: ReadyList;
  #normal: ReadyList;
  #returned = new ReturnedList();
  readonly #scratch = new Entry();
  #length = 0;
  #nextSequence = 1;
  /** How many were taken since it was normal priority's turn. */
  #taken = 0;
  hasExpiries = false;

  constructor(pager: IndexPager) {
    this.#high = new ReadyList(pager);
    this.#normal = new ReadyList(pager);
  }

  get length(): number {
    return this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  levelOf(priority: number): number {
    return priority > normalPriorityMax ? 1 : 0;
  }

  get nextSequence(): number {
    return this.#nextSequence;
  }

  startAt(sequence: number): void {
    this.#nextSequence = Math.max(this.#nextSequence, sequence);
  }

  push(ref: MessageRef, meta: number, bytes: number, expiryMillis: number, priority: number): number {
    const sequence = this.#nextSequence;
    this.restore(priority, sequence, ref, meta, bytes, expiryMillis);
    return sequence;
  }

  peek(into: Entry): void {
    if (this.#returned.isEmpty) this.#next().peek(into);
    else this.#returned.peek(into);
  }

  shift(into: Entry): void {
    if (this.#returned.isEmpty) {
      this.#next().shift(into);
      this.#taken = this.#taken === highInARow ? 0 : this.#taken + 1;
    } else {
      this.#returned.shift(into);
    }
    this.#wasShifted();
  }

  shiftOldest(into: Entry): void {
    if (!this.#returned.isEmpty) this.#returned.shift(into);
    else if (this.#high.isEmpty || (!this.#normal.isEmpty && this.#isNormalOlder())) this.#normal.shift(into);
    else this.#high.shift(into);
    this.#wasShifted();
  }

  putBack(entry: Entry): void {
    if (entry.expiryMillis !== 0) this.hasExpiries = true;
    this.#length++;
    this.#returned.push(entry);
  }

  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    if (expiryMillis !== 0) this.hasExpiries = true;
    this.#length++;
    if (sequence >= this.#nextSequence) this.#nextSequence = sequence + 1;
    const list = priority > normalPriorityMax ? this.#high : this.#normal;
    list.restore(sequence, ref, meta | (priority << metaPriorityShift), bytes, expiryMillis);
  }

  remove(level: number, sequence: number, into: Entry): boolean {
    const isReturned = this.#returned.remove(item => item.sequence === sequence && this.levelOf(priorityOf(item.meta)) === level, into);
    if (!isReturned && !(level === 1 ? this.#high : this.#normal).remove(sequence, into)) return false;
    this.#wasShifted();
    return true;
  }

  find(level: number, sequence: number, into: Entry): boolean {
    const isMeant = (entry: Entry): boolean => entry.sequence === sequence && this.levelOf(priorityOf(entry.meta)) === level;
    return this.#returned.find(isMeant, into) || (level === 1 ? this.#high : this.#normal).find(sequence, into);
  }

  forEach(into: Entry, visit: (entry: Entry) => boolean, skip = 0): void {
    let goesOn = true;
    let left = skip;
    const visitOne = (entry: Entry): boolean => {
      if (left > 0) left--;
      else goesOn = visit(entry);
      return goesOn;
    };
    const returnedCount = this.#returned.length;
    if (skip >= returnedCount) left = skip - returnedCount;
    else this.#returned.forEach(into, visitOne);
    if (!goesOn) return;
    if (this.#high.isEmpty) this.#normal.forEach(into, visit, left);
    else if (this.#normal.isEmpty) this.#high.forEach(into, visit, left);
    else this.#forEachInTurn(into, visitOne);
  }

  forEachRun(visit: VisitRun): void {
    const runs = new Runs(visit);
    this.#high.addLogged(runs);
    this.#normal.addLogged(runs);
    runs.end();
    this.#returned.forEach(this.#scratch, ({ meta, sequence }) => {
      if ((meta & metaLogged) !== 0) visit(priorityOf(meta), sequence, 1);
      return true;
    });
  }

  detach(): DetachedList[] {
    const detached = [this.#high, this.#normal, this.#returned];
    this.#high = this.#high.successor();
    this.#normal = this.#normal.successor();
    this.#returned = new ReturnedList();
    this.#length = 0;
    this.#taken = 0;
    this.hasExpiries = false;
    return detached;
  }

  limitExpiries(expiryMillis: number): void {
    if (this.#length === 0) return;
    this.hasExpiries = true;
    this.#high.limitExpiries(expiryMillis);
    this.#normal.limitExpiries(expiryMillis);
    this.#returned.limitExpiries(expiryMillis);
  }

  relocate(rename: Rename, queue: Queue, slabs: ReadonlySet<number> | null): void {
    this.#high.relocate(rename, queue, slabs);
    this.#normal.relocate(rename, queue, slabs);
    this.#returned.relocate(rename, queue);
  }

  /** The list whose turn it is. One of them has messages. */
  #next(): ReadyList {
    const high = this.#high;
    const normal = this.#normal;
    if (high.isEmpty) return normal;
    if (normal.isEmpty || this.#taken !== highInARow) return high;
    // An older message of high priority goes first all the same.
    return this.#isNormalOlder() ? normal : high;
  }

  #isNormalOlder(): boolean {
    const scratch = this.#scratch;
    this.#high.peek(scratch);
    const highSequence = scratch.sequence;
    this.#normal.peek(scratch);
    return scratch.sequence < highSequence;
  }

  /** As `#next` would hand them out. Allocates: for browsing. */
  #forEachInTurn(into: Entry, visit: (entry: Entry) => boolean): void {
    const high = this.#high.entries(new Entry());
    const normal = this.#normal.entries(new Entry());
    let first = high.next();
    let second = normal.next();
    let taken = this.#taken;
    while (first.done !== true || second.done !== true) {
      const isNormal =
        first.done === true || (second.done !== true && taken === highInARow && second.value.sequence < first.value.sequence);
      Object.assign(into, isNormal ? second.value : first.value);
      if (isNormal) second = normal.next();
      else first = high.next();
      taken = taken === highInARow ? 0 : taken + 1;
      if (!visit(into)) return;
    }
  }

  #wasShifted(): void {
    if (--this.#length === 0) this.hasExpiries = false;
  }
}
