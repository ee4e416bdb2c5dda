import type { BrokerCore } from '../../core/broker.ts';
import { deliveryCount, type Entry, metaLogged, metaRedelivered, priorityOf } from '../../core/queues/entry.ts';
import type { Files } from '../../core/ports/files.ts';
import { Queue } from '../../core/queues/queue.ts';
import { Cleaner, defaultSlackBytes } from './cleaner.ts';
import type { Run } from './frame-list.ts';
import { Journal } from './journal.ts';
import { looseFileName } from './loose-files.ts';
import { Recovery } from './recovery.ts';
import type { RecoveryReport } from './recovery-report.ts';
import { removeTemporaries } from './replace-file.ts';
import { fileName } from './segments.ts';

/** Memory for message bodies that are on disk as well. */
export const defaultBodyMemoryBytes = 96 * 1024 * 1024;

export interface JournalStoreOptions {
  /** Called once, when a write or sync failed: nothing more is acknowledged, the process has to end. */
  readonly onFatal: (error: Error) => void;
  readonly bodyMemoryBytes?: number;
  /** Dead bytes in the log that are put up with, besides as many as are alive. */
  readonly slackBytes?: number;
  /** Slabs of 1 MiB per segment; must be the same for the life of a directory. */
  readonly slabsPerSegment?: number;
  /** Names this start; default: a random number. */
  readonly owner?: number;
}

/** A broker's durable side in one directory: give `journal` to the core, then `recover` and `begin`, and `stop` at the end. */
export class JournalStore {
  readonly journal: Journal;
  readonly #files: Files;
  readonly #options: JournalStoreOptions;
  #recovery: Recovery | null = null;
  #cleaner: Cleaner | null = null;

  constructor(files: Files, options: JournalStoreOptions) {
    this.#files = files;
    this.#options = options;
    const { slabsPerSegment, owner } = options;
    this.journal = new Journal(files, {
      memoryBytes: options.bodyMemoryBytes ?? defaultBodyMemoryBytes,
      onFatal: options.onFatal,
      ...(slabsPerSegment === undefined ? {} : { slabsPerSegment }),
      ...(owner === undefined ? {} : { owner }),
    });
  }

  /**
   * Brings the broker to where it was. Changes nothing in the directory that is to last.
   * @throws JournalError when the directory cannot be used without losing something.
   */
  recover(core: BrokerCore): RecoveryReport {
    this.journal.attach(core);
    this.#recovery = new Recovery(core, this.journal, this.#files);
    const { indexPager } = core;
    // Nothing else goes on, and what was read is not to be in memory all at once.
    indexPager.isSynchronous = true;
    const report = this.#recovery.run();
    indexPager.isSynchronous = false;
    return report;
  }

