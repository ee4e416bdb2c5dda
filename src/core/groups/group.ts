import type { Consumer } from '../consumer.ts';

/** Stands for all who get single messages: they have the groups of what they got among them. */
export const getters = 'getters';
export type GroupOwner = Consumer | typeof getters;

/** Places in front that are gone are let go of when there are so many. */
const goneMax = 64;

/** The messages of a queue that have one key, by their places, and who works on them. */
export class Group {
  /** Null for the messages without a key: they have no order among them, and nobody owns them. */
  readonly key: string | null;
  /** Whose unacknowledged messages there are; null: whoever takes the next. */
  owner: GroupOwner | null = null;
  unackedCount = 0;
  /** Messages that were rejected and wait to be tried again: the next has to wait for them. */
  heldCount = 0;
  /** Nobody gets its messages until somebody says so. */
  isParked = false;
  /** Whether its owner is out of credit. */
  isStalled = false;
  /** Place in GroupHeap; -1: it is not there. */
  heapIndex = -1;
  /** Ascending, from `#first` on. Some may have left the queue. */
  #places: number[] = [];
  #first = 0;

  constructor(key: string | null) {
    this.key = key;
  }

  /** Places, of which some may be of messages that are gone. */
  get placeCount(): number {
    return this.#places.length - this.#first;
  }

  /** Whether the next message may be handed out, if there is one. */
  get isOpen(): boolean {
    return !this.isParked && (this.heldCount === 0 || this.key === null);
  }

  get firstPlace(): number {
    return this.#places[this.#first] ?? Infinity;
  }

  shift(): void {
    this.#first++;
    if (this.#first === this.#places.length) {
      this.#places = [];
      this.#first = 0;
    } else if (this.#first >= goneMax && this.#first * 2 >= this.#places.length) {
      this.#places.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Adds a place, where it belongs. */
  add(place: number): void {
    if (place > (this.#places.at(-1) ?? -1)) {
      this.#places.push(place);
      return;
    }
    // What comes back belongs to the front.
    let at = this.#first;
    while ((this.#places[at] as number) < place) at++;
    if (at === this.#first && at > 0) this.#places[--this.#first] = place;
    else this.#places.splice(at, 0, place);
  }

  /** Keeps the places that are meant. */
  keep(isMeant: (place: number) => boolean): void {
    this.#places = this.#places.slice(this.#first).filter(isMeant);
    this.#first = 0;
  }

  *places(): Generator<number> {
    for (let at = this.#first; at < this.#places.length; at++) yield this.#places[at] as number;
  }
}
