// hot path: see docs/STYLE.md
import type { MessageRef, RefHolder, RefOwner, Rename } from '../messages/message-ref.ts';
import type { MessageStore } from '../messages/message-store.ts';
import { Publication } from '../messages/publication.ts';
import type { Clock } from '../ports/clock.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { metaLogged, metaPersistent } from './entry.ts';
import type { Restorable } from './queue.ts';

/** What it takes to keep marks on disk. */
export interface MarksHome {
  readonly clock: Clock;
  readonly store: MessageStore;
  readonly log: QueueLog;
}

/**
 * Small numbers that are remembered over a restart beside a queue, for the protocol whose queue it is: packet ids of a session. Each is an
 * entry of the log under an id of its own, whose record is empty. A mark that is set in the same turn as a message is published, or settled,
 * becomes durable in the same commit.
 */
export class DurableMarks implements RefHolder, RefOwner, Restorable {
  id = 0;
  isDeleted = false;
  readonly retries = null;
  readonly holdsMessages = false;
  readonly #home: MarksHome;
  readonly #claimId: () => number;
  readonly #refs = new Map<number, MessageRef>();
  readonly #record = new Publication();

  /** `claimId` gives a number that names the marks in the log from now on; recorded. */
  constructor(home: MarksHome, claimId: () => number) {
    this.#home = home;
    this.#claimId = claimId;
    this.#record.envelope = Buffer.alloc(2);
    this.#record.envelopeBytes = 2;
    this.#record.isPersistent = true;
  }

  get count(): number {
    return this.#refs.size;
  }

  /** The numbers that are marked, in no order. */
  numbers(): Iterable<number> {
    return this.#refs.keys();
  }

  has(number: number): boolean {
    return this.#refs.has(number);
  }

  add(number: number): void {
    if (this.isDeleted || this.#refs.has(number)) return;
    const { store, clock, log } = this.#home;
    if (this.id === 0) this.id = this.#claimId();
    const ref = store.append(this.#record, 1, clock.nowMillis, true);
    this.#refs.set(number, ref);
    log.enqueued(this.id, 0, number, ref, 0, 0);
  }

  /** Whether it was marked. */
  delete(number: number): boolean {
    const ref = this.#refs.get(number);
    if (ref === undefined) return false;
    this.#refs.delete(number);
    this.#home.log.settled(this.id, 0, number);
    this.#home.store.release(ref, 0);
    return true;
  }

  /** The queue is deleted: so are they in the log. */
  close(): void {
    this.isDeleted = true;
    for (const ref of this.#refs.values()) this.#home.store.release(ref, 0);
    this.#refs.clear();
  }

  relocate(rename: Rename): void {
    for (const [number, ref] of this.#refs) this.#refs.set(number, rename(ref, this, metaLogged | metaPersistent, number, 0, 0));
  }

  // --- recovery

  levelOf(): number {
    return 0;
  }

  restore(_priority: number, number: number, ref: MessageRef): void {
    this.#refs.set(number, ref);
  }

  restoreRetry(): void {}

  restoreTaken(): void {}

  restored(): void {}
}
