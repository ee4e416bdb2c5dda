import type { DelayLedger } from './delay-ledger.ts';
import type { StreamLedger } from './stream-ledger.ts';

/** What is known of one message in one queue. */
export class Copy {
  readonly queueId: number;
  readonly messageId: number;
  /** Number of the event that put it there: events are numbered in the order in which the broker acts on them. */
  readonly event: number;
  readonly isDurable: boolean;
  readonly priority: number;
  /** Simulated time from which it may have expired. */
  readonly expiresAt: number;
  /** Whether its publisher was told that it is safe, or a clean stop made it so. */
  isSafe = false;
  /** Sent as transient: where it is kept all the same it is so only until it dies. */
  isTransient = false;
  /** Event that settled it; Infinity while it is not. */
  settledEvent = Infinity;
  /** It may be gone for a reason that is nobody's fault: settled, expired, dropped, purged, delivered without acknowledgement. */
  mayBeGone = false;
  /** It went for good, and was seen to have gone. */
  isGone = false;
  /** It was seen among the dead letters of its queue. */
  isDead = false;
  /** How often it was handed to a client. */
  deliveries = 0;
  /** Whether a delivery may say that it was delivered before though no client saw it: the broker was killed since. */
  mayBeFlagged = false;
  /** By which it is known to be a duplicate; null: never. */
  value: string | null = null;
  /** Whether its queue knows the value, too; after a crash that is not known of what was not confirmed. */
  isValueSure = true;
  /** Which try it comes for next, at least and at most: a crash may undo that it was rejected. */
  tryLeast = 0;
  tryMost = 0;
  /** Simulated time before which it does not come for `tryMost`. */
  dueMillis = 0;
  /** Event that made it `tryMost`. */
  rejectedEvent = 0;

  constructor(queueId: number, messageId: number, event: number, isDurable: boolean, priority: number, expiresAt: number) {
    this.queueId = queueId;
    this.messageId = messageId;
    this.event = event;
    this.isDurable = isDurable;
    this.priority = priority;
    this.expiresAt = expiresAt;
  }

  /** It is in its queue, for all that is known: ready, delivered or waiting to be tried again. */
  get isThere(): boolean {
    return !this.isGone && this.settledEvent === Infinity;
  }

  /** It was rejected and is to be tried again. */
  triesAgain(event: number, dueMillis: number): void {
    this.tryMost++;
    this.tryLeast = this.tryMost;
    this.dueMillis = dueMillis;
    this.rejectedEvent = event;
  }

  /** It came for a try. */
  cameFor(retryCount: number, nowMillis: number): void {
    const what = `message ${this.messageId}, which was rejected ${this.tryMost} times,`;
    if (retryCount < this.tryLeast || retryCount > this.tryMost) throw new Error(`${what} came for try ${retryCount}`);
    if (retryCount === this.tryMost && nowMillis < this.dueMillis) throw new Error(`${what} came ${this.dueMillis - nowMillis} ms early`);
    this.tryLeast = retryCount;
    this.tryMost = retryCount;
    this.dueMillis = 0;
  }

  /** The broker was killed, and knew for sure what had happened up to this event. */
  restarted(durableEvent: number): void {
    if (this.rejectedEvent > durableEvent) this.tryLeast = Math.max(0, this.tryMost - 1);
    this.rejectedEvent = 0;
  }
}

/** A queue as the ledger knows it. */
export interface LedgerQueue {
  readonly id: number;
  readonly name: string;
  readonly isDurable: boolean;
  readonly priorityMax: number;
  /** Whether messages stand in the order in which they were sent, by priority. */
  readonly isOrdered: boolean;
  /** Messages may be dropped because there are too many. */
  readonly isLimited: boolean;
  /** Where its dead letters go; null: nowhere. */
  readonly deadLetterQueue: string | null;
  /** Others' dead letters come here: they are not published to it. */
  readonly takesDeadLetters: boolean;
  /** What is in it, where it is a stream: it has no copies then. */
  readonly stream: StreamLedger | null;
  /** What comes to it by way of an exchange that delays: it has no copies then. */
  readonly delays: DelayLedger | null;
  /** After how many milliseconds, at the least, a rejected message is tried again, by the number of the try. */
  readonly retryMillis: readonly number[];
  readonly hasGroups: boolean;
}

