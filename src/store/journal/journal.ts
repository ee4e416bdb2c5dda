// hot path: see docs/STYLE.md
import { randomBytes } from 'node:crypto';
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { BodyStage } from '../../core/messages/body-stage.ts';
import type { LargeBody } from '../../core/messages/large-body.ts';
import type { LogRegionListener } from '../../core/messages/log-region-listener.ts';
import type { LooseMessage } from '../../core/messages/loose-message.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import type { MessageStore } from '../../core/messages/message-store.ts';
import { type Slab, slabBytes } from '../../core/messages/slab.ts';
import { preconditionFailed } from '../../core/broker-error.ts';
import type { Backlog, CommitLog, PagedMessages } from '../../core/ports/commit-log.ts';
import type { CommitParticipant } from '../../core/ports/commit-participant.ts';
import type { Files } from '../../core/ports/files.ts';
import type { MetadataChange, MetadataJournal } from '../../core/ports/metadata-journal.ts';
import type { QueueLog } from '../../core/ports/queue-log.ts';
import { Commit, type Waiter } from './commit.ts';
import { frameHeaderBytes } from './layout.ts';
import { IndexFiles } from './index-files.ts';
import { LogTail } from './log-tail.ts';
import { LooseFiles } from './loose-files.ts';
import type { Ops } from './ops.ts';
import { Pager } from './pager.ts';
import { Pages } from './pages.ts';
import { Segments } from './segments.ts';
import type { MetadataSnapshot } from './snapshot.ts';

/** How long records that nobody waits for may wait to be written. [reliability: ack_sync_ms 50] */
const idleCommitMillis = 10;
/** Unwritten bytes above which publishers are held up. */
const behindBytes = 32 * 1024 * 1024;
/** A change of metadata has to fit a slab, whatever its characters. */
const changeLengthMax = 200_000;
const nothing = (): void => {};

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
export class Journal implements CommitLog, QueueLog, MetadataJournal, PagedMessages, LogRegionListener {
  readonly firstOffset = frameHeaderBytes;
  readonly segments: Segments;
  readonly loose: LooseFiles;
  readonly pager: Pager;
  readonly indexPages: IndexFiles;
  /** Names this start of the broker in every frame: nobody outside knows it, so nobody can make a frame. */
  readonly owner: number;
  readonly #files: Files;
  readonly #onFatal: (error: Error) => void;
  #core: BrokerCore | null = null;
  #store: MessageStore | null = null;
  readonly #tail: LogTail;
  /** Of the tail: what is recorded is gathered there. */
  readonly #ops: Ops;
  #isReplaying = true;
  #hasBegun = false;
  /** Becomes durable in the same commits. */
  #participant: CommitParticipant | null = null;
  #failure: Error | null = null;
  #isEnding = false;
  #isClosed = false;
  #waiters: Waiter[] = [];
  #flying: Commit | null = null;
  /** Sequence of the last frame whose metadata is in the snapshot. */
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
    this.#files = files;
    this.segments = new Segments(files, options.slabsPerSegment);
    this.loose = new LooseFiles(files);
    this.pager = new Pager(this.segments, this.loose, new Pages(files, 'pages', slabBytes), options.memoryBytes);
    this.indexPages = new IndexFiles(files, error => {
      // What is closed has nothing to lose.
      if (!this.#isClosed) this.#fail(error);
    });
    this.owner = options.owner ?? randomBytes(4).readUInt32LE(0);
    this.#tail = new LogTail(this.segments, this.owner);
    this.#ops = this.#tail.ops;
    this.#onFatal = options.onFatal;
  }

  /** What messages for memory only wait for. */
  get pages(): Backlog {
    return this.pager;
  }

  get bodies(): Backlog {
    return this.loose;
  }

  compactPages(slackBytes: number): void {
    this.pager.compactPages(slackBytes);
  }

  /** Oldest segment that is needed, as far as it was recorded. */
  get floor(): number {
    return this.#tail.floor;
  }

  /** Sequence of the last frame with metadata. */
  get metadataSequence(): number {
    return this.#tail.metadataSequence;
  }

  /** Recovery: a frame has metadata. */
  set metadataSequence(sequence: number) {
    this.#tail.metadataSequence = sequence;
  }

  get isPending(): boolean {
    return this.#flying !== null || this.#hasWork;
  }

