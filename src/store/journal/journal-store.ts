import type { BrokerCore } from '../../core/broker.ts';
import { deliveryCount, metaLogged, metaRedelivered, priorityOf } from '../../core/queues/entry.ts';
import type { Files } from '../../core/ports/files.ts';
import { Cleaner } from './cleaner.ts';
import { Journal } from './journal.ts';
import { Recovery, type RecoveryReport } from './recovery.ts';

/** Memory for message bodies that are on disk as well. */
export const defaultBodyMemoryBytes = 96 * 1024 * 1024;

/**
 * A broker's durable side in one directory: give `journal` to the core, then `recover`, and `stop` at the end.
 */
export class JournalStore {
  readonly journal: Journal;
  readonly #files: Files;
  readonly #onFatal: (error: Error) => void;
  #cleaner: Cleaner | null = null;

  /** `onFatal` is called once, when a write or sync failed: nothing more is acknowledged, the process has to end. */
  constructor(files: Files, onFatal: (error: Error) => void, bodyMemoryBytes: number = defaultBodyMemoryBytes) {
    this.#files = files;
    this.#onFatal = onFatal;
    this.journal = new Journal(files, bodyMemoryBytes, onFatal);
  }

  /** Whether nothing was ever stored here: the broker makes its default user and virtual host. */
  get isBlank(): boolean {
    return !this.#files.list().some(name => name.endsWith('.seg') || name === 'metadata.json');
  }

  /** @throws JournalError when the directory cannot be used without losing something. */
  recover(core: BrokerCore): RecoveryReport {
    this.journal.attach(core);
    const report = new Recovery(core, this.journal, this.#files).run();
    const cleaner = new Cleaner(core, this.journal, this.#files, this.#onFatal);
    this.#cleaner = cleaner;
    this.journal.onCommitted = () => cleaner.run();
    return report;
  }

  /** Writes what a clean stop knows better than a crash: which messages were delivered before. Connections must be closed already. */
  async stop(core: BrokerCore): Promise<void> {
    for (const vhost of core.vhosts.values()) {
      for (const queue of vhost.queues.values()) {
        if (!queue.isLogging) continue;
        queue.forEachReady(entry => {
          if ((entry.meta & metaLogged) !== 0 && ((entry.meta & metaRedelivered) !== 0 || deliveryCount(entry.meta) > 0)) {
            this.journal.flagged(queue.id, priorityOf(entry.meta), entry.sequence, entry.meta);
          }
          return true;
        });
      }
    }
    this.journal.markClean();
    await this.journal.close();
    this.#cleaner = null;
  }

  get cleaner(): Cleaner | null {
    return this.#cleaner;
  }
}
