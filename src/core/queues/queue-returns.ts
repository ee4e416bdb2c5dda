// hot path: see docs/STYLE.md
import type { GroupPump } from '../groups/group-pump.ts';
import type { QueueLog } from '../ports/queue-log.ts';
import { QueueRetries } from '../retries/queue-retries.ts';
import { countedDelivery, deliveryCount, Entry, priorityOf } from './entry.ts';
import type { EntryRecord } from './entry-record.ts';
import { dropHeads, wouldOverflow } from './length-limit.ts';
import type { QueueContext } from './queue-context.ts';
import type { Queue } from './queue.ts';
import type { ReadyMessages } from './ready-messages.ts';

/** What those that come back need of their queue. */
export interface ReturnsHome {
  readonly ready: ReadyMessages;
  /** Of a queue with message groups. */
  readonly groupPump: GroupPump | null;
  /** For what is in the log; null where nothing is. */
  readonly record: EntryRecord | null;
  /** Puts a message into the log that was not to outlive the broker. */
  keep(entry: Entry): void;
  /** The message's time may have come while it was away. */
  lookForExpired(): void;
}

/** What was delivered and not accepted: it goes back to its place, waits to be tried again, or is a dead letter. */
export class QueueReturns {
  readonly #queue: Queue;
  readonly #context: QueueContext;
  readonly #log: QueueLog | null;
  readonly #home: ReturnsHome;
  /** Made with the first message that is to be tried again. */
  retries: QueueRetries | null = null;
  readonly #scratch = new Entry();
  readonly #putBackRetry = (entry: Entry): void => this.#putBack(entry);

  constructor(queue: Queue, context: QueueContext, log: QueueLog | null, home: ReturnsHome) {
    this.#queue = queue;
    this.#context = context;
    this.#log = log;
    this.#home = home;
  }

  /** A delivery was rejected for good. */
  reject(entry: Entry): void {
    const { retryDelays } = this.#queue.settings;
    if (retryDelays !== null && this.retriesMade().tryLater(entry, retryDelays)) return;
    this.#context.deadLetters.add(this.#queue, entry, 'rejected');
  }

  /** A delivery comes back. */
  comeBack(entry: Entry): void {
    const { deliveryLimit } = this.#queue.settings;
    entry.meta = countedDelivery(entry.meta);
    if (deliveryLimit >= 0 && deliveryCount(entry.meta) > deliveryLimit)
      this.#context.deadLetters.add(this.#queue, entry, 'delivery_limit');
    else this.#putBack(entry);
  }

  retriesMade(): QueueRetries {
    return (this.retries ??= new QueueRetries(this.#queue, this.#context, this.#log, this.#putBackRetry));
  }

  /** Gives a message its old place back. */
  #putBack(entry: Entry): void {
    const queue = this.#queue;
    const { ready, groupPump } = this.#home;
    const isTight = queue.settings.overflow === 'drop-head' && wouldOverflow(queue, ready, entry.bytes);
    // Before it comes back, what consumers can take at once leaves: see Queue.admits.
    if (isTight && groupPump === null) queue.pump(Infinity);
    this.#enlist(entry);
    if (groupPump !== null) groupPump.cameBack(entry);
    ready.bytes += entry.bytes;
    if (isTight) dropHeads(queue, ready, this.#context.deadLetters, this.#scratch);
    if (entry.expiryMillis !== 0) this.#home.lookForExpired();
    if (!queue.isMarkedReady) this.#context.turn.queueReady(queue);
  }

  /** Puts a message that was away where the type wants it. */
  #enlist(entry: Entry): void {
    const queue = this.#queue;
    const { ready, record, groupPump } = this.#home;
    // It may have been delivered when the queue was of another type.
    if (queue.keepsTransient) this.#home.keep(entry);
    // What is remembered about a message by its place holds it there.
    const isBound = queue.deduplication !== null || this.retries !== null || groupPump !== null;
    if (queue.countsDeliveries && queue.settings.deliveryLimit < 0 && !isBound) {
      // Without a limit it goes to the end, so that what nobody can process does not hold up the rest. [RabbitMQ docs: quorum queues, repeated requeues]
      const { sequence } = entry;
      const priority = priorityOf(entry.meta);
      entry.sequence = ready.lists.push(entry.ref, entry.meta, entry.bytes, entry.expiryMillis, priority);
      record?.moved(sequence, entry);
      return;
    }
    if (queue.countsDeliveries) record?.noted(entry);
    ready.lists.putBack(entry);
  }
}
