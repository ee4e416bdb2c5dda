import { BrokerCore } from '../../src/core/broker.ts';
import { recordHeaderBytes } from '../../src/core/messages/record.ts';
import { silentLogger } from '../../src/core/ports/logger.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { exchangeTypes, messageFormats, queueTypes } from '../../src/server/registry.ts';
import { JournalStore } from '../../src/store/journal/journal-store.ts';
import { looseFileName, looseHeaderBytes } from '../../src/store/journal/loose-files.ts';
import type { RecoveryReport } from '../../src/store/journal/recovery.ts';
import { FakeClock, ManualScheduler } from '../support/fake-clock.ts';
import type { SimFiles } from '../support/sim-files.ts';

export interface RecoveredOptions {
  readonly slabsPerSegment?: number;
  readonly slackBytes?: number;
}

/** A broker's state as it is recovered from simulated files, without anything around it. */
export class Recovered {
  readonly files: SimFiles;
  readonly store: JournalStore;
  readonly core: BrokerCore;
  readonly report: RecoveryReport;
  readonly logs: string[] = [];
  readonly #scheduler = new ManualScheduler();
  readonly #clock = new FakeClock();

  /** @throws JournalError when the files are refused */
  constructor(files: SimFiles, options: RecoveredOptions = {}) {
    this.files = files;
    this.store = new JournalStore(files, {
      ...options,
      owner: files.random.uint32(),
      onFatal: error => {
        throw error;
      },
    });
    const log = (_category: string, text: string): void => void this.logs.push(text);
    this.core = new BrokerCore({
      clock: this.#clock,
      scheduler: this.#scheduler,
      logger: { ...silentLogger, warning: log, error: log },
      exchangeTypes,
      queueTypes,
      formats: messageFormats,
      durability: this.store.journal,
    });
    this.report = this.store.recover(this.core);
  }

  get queues(): ReadonlyMap<string, Queue> {
    return this.core.vhosts.get('/')?.queues ?? new Map<string, Queue>();
  }

  /** Does what a start does before anybody is served; false when the disk died on the way. */
  begin(): boolean {
    let isDone = false;
    this.store.begin(this.core, error => {
      if (error !== null) throw error;
      isDone = true;
    });
    return this.drive(() => isDone);
  }

  /** Lets things happen until a condition holds; false when nothing can happen any more. */
  drive(isDone: () => boolean): boolean {
    for (let idle = 0; !isDone(); ) {
      if (this.files.isFrozen) return false;
      if (this.files.step() || this.#scheduler.runTurn()) {
        idle = 0;
        continue;
      }
      if (++idle > 1000) return false;
      this.#clock.millis += 10;
      this.#scheduler.runTimer(this.#clock.millis);
    }
    return true;
  }

  /** Takes the first message of a queue, which must be there; null when there is none. */
  take(queue: Queue): Buffer | null {
    const entry = new Entry();
    if (!queue.take(entry, true)) return null;
    const { store } = this.core;
    store.locate(entry.ref);
    const body = Buffer.concat(store.loose?.parts ?? [store.bytes.subarray(store.bodyStart, store.bodyStart + store.bodyBytes)]);
    queue.release(entry);
    return body;
  }

  /** A message's body as it stands in the files; null when it is not there. */
  bodyOf(entry: Entry): Buffer | null {
    const slab = this.core.store.slabs[entry.ref >> 16];
    if (slab === null || slab === undefined) return null;
    const { segments } = this.store.journal;
    if (!segments.isPresent(slab.logSequence)) return null;
    const handle = segments.handleOf(slab.logSequence);
    const at = segments.positionOf(slab.logSequence) + ((entry.ref & 0xffff) << 4);
    const head = Buffer.alloc(recordHeaderBytes);
    handle.readSync(head, at);
    const before = head.readUInt32LE(4) + head.readUInt16LE(8);
    const isLoose = head[11] !== 0;
    const rest = Buffer.alloc(before + (isLoose ? 8 : head.readUInt32LE(0)));
    handle.readSync(rest, at + recordHeaderBytes);
    if (!isLoose) return rest.subarray(before);
    const name = looseFileName(rest.readDoubleLE(before));
    return this.files.list().includes(name) ? this.files.bytesOf(name).subarray(looseHeaderBytes) : null;
  }
}
