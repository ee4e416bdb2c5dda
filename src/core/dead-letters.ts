import type { FieldTable } from '../base/field-table.ts';
import { CallbackTimer, type TimerQueue } from '../base/timer-queue.ts';
import { DeadLetter, type DeathReason, deathReasons } from './dead-letter.ts';
import { addDeath, automaticCycle } from './deaths.ts';
import { blindKeysOf, exchangeOf, packEnvelope, routingKeyOf } from './messages/envelope.ts';
import type { Publication as PublicationType } from './messages/publication.ts';
import { fromDeadLetter, Publication } from './messages/publication.ts';
import type { RefHolder, Rename } from './messages/message-ref.ts';
import type { MessageStore } from './messages/message-store.ts';
import type { Exchange } from './exchanges/exchange.ts';
import { type Route, takenRoute } from './exchanges/route.ts';
import type { Clock } from './ports/clock.ts';
import type { MessageFormat, PivotFormat } from './ports/message-format.ts';
import type { Publisher } from './publisher.ts';
import { DeathCounts } from './statistics/death-counts.ts';
import { rewriteProperties } from './messages/rewrite-properties.ts';
import { textsOf } from './messages/sender-selected.ts';
import { Entry, metaDeathShift, metaPersistent, metaPriorityShift, priorityOf } from './queues/entry.ts';
import type { Queue } from './queues/queue.ts';
import type { Vhost } from './vhost.ts';

/** How long letters wait that not all targets have taken, and how many are tried again at a time. */
const retryMillis = 1000;
const retryBatchMax = 1000;
/** Letters that are done are forgotten when there are so many, though others still wait. */
const keptWorkMax = 10_000;

/**
 * Publishes what died in one queue to where it is to go. Queues only hand over; the turn works the list off, so that a chain of full or
 * expiring queues is a loop with a budget and not a recursion.
 */
export class DeadLetters implements RefHolder {
  readonly #store: MessageStore;
  readonly #clock: Clock;
  readonly #timers: TimerQueue;
  readonly #publisher: Publisher;
  readonly #vhost: (name: string) => Vhost | undefined;
  readonly #format: (tag: number) => MessageFormat;
  readonly #pivot: () => PivotFormat;
  readonly #scratch = new Publication();
  readonly #entry = new Entry();
  #isFetching = false;
  /** Called when there is work again that could not go on before. */
  onWork: () => void = () => {};
  /** Called for a message that was to be published again and is not what was stored. */
  onDamaged: (queue: Queue, entry: Entry) => void = () => {};
  /** Called when a message cannot be dead-lettered; it is dropped. */
  onFailure: (queue: Queue, error: unknown) => void = () => {};
  readonly counts = new DeathCounts();
  #work: DeadLetter[] = [];
  #at = 0;
  /** Letters that stay with their queue until all their targets have taken them. */
  #waiting: DeadLetter[] = [];
  readonly #retryTimer = new CallbackTimer(() => this.#retry());

  constructor(
    store: MessageStore,
    clock: Clock,
    timers: TimerQueue,
    publisher: Publisher,
    vhost: (name: string) => Vhost | undefined,
    format: (tag: number) => MessageFormat,
    pivot: () => PivotFormat,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#timers = timers;
    this.#publisher = publisher;
    this.#vhost = vhost;
    this.#format = format;
    this.#pivot = pivot;
  }

