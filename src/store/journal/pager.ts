import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { LooseMessage } from '../../core/messages/loose-message.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { type Slab, slabBytes } from '../../core/messages/slab.ts';
import type { LooseFiles } from './loose-files.ts';
import type { Segments } from './segments.ts';

/** Slabs fetched ahead of the one that is asked for. */
const readAheadSlabs = 3;
/** A slab that was fetched this recently is not put away again. */
const restMillis = 1000;

/**
 * Keeps the log's slabs in memory within a budget. What does not fit is put away, the newest first, because a queue is read from its oldest
 * end; what is needed is fetched again, with the slabs behind it. The log's file is the copy: nothing is written for it.
 */
export class Pager {
  readonly #segments: Segments;
  readonly #loose: LooseFiles;
  readonly #slabsMax: number;
  readonly #looseBytesMax: number;
  /** Large messages in memory whose files are durable, in the order they came. */
  readonly #evictable: LooseMessage[] = [];
  #core: BrokerCore | null = null;
  readonly #bySequence = new Map<number, Slab>();
  readonly #waiting = new Map<object, (() => void)[]>();
  #idleCallbacks: (() => void)[] = [];
  fetchCount = 0;
  evictCount = 0;

  constructor(segments: Segments, loose: LooseFiles, memoryBytes: number) {
    this.#segments = segments;
    this.#loose = loose;
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
    if (this.#bySequence.get(slab.logSequence) === slab) this.#bySequence.delete(slab.logSequence);
  }

  /** Puts slabs away until the rest is within the budget, as far as that can be. */
  makeRoom(): void {
    const store = this.#core?.store;
    if (store === undefined || store.residentSlabs <= this.#slabsMax) return;
    const now = this.#core?.clock.nowMillis ?? 0;
    const current = store.logSlab;
    const candidates = [...this.#bySequence.values()]
      .filter(slab => slab.isResident && !slab.isPinned && slab !== current && now - slab.loadedMillis > restMillis)
      .sort((a, b) => b.logSequence - a.logSequence);
    for (const slab of candidates) {
      if (store.residentSlabs <= this.#slabsMax) return;
      store.evict(slab);
      this.evictCount++;
    }
  }

  /** A large message is in memory and on disk. */
  addLoose(message: LooseMessage): void {
    if (!message.isReleased) this.#evictable.push(message);
  }

  /** The same for bodies of large messages. */
  makeLooseRoom(): void {
    const store = this.#core?.store;
    const now = this.#core?.clock.nowMillis ?? 0;
    const list = this.#evictable;
    while (store !== undefined && list.length > 0) {
      const last = list[list.length - 1] as LooseMessage;
      const isGone = last.isReleased || last.parts.length === 0;
      if (!isGone && (store.looseMessages.bytes <= this.#looseBytesMax || now - last.loadedMillis <= restMillis)) break;
      list.pop();
      if (isGone) continue;
      store.looseMessages.evict(last);
      this.evictCount++;
    }
    // Those that were settled in the meantime are at the front: a queue is read from its oldest end.
    let settled = 0;
    while (settled < list.length && (list[settled] as LooseMessage).isReleased) settled++;
    if (settled > 64 && settled > list.length / 2) list.splice(0, settled);
  }

  /** Brings what a message is made of into memory. An error of reading costs the message: it is found damaged. */
  fetch(ref: MessageRef, slab: Slab, loaded: () => void): void {
    const core = this.#core as BrokerCore;
    if (!slab.isResident) {
      this.#fetchSlab(slab, loaded);
      for (let ahead = 1; ahead <= readAheadSlabs; ahead++) {
        const next = this.#bySequence.get(slab.logSequence + ahead);
        if (next !== undefined && !next.isResident && !next.isLoading) this.#fetchSlab(next, null);
      }
      return;
    }
    const message = core.store.looseMessages.get(ref);
    if (message === undefined) this.#later(loaded);
    else if (!this.#wait(message, loaded)) this.#fetchLoose(message);
  }

  /** Resolves when nothing is being fetched. */
  async idle(): Promise<void> {
    if (this.#waiting.size > 0) await new Promise<void>(resolve => this.#idleCallbacks.push(resolve));
  }

  #fetchSlab(slab: Slab, loaded: (() => void) | null): void {
    if (this.#wait(slab, loaded)) return;
    const core = this.#core as BrokerCore;
    slab.isLoading = true;
    this.fetchCount++;
    const bytes = core.store.slabBuffer();
    const done = (error: Error | null, count: number): void => {
      core.turn.begin();
      if (error !== null) core.logger.error('store', `cannot read slab ${slab.logSequence} of the journal: ${error.message}`);
      bytes.fill(0, error === null ? count : 0);
      slab.isLoading = false;
      if (core.store.slabs[slab.id] === slab) {
        core.store.load(slab, bytes);
        slab.loadedMillis = core.clock.nowMillis;
        this.makeRoom();
      }
      this.#loaded(slab);
    };
    if (this.#segments.isPresent(slab.logSequence))
      this.#segments.handleOf(slab.logSequence).read(bytes, this.#segments.positionOf(slab.logSequence), done);
    else this.#later(() => done(new Error('its file is missing'), 0));
  }

  #fetchLoose(message: LooseMessage): void {
    const core = this.#core as BrokerCore;
    let isWithin = true;
    const done = (error: Error | null, body: Buffer): void => {
      core.turn.begin();
      if (error !== null) core.logger.error('store', `cannot read the body of a large message (${message.id}): ${error.message}`);
      core.store.looseMessages.load(message, error === null ? [body] : null);
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
