import type { BrokerCore } from '../../core/broker.ts';
import type { CommitParticipant } from '../../core/ports/commit-participant.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import type { PivotFormat } from '../../core/ports/message-format.ts';
import type { StreamLog, StreamLogs, StreamRetention } from '../../core/ports/stream-log.ts';
import { FileStreamLog, type LastChunk, type PlacedChunk } from './file-stream-log.ts';
import { ReadMemory } from './read-memory.ts';
import { Removals } from './removals.ts';
import { type LastSegment, lastSegment, olderSegment, type RecoveredSegment } from './recover-segment.ts';
import { OpenFiles, parseSegmentName, Segment, segmentName } from './segment.ts';
import { SegmentIndex } from './segment-index.ts';

/** Memory that readers share, and that what was written last is kept in for those who read at the ends. */
const readBytesDefault = 64 * 1024 * 1024;
const tailBytesMax = 16 * 1024 * 1024;
const openFilesMax = 256;
const writtenAtOnceMax = 64;
/** Damage of a stream that is told by itself; after that only each hundredth is. */
const damageLinesMax = 10;

export interface StreamStoreOptions {
  readonly readBytesMax?: number;
}

/** What was found in the directory. */
export interface StreamsReport {
  streams: number;
  messages: number;
  tornBytes: number;
  /** What is damaged though it was written whole once: each is a loss that must be told. */
  damaged: string[];
  /** Files of streams that do not exist. */
  orphans: number;
}

/** Files that go together. */
interface Removal {
  readonly streamId: number;
  readonly names: readonly string[];
}

interface Flight {
  readonly streams: readonly { readonly log: FileStreamLog; readonly chunks: readonly PlacedChunk[] }[];
  readonly removals: readonly Removal[];
  readonly bytes: number;
}

/**
 * The streams of a broker in one directory (docs/internals/streams.md). What is appended becomes durable in the commits of the broker's log,
 * which it takes part in.
 */
export class StreamStore implements StreamLogs, CommitParticipant {
  readonly memory: ReadMemory;
  readonly #files: Files;
  readonly #openFiles: OpenFiles;
  readonly #logs = new Map<number, FileStreamLog>();
  #core: BrokerCore | null = null;
  #pivot: PivotFormat | null = null;
  #dirty: FileStreamLog[] = [];
  #gatheredBytes = 0;
  #flying: Flight | null = null;
  /** Files to be removed when the next commit is durable: it says that nobody needs them. */
  #removals: Removal[] = [];
  readonly #removing: Removals;
  /** What is kept in memory, from `#tailAt` on, oldest first. */
  #tail: { readonly log: FileStreamLog; readonly chunk: PlacedChunk }[] = [];
  #tailAt = 0;
  #tailBytes = 0;
  #unsynced: Segment[] = [];
  #unneeded: string[] = [];
  readonly #quarantined = new Set<string>();

