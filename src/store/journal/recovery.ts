import { checksum } from '../../base/checksum.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { LooseMessage, ownFileBytesMin } from '../../core/messages/loose-message.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { recordChecksum, recordHeaderBytes, recordSize } from '../../core/messages/record.ts';
import { type Slab, slabBytes, unitBytes } from '../../core/messages/slab.ts';
import type { Files } from '../../core/ports/files.ts';
import type { MetadataChange } from '../../core/ports/metadata-journal.ts';
import type { BodyRestorable, Restorable } from '../../core/queues/queue.ts';
import { lastingPart, metaHasTtl, metaLogged, metaPersistent, metaRedelivered } from '../../core/queues/entry.ts';
import { MetadataReplay } from '../../core/topology-replay.ts';
import { FrameList, type Run } from './frame-list.ts';
import type { Journal } from './journal.ts';
import { formatVersion, frameHeaderBytes, numbersPerQueueVersion } from './layout.ts';
import { type OpVisitor, readOps } from './ops.ts';
import { RestoringGroups } from './restoring-group.ts';
import { type RestoredEntry, RestoringList } from './restoring-list.ts';
import { fileName } from './segments.ts';
import { SlabReader } from './slab-reader.ts';
import { type FoundSnapshot, readSnapshot, snapshotFormat, type SnapshotReading } from './snapshot.ts';

/** What was found in a data directory. */
export interface RecoveryReport {
  frames: number;
  /** Messages in queues, counted per queue, and those that exchanges hold. */
  entries: number;
  /** Bytes of an unfinished last write that do not count. */
  tornBytes: number;
  /** What is damaged though it was written whole once: each is a loss that must be told. */
  damaged: string[];
  /** Operations for queues that do not exist any more, and settlements of messages that are not there. */
  orphans: number;
  wasClean: boolean;
  /** Whether no definition was ever stored here. */
  isBlank: boolean;
  millis: number;
}

/** The journal was written by something that this version does not understand, or cannot be read without losing what it holds. */
export class JournalError extends Error {}

/** What is there is in order, and of a version that is not this one. */
export class JournalFormatError extends JournalError {
  constructor(what: string, format: number, known: number) {
    super(`${what} written by ${format > known ? 'a newer' : 'another'} version (format ${format}; this one knows ${known})`);
  }
}

/**
 * Reads the journal from the oldest segment that is needed to its end and puts every message that was not settled back into its queue.
 * Message bytes are not read: a queue knows where they are. Nothing at all is changed, so it can be interrupted and done again; what has
 * to be made durable or thrown away is left to JournalStore.begin.
 */
export class Recovery implements OpVisitor {
  readonly #core: BrokerCore;
  readonly #journal: Journal;
  readonly #files: Files;
  readonly #replay: MetadataReplay;
  readonly #reader: SlabReader;
  /** Messages by queue number and level. */
  readonly #lists = new Map<number, Map<number, RestoringList>>();
  /** What they have, as far as there is room in memory. */
  readonly #groups: RestoringGroups;
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
  #isLastOpClean = false;
  #hasMetadata = false;
  /** Sequence and slab of the frame whose operations are read. */
  #frameSequence = 0;
  #frameSlab = 0;
  readonly #damagedSegments = new Set<number>();
  /** Slab of the first frame that may be in the page cache only. */
  firstUnsyncedSlab = Infinity;
  /** Loose messages that are alive, with the slab of their record. */
  readonly looseIds = new Map<number, number>();
  /** Files of large messages that nobody needs. */
  unusedLooseIds: readonly number[] = [];

