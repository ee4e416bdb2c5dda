import { JournalStore } from '../../src/store/journal/journal-store.ts';
import type { BrokerCore } from '../../src/core/broker.ts';
import { SimBroker, type SimBrokerOptions } from './sim-broker.ts';
import { SimFiles } from './sim-files.ts';

/** A broker with the real journal over files that are simulated: the test says when the disk does something. */
export class SimDurableBroker extends SimBroker {
  readonly files: SimFiles;
  readonly store: JournalStore;

  constructor(files = new SimFiles(), options: SimBrokerOptions = {}, bodyMemoryBytes?: number) {
    const store = new JournalStore(
      files,
      error => {
        throw error;
      },
      bodyMemoryBytes,
    );
    super({ ...options, durability: store.journal, beforeStart: (core: BrokerCore) => void store.recover(core) });
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

export function evictAll(core: BrokerCore): void {
  const { store } = core;
  for (const slab of store.slabs) {
    if (slab !== null && slab.logSequence >= 0 && slab.isResident && !slab.isPinned && slab !== store.logSlab) store.evict(slab);
  }
}
