import type { MessageRef, RefOwner, Rename } from '../messages/message-ref.ts';
import type { Entry } from './entry.ts';
import type { Queue } from './queue.ts';
import type { VisitRun } from './runs.ts';

/** Messages that were taken out of a queue all at once. */
export interface DetachedList {
  readonly length: number;
  readonly isEmpty: boolean;
  /** Takes the first message out into `into`. There must be one. */
  shift(into: Entry): void;
  relocate(rename: Rename, owner: RefOwner | null, slabs: ReadonlySet<number> | null): void;
}

/** The ready messages of a queue, in the order in which its type hands them out. */
export interface ReadyLists {
  readonly length: number;
  readonly isEmpty: boolean;
  /** Whether a message with a time to live has come since the queue was last empty. */
  readonly hasExpiries: boolean;
  /** The number that the next message gets. No message has it, or has had it, or one above it. */
  readonly nextSequence: number;
  /** No number below this one is given from now on. */
  startAt(sequence: number): void;
  /** Messages of one level have one order of their own. */
  levelOf(priority: number): number;
  /** Appends a message; returns its sequence number, which is its own in the whole queue, also when that gets another shape. */
  push(ref: MessageRef, meta: number, bytes: number, expiryMillis: number, priority: number): number;
  /** Fills `into` with the first message and leaves it in place. There must be one. */
  peek(into: Entry): void;
  /** Takes the first message out into `into`. There must be one. */
  shift(into: Entry): void;
  /** Takes the message of the lowest number out, or one that came back before it. There must be one. */
  shiftOldest(into: Entry): void;
  /** Takes a message back that was delivered. */
  putBack(entry: Entry): void;
  /** Recovery: puts a message to the place it had. */
  restore(priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void;
  /** Takes one message out of the middle; false when it is not there. */
  remove(level: number, sequence: number, into: Entry): boolean;
  /** Fills `into` with one message, wherever it stands, and leaves it in place; false when it is not there. */
  find(level: number, sequence: number, into: Entry): boolean;
  /** Visits all but the first `skip` in the order of delivery, until `visit` answers false. */
  forEach(into: Entry, visit: (entry: Entry) => boolean, skip?: number): void;
  /** Visits all that are in the log, neighbours together. Numbers may come in any order. */
  forEachRun(visit: VisitRun): void;
  /** Gives all messages away; numbers go on. */
  detach(): DetachedList[];
  /** No message expires later than this: for a queue that gets a shorter time to live by a policy. */
  limitExpiries(expiryMillis: number): void;
  /** Renames messages; `slabs` are those whose messages may get another name, null for all. */
  relocate(rename: Rename, queue: Queue, slabs: ReadonlySet<number> | null): void;
}
