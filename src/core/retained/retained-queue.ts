import { CallbackTimer } from '../../base/timer-queue.ts';
import { accessRefused } from '../broker-error.ts';
import type { Consumer } from '../consumer.ts';
import { routingKeyOf } from '../messages/envelope.ts';
import type { MessageRef, Rename } from '../messages/message-ref.ts';
import type { Publication } from '../messages/publication.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { Entry, metaHasTtl, metaLogged, metaPersistent } from '../queues/entry.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import type { QueueSettings } from '../queues/queue-settings.ts';
import type { QueueType } from '../queues/queue-type.ts';
import { Queue, type QueueDeclaration } from '../queues/queue.ts';
import { RetainedTree } from './retained-tree.ts';

/** A retained message, named by what it is in the store. */
export interface RetainedMessage {
  readonly key: string;
  ref: MessageRef;
  readonly meta: number;
  readonly bytes: number;
  readonly sequence: number;
  /** Monotonic milliseconds; 0: never. */
  readonly expiryMillis: number;
}

/** Messages looked at before others get their turn, when keys are read after a start. */
const indexBatch = 256;

/**
 * The last message of each routing key of a virtual host. It is kept as a queue is: each message once in the store, recorded in the log,
 * paged out when memory is short, shown in lists. What takes a message's place settles the one before in the same commit.
 */
export class RetainedQueue extends Queue {
  readonly #log: QueueLog | null;
  readonly #tree = new RetainedTree<RetainedMessage>();
  /** Of which the key was not read yet: after a start, until it is fetched from disk. */
  readonly #unread = new Map<number, RetainedMessage>();
  readonly #entry = new Entry();
  #lastSequence = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];
  #isReading = false;
  #timer: CallbackTimer | null = null;

  constructor(type: QueueType, vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext) {
    super(type, vhostName, id, declaration, context);
    this.#log = context.log;
  }

  get isLogging(): boolean {
    return this.#log !== null;
  }

  get readyCount(): number {
    return this.#tree.size + this.#unread.size;
  }

  get readyBytes(): number {
    return this.#bytes;
  }

  get unackedCount(): number {
    return 0;
  }

  get unackedBytes(): number {
    return 0;
  }

  get consumerCount(): number {
    return 0;
  }

  get exclusiveConsumer(): Consumer | null {
    return null;
  }

  /** Keeps the message as the last of its key; a copy of the publication's bytes is stored. */
  put(key: string, p: Publication): void {
    const { clock, store } = this.context;
    this.remove(key);
    const wasPersistent = p.isPersistent;
    // It is to be there after a restart, whatever it was published with.
    p.isPersistent = true;
    const ref = store.append(p, 1, clock.nowMillis, this.isLogging);
    p.isPersistent = wasPersistent;
    const expiryMillis = p.ttlMillis < 0 ? 0 : clock.nowMillis + p.ttlMillis;
    const sequence = ++this.#lastSequence;
    const meta = metaPersistent | (this.isLogging ? metaLogged : 0) | (expiryMillis === 0 ? 0 : metaHasTtl);
    this.#tree.put({ key, ref, meta, bytes: p.bodyBytes, sequence, expiryMillis });
    this.#bytes += p.bodyBytes;
    const wallMillis = expiryMillis === 0 ? 0 : clock.wallMillis + p.ttlMillis;
    this.#log?.enqueued(this.id, 0, sequence, ref, p.bodyBytes, wallMillis);
    this.counters.published++;
  }

  /** The message of a key; null without one, or when its time is over. */
  get(key: string): RetainedMessage | null {
    const message = this.#tree.get(key);
    return message === null || !this.#hasExpired(message) ? message : null;
  }

  /** Takes the message of a key away, if it is none that came after this; its key may have to be read first. */
  removeSoon(key: string): void {
    const last = this.#lastSequence;
    this.whenRead(() => {
      const message = this.#tree.get(key);
      if (message !== null && message.sequence <= last) this.remove(key);
    });
  }

  /** Takes the message of a key away. */
  remove(key: string): boolean {
    const message = this.#tree.delete(key);
    if (message === null) return false;
    this.#drop(message);
    return true;
  }