  constructor(core: BrokerCore, journal: Journal, files: Files) {
    this.#core = core;
    this.#journal = journal;
    this.#files = files;
    this.#replay = new MetadataReplay(core);
    this.#reader = new SlabReader(journal.segments);
    this.#groups = new RestoringGroups(journal.indexPages, core.settings.queueIndexBytesMax);
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
    const isLeftOver = leftOvers(frames);
    const end = this.#findEnd(frames, isLeftOver);
    report.tornBytes += frames.tornBytes;
    let floor = end === 0 ? (numbers[0] ?? 0) : 0;
    for (let i = 0; i < end; i++) if (isLeftOver[i] === 0) floor = Math.max(floor, frames.floor(i));
    this.#checkSnapshot(reading, Math.max(floor, numbers[0] ?? 0));
    if (numbers.length > 0) segments.startAt(floor);
    for (const change of this.#snapshot?.changes ?? []) this.#applyChange(change);
    this.#replay.lastQueueId = Math.max(this.#replay.lastQueueId, this.#snapshot?.lastQueueId ?? 0);
    this.#checkSizes(frames, isLeftOver, floor);
    const lastSequence = this.#act(frames, isLeftOver, end, floor);
    report.isBlank = (this.#snapshot?.changes.length ?? 0) === 0 && !this.#hasMetadata;
    if (report.isBlank && report.damaged.length > 0) throw new JournalError(`the definitions are damaged: ${report.damaged.join('; ')}`);
    this.#replay.end();
    this.#restore(frames.oldestVersion < numbersPerQueueVersion);
    this.#core.restoreQueueIds(this.#replay.lastQueueId);
    this.#journal.resume(lastSequence, this.#snapshot, reading.isSafe);
    report.wasClean = this.#isLastOpClean;
    report.millis = performance.now() - began;
    return report;
  }

  /**
   * Where the log ends. Frames up to the durable watermark must all be there. Behind it stands the commit that was under way: what of it is
   * whole and without a gap counts, the rest does not.
   */
  #findEnd(frames: FrameList, isLeftOver: Uint8Array): number {
    const durable = frames.durableSequence;
    let expected = -1;
    for (let i = 0; i < frames.count; i++) {
      if (isLeftOver[i] === 1) continue;
      const sequence = frames.sequence(i);
      if (sequence > durable) {
        this.firstUnsyncedSlab = Math.min(this.firstUnsyncedSlab, frames.logSequence(i));
        if ((expected >= 0 && sequence !== expected && expected > durable) || !this.#isWhole(frames, i)) {
          for (let rest = i; rest < frames.count; rest++) this.report.tornBytes += frames.bytes(rest);
          return i;
        }
      }
      expected = sequence + 1;
    }
    return frames.count;
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
      this.#frameSequence = sequence;
      this.#frameSlab = logSequence;
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
    this.#isLastOpClean = false;
    const opsBytes = frames.opsBytes(index);
    if (opsBytes === 0) return true;
    const logSequence = frames.logSequence(index);
    const at = this.#reader.read(logSequence, frames.offset(index) + frameHeaderBytes + frames.bodyBytes(index), opsBytes);
    const { words } = this.#reader;
    const to = at + (opsBytes >> 2);
    if (checksum(words, at, to, logSequence) !== frames.opsChecksum(index)) return false;
    return readOps(words, at, to, this);
  }

  /** Whether every byte of a frame, and every large body that it names, is what was meant to be written. */
  #isWhole(frames: FrameList, index: number): boolean {
    const logSequence = frames.logSequence(index);
    const from = frames.offset(index);
    const bytes = frames.bytes(index);
    const at = this.#reader.read(logSequence, from, bytes);
    const { words } = this.#reader;
    const opsAt = at + ((frameHeaderBytes + frames.bodyBytes(index)) >> 2);
    if (checksum(words, opsAt, opsAt + (frames.opsBytes(index) >> 2), logSequence) !== frames.opsChecksum(index)) return false;
    const end = from + frameHeaderBytes + frames.bodyBytes(index);
    const large: { id: number; bodyBytes: number }[] = [];
    for (let offset = from + frameHeaderBytes; offset < end; ) {
      const word = at + ((offset - from) >> 2);
      const size = recordSize(words, word);
      if (offset + size > end || words[word + 4] !== recordChecksum(words, word, size, logSequence, offset)) return false;
      if ((words[word + 2] as number) >>> 24 !== 0) large.push({ id: looseIdOf(words, word), bodyBytes: words[word] as number });
      offset += size;
    }
    return large.every(({ id, bodyBytes }) => this.#journal.loose.isWhole(id, bodyBytes));
  }

  // --- operations

  onEnqueue(
    queueId: number,
    priority: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
  ): void {
    const queue = this.#replay.queues.get(queueId);
    // A body before the first segment was given up because every message there was settled; the settlement itself may be gone.
    if (queue === undefined || this.#journal.segments.numberOf(logSequence) < this.#journal.segments.first) {
      this.report.orphans++;
      return;
    }
    // A message that was moved comes again, under its old place in the queue.
    this.#list(queue, priority).put(sequence, logSequence, unit, priority, bodyBytes, expiryMillis);
  }

  onSettle(queueId: number, priority: number, sequence: number, count: number): void {
    const queue = this.#replay.queues.get(queueId);
    if (queue === undefined) {
      this.report.orphans += count;
      return;
    }
    const list = this.#list(queue, priority);
    for (let i = 0; i < count; i++) if (!list.remove(sequence + i)) this.report.orphans++;
  }

  onMetadata(json: string): void {
    this.#hasMetadata = true;
    this.#journal.metadataSequence = this.#frameSequence;
    this.#journal.segments.hasMetadata(this.#frameSlab, this.#frameSequence);
    if (this.#frameSequence <= (this.#snapshot?.sequence ?? 0)) return;
    const change = JSON.parse(json) as MetadataChange;
    this.#applyChange(change);
    const { id } = change as unknown as { readonly id: number };
    if (change.kind === 'queue.delete' || change.kind === 'queue.replace') this.#lists.delete(id);
    if (change.kind === 'queue.reshape') this.#relevel(id);
  }

  /** A queue has other levels: its messages keep their numbers, each of which is then its own in the whole queue. */
  #relevel(queueId: number): void {
    const queue = this.#replay.queues.get(queueId);
    const levels = this.#lists.get(queueId);
    if (queue === undefined || levels === undefined) return;
    this.#lists.delete(queueId);
    for (const level of levels.values()) {
      level.drain(({ sequence, logSequence, unit, priority, bodyBytes, expiryMillis, meta, retryCount, dueMillis, taken }) => {
        const list = this.#list(queue, priority);
        list.put(sequence, logSequence, unit, priority, bodyBytes, expiryMillis);
        if (meta !== 0) list.flag(sequence, meta);
        if (retryCount !== 0) list.wait(sequence, dueMillis, retryCount);
        for (const targetId of taken) list.take(sequence, targetId);
      });
    }
  }

  onFlags(queueId: number, priority: number, sequence: number, meta: number): void {
    const queue = this.#replay.queues.get(queueId);
    if (queue !== undefined) this.#list(queue, priority).flag(sequence, meta);
  }

  onWait(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void {
    const queue = this.#replay.queues.get(queueId);
    if (queue !== undefined) this.#list(queue, priority).wait(sequence, dueMillis, retryCount);
  }

  onMove(
    queueId: number,
    priority: number,
    from: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
    meta: number,
  ): void {
    this.onEnqueue(queueId, priority, sequence, logSequence, unit, bodyBytes, expiryMillis);
    if (lastingPart(meta) !== 0) this.onFlags(queueId, priority, sequence, meta);
    this.onSettle(queueId, priority, from, 1);
  }

  onTaken(queueId: number, priority: number, sequence: number, targetId: number): void {
    const queue = this.#replay.queues.get(queueId);
    if (queue !== undefined) this.#list(queue, priority).take(sequence, targetId);
  }

  onClean(): void {
    this.#isLastOpClean = true;
  }

  onBegin(): void {}

  /** @throws JournalError for a change that this version cannot apply: what hangs on it would be lost with the next cleaning */
  #applyChange(change: MetadataChange): void {
    try {
      this.#replay.apply(change);
    } catch (error) {
      throw new JournalError(`a recorded change (${change.kind}) cannot be applied: ${(error as Error).message}`, { cause: error });
    }
  }

  #list(queue: Restorable, priority: number): RestoringList {
    let levels = this.#lists.get(queue.id);
    if (levels === undefined) {
      levels = new Map();
      this.#lists.set(queue.id, levels);
    }
    const level = queue.levelOf(priority);
    let list = levels.get(level);
    if (list === undefined) {
      list = new RestoringList(this.#groups);
      levels.set(level, list);
    }
    return list;
  }

  // --- the queues' messages

  /** Puts what is left into the queues, flags what may have been delivered before, and finds the bodies of large messages. */
  #restore(areNumbersShared: boolean): void {
    const { store, clock } = this.#core;
    const slabs = new Map<number, Slab>();
    const known = new Map<Slab, Uint32Array>();
    const suspects = new Map<MessageRef, { readonly logSequence: number; readonly bytes: number }>();
    for (const [queueId, levels] of this.#lists) {
      const queue = this.#replay.queues.get(queueId);
      for (const list of levels.values()) {
        if (queue === undefined || queue.isDeleted) {
          this.report.orphans += list.count;
          continue;
        }
        list.drain((entry: RestoredEntry) => {
          const slab = this.#slabOf(entry.logSequence, slabs);
          const ref = (slab.id << 16) | entry.unit;
          store.adopt(ref, entry.bodyBytes, isFirst(known, slab, entry.unit));
          if (entry.bodyBytes > ownFileBytesMin) suspects.set(ref, { logSequence: entry.logSequence, bytes: entry.bodyBytes });
          let meta = metaLogged | metaPersistent | (entry.expiryMillis === 0 ? 0 : metaHasTtl);
          // After anything but a clean stop nobody knows what was delivered, only how often it came back at least and what died.
          meta |= this.#isLastOpClean ? entry.meta & ~0xff00 : metaRedelivered | lastingPart(entry.meta);
          // It may have come back for another try while the clean stop was under way, behind the notes of what was delivered.
          if (entry.retryCount > 0) meta |= metaRedelivered;
          const expiry = entry.expiryMillis === 0 ? 0 : Math.max(1, clock.nowMillis + (entry.expiryMillis - clock.wallMillis));
          queue.restore(entry.priority, entry.sequence, ref, meta >>> 0, entry.bodyBytes, expiry);
          if (entry.retryCount > 0) {
            const due = entry.dueMillis === 0 ? 0 : Math.max(1, clock.nowMillis + (entry.dueMillis - clock.wallMillis));
            queue.restoreRetry(entry.priority, entry.sequence, entry.retryCount, due);
          }
          if (entry.taken.length > 0) queue.restoreTaken(entry.priority, entry.sequence, entry.taken);
          if (isBodyRestorable(queue))
            queue.restoreBody(entry.sequence, this.#readBody(entry.logSequence, entry.unit * unitBytes, entry.bodyBytes));
          if (queue.holdsMessages) this.report.entries++;
        });
      }
      queue?.restored(areNumbersShared);
    }
    for (const [ref, { logSequence, bytes }] of suspects) {
      const message = this.#readLoose(logSequence, (ref & 0xffff) * unitBytes, bytes);
      if (message === null) continue;
      this.looseIds.set(message.id, logSequence);
      store.addLoose(ref, message);
    }
    const ids = this.#journal.loose.ids();
    this.unusedLooseIds = ids.filter(id => !this.looseIds.has(id));
    for (const id of [...ids, ...this.looseIds.keys()]) store.lastLooseId = Math.max(store.lastLooseId, id);
  }

  #slabOf(logSequence: number, slabs: Map<number, Slab>): Slab {
    let slab = slabs.get(logSequence);
    if (slab === undefined) {
      slab = this.#core.store.addLogSlab(logSequence);
      slabs.set(logSequence, slab);
      this.#journal.segments.slabOpened(logSequence);
      this.#journal.pager.add(slab);
    }
    return slab;
  }

