import { setImmediate } from 'node:timers/promises';
import type { BrokerCore } from '../../src/core/broker.ts';
import type { DurableValues } from '../../src/core/deduplication/durable-values.ts';
import type { HeldMessages } from '../../src/core/delays/held-messages.ts';
import type { Exchange } from '../../src/core/exchanges/exchange.ts';
import { recordHeaderBytes } from '../../src/core/messages/record.ts';
import type { MetadataChange } from '../../src/core/ports/metadata-journal.ts';
import { type Entry, priorityOf } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import { MetadataReplay } from '../../src/core/topology-replay.ts';
import { JournalStore } from '../../src/store/journal/journal-store.ts';
import { looseFileName, looseHeaderBytes } from '../../src/store/journal/loose-files.ts';
import type { RecoveryReport } from '../../src/store/journal/recovery-report.ts';
import { MemoryFiles } from '../../src/store/streams/memory-files.ts';
import { StreamStore, type StreamsReport } from '../../src/store/streams/stream-store.ts';
import type { Random } from '../support/random.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { readBody, recordName } from './message-body.ts';
import { entryKey, entryValue, residentName, type ShadowEntries, ShadowLog, waitValue } from './shadow-log.ts';
import type { SimFiles } from '../support/sim-files.ts';
import { SimFolder } from '../support/sim-folder.ts';

export interface SimNodeOptions {
  readonly slabsPerSegment: number;
  readonly bodyMemoryBytes: number;
  readonly slackBytes: number;
}

/** A broker on a simulated disk: started, worked with step by step, and killed or stopped. */
export class SimNode {
  readonly files: SimFiles;
  readonly random: Random;
  readonly broker: SimBroker;
  readonly store: JournalStore;
  readonly shadow: ShadowLog;
  readonly streams: StreamStore;
  readonly report: RecoveryReport;
  readonly streamsReport: StreamsReport;
  readonly failures: Error[];
  readonly logs: string[];
  isServing = false;
  /** Messages whose bodies were read, until the node begins. */
  readonly #found = new Map<number, number>();

  /** @throws JournalError when the directory is refused */
  constructor(files: SimFiles, random: Random, nowMillis: number, options: SimNodeOptions) {
    this.files = files;
    this.random = random;
    this.failures = [];
    this.logs = [];
    this.store = new JournalStore(new SimFolder(files, ''), {
      ...options,
      owner: random.uint32(),
      onFatal: error => void this.failures.push(error),
    });
    this.streams = new StreamStore(new SimFolder(files, 'streams/'));
    // What a queue numbers anew may be on disk.
    this.shadow = new ShadowLog(this.store.journal, ref =>
      this.core.store.isResident(ref) ? residentName(this.core.store, ref) : recordName(this.bodyOf({ ref })),
    );
    this.broker = new SimBroker({
      durability: this.shadow,
      streams: this.streams,
      random: () => random.fraction(),
      // What queues know of their messages goes to disk as soon as there are twenty.
      settings: { loopbackUsers: [], queueIndexBytesMax: 0, queueIndexBlockPlaces: 4 },
      onLog: (level, _category, text) => {
        if (level === 'error' || level === 'warning') this.logs.push(text);
      },
    });
    this.broker.clock.millis = nowMillis;
    this.broker.clock.refresh();
    this.streams.attach(this.core);
    this.store.journal.join(this.streams);
    this.report = this.store.recover(this.core);
    this.streamsReport = this.streams.recover(this.report.damaged.length === 0);
  }

  get core(): BrokerCore {
    return this.broker.core;
  }

  get queues(): ReadonlyMap<string, Queue> {
    return this.core.vhosts.get('/')?.queues ?? new Map<string, Queue>();
  }

