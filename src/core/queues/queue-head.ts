// hot path: see docs/STYLE.md
import type { MessageRef } from '../messages/message-ref.ts';
import { Entry } from './entry.ts';
import type { QueueContext } from './queue-context.ts';
import type { Queue } from './queue.ts';
import type { ReadyLists } from './ready-lists.ts';

/** Sees to it that the bytes of the message that goes out next are in memory and sound. */
export class QueueHead {
  readonly #queue: Queue;
  readonly #context: QueueContext;
  readonly #dropDamaged: (entry: Entry) => void;
  readonly #expire: (entry: Entry) => void;
  readonly #entry = new Entry();
  /** The head's bytes are on their way from disk. */
  #isFetching = false;

  /** `dropDamaged` and `expire` are given what was taken out. */
  constructor(queue: Queue, context: QueueContext, dropDamaged: (entry: Entry) => void, expire: (entry: Entry) => void) {
    this.#queue = queue;
    this.#context = context;
    this.#dropDamaged = dropDamaged;
    this.#expire = expire;
  }

  /** Whether the first message's bytes are there; else they are fetched, and the queue is pumped when they are. A damaged message is dropped. */
  isThere(lists: ReadyLists): boolean {
    const { store } = this.#context;
    const entry = this.#entry;
    while (!lists.isEmpty) {
      lists.peek(entry);
      if (!store.isResident(entry.ref)) {
        this.fetch(entry.ref);
        return false;
      }
      if (store.isIntact(entry.ref)) return true;
      lists.shift(entry);
      this.#dropDamaged(entry);
    }
    return false;
  }

  /** As Queue.fetchHead. */
  fetchAlive(lists: ReadyLists, then: () => void): boolean {
    const { store, clock } = this.#context;
    const entry = this.#entry;
    while (!lists.isEmpty) {
      lists.peek(entry);
      if (entry.expiryMillis !== 0 && entry.expiryMillis <= clock.nowMillis) {
        lists.shift(entry);
        this.#expire(entry);
      } else if (!store.isResident(entry.ref)) {
        store.fetch(entry.ref, then);
        return false;
      } else if (store.isIntact(entry.ref)) {
        return true;
      } else {
        lists.shift(entry);
        this.#dropDamaged(entry);
      }
    }
    return true;
  }

  /** Fetches a message's bytes; the queue is pumped when they are there. */
  fetch(ref: MessageRef): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.#context.store.fetch(ref, () => {
      this.#isFetching = false;
      if (!this.#queue.isDeleted) this.#context.turn.queueReady(this.#queue);
    });
  }
}
