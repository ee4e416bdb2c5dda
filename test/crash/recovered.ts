import { BrokerCore } from '../../src/core/broker.ts';
import { recordHeaderBytes } from '../../src/core/messages/record.ts';
import { silentLogger } from '../../src/core/ports/logger.ts';
import { Entry } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { StreamQueue } from '../../src/core/queues/stream/stream-queue.ts';
import { exchangeTypes, messageFormats, queueTypes } from '../../src/server/registry.ts';
import { JournalStore } from '../../src/store/journal/journal-store.ts';
import { looseFileName, looseHeaderBytes } from '../../src/store/journal/loose-files.ts';
import type { RecoveryReport } from '../../src/store/journal/recovery-report.ts';
import { StreamStore, type StreamsReport } from '../../src/store/streams/stream-store.ts';
import { FakeClock, ManualScheduler } from '../support/fake-clock.ts';
import type { SimFiles } from '../support/sim-files.ts';
import { SimFolder } from '../support/sim-folder.ts';

export interface RecoveredOptions {
  readonly slabsPerSegment?: number;
  readonly slackBytes?: number;
}

/** Where the files of streams are among simulated files. */
export const streamFolder = 'streams/';

/** A broker's state as it is recovered from simulated files, without anything around it. */
export class Recovered {
  readonly files: SimFiles;
  readonly store: JournalStore;
  readonly core: BrokerCore;
  readonly streams: StreamStore;
  readonly report: RecoveryReport;
  readonly streamsReport: StreamsReport;
  readonly logs: string[] = [];
  readonly #scheduler = new ManualScheduler();
  readonly #clock = new FakeClock();

  /** @throws JournalError when the files are refused */
  constructor(files: SimFiles, options: RecoveredOptions = {}) {
    this.files = files;
    this.store = new JournalStore(new SimFolder(files, ''), {
      ...options,
      owner: files.random.uint32(),
      onFatal: error => {
        throw error;
      },
    });
    this.streams = new StreamStore(new SimFolder(files, streamFolder));
    const log = (_category: string, text: string): void => void this.logs.push(text);
    this.core = new BrokerCore({
      clock: this.#clock,
      scheduler: this.#scheduler,
      logger: { ...silentLogger, warning: log, error: log },
      exchangeTypes,
      queueTypes,
      formats: messageFormats,
      durability: this.store.journal,
      streams: this.streams,
    });
    this.streams.attach(this.core);
    this.store.journal.join(this.streams);
    this.report = this.store.recover(this.core);
    this.streamsReport = this.streams.recover(this.report.damaged.length === 0);
  }

  get queues(): ReadonlyMap<string, Queue> {
    return this.core.vhosts.get('/')?.queues ?? new Map<string, Queue>();
  }

  /** Does what a start does before anybody is served; false when the disk died on the way. */
  begin(): boolean {
    let isDone = false;
    const begun = (error: Error | null): void => {
      if (error !== null) throw error;
      isDone = true;
    };
    this.store.begin(this.core, error => (error === null ? this.streams.begin(begun) : begun(error)));
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
    const body = Buffer.concat(store.loose?.body?.pieces ?? [store.bytes.subarray(store.bodyStart, store.bodyStart + store.bodyBytes)]);
    queue.release(entry);
    return body;
  }

  /** Bodies of all messages of a stream, by offset; none where there is no such stream. */
  streamBodies(name: string): Buffer[] {
    const bodies: Buffer[] = [];
    const queue = this.queues.get(name);
    if (!(queue instanceof StreamQueue)) return bodies;
    let isReadable = false;
    const reader = queue.log.read({ kind: 'first' }, null, () => (isReadable = true));
    do {
      isReadable = false;
      while (reader.next())
        bodies[reader.offset] = Buffer.from(reader.bytes.subarray(reader.bodyStart, reader.bodyStart + reader.bodyBytes));
      while (this.files.step());
    } while (isReadable);
    reader.close();
    return bodies;
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