  /** The messages whose key a pattern matches, and a null now and then: see RetainedTree. */
  *matching(pattern: string): Generator<RetainedMessage | null> {
    for (const message of this.#tree.matching(pattern)) {
      if (message === null || !this.#hasExpired(message)) yield message;
      else yield null;
    }
  }

  /** Calls `then` when all keys are known: at once but for the time after a start. */
  whenRead(then: () => void): void {
    if (this.#unread.size === 0) {
      then();
      return;
    }
    this.#waiting.push(then);
    if (!this.#isReading) this.#read();
  }

  admits(): boolean {
    return false;
  }

  enqueue(_p: Publication, ref: MessageRef): void {
    this.context.store.release(ref, _p.bodyBytes);
  }

  attach(): void {
    throw accessRefused(`queue '${this.name}' in vhost '${this.vhostName}' keeps retained messages and has no consumers`);
  }

  detach(): void {}

  consumerReady(): void {}

  consumers(): Iterable<Consumer> {
    return [];
  }

  pump(): boolean {
    return false;
  }

  take(): boolean {
    return false;
  }

  settle(): void {}

  purge(): number {
    const count = this.readyCount;
    for (const message of this.#all()) this.#drop(message);
    this.#tree.clear();
    this.#unread.clear();
    return count;
  }

  forEachReady(visit: (entry: Entry) => boolean, skip = 0): void {
    let left = skip;
    for (const message of this.#all()) if (left-- <= 0 && !visit(this.#fill(message))) return;
  }

  findReady(_priority: number, sequence: number, into: Entry): boolean {
    for (const message of this.#all()) {
      if (message.sequence !== sequence) continue;
      Object.assign(into, this.#fill(message));
      return true;
    }
    return false;
  }

  relocate(rename: Rename): void {
    for (const message of this.#all())
      message.ref = rename(message.ref, this, message.meta, message.sequence, message.bytes, message.expiryMillis);
  }

  release(entry: Entry): void {
    this.#log?.settled(this.id, 0, entry.sequence);
    this.context.store.release(entry.ref, entry.bytes);
  }

  fetchHead(): boolean {
    return true;
  }

  applySettings(settings: QueueSettings): void {
    this.settings = settings;
  }

  close(): void {
    this.isDeleted = true;
    if (this.#timer !== null) this.context.timers.clear(this.#timer);
    for (const message of this.#all()) this.context.store.release(message.ref, message.bytes);
    this.#tree.clear();
    this.#unread.clear();
  }

  // --- recovery

  levelOf(): number {
    return 0;
  }

  restore(_priority: number, sequence: number, ref: MessageRef, meta: number, bytes: number, expiryMillis: number): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
    this.#unread.set(sequence, { key: '', ref, meta, bytes, sequence, expiryMillis });
    this.#bytes += bytes;
  }

  restoreRetry(): void {}

  restoreTaken(): void {}

  restored(): void {}

  removeRestored(_priority: number, sequence: number, into: Entry): boolean {
    for (const message of this.#all()) {
      if (message.sequence !== sequence) continue;
      Object.assign(into, this.#fill(message));
      if (!this.#unread.delete(sequence)) this.#tree.delete(message.key);
      this.#bytes -= message.bytes;
      return true;
    }
    return false;
  }

  /** Reads keys from the messages' envelopes, fetching what is on disk. */
  #read(): void {
    const { store } = this.context;
    this.#isReading = true;
    let left = indexBatch;
    for (const message of [...this.#unread.values()]) {
      if (left-- === 0) {
        this.#timer ??= new CallbackTimer(() => this.#read());
        this.setTimer(this.#timer, this.context.clock.nowMillis);
        this.context.turn.arm();
        return;
      }
      if (!store.isResident(message.ref)) {
        store.fetch(message.ref, () => {
          if (!this.isDeleted) this.#read();
        });
        return;
      }
      this.#unread.delete(message.sequence);
      this.#index(message);
    }
    this.#isReading = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }

  #index(message: RetainedMessage): void {
    const { store } = this.context;
    if (!store.isIntact(message.ref)) {
      this.context.messageDamaged(this, this.#fill(message));
      this.#drop(message);
      return;
    }
    store.locate(message.ref);
    const { loose } = store;
    const key = loose === null ? routingKeyOf(store.bytes, store.envelopeStart) : routingKeyOf(loose.envelope, 0);
    const before = this.#tree.get(key);
    // Of two the later counts; the log has both only when it was cut in between.
    if (before !== null && before.sequence > message.sequence) {
      this.#drop(message);
      return;
    }
    const replaced = this.#tree.put({ ...message, key });
    if (replaced !== null) this.#drop(replaced);
  }

  #hasExpired(message: RetainedMessage): boolean {
    if (message.expiryMillis === 0 || message.expiryMillis > this.context.clock.nowMillis) return false;
    this.remove(message.key);
    return true;
  }

  #drop(message: RetainedMessage): void {
    this.#bytes -= message.bytes;
    this.release(this.#fill(message));
  }

  #fill(message: RetainedMessage): Entry {
    const entry = this.#entry;
    entry.ref = message.ref;
    entry.meta = message.meta;
    entry.bytes = message.bytes;
    entry.sequence = message.sequence;
    entry.expiryMillis = message.expiryMillis;
    return entry;
  }

  *#all(): Iterable<RetainedMessage> {
    yield* this.#unread.values();
    yield* this.#tree.all();
  }
}