  /** The body of a message that has it in its record; null when it is damaged. */
  #readBody(logSequence: number, offset: number, bodyBytes: number): Buffer | null {
    if (offset + recordHeaderBytes > slabBytes) return null;
    const { words } = this.#reader;
    let at = this.#reader.read(logSequence, offset, recordHeaderBytes);
    const size = recordSize(words, at);
    if ((words[at + 2] as number) >>> 24 !== 0 || words[at] !== bodyBytes || offset + size > slabBytes) return null;
    at = this.#reader.read(logSequence, offset, size);
    if (words[at + 4] !== recordChecksum(words, at, size, logSequence, offset)) return null;
    const start = at * 4 + recordHeaderBytes + ((words[at + 2] as number) & 0xffff) + (words[at + 1] as number);
    return Buffer.from(Buffer.from(words.buffer).subarray(start, start + bodyBytes));
  }

  /** A large message's record, without its body; null for a record that has its body, or is damaged: then its queue finds out. */
  #readLoose(logSequence: number, offset: number, bodyBytes: number): LooseMessage | null {
    if (offset + recordHeaderBytes > slabBytes) return null;
    const { words } = this.#reader;
    let at = this.#reader.read(logSequence, offset, recordHeaderBytes);
    const size = recordSize(words, at);
    if ((words[at + 2] as number) >>> 24 === 0 || words[at] !== bodyBytes || offset + size > slabBytes) return null;
    at = this.#reader.read(logSequence, offset, size);
    if (words[at + 4] !== recordChecksum(words, at, size, logSequence, offset)) return null;
    const envelopeBytes = (words[at + 2] as number) & 0xffff;
    const propertiesBytes = words[at + 1] as number;
    const start = at * 4 + recordHeaderBytes;
    const bytes = Buffer.from(Buffer.from(words.buffer).subarray(start, start + envelopeBytes + propertiesBytes));
    return new LooseMessage(looseIdOf(words, at), true, bytes.subarray(0, envelopeBytes), bytes.subarray(envelopeBytes), null, bodyBytes);
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