  /** Whether a message of this queue is on its way. */
  has(queue: Queue): boolean {
    for (let at = this.#at; at < this.#work.length; at++) if (this.#work[at]?.queue === queue) return true;
    return this.#waiting.some(letter => letter.queue === queue);
  }

  get hasWork(): boolean {
    return this.#at < this.#work.length && !this.#isFetching;
  }

  /** Takes over the entry's ownership of its message. */
  add(queue: Queue, entry: Entry, reason: DeathReason): void {
    this.counts.add(queue, reason);
    if (queue.settings.deadLetterExchange === null) {
      queue.release(entry);
      return;
    }
    const isCounted = queue.settings.deadLetterStrategy === 'at-least-once';
    if (isCounted) {
      queue.dyingCount++;
      queue.dyingBytes += entry.bytes;
    }
    this.#work.push(new DeadLetter(queue, entry, reason, isCounted));
  }

  /** Dead-letters a message that never got into the queue (overflow reject-publish-dlx). */
  addPublication(queue: Queue, p: PublicationType): void {
    this.counts.add(queue, 'maxlen');
    if (queue.settings.deadLetterExchange === null) return;
    const entry = new Entry();
    entry.ref = this.#store.append(p, 1, this.#clock.nowMillis, false);
    entry.meta = (p.isPersistent ? metaPersistent : 0) | (p.priority << metaPriorityShift);
    entry.bytes = p.bodyBytes;
    this.#work.push(new DeadLetter(queue, entry, 'maxlen'));
  }

  /** Recovery: who has taken the letter that was added last. */
  restoreTaken(queue: Queue, priority: number, sequence: number, targetIds: readonly number[]): void {
    const letter = this.#work.at(-1);
    if (letter?.queue !== queue || letter.sequence !== sequence || priorityOf(letter.meta) !== priority) return;
    letter.takenBy = new Set(targetIds);
  }

  /** Publishes up to `countMax` of what waits; returns how many. */
  run(countMax: number): number {
    let count = 0;
    for (; count < countMax && this.#at < this.#work.length; count++) {
      const letter = this.#work[this.#at] as DeadLetter;
      if (!this.#store.isResident(letter.ref)) {
        this.#fetch(letter);
        return count;
      }
      this.#at++;
      const entry = this.#entry;
      entry.ref = letter.ref;
      entry.meta = letter.meta;
      entry.bytes = letter.bytes;
      entry.sequence = letter.sequence;
      let isDone = true;
      try {
        if (this.#store.isIntact(letter.ref)) isDone = this.#publish(letter);
        else this.onDamaged(letter.queue, entry);
      } catch (error) {
        // What clients have put into headers must not end anything but the message.
        this.onFailure(letter.queue, error);
      }
      // Settled only behind the new entries, in the same commit or a later one: a crash between leaves a duplicate, never a loss.
      if (isDone) this.#release(letter, entry);
      else this.#keep(letter, entry);
    }
    if (this.#at === this.#work.length) {
      this.#work = [];
      this.#at = 0;
    } else if (this.#at > keptWorkMax) {
      this.#work.splice(0, this.#at);
      this.#at = 0;
    }
    return count;
  }

  relocate(rename: Rename): void {
    for (let i = this.#at; i < this.#work.length; i++) {
      relocateOne(this.#work[i] as DeadLetter, rename);
    }
    for (const letter of this.#waiting) relocateOne(letter, rename);
  }

  #release(letter: DeadLetter, entry: Entry): void {
    const { queue } = letter;
    if (letter.isCounted) {
      queue.dyingCount--;
      queue.dyingBytes -= letter.bytes;
    }
    queue.release(entry);
  }

  /** Not all targets have taken it: its queue keeps it, over a restart too. [RabbitMQ docs: at-least-once dead lettering] */
  #keep(letter: DeadLetter, entry: Entry): void {
    const isNoted = ((letter.meta >>> metaDeathShift) & 7) !== 0;
    letter.meta |= (deathReasons.indexOf(letter.reason) + 1) << metaDeathShift;
    entry.meta = letter.meta;
    if (!isNoted) letter.queue.noteFate(entry);
    this.#waiting.push(letter);
    if (!this.#retryTimer.isSet) this.#timers.set(this.#retryTimer, this.#clock.nowMillis + retryMillis);
  }

  #retry(): void {
    const batch = this.#waiting.splice(0, retryBatchMax);
    for (const letter of batch) this.#work.push(letter);
    if (this.#waiting.length > 0) this.#timers.set(this.#retryTimer, this.#clock.nowMillis + retryMillis);
    this.onWork();
  }

  #fetch(letter: DeadLetter): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.#store.fetch(letter.ref, () => {
      this.#isFetching = false;
      this.onWork();
    });
  }

  /** Returns whether the letter is done with: for all but those of the strategy at-least-once it is. */
  #publish(letter: DeadLetter): boolean {
    // It has left its queue: should it be led back there, it is no duplicate of itself.
    letter.queue.deduplication?.left(priorityOf(letter.meta), letter.sequence);
    const { queue, reason } = letter;
    const vhost = this.#vhost(queue.vhostName);
    const exchange = vhost?.exchanges.get(queue.settings.deadLetterExchange ?? '');
    const isKept = letter.isCounted && queue.settings.deadLetterExchange !== null && vhost !== undefined && !queue.isDeleted;
    // A missing exchange drops the message silently. [RabbitMQ docs: dead letter exchanges, routing]
    if (vhost === undefined || exchange === undefined) return !isKept;
    const store = this.#store;
    store.locate(letter.ref);
    const envelope = store.loose === null ? store.bytes : store.loose.envelope;
    const envelopeStart = store.loose === null ? store.envelopeStart : 0;
    const properties = store.loose === null ? store.bytes : store.loose.properties;
    const propertiesStart = store.loose === null ? store.propertiesStart : 0;
    const propertiesBytes = store.propertiesBytes;
    const format = this.#format(store.format);

