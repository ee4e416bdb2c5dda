// hot path: see docs/STYLE.md
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import { type Entry, metaPriorityShift } from './entry.ts';
import type { IndexPager } from './index-pager.ts';
import type { Queue } from './queue.ts';
import { ReadyList } from './ready-list.ts';
import type { DetachedList, ReadyLists } from './ready-lists.ts';
import { Runs, type VisitRun } from './runs.ts';

/** The ready messages of a queue in one list: first in, first out. */
export class PlainLists implements ReadyLists {
  protected list: ReadyList;
  hasExpiries = false;

  constructor(pager: IndexPager) {
    this.list = new ReadyList(pager);
  }

  get length(): number {
    return this.list.length;
  }

  get isEmpty(): boolean {
    return this.list.isEmpty;
  }

  get nextSequence(): number {
    return this.list.nextSequence;
  }

  startAt(sequence: number): void {
    this.list.startAt(sequence);
  }

  levelOf(): number {
    return 0;
  }

  push(ref: MessageRef, meta: number, bytes: number, expiryMillis: number, priority: number): number {
    if (expiryMillis !== 0) this.hasExpiries = true;
    // The message's priority counts again in the queue that gets it as a dead letter.
    return this.list.push(ref, meta | (priority << metaPriorityShift), bytes, expiryMillis);
  }

  peek(into: Entry): void {
    this.list.peek(into);
  }

  shift(into: Entry): void {
    this.list.shift(into);
    if (this.list.isEmpty) this.hasExpiries = false;
  }

  shiftOldest(into: Entry): void {
    this.shift(into);
  }

  putBack(entry: Entry): void {
    if (entry.expiryMillis !== 0) this.hasExpiries = true;
    this.list.putBack(entry);
  }

  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    if (expiryMillis !== 0) this.hasExpiries = true;
    this.list.restore(sequence, ref, meta | (priority << metaPriorityShift), bytes, expiryMillis);
  }

  remove(_level: number, sequence: number, into: Entry): boolean {
    if (!this.list.remove(sequence, into)) return false;
    if (this.list.isEmpty) this.hasExpiries = false;
    return true;
  }

  find(_level: number, sequence: number, into: Entry): boolean {
    return this.list.find(sequence, into);
  }

  forEach(into: Entry, visit: (entry: Entry) => boolean, skip = 0): void {
    this.list.forEach(into, visit, skip);
  }

  forEachRun(visit: VisitRun): void {
    const runs = new Runs(visit);
    this.list.addLogged(runs);
    runs.end();
  }

  detach(): DetachedList[] {
    const { list } = this;
    this.list = list.successor();
    this.hasExpiries = false;
    return [list];
  }

  limitExpiries(expiryMillis: number): void {
    if (this.list.isEmpty) return;
    this.hasExpiries = true;
    this.list.limitExpiries(expiryMillis);
  }

  relocate(rename: Rename, queue: Queue, slabs: ReadonlySet<number> | null): void {
    this.list.relocate(rename, queue, slabs);
  }
}
