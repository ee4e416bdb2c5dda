import type { BrokerCore } from '../../core/broker.ts';
import { type Slab, slabBytes } from '../../core/messages/slab.ts';
import type { Files } from '../../core/ports/files.ts';
import { metaLogged, priorityOf } from '../../core/queues/entry.ts';
import type { Journal } from './journal.ts';
import { slabsPerSegment } from './layout.ts';
import { segmentBytes } from './segments.ts';
import { encodeSnapshot, snapshotName } from './snapshot.ts';

/** Dead bytes that are put up with, besides as many as are alive. */
const slackBytes = 64 * 1024 * 1024;

/**
 * Gives the log's space back. Segments go in order, the oldest first: then no settlement is ever lost that something older still needs.
 * When the oldest holds live messages and the log is more than twice what is alive, they are copied to its end. Metadata that only a dead
 * segment holds is written to a snapshot before.
 */
export class Cleaner {
  readonly #core: BrokerCore;
  readonly #journal: Journal;
  readonly #files: Files;
  readonly #onFatal: (error: Error) => void;
  #isBusy = false;
  #checkedSegment = -1;
  movedBytes = 0;

  constructor(core: BrokerCore, journal: Journal, files: Files, onFatal: (error: Error) => void) {
    this.#core = core;
    this.#journal = journal;
    this.#files = files;
    this.#onFatal = onFatal;
  }

  /** To be called after commits; cheap when there is nothing to do. */
  run(): void {
    if (this.#isBusy) return;
    const { segments } = this.#journal;
    if (segments.isFirstDead) {
      if (this.#journal.isMetadataDirty) {
        this.#snapshotThenRun();
        return;
      }
      while (segments.isFirstDead) segments.removeFirst();
    }
    if (segments.count < 2 || this.#checkedSegment === segments.last) return;
    if (this.#isTooLarge()) this.#moveFirst();
    else this.#checkedSegment = segments.last;
  }

  /** Writes all metadata to the snapshot. */
  snapshot(done: (error: Error | null) => void): void {
    this.#journal.isMetadataDirty = false;
    const bytes = encodeSnapshot({ format: 1, lastQueueId: this.#core.lastQueueId, changes: this.#core.metadataSnapshot() });
    this.#files.replace(snapshotName, bytes, done);
  }

  #snapshotThenRun(): void {
    this.#isBusy = true;
    // What the snapshot says has to be durable in the log first: a snapshot must not run ahead of what was acknowledged or lost.
    this.#journal.commit(() => {
      this.snapshot(error => {
        this.#isBusy = false;
        if (error !== null) this.#onFatal(error);
        else this.run();
      });
    }, null);
  }

  #isTooLarge(): boolean {
    let live = 0;
    for (const slab of this.#core.store.slabs) if (slab !== null && slab.logSequence >= 0) live += slab.liveBytes;
    return (this.#journal.segments.count - 1) * segmentBytes > 2 * live + slackBytes;
  }

  /** Copies what is alive in the oldest segment to the end of the log. */
  #moveFirst(): void {
    const { segments } = this.#journal;
    const { store } = this.#core;
    const from = segments.first * slabsPerSegment;
    const slabs: Slab[] = [];
    for (const slab of store.slabs) {
      if (
        slab !== null &&
        slab.logSequence >= from &&
        slab.logSequence < from + slabsPerSegment &&
        !slab.isPinned &&
        slab !== store.logSlab
      )
        slabs.push(slab);
    }
    if (slabs.length === 0) return;
    this.#isBusy = true;
    this.#fetchAll(slabs, () => {
      this.#isBusy = false;
      const there = slabs.filter(slab => store.slabs[slab.id] === slab && slab.isResident);
      for (const slab of there) this.movedBytes += Math.min(slab.liveBytes, slabBytes);
      const { clock } = this.#core;
      store.move(
        new Set(there.map(slab => slab.id)),
        this.#core.refHolders(),
        true,
        (ref, queue, meta, sequence, bodyBytes, expiryMillis) => {
          if (queue === null || (meta & metaLogged) === 0) return ref;
          const expiry = expiryMillis === 0 ? 0 : clock.wallMillis + (expiryMillis - clock.nowMillis);
          this.#journal.enqueued(queue.id, priorityOf(meta), sequence, ref, bodyBytes, expiry);
          return ref;
        },
      );
      this.#journal.commit(() => this.run(), null);
    });
  }

  #fetchAll(slabs: readonly Slab[], then: () => void): void {
    const missing = slabs.filter(slab => !slab.isResident);
    let open = missing.length;
    if (open === 0) {
      then();
      return;
    }
    for (const slab of missing) {
      this.#journal.fetch(slab.id << 16, slab, () => {
        if (--open === 0) then();
      });
    }
  }
}
