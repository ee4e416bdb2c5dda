import type { BrokerCore } from '../../core/broker.ts';
import { MetadataReplay } from '../../core/topology-replay.ts';
import { LooseMessage, type MessageRef, recordChecksum, recordSize } from '../../core/messages/message-store.ts';
import { type Slab, slabBytes, unitBytes } from '../../core/messages/slab.ts';
import type { Files } from '../../core/ports/files.ts';
import type { MetadataChange } from '../../core/ports/metadata-journal.ts';
import { Entry, metaHasTtl, metaLogged, metaPersistent } from '../../core/queues/entry.ts';
import type { RestorableQueue } from '../../core/queues/queue.ts';
import type { Journal } from './journal.ts';
import { formatVersion, frameEnd, type FrameHeader, frameHeaderBytes, frameMagic, readFrameHeader, slabsPerSegment } from './layout.ts';
import { looseFileName } from './loose-files.ts';
import { type OpVisitor, readOps } from './ops.ts';
import { readSnapshot } from './snapshot.ts';
import { fileName, slabPosition } from './segments.ts';
import { checksum } from '../../base/checksum.ts';

/** What was found in a data directory. */
export interface RecoveryReport {
  frames: number;
  /** Messages in queues, counted per queue. */
  entries: number;
  /** Bytes of an unfinished last write that were cut off. */
  tornBytes: number;
  /** Frames below the durable watermark that are damaged: each is a loss that must be told. */
  damaged: string[];
  /** Operations for queues that do not exist any more, and settlements of messages that are not there. */
  orphans: number;
  wasClean: boolean;
  millis: number;
}

/** The journal was written by something that this version does not understand, or is not a journal. */
export class JournalError extends Error {}

/**
 * Reads the journal from its oldest segment to its end and puts every message that was not settled back into its queue. Message bytes are
 * not read: a queue knows where they are. Reading changes nothing but a torn tail, so it can be interrupted and done again.
 */
export class Recovery implements OpVisitor {
  readonly #core: BrokerCore;
  readonly #journal: Journal;
  readonly #files: Files;
  readonly #replay: MetadataReplay;
  readonly #slabs = new Map<number, Slab>();
  readonly #entry = new Entry();
  readonly report: RecoveryReport = { frames: 0, entries: 0, tornBytes: 0, damaged: [], orphans: 0, wasClean: false, millis: 0 };
  #firstLogSequence = 0;
  #isLastOpClean = false;
  /** Messages with an entry, a bit per 32 bytes of a slab. */
  readonly #known = new Map<Slab, Uint32Array>();

  constructor(core: BrokerCore, journal: Journal, files: Files) {
    this.#core = core;
    this.#journal = journal;
    this.#files = files;
    this.#replay = new MetadataReplay(core);
  }