/**
 * Frames that an earlier recovery did not count: the run after it gave their numbers again, further behind. They stay where they are and
 * never count.
 */
function leftOvers(frames: FrameList): Uint8Array {
  const result = new Uint8Array(frames.count);
  let next = Infinity;
  for (let i = frames.count - 1; i >= 0; i--) {
    const sequence = frames.sequence(i);
    if (sequence >= next) result[i] = 1;
    else next = sequence;
  }
  return result;
}

function isBodyRestorable(holder: Restorable): holder is BodyRestorable {
  return 'restoreBody' in holder;
}

/** Counts an entry of a message; whether it is the first. */
function isFirst(known: Map<Slab, Uint32Array>, slab: Slab, unit: number): boolean {
  let bits = known.get(slab);
  if (bits === undefined) {
    bits = new Uint32Array(slabBytes / unitBytes / 64);
    known.set(slab, bits);
  }
  const index = unit >> 1;
  const mask = 1 << (index & 31);
  const isNew = ((bits[index >> 5] as number) & mask) === 0;
  bits[index >> 5] = (bits[index >> 5] as number) | mask;
  return isNew;
}

function looseIdOf(words: Uint32Array, word: number): number {
  const start = word * 4 + recordHeaderBytes + ((words[word + 2] as number) & 0xffff) + (words[word + 1] as number);
  return Buffer.from(words.buffer).readDoubleLE(start);
}
