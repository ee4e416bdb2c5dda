// hot path: see docs/STYLE.md
import type { Rename } from '../messages/message-ref.ts';
import { Entry } from './entry.ts';
import { ListMove, type VisitMoved } from './list-move.ts';
import type { Queue } from './queue.ts';
import type { DetachedList, ReadyLists } from './ready-lists.ts';

/** The ready messages of a queue: its lists, and in a change of shape those that some of them are in already. */
export class ReadyMessages {
  /** What is handed out, unless there is a move. Changes with the queue's shape. */
  lists: ReadyLists;
  /** Bytes of the messages' bodies. */
  bytes = 0;
  /** Messages on their way to other lists: nothing is handed out meanwhile. Null as a rule. */
  move: ListMove | null = null;
  /** Whether there are more than the queue may have, which are being dropped. */
  isShrinking = false;

  constructor(lists: ReadyLists) {
    this.lists = lists;
  }

  get count(): number {
    return this.move === null ? this.lists.length : this.lists.length + this.move.to.length;
  }

  /** Visits all but the first `skip`, those that were moved before the others, until `visit` answers false. */
  forEach(into: Entry, visit: (entry: Entry) => boolean, skip = 0): void {
    const { lists, move } = this;
    if (move === null || move.forEach(into, visit, skip))
      lists.forEach(into, visit, move === null ? skip : Math.max(0, skip - move.to.length));
  }

  /** Fills `into` with a message, wherever it stands, and leaves it in place; false when it is not there. */
  find(priority: number, sequence: number, into: Entry): boolean {
    const { lists, move } = this;
    return (
      lists.find(lists.levelOf(priority), sequence, into) || (move !== null && move.to.find(move.to.levelOf(priority), sequence, into))
    );
  }

  /** Takes a message out, wherever it stands; false when it is not there. */
  remove(priority: number, sequence: number, into: Entry): boolean {
    const { lists, move } = this;
    if (!lists.remove(lists.levelOf(priority), sequence, into) && move?.remove(priority, sequence, into) !== true) return false;
    this.bytes -= into.bytes;
    return true;
  }

  limitExpiries(expiryMillis: number): void {
    this.lists.limitExpiries(expiryMillis);
    this.move?.to.limitExpiries(expiryMillis);
  }

  relocate(rename: Rename, queue: Queue, slabs: ReadonlySet<number> | null): void {
    this.move?.to.relocate(rename, queue, slabs);
    this.lists.relocate(rename, queue, slabs);
  }

  /** `onTaken` is called when a message is taken out, by somebody who names it, that was moved already. */
  startMoving(to: ReadyLists, onTaken: () => void): void {
    this.move = new ListMove(to, onTaken);
  }

  /** Moves up to so many messages, or until `visit` has answered with so many bytes; see ListMove. */
  moveSome(countMax: number, bytesMax: number, visit: VisitMoved): boolean | null {
    return this.move === null || this.move.some(this.lists, countMax, bytesMax, visit);
  }

  /** Goes on with the lists as they are: what was moved goes first. Returns the move that is over; null when there was none. */
  stopMoving(): ListMove | null {
    const { move } = this;
    this.move = null;
    move?.takeBack(this.lists);
    return move;
  }

  /** Goes on with these lists, to which all was moved. Returns the move that is over. */
  takeLists(lists: ReadyLists): ListMove | null {
    const { move } = this;
    lists.startAt(this.lists.nextSequence);
    this.lists = lists;
    this.move = null;
    return move;
  }

  /** Takes up to so many out, each of which is given to `release`; returns whether that was all. */
  dropSome(countMax: number, release: (entry: Entry) => void): boolean {
    const entry = new Entry();
    for (const lists of [this.move?.to ?? this.lists, this.lists])
      for (let count = 0; count < countMax && !lists.isEmpty; count++) {
        lists.shift(entry);
        release(entry);
      }
    return this.count === 0;
  }

  /** Gives all away. */
  detach(): DetachedList[] {
    const detached = [...this.lists.detach(), ...(this.move?.to.detach() ?? [])];
    this.bytes = 0;
    return detached;
  }
}
