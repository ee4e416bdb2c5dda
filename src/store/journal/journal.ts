// hot path: see docs/STYLE.md
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { LogRegionListener, LooseMessage, MessageRef, MessageStore } from '../../core/messages/message-store.ts';
import { type Slab, slabBytes, unitBytes } from '../../core/messages/slab.ts';
import { preconditionFailed } from '../../core/broker-error.ts';
import type { CommitLog } from '../../core/ports/commit-log.ts';
import type { FileHandle, Files } from '../../core/ports/files.ts';
import type { MetadataChange, MetadataJournal } from '../../core/ports/metadata-journal.ts';
import type { QueueLog } from '../../core/ports/queue-log.ts';
import { formatVersion, frameHeaderBytes, writeFrameHeader } from './layout.ts';
import { LooseFiles } from './loose-files.ts';
import { Ops, opWords } from './ops.ts';
import { Pager } from './pager.ts';
import { Segments, slabPosition } from './segments.ts';

/** How long records that nobody waits for may wait to be written. [reliability: ack_sync_ms 50] */
const idleCommitMillis = 10;
/** Unwritten bytes above which publishers are held up. */
const behindBytes = 32 * 1024 * 1024;
/** A change of metadata has to fit a slab, whatever its characters. */
const changeLengthMax = 200_000;
/** Free bytes without which a new frame is not begun in a slab. */
const frameRoomBytes = frameHeaderBytes + 8 * unitBytes;

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
  readonly #onFatal: (error: Error) => void;
  #core: BrokerCore | null = null;
  #store: MessageStore | null = null;
  readonly #ops = new Ops();
  #isReplaying = true;
  #isFailed = false;
  #isClosed = false;
  /** The slab of the log that is being filled. */
  #current: Slab | null = null;
  /** Where the open frame of the log's current slab begins; -1 when the slab has no room for one. */
  #frameStart = -1;
  #nextLogSequence = 0;
  #nextSequence = 1;
  #durableSequence = 0;
  #sealed: Region[] = [];
  #sealedBytes = 0;
  #waiters: Waiter[] = [];
  #flying: { regions: Region[]; waiters: Waiter[]; bytes: number; sequence: number } | null = null;
  #isMetadataGathered = false;
  #isMetadataFlying = false;
  readonly #idleTimer = new CallbackTimer(() => this.#startIfNeeded());
  #caughtUp: (() => void)[] = [];
  /** Calls back when a commit is done: the cleaner looks after space. */
  onCommitted: () => void = () => {};
  /** Whether metadata was recorded since the last snapshot of it. */
  isMetadataDirty = false;
  commitCount = 0;
  commitMillisTotal = 0;
  committedBytes = 0;

  constructor(files: Files, memoryBytes: number, onFatal: (error: Error) => void) {
    this.segments = new Segments(files);
    this.loose = new LooseFiles(files);
    this.pager = new Pager(this.segments, this.loose, memoryBytes);
    this.#onFatal = onFatal;
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

  /** Recovery is over: what happens from now on is recorded, behind everything there was. */
  begin(nextLogSequence: number, nextSequence: number): void {
    this.#nextLogSequence = nextLogSequence;
    this.#nextSequence = nextSequence;
    this.#durableSequence = nextSequence - 1;
    this.#isReplaying = false;
  }

  // --- what is recorded

  enqueued(queueId: number, priority: number, sequence: number, ref: MessageRef, bodyBytes: number, expiryMillis: number): void {
    const slab = (this.#store as MessageStore).slabs[ref >> 16] as Slab;
    this.#ops.enqueue(queueId, priority, sequence, slab.logSequence, ref & 0xffff, bodyBytes, expiryMillis);
  }

  settled(queueId: number, priority: number, sequence: number): void {
    this.#ops.settle(queueId, priority, sequence);
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  record(change: MetadataChange): void {
    if (this.#isReplaying) return;
    const json = JSON.stringify(change);
    if (json.length > changeLengthMax)
      throw preconditionFailed(`a change of ${json.length} characters is larger than the journal takes (${changeLengthMax})`);
    this.#ops.metadata(json);
    this.isMetadataDirty = true;
    this.#isMetadataGathered = true;
    if (!this.#idleTimer.isSet && this.#flying === null) this.#armIdle();
  }

  /** Flags of an entry, written at a clean stop. */
  flagged(queueId: number, priority: number, sequence: number, meta: number): void {
    this.#ops.flags(queueId, priority, sequence, meta);
  }

  markClean(): void {
    this.#ops.clean();
  }

  // --- the store's side

  slabOpened(slab: Slab): number {
    if (this.#current !== null && this.#frameStart >= 0) this.#sealFrame(this.#current, 0, false);
    const previous = this.#current;
    this.#current = slab;
    // What the last commit wrote to it was all there is: nothing will come that unpins it later.
    if (previous !== null && !this.#isBeingWritten(previous)) previous.isPinned = false;
    this.#frameStart = 0;
    const logSequence = this.#nextLogSequence++;
    slab.logSequence = logSequence;
    this.segments.slabOpened(logSequence);
    this.pager.add(slab);
    this.pager.makeRoom();
    return logSequence;
  }

  slabDied(slab: Slab): void {
    if (slab.logSequence >= 0) this.segments.slabDied(slab.logSequence);
    this.pager.slabDied(slab);
  }

  looseStored(message: LooseMessage): void {
    this.loose.store(message);
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
      if (then === null) return;
      if (this.#flying === null) then(argument);
      else this.#flying.waiters.push({ then, argument });
      return;
    }
    if (then !== null) this.#waiters.push({ then, argument });
    if (this.#flying !== null) return;
    if (then !== null || this.#unwrittenBytes > slabBytes / 2) this.#start();
    else if (!this.#idleTimer.isSet) this.#armIdle();
  }

  /** Writes everything and closes the files. */
  async close(): Promise<void> {
    while (this.isPending && !this.#isFailed) {
      await new Promise<void>(resolve => this.commit(() => resolve(), null));
    }
    this.#isClosed = true;
    this.#core?.timers.clear(this.#idleTimer);
    await this.pager.idle();
    this.segments.close();
  }

  get #hasWork(): boolean {
    if (this.#ops.length > 0 || this.#sealed.length > 0) return true;
    return this.#current !== null && this.#frameStart >= 0 && this.#current.position > this.#frameStart + frameHeaderBytes;
  }

  get #unwrittenBytes(): number {
    const open = this.#current !== null && this.#frameStart >= 0 ? this.#current.position - this.#frameStart : 0;
    return open + this.#sealedBytes + this.#ops.length * 4 + (this.#flying?.bytes ?? 0) + this.loose.unwrittenBytes;
  }

  #armIdle(): void {
    const core = this.#core;
    if (core !== null && !this.#isClosed) core.timers.set(this.#idleTimer, core.clock.nowMillis + idleCommitMillis);
  }

  #startIfNeeded(): void {
    if (this.#flying === null && this.#hasWork) this.#start();
  }

  #start(): void {
    if (this.#isFailed || this.#isClosed) return;
    const store = this.#store as MessageStore;
    this.#core?.timers.clear(this.#idleTimer);
    // With nothing but ops the frame goes into a slab of its own kind all the same: there is one log.
    if (this.#current === null || this.#frameStart < 0) store.openLogSlab();
    this.#sealOps(store);
    const regions = this.#sealed;
    const flying = { regions, waiters: this.#waiters, bytes: this.#sealedBytes, sequence: this.#nextSequence - 1 };
    this.#sealed = [];
    this.#sealedBytes = 0;
    this.#waiters = [];
    this.#flying = flying;
    this.#isMetadataFlying = this.#isMetadataGathered;
    this.#isMetadataGathered = false;
    const began = performance.now();
    this.#write(regions, error => {
      if (error !== null) {
        this.#fail(error);
        return;
      }
      this.commitMillisTotal += performance.now() - began;
      this.#done(flying.sequence);
    });
  }

  /** Places the gathered operations behind the records, in as many frames as it takes. */
  #sealOps(store: MessageStore): void {
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
      this.#sealFrame(slab, (end - at) * 4, true);
      at = end;
      if (at === ops.length) break;
      if (this.#frameStart < 0 || slabBytes - slab.position < frameRoomBytes) store.openLogSlab();
    }
    ops.clear();
  }

  /** Closes the open frame of a slab, whose operations stand behind its records, and begins the next one if there is room. */
  #sealFrame(slab: Slab, opsBytes: number, isContinued: boolean): void {
    const offset = this.#frameStart;
    const bodyBytes = slab.position - offset - frameHeaderBytes;
    if (bodyBytes > 0 || opsBytes > 0) {
      writeFrameHeader(slab.words, {
        version: formatVersion,
        shard: 0,
        epoch: 1,
        owner: 0,
        sequence: this.#nextSequence++,
        durableSequence: this.#durableSequence,
        logSequence: slab.logSequence,
        offset,
        bodyBytes,
        opsBytes,
      });
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

  /** Writes the regions, then syncs each file once, the directory when a file is new, and the loose messages' files. */
  #write(regions: readonly Region[], done: (error: Error | null) => void): void {
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
      this.loose.sync(synced);
    };
    for (const region of regions) {
      const { slab } = region;
      const handle = this.segments.handleOf(slab.logSequence);
      handles.add(handle);
      open++;
      this.committedBytes += region.to - region.from;
      handle.write(slab.bytes.subarray(region.from, region.to), slabPosition(slab.logSequence) + region.from, written);
    }
    written(null);
  }

  #done(sequence: number): void {
    const flying = this.#flying;
    if (flying === null) return;
    this.#core?.turn.begin();
    this.#flying = null;
    this.#isMetadataFlying = false;
    this.#durableSequence = sequence;
    this.commitCount++;
    this.#unpin(flying.regions);
    for (const waiter of flying.waiters) waiter.then(waiter.argument);
    this.loose.committed();
    if (!this.isBehind && this.#caughtUp.length > 0) {
      const callbacks = this.#caughtUp;
      this.#caughtUp = [];
      for (const callback of callbacks) callback();
    }
    this.onCommitted();
    if (this.#hasWork) {
      if (this.#waiters.length > 0 || this.#unwrittenBytes > slabBytes / 2) this.#start();
      else if (!this.#idleTimer.isSet) this.#armIdle();
    }
  }

  /** Whether bytes of the slab are still on their way to the file. */
  #isBeingWritten(slab: Slab): boolean {
    const isOf = (region: Region): boolean => region.slab === slab;
    return this.#sealed.some(isOf) || (this.#flying !== null && this.#flying.regions.some(isOf));
  }

  #unpin(regions: readonly Region[]): void {
    for (const { slab } of regions) {
      if (slab === this.#current || !slab.isPinned) continue;
      if (this.#isBeingWritten(slab)) continue;
      slab.isPinned = false;
      this.#store?.dropIfDead(slab);
    }
  }

  #fail(error: Error): void {
    this.#isFailed = true;
    this.#onFatal(error);
  }
}
