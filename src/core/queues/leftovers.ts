import type { RefHolder, Rename } from '../messages/message-ref.ts';
import type { MessageStore } from '../messages/message-store.ts';
import type { Steps } from '../stepped-work.ts';
import { Entry } from './entry.ts';
import type { DetachedList } from './ready-lists.ts';

/** So many are let go of at once. */
const atOnceMax = 1000;
/** Messages of a step, and what it costs. */
const stepMessages = 512;
const stepCost = 16;

/** Messages that are in no queue any more: what they take in the store is given back, of many in steps. */
export class Leftovers implements RefHolder {
  readonly #store: MessageStore;
  readonly #work: (steps: Steps) => void;
  readonly #entry = new Entry();
  /** In the order in which they came. */
  readonly #lists: DetachedList[] = [];

  /** `work` does steps when there is time for them. */
  constructor(store: MessageStore, work: (steps: Steps) => void) {
    this.#store = store;
    this.#work = work;
  }

  /** Messages that are still to be let go of. */
  get count(): number {
    let count = 0;
    for (const list of this.#lists) count += list.length;
    return count;
  }

  /** The log knows that these messages are gone. */
  letGo(list: DetachedList): void {
    if (list.length <= atOnceMax) {
      this.#some(list, atOnceMax);
      return;
    }
    this.#lists.push(list);
    if (this.#lists.length === 1) this.#work(this.#all());
  }

  relocate(rename: Rename, slabs: ReadonlySet<number> | null = null): void {
    // They are nobody's: what is renamed is not recorded.
    for (const list of this.#lists) list.relocate(rename, null, slabs);
  }

  *#all(): Steps {
    for (let list = this.#lists[0]; list !== undefined; list = this.#lists[0]) {
      this.#some(list, stepMessages);
      if (list.isEmpty) this.#lists.shift();
      yield stepCost;
    }
  }

  #some(list: DetachedList, countMax: number): void {
    const entry = this.#entry;
    for (let count = 0; count < countMax && !list.isEmpty; count++) {
      list.shift(entry);
      this.#store.release(entry.ref, entry.bytes);
    }
  }
}
