import type { LooseMessage } from './loose-message.ts';
import type { MessageRef } from './message-ref.ts';
import type { Slab } from './slab.ts';

/** The log's side of the store: told when a slab of the log is opened or no longer needed, and when a loose message comes or goes. */
export interface LogRegionListener {
  /** The log's next slab is needed; returns its sequence. The slab before it is full. */
  slabOpened(slab: Slab): number;
  /** First offset for records in a new slab. */
  readonly firstOffset: number;
  slabDied(slab: Slab): void;
  looseStored(message: LooseMessage): void;
  looseReleased(message: LooseMessage): void;
  /** Brings a slab's, or a loose message's, bytes into memory. */
  fetch(ref: MessageRef, slab: Slab, loaded: () => void): void;
}
