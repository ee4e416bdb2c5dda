import type { RefOwner, Rename } from '../messages/message-ref.ts';
import { Entry } from './entry.ts';

/** What is in front and gone is let go of when there is so much of it. */
const goneMax = 1024;

/** Messages that came back, in the order in which they did. */
export class ReturnedList {
  #entries: Entry[] = [];
  #first = 0;

  get length(): number {
    return this.#entries.length - this.#first;
  }

  get isEmpty(): boolean {
    return this.#first === this.#entries.length;
  }

  push(entry: Entry): void {
    this.#entries.push(Object.assign(new Entry(), entry));
  }

  peek(into: Entry): void {
    Object.assign(into, this.#entries[this.#first]);
  }

  shift(into: Entry): void {
    this.peek(into);
    this.#first++;
    if (this.isEmpty) {
      this.#entries = [];
      this.#first = 0;
    } else if (this.#first >= goneMax && this.#first * 2 >= this.#entries.length) {
      this.#entries.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Takes the message out that is meant; false when there is none. */
  remove(isMeant: (entry: Entry) => boolean, into: Entry): boolean {
    for (let index = this.#first; index < this.#entries.length; index++) {
      const entry = this.#entries[index] as Entry;
      if (!isMeant(entry)) continue;
      Object.assign(into, entry);
      this.#entries.splice(index, 1);
      return true;
    }
    return false;
  }

  /** Fills `into` with the message that is meant and leaves it in place; false when there is none. */
  find(isMeant: (entry: Entry) => boolean, into: Entry): boolean {
    for (let index = this.#first; index < this.#entries.length; index++) {
      const entry = this.#entries[index] as Entry;
      if (!isMeant(entry)) continue;
      Object.assign(into, entry);
      return true;
    }
    return false;
  }

  forEach(into: Entry, visit: (entry: Entry) => boolean): void {
    for (let index = this.#first; index < this.#entries.length; index++) {
      Object.assign(into, this.#entries[index]);
      if (!visit(into)) return;
    }
  }

  limitExpiries(expiryMillis: number): void {
    for (let index = this.#first; index < this.#entries.length; index++) {
      const entry = this.#entries[index] as Entry;
      if (entry.expiryMillis === 0 || entry.expiryMillis > expiryMillis) entry.expiryMillis = expiryMillis;
    }
  }

  relocate(rename: Rename, queue: RefOwner | null): void {
    for (let index = this.#first; index < this.#entries.length; index++) {
      const entry = this.#entries[index] as Entry;
      entry.ref = rename(entry.ref, queue, entry.meta, entry.sequence, entry.bytes, entry.expiryMillis);
    }
  }
}
