import type { LargeBody } from '../../core/messages/large-body.ts';
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { moveRecords } from '../../core/messages/compaction.ts';
import { type LooseMessage, ownFileBytesMin } from '../../core/messages/loose-message.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import type { MessageStore } from '../../core/messages/message-store.ts';
import { type Slab, slabBytes } from '../../core/messages/slab.ts';
import type { Backlog } from '../../core/ports/commit-log.ts';
import type { LooseFiles } from './loose-files.ts';
import type { Pages } from './pages.ts';
import type { Segments } from './segments.ts';

/** Slabs fetched ahead of the one that is asked for. */
const readAheadSlabs = 3;
/** A slab that was fetched this recently is not put away again. */
const restMillis = 1000;
/** Slabs, and large messages, that are written at once to be put away. */
const writingMax = 8;
/** Pages that are emptied at once. */
const compactedMax = 32;
/** Bytes above the budget that wait to be written, with which publishers are held up. */
const behindBytes = 32 * 1024 * 1024;

/**
 * Keeps messages in memory within a budget. What does not fit is put away, the newest first, because a queue is read from its oldest end;
 * what is needed is fetched again, with the slabs behind it. Of what is in the log, the log's file is the copy: nothing is written for it.
 * What is for memory only is written to pages first.
 */
export class Pager implements Backlog {
  readonly #segments: Segments;
  readonly #loose: LooseFiles;
  readonly #pages: Pages<Slab>;
  readonly #slabsMax: number;
  readonly #looseBytesMax: number;
  /** Large messages in memory whose files are there, in the order they came. */
  readonly #evictable: LooseMessage[] = [];
  /** Large messages for memory only that are in no file, in the order they came. */
  #unwritten: LooseMessage[] = [];
  /** Slabs and large messages that are being written to be put away. */
  readonly #writing = new Set<object>();
  #writingSlabs = 0;
  #writingLooseBytes = 0;
  #core: BrokerCore | null = null;
  readonly #bySequence = new Map<number, Slab>();
  readonly #waiting = new Map<object, (() => void)[]>();
  #idleCallbacks: (() => void)[] = [];
  #caughtUp: (() => void)[] = [];
  /** It is looked at the end of the turn whether large messages are to be put away. */
  #isRoomWanted = false;
  /** Looks again when those that are being sent may have been. */
  readonly #lookTimer = new CallbackTimer(() => this.makeLooseRoom());
  /** Pages cannot be written: what is for memory only stays there. */
  #hasFailed = false;
  #isClosed = false;
  #isCompacting = false;
  fetchCount = 0;
  evictCount = 0;

  constructor(segments: Segments, loose: LooseFiles, pages: Pages<Slab>, memoryBytes: number) {
    this.#segments = segments;
    this.#loose = loose;
    this.#pages = pages;
    this.#slabsMax = Math.max(2, Math.floor(memoryBytes / slabBytes));
    this.#looseBytesMax = memoryBytes;
  }

  attach(core: BrokerCore): void {
    this.#core = core;
  }

  /** A slab of the log is known to the store. */
  add(slab: Slab): void {
    this.#bySequence.set(slab.logSequence, slab);
  }