  /** @throws JournalError when the directory holds something that must not be overwritten. */
  run(): RecoveryReport {
    const began = performance.now();
    const { segments } = this.#journal;
    const numbers = segments.load();
    const snapshot = readSnapshot(this.#files);
    if (snapshot === null && numbers.length > 0 && (numbers[0] as number) > 0) {
      throw new JournalError('the journal has no metadata snapshot though its first segments are gone: the data directory is incomplete');
    }
    for (const change of snapshot?.changes ?? []) this.#replay.apply(change);
    this.#replay.lastQueueId = Math.max(this.#replay.lastQueueId, snapshot?.lastQueueId ?? 0);
    this.#firstLogSequence = (numbers[0] ?? 0) * slabsPerSegment;
    const { nextLogSequence, nextSequence } = this.#scan(numbers);
    this.#finish();
    this.#core.restoreQueueIds(this.#replay.lastQueueId);
    this.#journal.begin(nextLogSequence, nextSequence);
    this.report.wasClean = this.#isLastOpClean;
    this.report.millis = performance.now() - began;
    return this.report;
  }

  /**
   * Lists all frames, then acts on them. Frames up to the durable watermark must all be there: a gap among them is damage and is reported.
   * Behind it stands the commit that was under way: what of it is whole and without a gap counts, the rest is cut off.
   */
  #scan(numbers: readonly number[]): { nextLogSequence: number; nextSequence: number } {
    const frames = this.#listFrames(numbers);
    let durable = 0;
    for (const frame of frames) durable = Math.max(durable, frame.durableSequence);
    let expected = frames.length === 0 ? 1 : (frames[0] as FrameHeader).sequence;
    let end = frames.length;
    for (const [index, frame] of frames.entries()) {
      const isKnownDurable = frame.sequence <= durable;
      if (frame.sequence !== expected) {
        if (!isKnownDurable && expected > durable) {
          end = index;
          break;
        }
        this.report.damaged.push(`frames ${expected} to ${frame.sequence - 1} before ${placeOf(frame)} are missing or damaged`);
      }
      if (!isKnownDurable && !this.#areRecordsWhole(frame)) {
        end = index;
        break;
      }
      if (!this.#act(frame)) {
        if (!isKnownDurable) {
          end = index;
          break;
        }
        this.report.damaged.push(`the operations of frame ${frame.sequence} at ${placeOf(frame)} are damaged`);
      }
      this.report.frames++;
      expected = frame.sequence + 1;
    }
    const last = frames[frames.length - 1];
    for (const frame of frames.slice(end)) this.#cut(frame);
    // The rest of the last slab is not used again.
    return { nextLogSequence: last === undefined ? this.#firstLogSequence : last.logSequence + 1, nextSequence: expected };
  }

  #listFrames(numbers: readonly number[]): FrameHeader[] {
    const frames: FrameHeader[] = [];
    for (const [index, number] of numbers.entries()) {
      const expected = (numbers[0] as number) + index;
      if (number !== expected) {
        this.report.damaged.push(`segment ${fileName(expected)} is missing`);
        throw new JournalError(`journal segment ${fileName(expected)} is missing`);
      }
      for (let slabIndex = 0; slabIndex < slabsPerSegment; slabIndex++) {
        const count = frames.length;
        const stoppedAt = this.#listSlab(number * slabsPerSegment + slabIndex, frames);
        // Slabs are filled in order: one without frames, in the last segment, is the end.
        if (
          frames.length === count &&
          stoppedAt === 0 &&
          number === numbers[numbers.length - 1] &&
          slabIndex > 0 &&
          !this.#hasLaterFrame(number, slabIndex)
        )
          break;
      }
    }
    return frames;
  }

