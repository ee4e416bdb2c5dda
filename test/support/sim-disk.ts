import { JournalStore, type JournalStoreOptions } from '../../src/store/journal/journal-store.ts';
import type { BrokerCore } from '../../src/core/broker.ts';
import { SimBroker, type SimBrokerOptions } from './sim-broker.ts';
import { SimFiles } from './sim-files.ts';

/** A broker with the real journal over files that are simulated: the test says when the disk does something. */
export class SimDurableBroker extends SimBroker {
  readonly files: SimFiles;
  readonly store: JournalStore;

  constructor(files = new SimFiles(), options: SimBrokerOptions = {}, bodyMemoryBytes?: number, more: Partial<JournalStoreOptions> = {}) {
    const store = simStore(files, bodyMemoryBytes, more);
    super({ ...options, durability: store.journal, beforeStart: (core: BrokerCore) => startStore(store, core) });
    this.files = files;
    this.store = store;
    this.finishDisk();
  }

  /** Lets the disk do all it has to, and the broker what follows from it. */
  finishDisk(): void {
    do this.settle();
    while (this.files.step());
    // What nobody waits for is written a little later.
    this.advance(20);
    while (this.files.step()) this.settle();
  }

  /** Puts away to disk whatever can be, as a broker short of memory does. */
  evictAll(): void {
    evictAll(this.core);
  }
}

/** A journal whose failures are the test's. */
export function simStore(files: SimFiles, bodyMemoryBytes?: number, more: Partial<JournalStoreOptions> = {}): JournalStore {
  return new JournalStore(files, { ...more, onFatal: fail, ...(bodyMemoryBytes === undefined ? {} : { bodyMemoryBytes }) });
}

/** Recovers, and begins as far as that goes before the disk does anything: the rest follows. */
export function startStore(store: JournalStore, core: BrokerCore): void {
  store.recover(core);
  store.begin(core, error => {
    if (error !== null) fail(error);
  });
}

function fail(error: Error): never {
  throw error;
}

export function evictAll(core: BrokerCore): void {
  const { store } = core;
  for (const slab of store.slabs) {
    if (slab !== null && slab.logSequence >= 0 && slab.isResident && !slab.isPinned && slab !== store.logSlab) store.evict(slab);
  }
}