/**
 * What a broker has promised, as its clients know it, and what must follow. All checks are of what a client could see, and know nothing of
 * how the broker is made. [reliability: section 3]
 */
export class Ledger {
  #event = 0;
  /** All events up to this one are durable: something that was recorded behind them was confirmed. */
  durableEvent = 0;
  readonly copies = new Map<string, Copy>();
  readonly queues = new Map<number, LedgerQueue>();
  /** Queues whose type or priorities were changed: what was transient may be kept, what had an order has another. */
  readonly reshaped = new Set<number>();
  /** Messages that were seen in a queue of dead letters, by queue name. */
  readonly dead = new Map<string, Set<number>>();
  deliveryCount = 0;
  confirmCount = 0;
  publishCount = 0;

  nextEvent(): number {
    return ++this.#event;
  }

  get event(): number {
    return this.#event;
  }

  copy(queueId: number, messageId: number): Copy | undefined {
    return this.copies.get(`${queueId}/${messageId}`);
  }

  published(copy: Copy): void {
    this.copies.set(`${copy.queueId}/${copy.messageId}`, copy);
  }

  durableUpTo(event: number): void {
    this.durableEvent = Math.max(this.durableEvent, event);
  }

  /** A delivery reached a client. */
  delivered(queue: LedgerQueue, messageId: number, isRedelivered: boolean, isTaken: boolean, nowMillis: number): void {
    this.deliveryCount++;
    if (queue.delays !== null) {
      queue.delays.delivered(messageId, isRedelivered, nowMillis);
      return;
    }
    if (queue.takesDeadLetters) {
      let seen = this.dead.get(queue.name);
      if (seen === undefined) this.dead.set(queue.name, (seen = new Set()));
      seen.add(messageId);
      return;
    }
    const copy = this.copy(queue.id, messageId);
    if (copy === undefined) throw new Error(`message ${messageId} was delivered from queue ${queue.name}, where nobody sent it`);
    if (copy.isGone) throw new Error(`message ${messageId} of queue ${queue.name} came back though it was gone`);
    if (copy.settledEvent !== Infinity) throw new Error(`message ${messageId} of queue ${queue.name} was delivered though it was settled`);
    if (copy.deliveries > 0 && !isRedelivered)
      throw new Error(`message ${messageId} of queue ${queue.name} was delivered again and is not flagged`);
    if (copy.deliveries === 0 && isRedelivered && !copy.mayBeFlagged)
      throw new Error(`message ${messageId} of queue ${queue.name} is flagged though it was never delivered`);
    copy.deliveries++;
    if (isTaken) {
      copy.mayBeGone = true;
      // It was settled when it was handed out: behind all that the broker had acted on, before the next thing.
      copy.settledEvent = this.event + 1;
    }
  }

  /** A client has settled a delivery for good; rejected, it becomes a dead letter where the queue says so. */
  settled(queue: LedgerQueue, messageId: number, isRejected: boolean, nowMillis: number): void {
    queue.delays?.settled(messageId, this.event);
    const copy = this.copy(queue.id, messageId);
    if (copy === undefined) return;
    const retryMillis = isRejected ? queue.retryMillis[copy.tryMost] : undefined;
    if (retryMillis !== undefined) {
      copy.triesAgain(this.event, nowMillis + retryMillis);
      return;
    }
    copy.settledEvent = this.event;
    copy.mayBeGone ||= !isRejected || queue.deadLetterQueue === null;
  }