  slabDied(slab: Slab): void {
    if (slab.logSequence < 0) this.#pages.free(slab);
    else if (this.#bySequence.get(slab.logSequence) === slab) this.#bySequence.delete(slab.logSequence);
  }

  get isBehind(): boolean {
    if (this.#writing.size === 0) return false;
    const { residentSlabs, looseMessages } = (this.#core as BrokerCore).store;
    return (residentSlabs - this.#slabsMax) * slabBytes + Math.max(0, looseMessages.bytes - this.#looseBytesMax) > behindBytes;
  }

  onCaughtUp(callback: () => void): void {
    if (this.isBehind) this.#caughtUp.push(callback);
    else callback();
  }

  /** Puts slabs away until the rest is within the budget, as far as that can be. */
  makeRoom(): void {
    const store = this.#core?.store;
    if (store === undefined || store.residentSlabs - this.#writingSlabs <= this.#slabsMax) return;
    const now = this.#core?.clock.nowMillis ?? 0;
    const candidates: Slab[] = [];
    for (const slab of store.slabs) {
      if (slab === null || !slab.isResident || slab.isPinned || slab === store.logSlab || slab === store.memorySlab) continue;
      if (now - slab.loadedMillis > restMillis && !this.#writing.has(slab)) candidates.push(slab);
    }
    candidates.sort((a, b) => b.order - a.order);
    for (const slab of candidates) {
      if (store.residentSlabs - this.#writingSlabs <= this.#slabsMax) return;
      if (slab.logSequence >= 0 || this.#pages.has(slab)) {
        store.evict(slab);
        this.evictCount++;
      } else if (slab.liveBytes >= slabBytes / 2 && this.#writing.size < writingMax && !this.#hasFailed) {
        // One with less in it is emptied when the store is compacted.
        this.#putAway(slab);
      }
    }
  }

  /** A large message is in memory and on disk. */
  addLoose(message: LooseMessage): void {
    if (!message.isReleased) this.#evictable.push(message);
  }

  /**
   * A large message is in memory only. Whether it is put away is decided when it has been handed out: one that is being sent stays in memory
   * anyhow, and is mostly gone before it would be on disk.
   */
  addUnwritten(message: LooseMessage): void {
    // Smaller ones are kept from coming while there are too many.
    if (message.bodyBytes <= ownFileBytesMin) return;
    this.#unwritten.push(message);
    if (this.#isRoomWanted) return;
    this.#isRoomWanted = true;
    this.#core?.turn.beforeCommit(() => {
      this.#isRoomWanted = false;
      this.makeLooseRoom();
    });
  }

  /** Memory for large messages is used up as far as it is meant for those that cannot be put away. */
  get isLooseFull(): boolean {
    const store = this.#core?.store;
    return store !== undefined && !this.#hasFailed && store.looseMessages.bytes > this.#looseBytesMax / 2;
  }

  /** The same for bodies of large messages. */
  makeLooseRoom(): void {
    const store = this.#core?.store;
    if (store === undefined) return;
    const now = this.#core?.clock.nowMillis ?? 0;
    this.#takeNewest(this.#evictable, store, message => {
      if (now - message.loadedMillis <= restMillis) return false;
      store.looseMessages.evict(message);
      this.evictCount++;
      return true;
    });
    const shared = this.#takeShared(store);
    this.#takeNewest(this.#unwritten, store, message => {
      if (this.#writing.size >= writingMax || this.#hasFailed) return false;
      this.#putLooseAway(message);
      return true;
    });
    if (shared.length === 0) return;
    this.#unwritten.unshift(...shared);
    if (!this.#lookTimer.isSet) this.#core?.timers.set(this.#lookTimer, now + restMillis);
  }

  /** Brings what a message is made of into memory. An error of reading costs the message: it is found damaged. */
  fetch(ref: MessageRef, slab: Slab, loaded: () => void): void {
    const core = this.#core as BrokerCore;
    if (!slab.isResident) {
      this.#fetchSlab(slab, loaded);
      for (const next of this.#behind(slab, core.store)) this.#fetchSlab(next, null);
      return;
    }
    const message = core.store.looseMessages.get(ref);
    if (message === undefined) this.#later(loaded);
    else if (!this.#wait(message, loaded)) this.#fetchLoose(message);
  }

  /** The same at once, of what is not in the log. */
  fetchNow(ref: MessageRef, slab: Slab): void {
    const { store, logger } = this.#core as BrokerCore;
    if (!slab.isResident) {
      const bytes = store.slabBuffer();
      const error = this.#pages.readNow(slab, bytes);
      if (error !== null) logger.error('store', `cannot read ${nameOf(slab)}: ${error.message}`);
      store.load(slab, bytes, error === null);
    }
    const message = store.looseMessages.get(ref);
    if (message !== undefined && !message.isThere) store.looseMessages.load(message, this.#loose.readNow(message));
  }

  /**
   * Empties pages of which less than half is alive, when all hold more than twice what is alive and `slackBytes`: they are fetched, and what
   * is alive in them goes to fresh slabs.
   */
  compactPages(slackBytes: number): void {
    if (this.#isCompacting || this.#pages.count * slabBytes <= slackBytes) return;
    const core = this.#core as BrokerCore;
    const { store } = core;
    let live = 0;
    const sparse: Slab[] = [];
    for (const slab of store.slabs) {
      if (slab === null || !this.#pages.has(slab) || this.#writing.has(slab)) continue;
      live += slab.liveBytes;
      if (slab.liveBytes < slabBytes / 2 && sparse.length < compactedMax) sparse.push(slab);
    }
    if (sparse.length === 0 || this.#pages.count * slabBytes <= 2 * live + slackBytes) return;
    this.#isCompacting = true;
    let open = 1;
    const fetched = (): void => {
      if (--open > 0) return;
      this.#isCompacting = false;
      const there = sparse.filter(slab => store.slabs[slab.id] === slab && slab.isResident);
      if (!this.#isClosed) moveRecords(store, new Set(there.map(slab => slab.id)), core.refHolders(), false, null);
    };
    for (const slab of sparse) {
      if (slab.isResident) continue;
      open++;
      this.#fetchSlab(slab, fetched);
    }
    fetched();
  }

  /** Resolves when nothing is being fetched. */
  async idle(): Promise<void> {
    if (this.#waiting.size > 0) await new Promise<void>(resolve => this.#idleCallbacks.push(resolve));
  }

  /** Removes what is of no use to another start. */
  close(): void {
    this.#isClosed = true;
    this.#core?.timers.clear(this.#lookTimer);
    this.#pages.close();
    this.#loose.removePages();
  }

  /** Takes messages from the end of a list while there is too much in memory and `take` takes them. */
  #takeNewest(list: LooseMessage[], store: MessageStore, take: (message: LooseMessage) => boolean): void {
    while (list.length > 0) {
      const last = list[list.length - 1] as LooseMessage;
      const isGone = last.isReleased || last.body === null;
      if (!isGone && (store.looseMessages.bytes - this.#writingLooseBytes <= this.#looseBytesMax || !take(last))) break;
      list.pop();
    }
    // Those that were settled in the meantime are at the front: a queue is read from its oldest end.
    let settled = 0;
    while (settled < list.length && (list[settled] as LooseMessage).isReleased) settled++;
    if (settled > 64 && settled > list.length / 2) list.splice(0, settled);
  }

  /** Takes out messages that are being sent, when there is too much in memory: nothing is won by putting them away before they are. */
  #takeShared(store: MessageStore): readonly LooseMessage[] {
    if (store.looseMessages.bytes - this.#writingLooseBytes <= this.#looseBytesMax) return [];
    const shared = this.#unwritten.filter(isBeingSent);
    if (shared.length > 0) this.#unwritten = this.#unwritten.filter(message => !isBeingSent(message));
    return shared;
  }

  #putAway(slab: Slab): void {
    const { store } = this.#core as BrokerCore;
    this.#writing.add(slab);
    this.#writingSlabs++;
    this.#pages.write(slab, slab.bytes.subarray(0, Math.min(slab.position, slabBytes)), error => {
      this.#writingSlabs--;
      // What was emptied meanwhile is another slab by now.
      if (error === null && !this.#isClosed && store.slabs[slab.id] === slab) {
        store.evict(slab);
        this.evictCount++;
      }
      this.#written(slab, error);
    });
  }

  #putLooseAway(message: LooseMessage): void {
    const { store } = this.#core as BrokerCore;
    this.#writing.add(message);
    this.#writingLooseBytes += message.bodyBytes;
    this.#loose.writePage(message, error => {
      this.#writingLooseBytes -= message.bodyBytes;
      if (message.isReleased || this.#isClosed) this.#loose.removePage(message);
      else if (error === null) {
        store.looseMessages.evict(message);
        this.evictCount++;
      }
      this.#written(message, error);
    });
  }

  /** Something that was to be put away is on disk, or cannot be. */
  #written(what: object, error: Error | null): void {
    if (this.#isClosed) return;
    const core = this.#core as BrokerCore;
    core.turn.begin();
    this.#writing.delete(what);
    if (error !== null && !this.#hasFailed) {
      this.#hasFailed = true;
      core.logger.error('store', `transient messages stay in memory, for they cannot be written to disk: ${error.message}`);
    }
    this.makeRoom();
    this.makeLooseRoom();
    if (!this.isBehind) for (const callback of this.#caughtUp.splice(0)) callback();
  }

  /** Slabs that are wanted next, and not in memory. */
  #behind(slab: Slab, store: MessageStore): Slab[] {
    const found: Slab[] = [];
    if (slab.logSequence >= 0) {
      for (let ahead = 1; ahead <= readAheadSlabs; ahead++) {
        const next = this.#bySequence.get(slab.logSequence + ahead);
        if (next !== undefined && !next.isResident && !next.isLoading) found.push(next);
      }
      return found;
    }
    for (const next of store.slabs) {
      if (next === null || next.logSequence >= 0 || next.isResident || next.isLoading || next.order <= slab.order) continue;
      found.push(next);
      found.sort((a, b) => a.order - b.order);
      if (found.length > readAheadSlabs) found.pop();
    }
    return found;
  }

  #fetchSlab(slab: Slab, loaded: (() => void) | null): void {
    if (this.#wait(slab, loaded)) return;
    const core = this.#core as BrokerCore;
    slab.isLoading = true;
    this.fetchCount++;
    const bytes = core.store.slabBuffer();
    const done = (error: Error | null, count: number): void => {
      core.turn.begin();
      if (error !== null) core.logger.error('store', `cannot read ${nameOf(slab)}: ${error.message}`);
      bytes.fill(0, error === null ? count : 0);
      slab.isLoading = false;
      if (core.store.slabs[slab.id] === slab) {
        // A page was checked as a whole.
        core.store.load(slab, bytes, slab.logSequence < 0 && error === null);
        slab.loadedMillis = core.clock.nowMillis;
        this.makeRoom();
      }
      this.#loaded(slab);
    };
    let isWithin = true;
    const read = (error: Error | null, count: number): void => {
      if (isWithin) this.#later(() => done(error, count));
      else done(error, count);
    };
    if (slab.logSequence < 0) this.#pages.read(slab, bytes, error => read(error, slabBytes));
    else if (this.#segments.isPresent(slab.logSequence))
      this.#segments.handleOf(slab.logSequence).read(bytes, this.#segments.positionOf(slab.logSequence), read);
    else read(new Error('its file is missing'), 0);
    isWithin = false;
  }

  #fetchLoose(message: LooseMessage): void {
    const core = this.#core as BrokerCore;
    let isWithin = true;
    const done = (error: Error | null, body: LargeBody | null): void => {
      core.turn.begin();
      if (error !== null) core.logger.error('store', `cannot read the body of a large message (${message.id}): ${error.message}`);
      core.store.looseMessages.load(message, body);
      message.loadedMillis = core.clock.nowMillis;
      if (error === null) this.addLoose(message);
      this.makeLooseRoom();
      this.#loaded(message);
    };
    this.#loose.read(message, (error, body) => {
      if (isWithin) this.#later(() => done(error, body));
      else done(error, body);
    });
    isWithin = false;
  }

  /** Whoever fetches does not expect the answer before it has asked. */
  #later(callback: () => void): void {
    const core = this.#core as BrokerCore;
    core.timers.set(new CallbackTimer(callback), core.clock.nowMillis);
    core.turn.arm();
  }

  /** Adds a callback; returns whether the fetch is under way already. */
  #wait(what: object, loaded: (() => void) | null): boolean {
    const waiting = this.#waiting.get(what);
    if (waiting !== undefined) {
      if (loaded !== null) waiting.push(loaded);
      return true;
    }
    this.#waiting.set(what, loaded === null ? [] : [loaded]);
    return false;
  }

  #loaded(what: object): void {
    const waiting = this.#waiting.get(what) ?? [];
    this.#waiting.delete(what);
    for (const callback of waiting) callback();
    if (this.#waiting.size === 0) for (const callback of this.#idleCallbacks.splice(0)) callback();
  }
}

function nameOf(slab: Slab): string {
  return slab.logSequence < 0 ? 'a page of transient messages' : `slab ${slab.logSequence} of the journal`;
}

function isBeingSent({ body }: LooseMessage): boolean {
  return body?.isShared === true;
}
