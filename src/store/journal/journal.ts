// hot path: see docs/STYLE.md
import { randomBytes } from 'node:crypto';
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { LogRegionListener, LooseMessage, MessageRef, MessageStore } from '../../core/messages/message-store.ts';
import { type Slab, slabBytes, unitBytes } from '../../core/messages/slab.ts';
import { preconditionFailed } from '../../core/broker-error.ts';
import type { CommitLog } from '../../core/ports/commit-log.ts';
import type { CommitParticipant } from '../../core/ports/commit-participant.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import type { MetadataChange, MetadataJournal } from '../../core/ports/metadata-journal.ts';
import type { QueueLog } from '../../core/ports/queue-log.ts';
import { formatVersion, frameHeaderBytes, writeFrameHeader } from './layout.ts';
import { type LooseBatch, LooseFiles } from './loose-files.ts';
import { Ops, opWords } from './ops.ts';
import { Pager } from './pager.ts';
import { Segments } from './segments.ts';
import type { MetadataSnapshot } from './snapshot.ts';

/** How long records that nobody waits for may wait to be written. [reliability: ack_sync_ms 50] */
const idleCommitMillis = 10;
/** Unwritten bytes above which publishers are held up. */
const behindBytes = 32 * 1024 * 1024;
/** A change of metadata has to fit a slab, whatever its characters. */
const changeLengthMax = 200_000;
/** Free bytes without which a new frame is not begun in a slab. */
const frameRoomBytes = frameHeaderBytes + 8 * unitBytes;

const nothing = (): void => {};

type Waiter = { readonly then: (argument: unknown) => void; readonly argument: unknown };

class Region {
  readonly slab: Slab;
  readonly from: number;
  readonly to: number;

  constructor(slab: Slab, from: number, to: number) {
    this.slab = slab;
    this.from = from;
    this.to = to;
  }
}

/** A commit under way. */
interface Flight {
  readonly regions: readonly Region[];
  readonly waiters: Waiter[];
  readonly loose: LooseBatch;
  readonly bytes: number;
  readonly sequence: number;
  /** Segments before this one are not needed when the commit is durable. */
  readonly floor: number;
}

export interface JournalOptions {
  /** Memory for slabs of the log. */
  readonly memoryBytes: number;
  /** Slabs per segment file: tests have few. It must never change for a directory. */
  readonly slabsPerSegment?: number;
  /** A random number that names this start of the broker; default: one from the system. */
  readonly owner?: number;
  /** Called once, when a write or sync failed. */
  readonly onFatal: (error: Error) => void;
}

/**
 * The log on local files: message bytes go into slabs that are images of the file, operations (enqueue, settle, metadata) are gathered
 * beside; a commit closes a frame around both, writes it and syncs once. One commit is under way at a time, the next gathers meanwhile:
 * the busier, the larger the batch. Nothing is acknowledged before its sync. Any error of a write or a sync is the end: see `onFatal`.
 * (docs/internals/journal.md)
 */
export class Journal implements CommitLog, QueueLog, MetadataJournal, LogRegionListener {
  readonly firstOffset = frameHeaderBytes;
  readonly segments: Segments;
  readonly loose: LooseFiles;
  readonly pager: Pager;
  /** Names this start of the broker in every frame: nobody outside knows it, so nobody can make a frame. */
  readonly owner: number;
  readonly #onFatal: (error: Error) => void;
  #core: BrokerCore | null = null;
  #store: MessageStore | null = null;
  readonly #ops = new Ops();
  #isReplaying = true;
  #hasBegun = false;
  /** Becomes durable in the same commits. */
  #participant: CommitParticipant | null = null;
  #failure: Error | null = null;
  #isEnding = false;
  #isClosed = false;
  /** The slab of the log that is being filled. */
  #current: Slab | null = null;
  /** Where the open frame of the log's current slab begins; -1 when the slab has no room for one. */
  #frameStart = -1;
  #nextLogSequence = 0;
  #nextSequence = 1;
  #durableSequence = 0;
  /** Oldest segment that is needed, as the last frames of commits say it. */
  #floor = 0;
  #sealed: Region[] = [];
  #sealedBytes = 0;
  #waiters: Waiter[] = [];
  #flying: Flight | null = null;
  #isMetadataGathered = false;
  #isMetadataFlying = false;
  /** Sequence of the last frame with metadata, and of the last whose metadata is in the snapshot. */
  metadataSequence = 0;
  snapshotSequence = 0;
  #captures: ((sequence: number) => void)[] = [];
  readonly #idleTimer = new CallbackTimer(() => this.#startIfNeeded());
  #caughtUp: (() => void)[] = [];
  #settlers: ((error: Error | null) => void)[] = [];
  /** Calls back when a commit is done: the cleaner looks after space. */
  onCommitted: () => void = () => {};
  commitCount = 0;
  commitMillisTotal = 0;
  committedBytes = 0;

