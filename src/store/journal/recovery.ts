import { checksum } from '../../base/checksum.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { Files } from '../../core/ports/files.ts';
import { FrameList, type Run } from './frame-list.ts';
import type { Journal } from './journal.ts';
import { formatVersion, frameHeaderBytes, numbersPerQueueVersion } from './layout.ts';
import { LogEnd } from './log-end.ts';
import { OpReplay } from './op-replay.ts';
import { readOps } from './ops.ts';
import { QueueRestorer } from './queue-restorer.ts';
import { JournalError, JournalFormatError, type RecoveryReport } from './recovery-report.ts';
import { fileName } from './segments.ts';
import { SlabReader } from './slab-reader.ts';
import { type FoundSnapshot, readSnapshot, snapshotFormat, type SnapshotReading } from './snapshot.ts';

/**
 * Reads the journal from the oldest segment that is needed to its end and puts every message that was not settled back into its queue.
 * Message bytes are not read: a queue knows where they are. Nothing at all is changed, so it can be interrupted and done again; what has
 * to be made durable or thrown away is left to JournalStore.begin.
 */
export class Recovery {
  readonly #core: BrokerCore;
  readonly #journal: Journal;
  readonly #files: Files;
  readonly #replay: OpReplay;
  readonly #reader: SlabReader;
  readonly report: RecoveryReport = {
    frames: 0,
    entries: 0,
    tornBytes: 0,
    damaged: [],
    orphans: 0,
    wasClean: false,
    isBlank: false,
    millis: 0,
  };
  #snapshot: FoundSnapshot | null = null;
  readonly #damagedSegments = new Set<number>();
  /** Slab of the first frame that may be in the page cache only. */
  firstUnsyncedSlab = Infinity;
  /** Loose messages that are alive, with the slab of their record. */
  looseIds: ReadonlyMap<number, number> = new Map();
  /** Files of large messages that nobody needs. */
  unusedLooseIds: readonly number[] = [];

  constructor(core: BrokerCore, journal: Journal, files: Files) {
    this.#core = core;
    this.#journal = journal;
    this.#files = files;
    this.#replay = new OpReplay(core, journal);
    this.#reader = new SlabReader(journal.segments);
  }

  /** Starts of the broker that the snapshot knows. */
  get runs(): readonly Run[] {
    return this.#snapshot?.runs ?? [];
  }

  /** Segments in which damage was found. */
  get damagedSegments(): ReadonlySet<number> {
    return this.#damagedSegments;
  }

