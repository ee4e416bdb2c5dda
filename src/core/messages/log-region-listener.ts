import type { BodyStage } from './body-stage.ts';
import type { LargeBody } from './large-body.ts';
import type { LooseMessage } from './loose-message.ts';
import type { MessageRef } from './message-ref.ts';
import type { Slab } from './slab.ts';

/** The disk's side of the store: told when a slab is opened or no longer needed, and when a loose message comes or goes. */
export interface LogRegionListener {
  /** The log's next slab is needed; returns its sequence. The slab before it is full. */
  slabOpened(slab: Slab): number;
  /** First offset for records in a new slab. */
  readonly firstOffset: number;
  slabDied(slab: Slab): void;
  /** A slab for memory only was opened: the one before it is full. */
  memorySlabOpened(slab: Slab): void;
  /** Memory for large messages that are not in the log is used up: they go to slabs, as far as these can hold them. */
  readonly wantsInSlabs: boolean;
  /** A large body has begun to come whose message will be durable, with this id; null when it can only be written as a whole. */
  stage(body: LargeBody, id: number): BodyStage | null;
  looseStored(message: LooseMessage): void;
  looseReleased(message: LooseMessage): void;
  /** Brings a slab's, or a loose message's, bytes into memory. */
  fetch(ref: MessageRef, slab: Slab, loaded: () => void): void;
  /** The same at once, of what is not in the log. */
  fetchNow(ref: MessageRef, slab: Slab): void;
}
