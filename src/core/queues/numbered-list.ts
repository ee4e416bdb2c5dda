// hot path: see docs/STYLE.md
import type { MessageRef, RefOwner, Rename } from '../messages/message-ref.ts';
import { Entry } from './entry.ts';
import type { IndexPager } from './index-pager.ts';
import { ReadyList } from './ready-list.ts';
import { ReturnedMessages } from './returned-messages.ts';
import type { Runs } from './runs.ts';

/**
 * The ready messages of one priority of a queue. Their sequence numbers are given once in the whole queue and so have gaps here: places in the
 * list are dense, and a column of it says which number stands at which place.
 */
export class NumberedList {
  readonly #list: ReadyList;
  /** The last number that was appended. */
  #last = 0;
  /** What came back after its place was gone. */
  #returned: ReturnedMessages | null = null;
  readonly #scratch = new Entry();

  constructor(pager: IndexPager) {
    this.#list = new ReadyList(pager);
  }

  get length(): number {
    return this.#list.length + (this.#returned === null ? 0 : this.#returned.length);
  }

  get isEmpty(): boolean {
    return this.#list.isEmpty && (this.#returned === null || this.#returned.length === 0);
  }

  /** The lowest number. The list must not be empty. */
  get firstNumber(): number {
    if (this.#isReturnedFirst()) return this.#scratch.sequence;
    return this.#numberAt(this.#list.firstSequence);
  }

  /** Appends a message, whose number is above all there were. */
  push(number: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    this.#last = number;
    this.#list.pushNumbered(number, ref, meta, bytes, expiryMillis);
  }

  /** Puts a message to where its number belongs; those behind all others cost least. */
  restore(number: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    if (number > this.#last) this.push(number, ref, meta, bytes, expiryMillis);
    else this.putBack({ ref, meta, bytes, sequence: number, expiryMillis });
  }

  /** Puts a message back that was taken out. */
  putBack(entry: Entry): void {
    const place = this.#placeOf(entry.sequence);
    if (place < 0) {
      this.#returned ??= new ReturnedMessages();
      this.#returned.push(entry);
      return;
    }
    const { ref, meta, bytes, expiryMillis } = entry;
    this.#list.putBack({ ref, meta, bytes, sequence: place, expiryMillis });
  }

  /** Fills `into` with the first message. The list must not be empty. */
  peek(into: Entry): void {
    if (this.#returned !== null && this.#isReturnedFirst()) {
      this.#returned.peek(into);
      return;
    }
    this.#list.peek(into);
    into.sequence = this.#numberAt(into.sequence);
  }

  /** Takes the first message out into `into`. The list must not be empty. */
  shift(into: Entry): void {
    if (this.#returned !== null && this.#isReturnedFirst()) {
      this.#returned.shift(into);
      return;
    }
    const number = this.#numberAt(this.#list.firstSequence);
    this.#list.shift(into);
    into.sequence = number;
  }

  /** Takes the message of a number out, wherever it is; false when it is not here. */
  remove(number: number, into: Entry): boolean {
    const place = this.#placeOf(number);
    if (place < 0 || !this.#list.remove(place, into)) return this.#returned !== null && this.#returned.remove(number, into);
    into.sequence = number;
    return true;
  }

  /** Fills `into` with the message of a number and leaves it in place; false when it is not here. */
  find(number: number, into: Entry): boolean {
    const place = this.#placeOf(number);
    if (place < 0 || !this.#list.find(place, into)) return this.#returned !== null && this.#returned.find(number, into);
    into.sequence = number;
    return true;
  }

  /**
   * Calls `visit` for every message but the first `skip`, lowest number first, without taking any out; false stops. Must not change the list. Returns
   * whether it went on to the end.
   */
  forEach(into: Entry, visit: (entry: Entry) => boolean, skip = 0): boolean {
    const returned = this.#returned;
    const returnedCount = returned === null ? 0 : returned.length;
    if (returned !== null && skip < returnedCount && !returned.forEach(visit, into, skip)) return false;
    let goesOn = true;
    const visitOne = (entry: Entry): boolean => {
      entry.sequence = this.#numberAt(entry.sequence);
      goesOn = visit(entry);
      return goesOn;
    };
    this.#list.forEach(into, visitOne, Math.max(0, skip - returnedCount));
    return goesOn;
  }

  /** Adds the numbers of all that are in the log. */
  addLogged(runs: Runs): void {
    this.#returned?.addLogged(runs);
    this.#list.addLogged(runs);
  }

  limitExpiries(expiryMillis: number): void {
    this.#returned?.limitExpiries(expiryMillis);
    this.#list.limitExpiries(expiryMillis);
  }

  relocate(rename: Rename, queue: RefOwner | null, slabs: ReadonlySet<number> | null): void {
    this.#returned?.relocate(rename, queue);
    this.#list.relocate(
      (ref, owner, meta, place, bytes, expiryMillis) => rename(ref, owner, meta, this.#numberAt(place), bytes, expiryMillis),
      queue,
      slabs,
    );
  }

  /** Whether what came back goes out before what stands in its place; its first message is then in the scratch entry. */
  #isReturnedFirst(): boolean {
    if (this.#returned === null || this.#returned.length === 0) return false;
    this.#returned.peek(this.#scratch);
    return this.#list.isEmpty || this.#scratch.sequence < this.#numberAt(this.#list.firstSequence);
  }

  #numberAt(place: number): number {
    return this.#list.numberAt(place);
  }

  /** Where the message of a number stands, or stood before it was taken out of the middle; -1: nowhere. */
  #placeOf(number: number): number {
    let low = this.#list.firstSequence;
    let high = this.#list.nextSequence - 1;
    // What comes back is in front of all others as a rule: then nothing is looked for.
    if (low > high || number > this.#last || number < this.#numberAt(low)) return -1;
    while (low <= high) {
      const middle = Math.floor((low + high) / 2);
      const found = this.#numberAt(middle);
      if (found === number) return middle;
      if (found < number) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