  constructor(files: Files, options: JournalOptions) {
    this.segments = new Segments(files, options.slabsPerSegment);
    this.loose = new LooseFiles(files);
    this.pager = new Pager(this.segments, this.loose, options.memoryBytes);
    this.owner = options.owner ?? randomBytes(4).readUInt32LE(0);
    this.#onFatal = options.onFatal;
  }

  /** Oldest segment that is needed, as far as it was recorded. */
  get floor(): number {
    return this.#floor;
  }

  get isPending(): boolean {
    return this.#flying !== null || this.#hasWork;
  }

  get isMetadataPending(): boolean {
    return this.#isMetadataGathered || this.#isMetadataFlying;
  }

  get isBehind(): boolean {
    return this.#unwrittenBytes > behindBytes;
  }

  onCaughtUp(callback: () => void): void {
    if (this.isBehind) this.#caughtUp.push(callback);
    else callback();
  }

  attach(core: BrokerCore): void {
    this.#core = core;
    this.#store = core.store;
    core.store.attachLog(this);
    this.pager.attach(core);
  }

  /** From now on commits are for what the participant records, too. */
  join(participant: CommitParticipant): void {
    this.#participant = participant;
  }

  /** Recovery knows where the log ended; `isSnapshotSafe` says that segments may go whose metadata is in the snapshot. */
  resume(lastSequence: number, snapshot: MetadataSnapshot | null, isSnapshotSafe: boolean): void {
    this.#nextSequence = lastSequence + 1;
    // Not before `begin` does anything say so that is written.
    this.#durableSequence = lastSequence;
    this.#floor = this.segments.first;
    this.snapshotSequence = isSnapshotSafe ? (snapshot?.sequence ?? 0) : 0;
    this.metadataSequence = Math.max(this.metadataSequence, snapshot?.sequence ?? 0);
    // In a segment of its own, so that whatever the last run left behind its end stays behind.
    this.#nextLogSequence = this.segments.nextSegmentStart;
    this.#isReplaying = false;
  }

  /** What recovery found is durable: what happens, and has happened since, is written from now on. */
  begin(): void {
    this.#hasBegun = true;
    this.#ops.begin();
  }

  // --- what is recorded

