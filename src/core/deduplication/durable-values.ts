import type { MessageRef, RefHolder, RefOwner, Rename } from '../messages/message-ref.ts';
import type { MessageStore } from '../messages/message-store.ts';
import { Publication } from '../messages/publication.ts';
import type { Clock } from '../ports/clock.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { metaLogged, metaPersistent } from '../queues/entry.ts';
import type { BodyRestorable } from '../queues/queue.ts';

class KeptValue {
  ref: MessageRef;
  readonly bytes: number;
  /** In the clock's milliseconds; Infinity: never. */
  readonly expiryMillis: number;

  constructor(ref: MessageRef, bytes: number, expiryMillis: number) {
    this.ref = ref;
    this.bytes = bytes;
    this.expiryMillis = expiryMillis;
  }
}

/** What it takes to keep values on disk. */
export interface ValueHome {
  readonly clock: Clock;
  readonly store: MessageStore;
  readonly log: QueueLog;
  /** A number that names the values in the log from now on; recorded. */
  claimId(): number;
  beforeCommit(act: () => void): void;
}

/** Hears of the values that recovery found, oldest first. `expiryMillis` is the clock's; Infinity: never. */
export type ValueRestored = (serial: number, text: string, expiryMillis: number) => void;

/**
 * Values that are remembered over a restart: each is a short record of the log, an entry under a number of its own, with its expiry, which is
 * settled when the value is forgotten. It is written behind all that the turn did and with the commit that confirms the message: a commit
 * that is cut short may have the message and not the value, never the value and not the message, which would be lost as a duplicate.
 */
export class DurableValues implements RefHolder, RefOwner, BodyRestorable {
  id = 0;
  isDeleted = false;
  readonly retries = null;
  readonly holdsMessages = false;
  readonly #home: ValueHome;
  readonly #onRestored: ValueRestored;
  readonly #kept = new Map<number, KeptValue>();
  readonly #scratch = new Publication();
  /** What is to be written by and by, by number. */
  readonly #later = new Map<number, { readonly text: string; readonly expiryMillis: number }>();
  /** What is to be written at the end of the turn, by number. */
  #pending = new Map<number, { readonly text: string; readonly expiryMillis: number }>();

  constructor(home: ValueHome, onRestored: ValueRestored) {
    this.#home = home;
    this.#onRestored = onRestored;
    this.#scratch.envelope = Buffer.alloc(2);
    this.#scratch.envelopeBytes = 2;
    this.#scratch.isPersistent = true;
  }

  get count(): number {
    return this.#kept.size;
  }

  /** Remembers a text under a number that was not given before. */
  keep(serial: number, text: string, expiryMillis: number): void {
    if (this.#pending.size === 0) this.#home.beforeCommit(() => this.#write());
    this.#pending.set(serial, { text, expiryMillis });
  }

  /** Remembers one of many: `writeSome` writes them. */
  keepLater(serial: number, text: string, expiryMillis: number): void {
    this.#later.set(serial, { text, expiryMillis });
  }

  /** Writes up to so many of those that were put off; returns whether that was all. */
  writeSome(countMax: number): boolean {
    let count = 0;
    for (const [serial, { text, expiryMillis }] of this.#later) {
      if (this.isDeleted || count++ === countMax) break;
      this.#later.delete(serial);
      this.#writeOne(serial, text, expiryMillis);
    }
    return this.isDeleted || this.#later.size === 0;
  }

  #write(): void {
    const pending = this.#pending;
    this.#pending = new Map();
    if (!this.isDeleted) for (const [serial, { text, expiryMillis }] of pending) this.#writeOne(serial, text, expiryMillis);
  }

  #writeOne(serial: number, text: string, expiryMillis: number): void {
    const { store, clock, log } = this.#home;
    this.id ||= this.#home.claimId();
    const p = this.#scratch;
    p.body = Buffer.from(text);
    p.bodyBytes = p.body.length;
    const ref = store.append(p, 1, clock.nowMillis, true);
    this.#kept.set(serial, new KeptValue(ref, p.bodyBytes, expiryMillis));
    log.enqueued(this.id, 0, serial, ref, p.bodyBytes, expiryMillis === Infinity ? 0 : clock.wallMillis + (expiryMillis - clock.nowMillis));
  }

  forget(serial: number): void {
    const value = this.#kept.get(serial);
    if (value === undefined) {
      if (!this.#later.delete(serial)) this.#pending.delete(serial);
      return;
    }
    this.#kept.delete(serial);
    this.#home.log.settled(this.id, 0, serial);
    this.#home.store.release(value.ref, value.bytes);
  }

  /** Whose values they are is deleted: so are they in the log. */
  close(): void {
    this.isDeleted = true;
    for (const { ref, bytes } of this.#kept.values()) this.#home.store.release(ref, bytes);
    this.#kept.clear();
  }

  relocate(rename: Rename): void {
    for (const [serial, value] of this.#kept) {
      const expiry = value.expiryMillis === Infinity ? 0 : value.expiryMillis;
      value.ref = rename(value.ref, this, metaLogged | metaPersistent, serial, value.bytes, expiry);
    }
  }

  // --- recovery

  levelOf(): number {
    return 0;
  }

  restore(_priority: number, serial: number, ref: MessageRef, _meta: number, bytes: number, expiryMillis: number): void {
    this.#kept.set(serial, new KeptValue(ref, bytes, expiryMillis === 0 ? Infinity : expiryMillis));
  }

  restoreBody(serial: number, body: Buffer | null): void {
    const value = this.#kept.get(serial);
    if (value === undefined) return;
    if (body === null) this.forget(serial);
    else this.#onRestored(serial, body.toString(), value.expiryMillis);
  }

  restoreTaken(): void {}

  restoreRetry(): void {}

  restored(): void {}
}