  /** `files`: a directory that holds nothing else. */
  constructor(files: Files, options: StreamStoreOptions = {}) {
    this.#files = files;
    this.#openFiles = new OpenFiles(files, openFilesMax);
    this.#removing = new Removals(files, error =>
      this.#core?.logger.warning('store', `files of streams are not removed: ${error.message}`),
    );
    this.memory = new ReadMemory(options.readBytesMax ?? readBytesDefault);
  }

  attach(core: BrokerCore): void {
    this.#core = core;
  }

  get pivot(): PivotFormat {
    return (this.#pivot ??= (this.#core as BrokerCore).pivot);
  }

  open(id: number, retention: StreamRetention): StreamLog {
    const log = new FileStreamLog(this, id, retention);
    this.#logs.set(id, log);
    return log;
  }

  // --- recovery

  /**
   * Brings the streams that were opened to where they were. `isComplete`: no other stream exists, so that files of others can go.
   * Changes nothing in the directory. @throws StreamFormatError
   */
  recover(isComplete: boolean): StreamsReport {
    const report: StreamsReport = { streams: 0, messages: 0, tornBytes: 0, damaged: [], orphans: 0 };
    const bases = new Map<number, number[]>();
    for (const name of this.#files.list()) {
      const parsed = parseSegmentName(name);
      if (parsed === null) continue;
      if (!this.#logs.has(parsed.streamId)) {
        report.orphans++;
        if (isComplete) this.#unneeded.push(name);
      } else if (parsed.kind === 'stream') {
        const own = bases.get(parsed.streamId);
        if (own === undefined) bases.set(parsed.streamId, [parsed.base]);
        else own.push(parsed.base);
      }
    }
    for (const [id, own] of bases) {
      const log = this.#logs.get(id) as FileStreamLog;
      this.#recoverLog(
        log,
        own.sort((a, b) => a - b),
        report,
      );
      report.streams++;
      report.messages += log.endOffset - log.firstOffset;
    }
    return report;
  }

  /** Makes durable what recovery has found, so that nothing can take it back once it was seen, and removes what nobody needs. */
  begin(done: (error: Error | null) => void): void {
    let open = 1;
    let failure: Error | null = null;
    const synced = (error: Error | null): void => {
      failure ??= error;
      if (--open > 0) return;
      // Removals that were not durable are taken back by a loss of power.
      const wallMillis = this.#core?.clock.wallMillis ?? 0;
      if (failure === null) for (const log of this.#logs.values()) log.keepToLimits(wallMillis);
      done(failure);
    };
    try {
      for (const name of this.#unneeded) this.#files.remove(name);
      const unsynced = this.#unsynced;
      this.#unsynced = [];
      for (const segment of unsynced) {
        open++;
        this.#openFiles.acquire(segment).sync(error => {
          this.#openFiles.release(segment);
          synced(error);
        });
      }
      this.#files.syncDirectory(synced);
    } catch (error) {
      done(error as Error);
    }
  }

  /** Says in every stream that all of it is durable; the next commit is to be the last. */
  markClean(): void {
    const wallMillis = this.#core?.clock.wallMillis ?? 0;
    for (const log of this.#logs.values()) log.mark(wallMillis);
  }

  close(): void {
    this.#removing.close();
    this.#openFiles.closeAll();
  }

  // --- commits

  get hasWork(): boolean {
    return this.#dirty.length > 0 || this.#removals.length > 0;
  }

  get unwrittenBytes(): number {
    return this.#gatheredBytes + (this.#flying === null ? 0 : this.#flying.bytes);
  }

  /** A stream has gathered so many bytes more. */
  recorded(log: FileStreamLog, bytes: number): void {
    this.#gatheredBytes += bytes;
    if (log.isDirty) return;
    log.isDirty = true;
    this.#dirty.push(log);
  }

  take(): void {
    const streams: { log: FileStreamLog; chunks: readonly PlacedChunk[] }[] = [];
    for (const log of this.#dirty) if (!log.isRemoved) streams.push({ log, chunks: log.take() });
    this.#flying = { streams, removals: this.#removals, bytes: this.#gatheredBytes };
    this.#dirty = [];
    this.#removals = [];
    this.#gatheredBytes = 0;
  }

  write(done: (error: Error | null) => void): void {
    const jobs = new Map<Segment, PlacedChunk[]>();
    for (const { chunks } of (this.#flying as Flight).streams) {
      for (const chunk of chunks) {
        const job = jobs.get(chunk.segment);
        if (job === undefined) jobs.set(chunk.segment, [chunk]);
        else job.push(chunk);
      }
    }
    const hasNewFile = [...jobs.keys()].some(segment => segment.durableBytes === 0);
    const waiting = jobs.entries();
    let open = 1;
    let failure: Error | null = null;
    let isStarting = false;
    // So many files at a time, however many streams there are.
    const finished = (error: Error | null): void => {
      failure ??= error;
      open--;
      // Files in memory are done at once.
      if (isStarting) return;
      isStarting = true;
      while (failure === null && open < writtenAtOnceMax) {
        const { value, done: isLast } = waiting.next();
        if (isLast) break;
        open++;
        this.#writeSegment(value[0], value[1], finished);
      }
      isStarting = false;
      if (open > 0) return;
      open = Infinity;
      if (failure !== null || !hasNewFile) done(failure);
      else this.#files.syncDirectory(done);
    };
    finished(null);
  }

  /** Writes chunks of a segment and syncs its file. */
  #writeSegment(segment: Segment, chunks: readonly PlacedChunk[], done: (error: Error | null) => void): void {
    let handle: FileHandle;
    try {
      handle = this.#openFiles.acquire(segment);
    } catch (error) {
      done(error as Error);
      return;
    }
    const finished = (error: Error | null): void => {
      this.#openFiles.release(segment);
      done(error);
    };
    let open = chunks.length;
    let failure: Error | null = null;
    for (const { position, bytes } of chunks) {
      handle.write(bytes, position, error => {
        failure ??= error;
        if (--open > 0) return;
        if (failure === null) handle.sync(finished);
        else finished(failure);
      });
    }
  }

  committed(): void {
    const { streams, removals } = this.#flying as Flight;
    this.#flying = null;
    for (const { log, chunks } of streams) log.committed(chunks);
    for (const { streamId, names } of removals) this.#removing.add(streamId, names);
    this.#removing.run();
  }

  // --- what streams need

  /** Keeps a chunk in memory for those who read at the end of the stream. */
  keepTail(log: FileStreamLog, chunk: PlacedChunk): void {
    log.tail.set(chunk.firstOffset, chunk);
    this.#tail.push({ log, chunk });
    this.#tailBytes += chunk.bytes.length;
    while (this.#tailBytes > tailBytesMax && this.#tailAt < this.#tail.length - 1) {
      const oldest = this.#tail[this.#tailAt++];
      if (oldest === undefined) return;
      this.#tailBytes -= oldest.chunk.bytes.length;
      if (oldest.log.tail.get(oldest.chunk.firstOffset) === oldest.chunk) oldest.log.tail.delete(oldest.chunk.firstOffset);
    }
    if (this.#tailAt > 1024 && this.#tailAt > this.#tail.length / 2) {
      this.#tail = this.#tail.slice(this.#tailAt);
      this.#tailAt = 0;
    }
  }

  /** Reads a part of a segment; `done` gets how many bytes there were, 0 after an error, perhaps at once. */
  read(segment: Segment, into: Buffer, position: number, done: (bytes: number) => void): void {
    try {
      this.#openFiles.acquire(segment).read(into, position, (error, bytes) => {
        this.#openFiles.release(segment);
        if (error !== null) this.#core?.logger.error('store', `cannot read ${segment.name}: ${error.message}`);
        done(error === null ? bytes : 0);
      });
    } catch (error) {
      this.#core?.logger.error('store', `cannot open ${segment.name}: ${(error as Error).message}`);
      done(0);
    }
  }

  /** Puts the index of a full segment into its file. It need not be durable: it can be done without. */
  writeIndex(segment: Segment): void {
    const { index } = segment;
    if (index === null) return;
    segment.index = null;
    try {
      const handle = this.#files.open(segment.indexName, 0);
      handle.write(index.encode(), 0, () => handle.close());
    } catch (error) {
      this.#core?.logger.warning('store', `cannot write ${segment.indexName}: ${(error as Error).message}`);
    }
  }

  readIndex(segment: Segment): SegmentIndex | null {
    try {
      return SegmentIndex.decode(this.#files.readWhole(segment.indexName));
    } catch {
      return null;
    }
  }

  /** A segment is not kept any longer. */
  removeSegment(segment: Segment): void {
    this.#removals.push({ streamId: segment.streamId, names: this.#giveUp(segment) });
  }

  /** Nobody reads a segment any more; its files. */
  #giveUp(segment: Segment): readonly string[] {
    segment.isRemoved = true;
    this.#openFiles.closeUnused(segment);
    return [segment.name, segment.indexName];
  }

  /** A stream is deleted. Its files go when that is durable. */
  removeLog(log: FileStreamLog): void {
    this.#logs.delete(log.id);
    this.#removals.push({ streamId: log.id, names: log.segments.flatMap(segment => this.#giveUp(segment)) });
    // Deleted again while the journal is read: what it left is not known here, and found to be nobody's.
  }

  /** Tells of damage, and keeps a copy of the file for whoever wants to look at it. */
  damaged(log: FileStreamLog, segment: Segment, position: number, before: number): void {
    const core = this.#core;
    if (core !== null) core.counters.damagedRecords++;
    if (before < damageLinesMax || before % 100 === 0)
      core?.logger.error('store', `stream ${log.id} is damaged at ${segment.name}:${position}; messages there are left out`);
    this.#quarantine(segment.name);
  }

  #quarantine(name: string): void {
    const copy = `${name}.quarantine`;
    if (this.#quarantined.has(name) || this.#files.list().includes(copy)) return;
    this.#quarantined.add(name);
    this.#files.copy(name, copy, error => {
      if (error === null) this.#core?.logger.warning('store', `a copy of the damaged file is kept as ${copy}`);
      else this.#core?.logger.warning('store', `the damaged file ${name} could not be copied: ${error.message}`);
    });
  }

  /**
   * The segment that the stream ends in. One that was begun in an unfinished commit does not count when something before it is missing; then
   * nothing in it was ever confirmed or read.
   */
  #findLast(log: FileStreamLog, bases: readonly number[], report: StreamsReport): LastSegment {
    const read = (base: number): LastSegment => {
      const name = segmentName(log.id, base);
      return this.#opened(name, handle => lastSegment(log.id, base, handle, this.#files.sizeOf(name)));
    };
    let last = read(bases.at(-1) as number);
    let checked = last;
    let unsynced: Segment[] = [];
    for (let at = bases.length - 1; at > 0 && !checked.isBehindDurable; at--) {
      const before = read(bases[at - 1] as number);
      if (before.endOffset !== checked.segment.base) {
        for (const base of bases.slice(at)) this.#unneeded.push(segmentName(log.id, base), segmentName(log.id, base, 'index'));
        report.tornBytes += last.segment.bytes + last.tornBytes;
        last = before;
        unsynced = [];
      } else if (before.isUnsynced) {
        unsynced.push(before.segment);
      }
      checked = before;
    }
    this.#unsynced.push(...unsynced);
    return last;
  }

  #opened<T>(name: string, use: (handle: FileHandle) => T): T {
    const handle = this.#files.openExisting(name);
    try {
      return use(handle);
    } finally {
      handle.close();
    }
  }

  #recoverLog(log: FileStreamLog, bases: readonly number[], report: StreamsReport): void {
    const last = this.#findLast(log, bases, report);
    const found: RecoveredSegment[] = [];
    for (const [index, base] of bases.entries()) {
      if (base >= last.segment.base) break;
      const name = segmentName(log.id, base);
      found.push(this.#opened(name, handle => olderSegment(log.id, base, bases[index + 1] as number, handle, this.#files.sizeOf(name))));
    }
    report.tornBytes += last.tornBytes;
    for (const position of last.damaged) {
      report.damaged.push(`${last.segment.name}:${position}`);
      this.#quarantine(last.segment.name);
    }
    if (last.endOffset === last.segment.base && last.isTorn) {
      // Nothing in it counts: it is made anew.
      this.#unneeded.push(last.segment.name, last.segment.indexName);
      const { base } = last.segment;
      found.push({ segment: new Segment(log.id, base), endOffset: base, isTorn: false });
    } else {
      if (last.isUnsynced) this.#unsynced.push(last.segment);
      found.push(last);
    }
    log.recovered(found, this.#lastChunk(log, found, last));
  }

  /** The last chunk with messages: those who begin at the last, or at a time, need it. It may be in a segment before the last. */
  #lastChunk(log: FileStreamLog, found: readonly RecoveredSegment[], { lastChunk }: LastSegment): LastChunk | null {
    let chunk = lastChunk;
    for (let at = found.length - 1; at >= 0; at--) {
      const { segment } = found[at] as RecoveredSegment;
      if (chunk === null && at < found.length - 1)
        chunk = this.#opened(segment.name, handle => lastSegment(log.id, segment.base, handle, segment.bytes)).lastChunk;
      if (chunk !== null) return { segment, ...chunk };
    }
    return null;
  }
}