  get isMetadataPending(): boolean {
    return this.#tail.hasMetadata || this.#flying?.hasMetadata === true;
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
    const tail = this.#tail;
    tail.nextSequence = lastSequence + 1;
    // Not before `begin` does anything say so that is written.
    tail.durableSequence = lastSequence;
    tail.floor = this.segments.first;
    this.snapshotSequence = isSnapshotSafe ? (snapshot?.sequence ?? 0) : 0;
    tail.metadataSequence = Math.max(tail.metadataSequence, snapshot?.sequence ?? 0);
    // In a segment of its own, so that whatever the last run left behind its end stays behind.
    tail.nextLogSequence = this.segments.nextSegmentStart;
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

  moved(
    queueId: number,
    priority: number,
    from: number,
    sequence: number,
    ref: MessageRef,
    bodyBytes: number,
    expiryMillis: number,
    meta: number,
  ): void {
    const { logSequence } = (this.#store as MessageStore).slabs[ref >> 16] as Slab;
    this.#ops.move(queueId, priority, from, sequence, logSequence, ref & 0xffff, bodyBytes, expiryMillis, meta);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  taken(queueId: number, priority: number, sequence: number, targetId: number): void {
    this.#ops.taken(queueId, priority, sequence, targetId);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  waits(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void {
    this.#ops.wait(queueId, priority, sequence, dueMillis, retryCount);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  settled(queueId: number, priority: number, sequence: number): void {
    this.#ops.settle(queueId, priority, sequence);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  settledRun(queueId: number, priority: number, first: number, count: number): void {
    this.#ops.settleRun(queueId, priority, first, count);
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
    this.#tail.hasMetadata = true;
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
    if (this.#tail.hasRecords || this.#isEnding) return;
    this.#ops.nothing();
    this.commit(null, null);
  }

  // --- the store's side

  slabOpened(slab: Slab): number {
    const full = this.#tail.open(slab);
    if (full !== null) this.#unpin(full);
    const { logSequence } = slab;
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

  memorySlabOpened(): void {
    this.pager.makeRoom();
  }

  get wantsInSlabs(): boolean {
    return this.pager.isLooseFull;
  }

  stage(body: LargeBody, id: number): BodyStage | null {
    return this.loose.stage(body, id);
  }

  looseStored(message: LooseMessage): void {
    if (!message.isLogged) {
      this.pager.addUnwritten(message);
      return;
    }
    try {
      this.loose.store(message);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  looseReleased(message: LooseMessage): void {
    if (message.isLogged) this.loose.release(message);
    else this.loose.removePage(message);
  }

  fetch(ref: MessageRef, slab: Slab, loaded: () => void): void {
    this.pager.fetch(ref, slab, loaded);
  }

  fetchNow(ref: MessageRef, slab: Slab): void {
    this.pager.fetchNow(ref, slab);
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
    if (then !== null || this.#unwrittenBytes + this.loose.unwrittenBytes > slabBytes / 2) this.#start();
    else if (!this.#idleTimer.isSet) this.#armIdle();
  }

  /**
   * Calls `capture` with a sequence at a moment when the frames up to it say all that is recorded and nothing else does, and `then` when
   * they are durable.
   */
  capture(capture: (sequence: number) => void, then: () => void): void {
    if (this.#hasWork) this.#captures.push(capture);
    else capture(this.#tail.nextSequence - 1);
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
    if (this.#failure !== null) return;
    this.pager.close();
    this.indexPages.close();
    this.segments.close();
    await new Promise<void>(resolve => this.#files.whenRemoved(resolve));
  }

  get #hasWork(): boolean {
    return this.#tail.hasRecords || (this.#participant !== null && this.#participant.hasWork);
  }

  get #unwrittenBytes(): number {
    const others = this.#participant === null ? 0 : this.#participant.unwrittenBytes;
    return this.#tail.unwrittenBytes + (this.#flying?.bytes ?? 0) + others;
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
    this.#core?.timers.clear(this.#idleTimer);
    const tail = this.#tail;
    const { hasRecords, hasMetadata } = tail;
    const loose = this.loose.take();
    this.#participant?.take();
    // Before the floor is found: a start leaves an empty segment behind when what the one before began was lost, and that one goes too.
    if (hasRecords) tail.ensureSlab(this.#store as MessageStore);
    // No segment goes before there is a snapshot: without one, a journal that does not begin at its first segment is incomplete.
    const floor = this.snapshotSequence === 0 ? tail.floor : Math.max(tail.floor, this.segments.firstNeeded(this.snapshotSequence));
    if (hasRecords) tail.seal(this.#store as MessageStore, floor);
    const sequence = tail.nextSequence - 1;
    for (const capture of this.#captures.splice(0)) capture(sequence);
    const bytes = tail.sealedBytes;
    const commit = new Commit(tail.take(), bytes, this.#waiters, loose, sequence, tail.floor, hasMetadata);
    this.#waiters = [];
    this.#flying = commit;
    if (this.#failure !== null) return;
    this.committedBytes += bytes;
    const began = performance.now();
    commit.write(this.segments, this.loose, this.#participant, error => {
      if (error !== null) {
        this.#fail(error);
        return;
      }
      this.commitMillisTotal += performance.now() - began;
      this.#done(commit);
    });
  }

  #done(commit: Commit): void {
    if (this.#failure !== null) return;
    this.#core?.turn.begin();
    this.#flying = null;
    this.#tail.durableSequence = commit.sequence;
    this.commitCount++;
    try {
      this.#participant?.committed();
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    for (const { slab } of commit.regions) this.#unpin(slab);
    for (const waiter of commit.waiters) waiter.then(waiter.argument);
    for (const { message } of commit.loose.written) this.pager.addLoose(message);
    this.pager.makeLooseRoom();
    try {
      this.loose.committed(commit.loose);
      this.segments.removeBelow(commit.floor);
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
      if (this.#waiters.length > 0 || this.#unwrittenBytes + this.loose.unwrittenBytes > slabBytes / 2) this.#start();
      else if (!this.#idleTimer.isSet) this.#armIdle();
    }
    if (!this.isPending) for (const settler of this.#settlers.splice(0)) settler(null);
  }

  /** Lets go of a slab all of whose bytes are durable. */
  #unpin(slab: Slab): void {
    if (!slab.isPinned || this.#tail.holds(slab) || this.#flying?.holds(slab) === true) return;
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