  /**
   * Makes durable what recovery has found, so that nothing can take it back once it was seen, and records from now on. Before it is done
   * nobody may be served. Calls back with the error when the directory cannot be written.
   */
  begin(core: BrokerCore, done: (error: Error | null) => void): void {
    const recovery = this.#recovery as Recovery;
    this.#recovery = null;
    const { journal } = this;
    const { segments } = journal;
    this.#syncFound(recovery, syncError => {
      if (syncError !== null) {
        done(syncError);
        return;
      }
      const firstSegment = segments.last + 1;
      journal.begin();
      journal.settle(error => {
        if (error !== null) {
          done(error);
          return;
        }
        this.#removeUnneeded(recovery);
        for (const number of recovery.damagedSegments) this.quarantine(core, number);
        const runs: Run[] = [...recovery.runs, { firstSegment, owner: journal.owner }];
        this.#startCleaner(core, runs, done);
      });
    });
  }

  /**
   * Writes what a clean stop knows better than a crash: which messages were delivered before. Connections must be closed already. Resolves
   * also when the disk has failed: that was told by onFatal.
   */
  async stop(core: BrokerCore): Promise<void> {
    const error = await new Promise<Error | null>(resolve => this.#end(core, resolve));
    if (error === null) await this.journal.close();
    this.#cleaner = null;
  }

  /** Keeps a copy of a segment in which something is damaged. */
  quarantine(core: BrokerCore, segment: number): void {
    this.journal.segments.quarantine(segment, (name, error) => {
      if (error === null) core.logger.warning('store', `a copy of the damaged segment is kept as ${name}`);
      else core.logger.warning('store', `the damaged segment ${segment} could not be copied: ${error.message}`);
    });
  }

  #startCleaner(core: BrokerCore, runs: readonly Run[], done: (error: Error | null) => void): void {
    const { journal } = this;
    const { slackBytes = defaultSlackBytes, onFatal } = this.#options;
    const cleaner = new Cleaner(core, journal, this.#files, runs, slackBytes, onFatal);
    this.#cleaner = cleaner;
    core.lost.onDamaged = ref => {
      const slab = core.store.slabs[ref >> 16];
      if (slab !== null && slab !== undefined && slab.logSequence >= 0) this.quarantine(core, journal.segments.numberOf(slab.logSequence));
    };
    // From now on the snapshot names this run, and the log need not be read for definitions.
    cleaner.snapshotNow(error => {
      if (error === null) journal.onCommitted = () => cleaner.run();
      done(error);
    });
  }

  /**
   * The snapshot, then all that waits, then the mark in a frame of its own: it says that all before it is durable. The flags come when the
   * cleaner moves nothing any more: what is noted of a message in front of its new place is not found with it.
   */
  #end(core: BrokerCore, done: (error: Error | null) => void): void {
    const { journal } = this;
    const mark = (error: Error | null): void => {
      if (error !== null) {
        done(error);
        return;
      }
      this.#cleaner?.stop();
      for (const vhost of core.vhosts.values()) for (const queue of vhost.queues.values()) this.#flag(queue);
      // Sessions that outlive their connections have deliveries all the same.
      core.forEachHeld((owner, entry) => {
        if (owner instanceof Queue && owner.isLogging) this.#flagOne(owner, entry, entry.meta | metaRedelivered);
      });
      journal.settle(settleError => {
        if (settleError !== null) {
          done(settleError);
          return;
        }
        journal.markClean();
        journal.settle(done);
      });
    };
    if (this.#cleaner === null) mark(null);
    else this.#cleaner.snapshotNow(mark);
  }

  #flag(queue: Queue): void {
    if (!queue.isLogging) return;
    queue.forEachReady(entry => {
      if ((entry.meta & metaRedelivered) !== 0 || deliveryCount(entry.meta) > 0) this.#flagOne(queue, entry, entry.meta);
      return true;
    });
  }

  #flagOne(queue: Queue, { sequence }: Entry, meta: number): void {
    if ((meta & metaLogged) !== 0) this.journal.flagged(queue.id, priorityOf(meta), sequence, meta);
  }

  #removeUnneeded(recovery: Recovery): void {
    const { segments, loose, indexPages } = this.journal;
    segments.removeObsolete();
    removeTemporaries(this.#files, name => indexPages.isOwn(name));
    for (const id of recovery.unusedLooseIds) {
      // Where something is damaged, a body that nobody names may be somebody's after all.
      if (recovery.report.damaged.length === 0) loose.remove(id);
      else this.#files.rename(looseFileName(id), `${looseFileName(id)}.quarantine`);
    }
  }

  /** What was written before a crash may be in the page cache only. */
  #syncFound(recovery: Recovery, done: (error: Error | null) => void): void {
    const { segments, loose } = this.journal;
    let open = 1;
    let failure: Error | null = null;
    const synced = (error: Error | null): void => {
      failure ??= error;
      if (--open === 0) done(failure);
    };
    if (recovery.firstUnsyncedSlab !== Infinity) {
      for (let number = segments.numberOf(recovery.firstUnsyncedSlab); number <= segments.last; number++) {
        const first = number * segments.slabsPerSegment;
        if (!segments.isPresent(first)) continue;
        // Its length may not have got as far as its bytes: from now on a shorter file is damage.
        if (this.#files.sizeOf(fileName(number)) < segments.segmentBytes) this.#files.open(fileName(number), segments.segmentBytes).close();
        open++;
        segments.handleOf(first).sync(synced);
      }
      for (const [id, slab] of recovery.looseIds) {
        if (slab < recovery.firstUnsyncedSlab) continue;
        open++;
        loose.syncFound(id, synced);
      }
    }
    this.#files.syncDirectory(synced);
  }

  /** Between `recover` and `begin`: files of large bodies that no message has. */
  get unusedLooseCount(): number {
    return this.#recovery?.unusedLooseIds.length ?? 0;
  }

  get cleaner(): Cleaner | null {
    return this.#cleaner;
  }
}