  enqueued(queueId: number, priority: number, sequence: number, ref: MessageRef, bodyBytes: number, expiryMillis: number): void {
    const slab = (this.#store as MessageStore).slabs[ref >> 16] as Slab;
    this.#ops.enqueue(queueId, priority, sequence, slab.logSequence, ref & 0xffff, bodyBytes, expiryMillis);
  }

  waits(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void {
    this.#ops.wait(queueId, priority, sequence, dueMillis, retryCount);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  settled(queueId: number, priority: number, sequence: number): void {
    this.#ops.settle(queueId, priority, sequence);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  /** What is known of a message's deliveries, for when the broker ends before anybody can say more. */
  returned(queueId: number, priority: number, sequence: number, meta: number): void {
    this.#ops.flags(queueId, priority, sequence, meta);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  record(change: MetadataChange): void {
    if (this.#isReplaying) return;
    const json = JSON.stringify(change);
    if (json.length > changeLengthMax)
      throw preconditionFailed(`a change of ${json.length} characters is larger than the journal takes (${changeLengthMax})`);
    this.#ops.metadata(json);
    this.#isMetadataGathered = true;
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  /** Flags of an entry, written at a clean stop. */
  flagged(queueId: number, priority: number, sequence: number, meta: number): void {
    this.#ops.flags(queueId, priority, sequence, meta);
  }

  /** The mark of a clean stop; it counts when nothing comes after it. */
  markClean(): void {
    this.#isEnding = true;
    this.#ops.clean();
  }

  /** Has something to commit, so that the next frame's header tells of the segments that are not needed any more. */
  note(): void {
    if (this.#hasRecords || this.#isEnding) return;
    this.#ops.nothing();
    this.commit(null, null);
  }

  // --- the store's side

  slabOpened(slab: Slab): number {
    const full = this.#current;
    if (full !== null) {
      if (this.#frameStart >= 0) this.#sealFrame(full, 0, false, false);
      this.#current = null;
      this.#unpin(full);
    }
    this.#current = slab;
    this.#frameStart = 0;
    const logSequence = this.#nextLogSequence++;
    slab.logSequence = logSequence;
    try {
      this.segments.slabOpened(logSequence);
    } catch (error) {
      this.#fail(error as Error);
    }
    this.pager.add(slab);
    this.pager.makeRoom();
    return logSequence;
  }

  slabDied(slab: Slab): void {
    if (slab.logSequence >= 0) this.segments.slabDied(slab.logSequence);
    this.pager.slabDied(slab);
  }

  looseStored(message: LooseMessage): void {
    try {
      this.loose.store(message);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  looseReleased(message: LooseMessage): void {
    this.loose.release(message);
  }

  fetch(ref: MessageRef, slab: Slab, loaded: () => void): void {
    this.pager.fetch(ref, slab, loaded);
  }

  // --- commit

  commit(then: ((argument: unknown) => void) | null, argument: unknown): void {
    if (!this.#hasWork) {
      if (then === null || this.#failure !== null) return;
      if (this.#flying === null) then(argument);
      else this.#flying.waiters.push({ then, argument });
      return;
    }
    if (then !== null) this.#waiters.push({ then, argument });
    if (this.#flying !== null) return;
    if (then !== null || this.#unwrittenBytes > slabBytes / 2) this.#start();
    else if (!this.#idleTimer.isSet) this.#armIdle();
  }

  /**
   * Calls `capture` with a sequence at a moment when the frames up to it say all that is recorded and nothing else does, and `then` when
   * they are durable.
   */
  capture(capture: (sequence: number) => void, then: () => void): void {
    if (this.#hasWork) this.#captures.push(capture);
    else capture(this.#nextSequence - 1);
    this.commit(then, null);
  }

  /** Calls back when nothing is left to be written, or with the write or sync that failed. */
  settle(done: (error: Error | null) => void): void {
    if (this.#failure !== null || !this.isPending) {
      done(this.#failure);
      return;
    }
    this.#settlers.push(done);
    this.commit(nothing, null);
  }

  /** Closes the files. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#core?.timers.clear(this.#idleTimer);
    await this.pager.idle();
    // With a failed disk something may be under way for ever, in a file that must not be closed under it.
    if (this.#failure === null) this.segments.close();
  }

  get #hasWork(): boolean {
    return this.#hasRecords || (this.#participant !== null && this.#participant.hasWork);
  }

  /** Whether the log itself has something to write. */
  get #hasRecords(): boolean {
    if (this.#ops.length > 0 || this.#sealed.length > 0) return true;
    return this.#current !== null && this.#frameStart >= 0 && this.#current.position > this.#frameStart + frameHeaderBytes;
  }

  get #unwrittenBytes(): number {
    const open = this.#current !== null && this.#frameStart >= 0 ? this.#current.position - this.#frameStart : 0;
    const others = this.#participant === null ? 0 : this.#participant.unwrittenBytes;
    return open + this.#sealedBytes + this.#ops.length * 4 + (this.#flying?.bytes ?? 0) + this.loose.unwrittenBytes + others;
  }

  #armIdle(): void {
    const core = this.#core;
    if (core !== null && !this.#isClosed) core.timers.set(this.#idleTimer, core.clock.nowMillis + idleCommitMillis);
  }

  #startIfNeeded(): void {
    if (this.#flying === null && this.#hasWork) this.#start();
  }

  #start(): void {
    if (!this.#hasBegun || this.#failure !== null || this.#isClosed) return;
    const store = this.#store as MessageStore;
    this.#core?.timers.clear(this.#idleTimer);
    // With nothing but ops the frame goes into a slab of its own kind all the same: there is one log.
    if (this.#hasRecords && (this.#current === null || this.#frameStart < 0)) store.openLogSlab();
    const loose = this.loose.take();
    this.#participant?.take();
    // No segment goes before there is a snapshot: without one, a journal that does not begin at its first segment is incomplete.
    const floor = this.snapshotSequence === 0 ? this.#floor : Math.max(this.#floor, this.segments.firstNeeded(this.snapshotSequence));
    if (this.#hasRecords) this.#sealOps(store, floor);
    const sequence = this.#nextSequence - 1;
    for (const capture of this.#captures.splice(0)) capture(sequence);
    const flight: Flight = { regions: this.#sealed, waiters: this.#waiters, loose, bytes: this.#sealedBytes, sequence, floor: this.#floor };
    this.#sealed = [];
    this.#sealedBytes = 0;
    this.#waiters = [];
    this.#flying = flight;
    this.#isMetadataFlying = this.#isMetadataGathered;
    this.#isMetadataGathered = false;
    if (this.#failure !== null) return;
    const began = performance.now();
    this.#write(flight, error => {
      if (error !== null) {
        this.#fail(error);
        return;
      }
      this.commitMillisTotal += performance.now() - began;
      this.#done(flight);
    });
  }

  /** Places the gathered operations behind the records, in as many frames as it takes. The last one has the commit's floor. */
  #sealOps(store: MessageStore, floor: number): void {
    const ops = this.#ops;
    let at = 0;
    for (;;) {
      const slab = this.#current as Slab;
      const room = (slabBytes - slab.position) >> 2;
      let end = at;
      if (ops.length - at <= room) end = ops.length;
      else
        for (let next = opWords(ops.words, end); end + next <= ops.length && end + next - at <= room; next = opWords(ops.words, end))
          end += next;
      slab.words.set(ops.words.subarray(at, end), slab.position >> 2);
      const isStuck = end === at;
      // Not said by a frame, it would not be so after a crash.
      if (end === ops.length && (end > at || slab.position > this.#frameStart + frameHeaderBytes)) this.#floor = floor;
      this.#sealFrame(slab, (end - at) * 4, true, end > at && this.#isMetadataGathered);
      at = end;
      if (at === ops.length) break;
      // An operation that does not fit what is left of the slab goes to the next.
      if (isStuck || this.#frameStart < 0) store.openLogSlab();
    }
    ops.clear();
  }

  /** Closes the open frame of a slab, whose operations stand behind its records, and begins the next one if there is room. */
  #sealFrame(slab: Slab, opsBytes: number, isContinued: boolean, hasMetadata: boolean): void {
    const offset = this.#frameStart;
    const bodyBytes = slab.position - offset - frameHeaderBytes;
    if (bodyBytes > 0 || opsBytes > 0) {
      const sequence = this.#nextSequence++;
      writeFrameHeader(slab.words, {
        version: formatVersion,
        shard: 0,
        epoch: 1,
        owner: this.owner,
        sequence,
        durableSequence: this.#durableSequence,
        logSequence: slab.logSequence,
        offset,
        bodyBytes,
        opsBytes,
        floor: this.#floor,
      });
      if (hasMetadata) {
        this.segments.hasMetadata(slab.logSequence, sequence);
        this.metadataSequence = sequence;
      }
      const end = (slab.position + opsBytes + unitBytes - 1) & ~(unitBytes - 1);
      slab.bytes.fill(0, slab.position + opsBytes, end);
      slab.position = end;
      this.#sealed.push(new Region(slab, offset, end));
      this.#sealedBytes += end - offset;
      this.#frameStart = end;
    } else {
      slab.position = offset;
    }
    if (isContinued && slabBytes - slab.position >= frameRoomBytes) {
      this.#frameStart = slab.position;
      slab.position += frameHeaderBytes;
    } else {
      this.#frameStart = -1;
      slab.position = slabBytes;
    }
  }

  /**
   * What the participant has comes first, and is durable before any frame is written: a message that goes from a queue to a stream has left
   * the queue by this commit, and must be there when only a part of it reaches the disk.
   */
  #write(flight: Flight, done: (error: Error | null) => void): void {
    const next = (error: Error | null): void => {
      if (error !== null) done(error);
      else this.#writeFrames(flight, done);
    };
    if (this.#participant === null) next(null);
    else this.#participant.write(next);
  }

  /** Writes the regions, then syncs each file once, the directory when a file is new, and the loose messages' files. */
  #writeFrames(flight: Flight, done: (error: Error | null) => void): void {
    let open = 1;
    let failure: Error | null = null;
    const handles = new Set<FileHandle>();
    const synced = (error: Error | null): void => {
      failure ??= error;
      if (--open === 0) done(failure);
    };
    const written = (error: Error | null): void => {
      failure ??= error;
      if (--open > 0) return;
      if (failure !== null) {
        done(failure);
        return;
      }
      open = handles.size + 1 + (this.segments.isDirectoryDirty ? 1 : 0);
      for (const handle of handles) handle.sync(synced);
      if (this.segments.isDirectoryDirty) this.segments.syncDirectory(synced);
      this.loose.sync(flight.loose, synced);
    };
    for (const { slab, from, to } of flight.regions) {
      const handle = this.segments.handleOf(slab.logSequence);
      handles.add(handle);
      open++;
      this.committedBytes += to - from;
      handle.write(slab.bytes.subarray(from, to), this.segments.positionOf(slab.logSequence) + from, written);
    }
    written(null);
  }

  #done(flight: Flight): void {
    if (this.#failure !== null) return;
    this.#core?.turn.begin();
    this.#flying = null;
    this.#isMetadataFlying = false;
    this.#durableSequence = flight.sequence;
    this.commitCount++;
    try {
      this.#participant?.committed();
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    for (const { slab } of flight.regions) this.#unpin(slab);
    for (const waiter of flight.waiters) waiter.then(waiter.argument);
    for (const { message } of flight.loose.written) this.pager.addLoose(message);
    this.pager.makeLooseRoom();
    try {
      this.loose.committed(flight.loose);
      this.segments.removeBelow(flight.floor);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (!this.isBehind && this.#caughtUp.length > 0) {
      const callbacks = this.#caughtUp;
      this.#caughtUp = [];
      for (const callback of callbacks) callback();
    }
    this.onCommitted();
    if (this.loose.hasRemovable) this.note();
    if (this.#flying === null && this.#hasWork) {
      if (this.#waiters.length > 0 || this.#unwrittenBytes > slabBytes / 2) this.#start();
      else if (!this.#idleTimer.isSet) this.#armIdle();
    }
    if (!this.isPending) for (const settler of this.#settlers.splice(0)) settler(null);
  }

  /** Lets go of a slab all of whose bytes are durable. */
  #unpin(slab: Slab): void {
    if (!slab.isPinned || slab === this.#current) return;
    for (const region of this.#sealed) if (region.slab === slab) return;
    if (this.#flying !== null) for (const region of this.#flying.regions) if (region.slab === slab) return;
    slab.isPinned = false;
    this.#store?.dropIfDead(slab);
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    for (const settler of this.#settlers.splice(0)) settler(error);
    this.#onFatal(error);
  }
}
