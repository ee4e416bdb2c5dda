import type { QueueRetries } from '../retries/queue-retries.ts';

/**
 * Names a message: slab id and place in the slab, as one small integer. 0 names none.
 *
 *     bits 30..16  slab id        bits 15..0  offset in the slab / 16
 */
export type MessageRef = number;

/** Somebody who holds message references and can have them renamed when slabs are compacted. */
export interface RefHolder {
  /**
   * Calls `rename` for every reference held, with the entry it is part of, and takes its answer in place of it. With `slabs`, those to
   * messages in other slabs may be left out.
   */
  relocate(rename: Rename, slabs?: ReadonlySet<number>): void;
}

/** Whose message it is: a queue, or an exchange that holds messages for later. */
export interface RefOwner {
  /** Names it in the log. */
  readonly id: number;
  /** What the log knows of its entries besides; null for nothing. */
  readonly retries: QueueRetries | null;
  /** Whether what it holds are messages: marks and values that are remembered are none, and are not counted as any. */
  readonly holdsMessages: boolean;
}

/** Says what a reference is called from now on. The entry's facts are for the log, which records the new place. */
export type Rename = (
  ref: MessageRef,
  owner: RefOwner | null,
  meta: number,
  sequence: number,
  bodyBytes: number,
  expiryMillis: number,
) => MessageRef;