  /** One empty slab may be damage; only when the next is empty as well is it the end of the log. */
  #hasLaterFrame(number: number, slabIndex: number): boolean {
    if (slabIndex + 1 >= slabsPerSegment) return false;
    return this.#listSlab(number * slabsPerSegment + slabIndex + 1, []) > 0;
  }

  /** Adds the frames of one slab; returns the offset behind the last. A break in their chain is searched for what comes after it. */
  #listSlab(logSequence: number, frames: FrameHeader[]): number {
    const handle = this.#journal.segments.handleOf(logSequence);
    const base = slabPosition(logSequence);
    let offset = 0;
    while (slabBytes - offset >= frameHeaderBytes) {
      const reading = readFrameHeader(this.#read(handle, base + offset, frameHeaderBytes), 0, logSequence, offset);
      if (reading.state === 'good' && frameEnd(reading.header) <= slabBytes) {
        if (reading.header.version > formatVersion) {
          throw new JournalError(
            `the journal was written by a newer version (format ${reading.header.version}; this one knows ${formatVersion})`,
          );
        }
        frames.push(reading.header);
        offset = frameEnd(reading.header);
        continue;
      }
      const next = reading.state === 'empty' ? -1 : this.#findFrame(logSequence, offset + unitBytes);
      if (next < 0) return offset;
      offset = next;
    }
    return offset;
  }

  #findFrame(logSequence: number, from: number): number {
    const words = this.#read(this.#journal.segments.handleOf(logSequence), slabPosition(logSequence), slabBytes);
    for (let offset = from; offset + frameHeaderBytes <= slabBytes; offset += unitBytes) {
      if (words[offset >> 2] === frameMagic && readFrameHeader(words, offset >> 2, logSequence, offset).state === 'good') return offset;
    }
    return -1;
  }

  /** Whether every message record of a frame is what was meant to be written. */
  #areRecordsWhole(frame: FrameHeader): boolean {
    if (frame.bodyBytes === 0) return true;
    const words = this.#read(this.#journal.segments.handleOf(frame.logSequence), slabPosition(frame.logSequence), slabBytes);
    const end = frame.offset + frameHeaderBytes + frame.bodyBytes;
    let offset = frame.offset + frameHeaderBytes;
    while (offset < end) {
      const size = recordSize(words, offset >> 2);
      if (offset + size > end || words[(offset >> 2) + 4] !== recordChecksum(words, offset, offset + size, frame.logSequence)) return false;
      offset += size;
    }
    return offset === end;
  }

  /** Does a frame's operations; false when they are damaged. */
  #act(frame: FrameHeader): boolean {
    this.#isLastOpClean = false;
    if (frame.opsBytes === 0) return true;
    const handle = this.#journal.segments.handleOf(frame.logSequence);
    const words = this.#read(handle, slabPosition(frame.logSequence) + frame.offset + frameHeaderBytes + frame.bodyBytes, frame.opsBytes);
    if (checksum(words, 0, words.length, frame.logSequence) !== frame.opsChecksum) return false;
    return readOps(words, 0, words.length, this);
  }

  /** Makes a frame of an unfinished commit unreadable, so that what is written after it is not mistaken for its sequel. */
  #cut(frame: FrameHeader): void {
    this.report.tornBytes += frameEnd(frame) - frame.offset;
    this.#journal.segments
      .handleOf(frame.logSequence)
      .writeSync(Buffer.alloc(frameHeaderBytes), slabPosition(frame.logSequence) + frame.offset);
  }

  #read(handle: { readSync(into: Buffer, position: number): number }, position: number, bytes: number): Uint32Array {
    const words = new Uint32Array((bytes + 3) >> 2);
    handle.readSync(Buffer.from(words.buffer), position);
    return words;
  }

  onEnqueue(
    queueId: number,
    priority: number,
    sequence: number,
    logSequence: number,
    unit: number,
    bodyBytes: number,
    expiryMillis: number,
  ): void {
    const queue = this.#replay.queues.get(queueId) as RestorableQueue | undefined;
    // A body before the first segment was given up because every message there was settled; the settlement itself may be gone.
    if (queue === undefined || logSequence < this.#firstLogSequence) {
      this.report.orphans++;
      return;
    }
    // A message that was moved comes again, under its old place in the queue.
    if (queue.removeRestored(priority, sequence, this.#entry)) this.#release(this.#entry.ref, this.#entry.bytes);
    let slab = this.#slabs.get(logSequence);
    if (slab === undefined) {
      slab = this.#core.store.addLogSlab(logSequence);
      this.#slabs.set(logSequence, slab);
      this.#journal.segments.slabOpened(logSequence);
      this.#journal.pager.add(slab);
    }
    const ref = (slab.id << 16) | unit;
    this.#core.store.adopt(ref, bodyBytes, this.#isFirstEntry(slab, unit));
    const { clock } = this.#core;
    const expiry = expiryMillis === 0 ? 0 : Math.max(1, clock.nowMillis + (expiryMillis - clock.wallMillis));
    const meta = metaLogged | metaPersistent | (expiryMillis === 0 ? 0 : metaHasTtl);
    queue.restore(priority, sequence, ref, meta, bodyBytes, expiry);
    this.report.entries++;
  }

  onSettle(queueId: number, priority: number, sequence: number, count: number): void {
    const queue = this.#replay.queues.get(queueId) as RestorableQueue | undefined;
    if (queue === undefined) {
      this.report.orphans += count;
      return;
    }
    for (let i = 0; i < count; i++) {
      if (queue.removeRestored(priority, sequence + i, this.#entry)) {
        this.#release(this.#entry.ref, this.#entry.bytes);
        this.report.entries--;
      } else {
        this.report.orphans++;
      }
    }
  }

  onMetadata(json: string): void {
    const change = JSON.parse(json) as MetadataChange;
    if (change.kind === 'queue.delete') {
      const queue = this.#replay.queues.get((change as unknown as { id: number }).id);
      if (queue !== undefined) this.report.entries -= queue.readyCount;
    }
    this.#replay.apply(change);
  }

  onFlags(queueId: number, priority: number, sequence: number, meta: number): void {
    const queue = this.#replay.queues.get(queueId) as RestorableQueue | undefined;
    if (queue?.removeRestored(priority, sequence, this.#entry)) {
      const { ref, bytes, expiryMillis } = this.#entry;
      queue.restore(priority, sequence, ref, (this.#entry.meta | (meta & ~0xff00)) >>> 0, bytes, expiryMillis);
    }
  }

  onClean(): void {
    this.#isLastOpClean = true;
  }

  /** Counts an entry of a message; whether it is the first that is alive. */
  #isFirstEntry(slab: Slab, unit: number): boolean {
    let bits = this.#known.get(slab);
    if (bits === undefined) {
      bits = new Uint32Array(slabBytes / unitBytes / 64);
      this.#known.set(slab, bits);
    }
    const index = unit >> 1;
    const mask = 1 << (index & 31);
    const isFirst = ((bits[index >> 5] as number) & mask) === 0;
    bits[index >> 5] = (bits[index >> 5] as number) | mask;
    return isFirst;
  }

  #release(ref: MessageRef, bytes: number): void {
    const slab = this.#core.store.slabs[ref >> 16] as Slab;
    if (!this.#core.store.release(ref, bytes)) return;
    const index = (ref & 0xffff) >> 1;
    const bits = this.#known.get(slab);
    if (bits !== undefined) bits[index >> 5] = (bits[index >> 5] as number) & ~(1 << (index & 31));
    // A slab that lost its last message is gone from the store; should another entry name it, it is made anew.
    if (this.#core.store.slabs[slab.id] !== slab) {
      this.#slabs.delete(slab.logSequence);
      this.#known.delete(slab);
    }
  }

  /** Flags what may have been delivered before, brings large messages to mind, removes files that nobody needs. */
  #finish(): void {
    const { store } = this.#core;
    const used = new Set<number>();
    const suspects: { queue: RestorableQueue; ref: MessageRef; bytes: number }[] = [];
    for (const queue of this.#replay.queues.values()) {
      queue.forEachReady(entry => {
        if (entry.bytes > 64 * 1024) suspects.push({ queue: queue as RestorableQueue, ref: entry.ref, bytes: entry.bytes });
        return true;
      });
      if (!this.#isLastOpClean) (queue as RestorableQueue).markRedelivered();
    }
    const ids = new Set(this.#journal.loose.ids());
    if (ids.size > 0) {
      for (const { ref, bytes } of suspects) {
        const message = this.#readLoose(ref, bytes);
        if (message === null) continue;
        used.add(message.id);
        store.adoptLoose(ref, message);
      }
    }
    for (const id of ids) {
      store.lastLooseId = Math.max(store.lastLooseId, id);
      if (!used.has(id)) this.#files.remove(looseFileName(id));
    }
  }

  /** A large message's record, without its body; null for a record that has its body. */
  #readLoose(ref: MessageRef, bodyBytes: number): LooseMessage | null {
    const slab = this.#core.store.slabs[ref >> 16] as Slab;
    const offset = (ref & 0xffff) << 4;
    const handle = this.#journal.segments.handleOf(slab.logSequence);
    const head = this.#read(handle, slabPosition(slab.logSequence) + offset, 20);
    const mixed = head[2] as number;
    if (mixed >>> 24 === 0) return null;
    const envelopeBytes = mixed & 0xffff;
    const propertiesBytes = head[1] as number;
    const bytes = Buffer.alloc(envelopeBytes + propertiesBytes + 8);
    handle.readSync(bytes, slabPosition(slab.logSequence) + offset + 20);
    const id = bytes.readDoubleLE(envelopeBytes + propertiesBytes);
    return new LooseMessage(
      id,
      bytes.subarray(0, envelopeBytes),
      bytes.subarray(envelopeBytes, envelopeBytes + propertiesBytes),
      [],
      bodyBytes,
    );
  }
}

function placeOf(frame: FrameHeader): string {
  return `${fileName(Math.floor(frame.logSequence / slabsPerSegment))}:${slabPosition(frame.logSequence) + frame.offset}`;
}
