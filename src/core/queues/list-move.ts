import { Entry, priorityOf } from './entry.ts';
import type { ReadyLists } from './ready-lists.ts';

/** The message is left where it is, and the move goes on when it can. */
export const mustWait = -1;
/** The message has been taken out, and is not moved. */
export const hasLeft = -2;

/** Is shown each message before it is moved, and may change it; answers with bytes that count for the step, `mustWait` or `hasLeft`. */
export type VisitMoved = (entry: Entry) => number;

/** The ready messages of a queue on their way from its lists to others, in the order of their numbers. */
export class ListMove {
  readonly to: ReadyLists;
  readonly #entry = new Entry();
  /** To be called when it is over. */
  #waiting: (() => void)[] = [];
  /** Called when a message is taken out that was moved already. */
  readonly #onTaken: () => void;

  constructor(to: ReadyLists, onTaken: () => void) {
    this.to = to;
    this.#onTaken = onTaken;
  }

  /** Moves some messages. Returns whether that was all; null when it has to wait, as `visit` has said. */
  some(from: ReadyLists, countMax: number, bytesMax: number, visit: VisitMoved): boolean | null {
    const entry = this.#entry;
    let bytes = 0;
    for (let count = 0; count < countMax && bytes < bytesMax && !from.isEmpty; count++) {
      from.shiftOldest(entry);
      const visited = visit(entry);
      if (visited === hasLeft) continue;
      if (visited === mustWait) {
        from.putBack(entry);
        return null;
      }
      bytes += visited;
      this.to.restore(priorityOf(entry.meta), entry.sequence, entry.ref, entry.meta, entry.bytes, entry.expiryMillis);
    }
    return from.isEmpty;
  }

  /** Gives everything back to the lists it came from. */
  takeBack(lists: ReadyLists): void {
    const entry = this.#entry;
    while (!this.to.isEmpty) {
      this.to.shiftOldest(entry);
      lists.putBack(entry);
    }
  }

  noteTaken(): void {
    if (!this.to.isEmpty) this.#onTaken();
  }

  remove(priority: number, sequence: number, into: Entry): boolean {
    if (!this.to.remove(this.to.levelOf(priority), sequence, into)) return false;
    this.#onTaken();
    return true;
  }

  /** Visits what was moved but for the first `skip`; returns whether it is to go on. */
  forEach(into: Entry, visit: (entry: Entry) => boolean, skip: number): boolean {
    let goesOn = true;
    const visitOne = (entry: Entry): boolean => {
      goesOn = visit(entry);
      return goesOn;
    };
    this.to.forEach(into, visitOne, skip);
    return goesOn;
  }

  whenOver(then: () => void): void {
    this.#waiting.push(then);
  }

  end(): void {
    for (const then of this.#waiting.splice(0)) then();
  }
}
