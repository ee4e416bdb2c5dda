import { statSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerCore } from '../../core/broker.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { type Logger, silentLogger } from '../../core/ports/logger.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Scheduler } from '../../core/ports/scheduler.ts';
import { JournalStore } from '../../store/journal/journal-store.ts';
import { ReadOnlyFiles } from '../../store/journal/read-only-files.ts';
import type { RecoveryReport } from '../../store/journal/recovery-report.ts';
import { StreamStore } from '../../store/streams/stream-store.ts';
import { DataDirError } from '../data-dir-error.ts';
import { isInUse } from '../data-dir.ts';
import { exchangeTypes, messageFormats, queueTypes } from '../registry.ts';

/** Time stands still while one looks: nothing expires. */
const stillClock: Clock = { nowMillis: 1, wallMillis: 0, refresh() {}, readMillis: () => 1 };

/** Runs what is due at once, and nothing else. */
class StillScheduler implements Scheduler {
  armTurn(run: () => void): void {
    setImmediate(run);
  }

  armTimer(dueMillis: number, run: () => void): void {
    if (dueMillis <= stillClock.nowMillis) setImmediate(run);
  }
}

/** What a data directory holds, read without changing anything in it. */
export class Inspection {
  readonly path: string;
  readonly core: BrokerCore;
  readonly store: JournalStore;
  readonly report: RecoveryReport;
  #last: MessageRef = 0;
  /** What streams there are, and what is wrong with them. */
  readonly streams: ReturnType<StreamStore['recover']>;

  /** Reads the definitions, and where every message is. Rejects with a DataDirError or JournalError when that cannot be. */
  static async open(path: string, logger: Logger = silentLogger): Promise<Inspection> {
    if (statSync(join(path, 'journal'), { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new DataDirError(`${path} is no data directory of WarrenMQ: it has no directory "journal"`);
    if (await isInUse(path)) throw new DataDirError(`the data directory ${path} is in use by a broker`);
    return new Inspection(path, logger);
  }

  private constructor(path: string, logger: Logger) {
    this.path = path;
    this.store = new JournalStore(new ReadOnlyFiles(join(path, 'journal')), {
      onFatal: error => {
        throw error;
      },
    });
    const streams = new StreamStore(new ReadOnlyFiles(join(path, 'streams')));
    this.core = new BrokerCore({
      clock: stillClock,
      scheduler: new StillScheduler(),
      logger,
      // It has only what is in memory.
      settings: { queueIndexBytesMax: Infinity },
      exchangeTypes,
      queueTypes,
      formats: messageFormats,
      durability: this.store.journal,
      streams,
    });
    streams.attach(this.core);
    this.report = this.store.recover(this.core);
    this.streams = streams.recover(this.report.damaged.length === 0);
  }

  /** Resolves when the bytes of a message are in memory, or known to be damaged. Those of the last one asked for may go. */
  async fetch(ref: MessageRef): Promise<void> {
    const { store } = this.core;
    if (this.#last !== 0 && this.#last !== ref) {
      const slab = store.slabs[this.#last >> 16];
      const loose = store.looseMessages.get(this.#last);
      if (loose !== undefined) store.looseMessages.evict(loose);
      if (slab !== null && slab !== undefined && this.#last >> 16 !== ref >> 16 && slab.isResident && !slab.isPinned) store.evict(slab);
    }
    this.#last = ref;
    while (!store.isResident(ref)) await new Promise<void>(resolve => store.fetch(ref, resolve));
  }
}