  /** @throws JournalError when the directory holds something that must not be overwritten. */
  run(): RecoveryReport {
    const began = performance.now();
    const { report } = this;
    const { segments } = this.#journal;
    const numbers = segments.load();
    const reading = readSnapshot(this.#files);
    this.#snapshot = reading.snapshot;
    report.damaged.push(...reading.problems);
    const frames = new FrameList(segments, this.#reader, reading.snapshot?.runs ?? []);
    frames.load(numbers);
    if (frames.version > formatVersion) throw new JournalFormatError('the journal was', frames.version, formatVersion);
    if (reading.unknownFormat !== null) throw new JournalFormatError('the definitions were', reading.unknownFormat, snapshotFormat);
    const logEnd = new LogEnd(frames, this.#reader, this.#journal.loose);
    const { isLeftOver } = logEnd;
    const end = logEnd.find();
    this.firstUnsyncedSlab = logEnd.firstUnsyncedSlab;
    report.tornBytes = frames.tornBytes + logEnd.tornBytes;
    let floor = end === 0 ? (numbers[0] ?? 0) : 0;
    for (let i = 0; i < end; i++) if (isLeftOver[i] === 0) floor = Math.max(floor, frames.floor(i));
    this.#checkSnapshot(reading, Math.max(floor, numbers[0] ?? 0));
    if (numbers.length > 0) segments.startAt(floor);
    const replay = this.#replay;
    replay.snapshotSequence = this.#snapshot?.sequence ?? 0;
    for (const change of this.#snapshot?.changes ?? []) replay.apply(change);
    replay.metadata.lastQueueId = Math.max(replay.metadata.lastQueueId, this.#snapshot?.lastQueueId ?? 0);
    this.#checkSizes(frames, isLeftOver, floor);
    const lastSequence = this.#act(frames, isLeftOver, end, floor);
    report.isBlank = (this.#snapshot?.changes.length ?? 0) === 0 && !replay.hasMetadata;
    if (report.isBlank && report.damaged.length > 0) throw new JournalError(`the definitions are damaged: ${report.damaged.join('; ')}`);
    replay.metadata.end();
    this.#restore(frames.oldestVersion < numbersPerQueueVersion);
    this.#core.restoreQueueIds(replay.metadata.lastQueueId);
    this.#journal.resume(lastSequence, this.#snapshot, reading.isSafe);
    report.wasClean = replay.isLastOpClean;
    report.millis = performance.now() - began;
    return report;
  }

  #restore(areNumbersShared: boolean): void {
    const restorer = new QueueRestorer(this.#core, this.#journal, this.#reader, this.#replay);
    restorer.run(areNumbersShared);
    this.report.entries = restorer.entries;
    this.report.orphans = this.#replay.orphans;
    this.looseIds = restorer.looseIds;
    this.unusedLooseIds = restorer.unusedLooseIds;
  }

  /** A segment's file has its whole length from its first sync on: one that is shorter was cut by somebody, with whatever was behind. */
  #checkSizes(frames: FrameList, isLeftOver: Uint8Array, floor: number): void {
    const { segments } = this.#journal;
    // A snapshot is written when the frames that it speaks of are durable.
    const durable = Math.max(frames.durableSequence, this.#snapshot?.sequence ?? 0);
    let checked = -1;
    for (let i = 0; i < frames.count; i++) {
      const number = segments.numberOf(frames.logSequence(i));
      if (number === checked || number < floor || isLeftOver[i] === 1 || frames.sequence(i) > durable) continue;
      checked = number;
      const bytes = this.#files.sizeOf(fileName(number));
      if (bytes < segments.segmentBytes)
        this.#damage(frames.logSequence(i), `${fileName(number)} is cut short: ${bytes} of ${segments.segmentBytes} bytes are left`);
    }
  }

  /**
   * Definitions that a removed segment held are in the snapshot only: without it the broker would start without them. A segment is removed
   * only when both of the snapshot's files have all its definitions, so either will do.
   */
  #checkSnapshot(reading: SnapshotReading, firstSegment: number): void {
    if (reading.snapshot !== null || firstSegment === 0) return;
    if (reading.problems.length > 0) throw new JournalError(`the definitions are damaged: ${reading.problems.join('; ')}`);
    throw new JournalError('the journal has no metadata snapshot though its first segments are gone: the data directory is incomplete');
  }

  /** Does the operations of all frames that count. Returns the sequence of the last. */
  #act(frames: FrameList, isLeftOver: Uint8Array, end: number, floor: number): number {
    const { segments } = this.#journal;
    const start = floor * segments.slabsPerSegment;
    let lastSequence = 0;
    let isFirst = true;
    for (let i = 0; i < end; i++) {
      const logSequence = frames.logSequence(i);
      const sequence = frames.sequence(i);
      if (isLeftOver[i] === 1 || logSequence < start) continue;
      const isGap = isFirst ? sequence > 1 && (logSequence !== start || frames.offset(i) !== 0) : sequence !== lastSequence + 1;
      if (isGap) {
        const what = isFirst ? `frames before ${sequence}` : `frames ${lastSequence + 1} to ${sequence - 1}`;
        this.#damage(logSequence, `${what}, in front of ${this.#placeOf(frames, i)}, are missing or damaged`);
      }
      this.#replay.frame(sequence, logSequence);
      if (!this.#actOn(frames, i))
        this.#damage(logSequence, `the operations of frame ${sequence} at ${this.#placeOf(frames, i)} are damaged`);
      this.report.frames++;
      lastSequence = sequence;
      isFirst = false;
    }
    const snapshotSequence = this.#snapshot?.sequence ?? 0;
    if (lastSequence < snapshotSequence) {
      this.report.damaged.push(`frames ${lastSequence + 1} to ${snapshotSequence}, at the end of the journal, are missing or damaged`);
    }
    return Math.max(lastSequence, snapshotSequence);
  }

  #actOn(frames: FrameList, index: number): boolean {
    const opsBytes = frames.opsBytes(index);
    if (opsBytes === 0) return true;
    const logSequence = frames.logSequence(index);
    const at = this.#reader.read(logSequence, frames.offset(index) + frameHeaderBytes + frames.bodyBytes(index), opsBytes);
    const { words } = this.#reader;
    const to = at + (opsBytes >> 2);
    if (checksum(words, at, to, logSequence) !== frames.opsChecksum(index)) return false;
    return readOps(words, at, to, this.#replay);
  }

  #damage(logSequence: number, text: string): void {
    this.report.damaged.push(text);
    this.#damagedSegments.add(this.#journal.segments.numberOf(logSequence));
  }

  #placeOf(frames: FrameList, index: number): string {
    const { segments } = this.#journal;
    const logSequence = frames.logSequence(index);
    return `${fileName(segments.numberOf(logSequence))}:${segments.positionOf(logSequence) + frames.offset(index)}`;
  }
}