  /**
   * Compares with what is in the queues after a start. `found` has the messages of each queue in order; `isClean` says that the stop
   * before was. When the broker serves (`isServing`), what was found is what there is from then on.
   */
  audit(found: ReadonlyMap<number, readonly number[]>, isClean: boolean, nowMillis: number, isServing: boolean): void {
    const present = new Map<string, number>();
    for (const [queueId, messages] of found) {
      const queue = this.queues.get(queueId);
      if (queue === undefined) throw new Error(`queue ${queueId} is there and nobody declared it`);
      if (queue.delays !== null) continue;
      for (const messageId of messages) this.#checkPresent(queue, messageId, present);
      if (!queue.takesDeadLetters && queue.isOrdered && !this.reshaped.has(queue.id)) this.#checkOrder(queue, messages);
    }
    for (const [key, copy] of this.copies) {
      const queue = this.queues.get(copy.queueId) as LedgerQueue;
      const isPresent = present.has(key);
      if (!isPresent && found.has(copy.queueId) && (!copy.isGone || copy.isDead)) this.#checkAbsent(queue, copy, found, isClean, nowMillis);
      if (isPresent && isClean && copy.settledEvent !== Infinity && queue.deadLetterQueue === null)
        throw new Error(`message ${copy.messageId} of queue ${queue.name} is back after a clean stop though it was settled`);
      if (!isServing) continue;
      copy.isGone ||= !isPresent;
      copy.isSafe ||= isPresent;
      if (!isClean) {
        copy.mayBeFlagged = true;
        copy.restarted(this.durableEvent);
      }
      if (isPresent) {
        copy.settledEvent = Infinity;
        copy.mayBeGone = false;
      }
    }
    // What was recovered was made durable before anybody was served.
    if (isServing) this.durableUpTo(this.event);
  }

  #checkPresent(queue: LedgerQueue, messageId: number, present: Map<string, number>): void {
    const key = `${queue.id}/${messageId}`;
    if (queue.takesDeadLetters) {
      // A crash between publishing a dead letter and settling it leaves both: twice is allowed.
      const source = [...this.queues.values()].find(
        other => other.deadLetterQueue === queue.name && this.copy(other.id, messageId) !== undefined,
      );
      if (source === undefined) throw new Error(`message ${messageId} is in ${queue.name} and cannot have died anywhere`);
      return;
    }
    const copy = this.copies.get(key);
    if (copy === undefined) throw new Error(`message ${messageId} is in queue ${queue.name}, where nobody sent it`);
    if (present.has(key)) throw new Error(`message ${messageId} is twice in queue ${queue.name}`);
    present.set(key, 1);
    if (copy.isGone) throw new Error(`message ${messageId} of queue ${queue.name} came back though it was gone`);
    if (!copy.isDurable && !this.reshaped.has(queue.id))
      throw new Error(`the transient message ${messageId} of queue ${queue.name} has outlived the broker`);
    if (copy.settledEvent <= this.durableEvent && queue.deadLetterQueue === null)
      throw new Error(`message ${messageId} of queue ${queue.name} is back though its settlement is durable`);
  }

  #checkOrder(queue: LedgerQueue, messages: readonly number[]): void {
    let last: Copy | null = null;
    for (const messageId of messages) {
      const copy = this.copy(queue.id, messageId) as Copy;
      const level = (each: Copy): number => Math.min(each.priority, queue.priorityMax);
      if (last !== null && (level(copy) > level(last) || (level(copy) === level(last) && copy.event < last.event)))
        throw new Error(`message ${copy.messageId} of queue ${queue.name} stands behind message ${last.messageId}, which was sent later`);
      last = copy;
    }
  }

  #checkAbsent(queue: LedgerQueue, copy: Copy, found: ReadonlyMap<number, readonly number[]>, isClean: boolean, nowMillis: number): void {
    if (!copy.isDurable || copy.mayBeGone || (!copy.isSafe && !isClean)) return;
    if (queue.deadLetterQueue !== null) {
      if (copy.isTransient) return;
      const target = [...this.queues.values()].find(other => other.name === queue.deadLetterQueue && found.has(other.id));
      // A queue of dead letters that was deleted took them along.
      if (target === undefined || this.dead.get(queue.deadLetterQueue)?.has(copy.messageId)) return;
      if (found.get(target.id)?.includes(copy.messageId)) {
        copy.isDead = true;
        return;
      }
      throw new Error(`message ${copy.messageId} is neither in queue ${queue.name} nor among its dead letters: ${JSON.stringify(copy)}`);
    }
    if (queue.isLimited || copy.expiresAt <= nowMillis) return;
    throw new Error(`message ${copy.messageId} of queue ${queue.name} is lost: ${JSON.stringify(copy)}`);
  }
}