    const oldExchange = exchangeOf(envelope, envelopeStart);
    const oldKey = routingKeyOf(envelope, envelopeStart);

    const headers: FieldTable = new Map(format.headers(properties, propertiesStart, propertiesBytes) ?? []);
    const copies = textsOf(headers.get('CC'));
    const newKey = queue.settings.deadLetterRoutingKey;
    const blindKeys = newKey === null ? blindKeysOf(envelope, envelopeStart, store.envelopeBytes) : [];
    const keys = newKey === null ? [oldKey, ...copies, ...blindKeys] : [newKey];
    // With a key of its own the dead letter goes there only; what was copied before is not copied again.
    if (newKey !== null) headers.delete('CC');
    const expiration = format.expiration(properties, propertiesStart, propertiesBytes);
    const deaths = addDeath(
      headers,
      queue.name,
      reason,
      oldExchange,
      [oldKey, ...copies],
      expiration,
      Math.floor(this.#clock.wallMillis / 1000),
    );

    const p = this.#scratch;
    p.origin = fromDeadLetter;
    p.envelope = packEnvelope(exchange.name, newKey ?? oldKey, blindKeys);
    p.envelopeStart = 0;
    p.envelopeBytes = p.envelope.length;
    p.properties = properties;
    p.propertiesStart = propertiesStart;
    p.propertiesBytes = propertiesBytes;
    p.format = format.tag;
    rewriteProperties(p, format, this.#pivot(), { headers, removeExpiration: true });
    p.bodyBytes = store.bodyBytes;
    if (store.loose === null) {
      p.body = store.bytes;
      p.bodyStart = store.bodyStart;
      p.large = null;
    } else {
      p.large = store.loose.body;
    }
    p.isPersistent = (letter.meta & metaPersistent) !== 0;
    p.priority = priorityOf(letter.meta);
    p.ttlMillis = -1;
    p.waiter = null;
    p.cycleGuard = reason === 'rejected' ? null : automaticCycle(deaths);
    const route = vhost.router.route(exchange, keys, p, headers);
    let isDone = true;
    // What must not be lost in between is recorded, whatever its delivery mode.
    if (isKept) p.isPersistent = true;
    if (isKept) isDone = this.#publishSafely(vhost, exchange, route, p, letter);
    else this.#publisher.publish(vhost, exchange, route, p);
    if (isKept && isDone) this.counts.of(queue.type).confirmed++;
    p.large = null;
    return isDone;
  }

  /** Publishes to those targets that have not taken the letter yet; whether all have now, and there is at least one. */
  #publishSafely(vhost: Vhost, exchange: Exchange, route: Route, p: PublicationType, letter: DeadLetter): boolean {
    if (route.queues.length === 0) return route === takenRoute;
    let isDone = true;
    const taking: number[] = [];
    for (const queue of route.queues) {
      if (p.cycleGuard?.has(queue.name) || letter.takenBy?.has(queue.id)) continue;
      if (this.#publisher.offer(vhost, exchange, queue, p)) taking.push(queue.id);
      else isDone = false;
    }
    if (isDone) return true;
    // Behind the entries of those who took it, so that none is left out after a crash, and gets it twice after none but a torn write.
    for (const id of taking) {
      (letter.takenBy ??= new Set()).add(id);
      letter.queue.noteTaken(letter, id);
    }
    return false;
  }
}

function relocateOne(letter: DeadLetter, rename: Rename): void {
  const { ref } = letter;
  letter.ref = rename(letter.ref, letter.queue, letter.meta, letter.sequence, letter.bytes, letter.expiryMillis);
  // What was noted of it goes with the bytes that it was noted of.
  if (letter.ref !== ref) for (const id of letter.takenBy ?? []) letter.queue.noteTaken(letter, id);
}