  /** Brings the node to where it serves; false when it died on the way. */
  async begin(): Promise<boolean> {
    this.#found.clear();
    this.shadow.isRecording = true;
    const begun = new Promise<void>((resolve, reject) => {
      const done = (error: Error | null): void => (error === null ? resolve() : reject(error));
      this.store.begin(this.core, error => (error === null ? this.streams.begin(done) : done(error)));
    });
    if (!(await this.#drive(begun))) return false;
    if (this.report.frames === 0) this.core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
    this.isServing = true;
    return true;
  }

  /** Stops cleanly; false when the node died on the way. Connections must be closed. */
  async stop(): Promise<boolean> {
    this.settle();
    this.streams.markClean();
    this.core.works.finish();
    if (!(await this.#drive(this.store.stop(this.core)))) return false;
    this.streams.close();
    this.shadow.allDurable();
    return true;
  }

  /** One thing happens, of the disk or of the broker; false when nothing can. */
  step(): boolean {
    if (this.files.isFrozen) return false;
    if (this.random.chance(0.5)) return this.files.step() || this.broker.step();
    return this.broker.step() || this.files.step();
  }

  /** Lets everything happen that can without time going on. */
  settle(): void {
    for (let count = 0; this.step(); count++) if (count > 1_000_000) throw new Error('the node does not come to rest');
    this.broker.check();
  }

  /** Moves the clock and fires the timers that are due on the way. */
  advance(millis: number): void {
    const { clock, scheduler } = this.broker;
    const end = clock.millis + millis;
    while (scheduler.timer !== null && scheduler.timerDueMillis <= end && !this.files.isFrozen) {
      clock.millis = Math.max(clock.millis, scheduler.timerDueMillis);
      scheduler.runTimer(clock.millis);
      this.settle();
    }
    clock.millis = end;
  }

  /** What an exchange holds, and what exchanges and queues remember, each as entries of the log. */
  *#holders(): Generator<HeldMessages | DurableValues> {
    const { exchanges, queues } = this.core.vhosts.get('/') ?? { exchanges: new Map<string, Exchange>(), queues: new Map<string, Queue>() };
    for (const { delay, deduplication } of exchanges.values()) {
      if (delay !== null) yield delay.held;
      if (deduplication !== null && deduplication.kept !== null) yield deduplication.kept;
    }
    for (const { deduplication } of queues.values()) if (deduplication !== null && deduplication.kept !== null) yield deduplication.kept;
  }

  /** Entries as they are, with the messages that their bodies on disk say they are. @throws Error for a damaged body */
  entries(): ShadowEntries {
    const entries: ShadowEntries = new Map();
    const { clock } = this.broker;
    const wall = (millis: number): number => (millis === 0 || millis === Infinity ? 0 : clock.wallMillis + (millis - clock.nowMillis));
    const set = (ownerId: number, { ref, sequence, bytes, expiryMillis }: Readonly<Entry>, name: string, wait = ''): void => {
      const key = entryKey(ownerId, sequence);
      if (entries.has(key)) throw new Error(`${key} is there twice`);
      if (ref === 0) throw new Error(`${key} has no message`);
      entries.set(key, entryValue(name, bytes, wall(expiryMillis)) + wait);
    };
    for (const queue of this.queues.values()) {
      const { retries } = queue;
      queue.forEachReady(entry => {
        const retryCount = retries === null ? 0 : retries.retryCountOf(entry.sequence * 256 + priorityOf(entry.meta));
        set(queue.id, entry, `message ${this.messageIdOf(entry)}`, retryCount === 0 ? '' : waitValue(retryCount, 0));
        return true;
      });
      retries?.forEach(({ entry, dueMillis, retryCount }) =>
        set(queue.id, entry, `message ${this.messageIdOf(entry)}`, waitValue(retryCount, wall(dueMillis))),
      );
    }
    for (const holder of this.#holders()) {
      holder.relocate((ref, _owner, meta, sequence, bytes, expiryMillis) => {
        set(holder.id, { ref, meta, sequence, bytes, expiryMillis }, recordName(this.bodyOf({ ref })));
        return ref;
      });
    }
    return entries;
  }

  /** The message that a body on disk says it is; looked at once. @throws Error for a damaged body */
  messageIdOf(entry: Pick<Entry, 'ref'>): number {
    let id = this.#found.get(entry.ref);
    if (id === undefined) this.#found.set(entry.ref, (id = readBody(this.bodyOf(entry))));
    return id;
  }

  /** A message's body, from the files. */
  bodyOf(entry: Pick<Entry, 'ref'>): Buffer {
    const slab = this.core.store.slabs[entry.ref >> 16];
    if (slab === null || slab === undefined) throw new Error('an entry without a slab');
    const offset = (entry.ref & 0xffff) << 4;
    const { segments } = this.store.journal;
    const handle = segments.handleOf(slab.logSequence);
    const at = segments.positionOf(slab.logSequence) + offset;
    const head = Buffer.alloc(recordHeaderBytes);
    handle.readSync(head, at);
    const bodyBytes = head.readUInt32LE(0);
    const before = head.readUInt32LE(4) + head.readUInt16LE(8);
    const isLoose = head[11] !== 0;
    const rest = Buffer.alloc(before + (isLoose ? 8 : bodyBytes));
    handle.readSync(rest, at + recordHeaderBytes);
    if (!isLoose) return rest.subarray(before);
    return this.files.bytesOf(looseFileName(rest.readDoubleLE(before))).subarray(looseHeaderBytes);
  }

  /** All durable definitions, in an order of their own. */
  definitions(): string {
    return definitionsOf(this.core);
  }

  async #drive(promise: Promise<void>): Promise<boolean> {
    let isDone = false;
    let failure: unknown = null;
    promise.then(
      () => {
        isDone = true;
      },
      error => {
        isDone = true;
        failure = error;
      },
    );
    for (let idle = 0; !isDone; ) {
      if (this.files.isFrozen) return false;
      if (this.step()) idle = 0;
      else if (++idle > 3) this.advance(10);
      if (idle > 1000) throw new Error('the store neither ends nor goes on');
      await setImmediate();
    }
    if (failure !== null) throw failure;
    return true;
  }
}

export function definitionsOf(core: BrokerCore): string {
  return (
    [...core.metadataSnapshot()]
      // A broker without a log, which definitions are compared with, names nothing that it remembers.
      .filter(change => /^(vhost|queue|exchange|binding)\.(?!remembers)/.test(change.kind))
      .map(change => JSON.stringify(change))
      .sort()
      .join('\n')
  );
}

/** The definitions that changes give, applied one after the other. */
export function replayedDefinitions(changes: readonly MetadataChange[]): string {
  const { core } = new SimBroker({ settings: { loopbackUsers: [] }, streams: new StreamStore(new MemoryFiles()) });
  const replay = new MetadataReplay(core);
  for (const change of changes) replay.apply(change);
  return definitionsOf(core);
}
