import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { moveRecords } from '../../core/messages/compaction.ts';
import { type Slab, slabBytes } from '../../core/messages/slab.ts';
import type { Files } from '../../core/ports/files.ts';
import { lastingPart, metaLogged, priorityOf } from '../../core/queues/entry.ts';
import type { Run } from './frame-list.ts';
import type { Journal } from './journal.ts';
import { encodeSnapshot, type MetadataSnapshot, writeSnapshot } from './snapshot.ts';

/** Dead bytes that are put up with, besides as many as are alive. */
export const defaultSlackBytes = 64 * 1024 * 1024;
/** Live bytes that are copied in one go: they are all fetched for it, and everybody waits while they are copied. */
const moveBytesMax = 16 * 1024 * 1024;
/** How often the size of the log is looked at while its segments stay the same. */
const checkMillis = 1000;
/** Metadata is written to the snapshot at most this often while no segment waits for it. */
const snapshotMillis = 30_000;
/** Times as long as writing one has taken nothing is written. */
const pauseFactor = 100;

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
  readonly #slackBytes: number;
  #runs: readonly Run[];
  #isMoving = false;
  #isSnapshotting = false;
  #isStopped = false;
  #checkedSegment = -1;
  #checkedMillis = -Infinity;
  #snapshotDueMillis = 0;
  readonly #timer = new CallbackTimer(() => this.run());
  #onSnapshot: (() => void)[] = [];
  movedBytes = 0;
  snapshotCount = 0;

  /** `runs` are the starts of the broker whose frames are in the log, this one included. */
  constructor(core: BrokerCore, journal: Journal, files: Files, runs: readonly Run[], slackBytes: number, onFatal: (error: Error) => void) {
    this.#core = core;
    this.#journal = journal;
    this.#files = files;
    this.#runs = runs;
    this.#slackBytes = slackBytes;
    this.#onFatal = onFatal;
  }

  /** To be called after commits; cheap when there is nothing to do. */
  run(): void {
    if (this.#isStopped) return;
    const { segments, snapshotSequence, metadataSequence } = this.#journal;
    const now = this.#core.clock.nowMillis;
    const needed = segments.firstNeeded(snapshotSequence);
    if (needed > this.#journal.floor && snapshotSequence > 0) this.#journal.note();
    if (!this.#isSnapshotting && metadataSequence > snapshotSequence) {
      if (now >= this.#snapshotDueMillis || segments.firstNeeded(Infinity) > needed) this.#snapshot();
      else this.#wakeAt(this.#snapshotDueMillis);
    }
    if (this.#isMoving || segments.count < 2 || needed > segments.first) return;
    if (this.#checkedSegment === segments.last && now < this.#checkedMillis + checkMillis) {
      this.#wakeAt(this.#checkedMillis + checkMillis);
      return;
    }
    this.#checkedSegment = segments.last;
    this.#checkedMillis = now;
    if (this.#isTooLarge()) this.#moveFirst();
  }

  /** Nothing is begun any more. */
  stop(): void {
    this.#isStopped = true;
    this.#core.timers.clear(this.#timer);
  }

  /** Writes all metadata to the snapshot, when one that is being written is done. */
  snapshotNow(done: (error: Error | null) => void): void {
    if (this.#isSnapshotting) this.#onSnapshot.push(() => this.snapshotNow(done));
    else this.#write(done);
  }

  #snapshot(): void {
    this.#write(error => {
      if (error !== null) this.#onFatal(error);
      else this.run();
    });
  }

  /** The snapshot says what the frames up to one say, and is written when these are durable: it never runs ahead of the log. */
  #write(done: (error: Error | null) => void): void {
    this.#isSnapshotting = true;
    let snapshot: MetadataSnapshot | null = null;
    this.#journal.capture(
      sequence => {
        const first = this.#journal.segments.first;
        // A run goes when the next one begins at or before the oldest segment.
        this.#runs = this.#runs.filter((_, index) => (this.#runs[index + 1]?.firstSegment ?? Infinity) > first);
        snapshot = { sequence, lastQueueId: this.#core.lastQueueId, runs: this.#runs, changes: this.#core.metadataSnapshot() };
      },
      () => this.#encode(snapshot as MetadataSnapshot, done),
    );
  }

  #encode(snapshot: MetadataSnapshot, done: (error: Error | null) => void): void {
    const began = this.#core.clock.nowMillis;
    const finish = (error: Error | null): void => {
      this.#core.turn.begin();
      const now = this.#core.clock.nowMillis;
      this.#snapshotDueMillis = now + Math.max(snapshotMillis, (now - began) * pauseFactor);
      this.#isSnapshotting = false;
      this.snapshotCount++;
      if (error === null) this.#journal.snapshotSequence = snapshot.sequence;
      done(error);
      for (const callback of this.#onSnapshot.splice(0)) callback();
    };
    this.#core.works.start(
      encodeSnapshot(snapshot),
      pieces => writeSnapshot(this.#files, pieces, finish),
      error => finish(error as Error),
    );
  }

  #wakeAt(millis: number): void {
    if (!this.#timer.isSet || this.#timer.dueMillis > millis) this.#core.timers.set(this.#timer, millis);
  }

  #isTooLarge(): boolean {
    let live = 0;
    for (const slab of this.#core.store.slabs) if (slab !== null && slab.logSequence >= 0) live += slab.liveBytes;
    const { segments } = this.#journal;
    return (segments.count - 1) * segments.segmentBytes > 2 * live + this.#slackBytes;
  }

  /** Copies what is alive in the oldest segment, or a part of it, to the end of the log. */
  #moveFirst(): void {
    const { segments } = this.#journal;
    const { store } = this.#core;
    const slabs: Slab[] = [];
    let bytes = 0;
    for (const slab of store.slabs) {
      if (slab === null || slab.logSequence < 0 || segments.numberOf(slab.logSequence) !== segments.first) continue;
      if (slab.isPinned || slab === store.logSlab) continue;
      bytes += Math.min(slab.liveBytes, slabBytes);
      if (slabs.length > 0 && bytes > moveBytesMax) break;
      slabs.push(slab);
    }
    if (slabs.length === 0) {
      // It waits for a snapshot, or to be removed: then the next one is looked at without waiting.
      this.#checkedSegment = -1;
      return;
    }
    this.#isMoving = true;
    this.#fetchAll(slabs, () => {
      this.#isMoving = false;
      if (this.#isStopped) return;
      const there = slabs.filter(slab => store.slabs[slab.id] === slab && slab.isResident);
      if (there.length === 0) return;
      for (const slab of there) this.movedBytes += Math.min(slab.liveBytes, slabBytes);
      this.#move(new Set(there.map(slab => slab.id)));
      this.#checkedSegment = -1;
      this.#journal.commit(() => this.run(), null);
    });
  }

  #move(slabIds: ReadonlySet<number>): void {
    const { clock, store } = this.#core;
    moveRecords(store, slabIds, this.#core.refHolders(), true, (ref, queue, meta, sequence, bodyBytes, expiryMillis) => {
      if (queue === null || (meta & metaLogged) === 0) return ref;
      const expiry = expiryMillis === 0 ? 0 : clock.wallMillis + (expiryMillis - clock.nowMillis);
      this.#journal.enqueued(queue.id, priorityOf(meta), sequence, ref, bodyBytes, expiry);
      queue.retries?.record(priorityOf(meta), sequence);
      // What was noted of it goes with the segment that it was noted in.
      if (lastingPart(meta) !== 0) this.#journal.returned(queue.id, priorityOf(meta), sequence, meta);
      return ref;
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
