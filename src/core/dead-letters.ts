import { array, type Field, type FieldTable, isInteger, long, longstr, table, timestamp } from '../base/field-table.ts';
import { blindKeysOf, exchangeOf, packEnvelope, routingKeyOf } from './messages/envelope.ts';
import type { Publication as PublicationType } from './messages/publication.ts';
import { fromDeadLetter, Publication } from './messages/publication.ts';
import type { MessageRef, MessageStore, RefHolder, Rename } from './messages/message-store.ts';
import type { Clock } from './ports/clock.ts';
import type { MessageFormat, PivotFormat } from './ports/message-format.ts';
import type { Publisher } from './publisher.ts';
import { rewriteProperties } from './messages/rewrite-properties.ts';
import { textsOf } from './messages/sender-selected.ts';
import { Entry, metaPersistent, metaPriorityShift, priorityOf } from './queues/entry.ts';
import type { Queue } from './queues/queue.ts';
import type { Vhost } from './vhost.ts';

/** Why a message is dead-lettered, in the words of x-death. [RabbitMQ docs: dead letter exchanges] */
export type DeathReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** More deaths of a kind are not counted. */
const countMax = Number.MAX_SAFE_INTEGER - 1;
/** Letters that are done are forgotten when there are so many, though others still wait. */
const keptWorkMax = 10_000;

class DeadLetter {
  readonly queue: Queue;
  ref: MessageRef;
  readonly meta: number;
  readonly bytes: number;
  readonly sequence: number;
  readonly expiryMillis: number;
  readonly reason: DeathReason;

  constructor(queue: Queue, entry: Readonly<Entry>, reason: DeathReason) {
    this.queue = queue;
    this.ref = entry.ref;
    this.meta = entry.meta;
    this.bytes = entry.bytes;
    this.sequence = entry.sequence;
    this.expiryMillis = entry.expiryMillis;
    this.reason = reason;
  }
}

/**
 * Publishes what died in one queue to where it is to go. Queues only hand over; the turn works the list off, so that a chain of full or
 * expiring queues is a loop with a budget and not a recursion.
 */
export class DeadLetters implements RefHolder {
  readonly #store: MessageStore;
  readonly #clock: Clock;
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
  #work: DeadLetter[] = [];
  #at = 0;

  constructor(
    store: MessageStore,
    clock: Clock,
    publisher: Publisher,
    vhost: (name: string) => Vhost | undefined,
    format: (tag: number) => MessageFormat,
    pivot: () => PivotFormat,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#publisher = publisher;
    this.#vhost = vhost;
    this.#format = format;
    this.#pivot = pivot;
  }

  get hasWork(): boolean {
    return this.#at < this.#work.length && !this.#isFetching;
  }

  /** Takes over the entry's ownership of its message. */
  add(queue: Queue, entry: Entry, reason: DeathReason): void {
    if (queue.settings.deadLetterExchange === null) {
      queue.release(entry);
      return;
    }
    this.#work.push(new DeadLetter(queue, entry, reason));
  }

  /** Dead-letters a message that never got into the queue (overflow reject-publish-dlx). */
  addPublication(queue: Queue, p: PublicationType): void {
    if (queue.settings.deadLetterExchange === null) return;
    const entry = new Entry();
    entry.ref = this.#store.append(p, 1, this.#clock.nowMillis, false);
    entry.meta = (p.isPersistent ? metaPersistent : 0) | (p.priority << metaPriorityShift);
    entry.bytes = p.bodyBytes;
    this.#work.push(new DeadLetter(queue, entry, 'maxlen'));
  }

  /** Publishes up to `countMax` of what waits. */
  run(countMax: number): void {
    for (let count = 0; count < countMax && this.#at < this.#work.length; count++) {
      const letter = this.#work[this.#at] as DeadLetter;
      if (!this.#store.isResident(letter.ref)) {
        this.#fetch(letter);
        return;
      }
      this.#at++;
      const entry = this.#entry;
      entry.ref = letter.ref;
      entry.meta = letter.meta;
      entry.bytes = letter.bytes;
      entry.sequence = letter.sequence;
      try {
        if (this.#store.isIntact(letter.ref)) this.#publish(letter);
        else this.onDamaged(letter.queue, entry);
      } catch (error) {
        // What clients have put into headers must not end anything but the message.
        this.onFailure(letter.queue, error);
      }
      // Settled only behind the new entries, in the same commit or a later one: a crash between leaves a duplicate, never a loss.
      letter.queue.release(entry);
    }
    if (this.#at === this.#work.length) {
      this.#work = [];
      this.#at = 0;
    } else if (this.#at > keptWorkMax) {
      this.#work.splice(0, this.#at);
      this.#at = 0;
    }
  }

  relocate(rename: Rename): void {
    for (let i = this.#at; i < this.#work.length; i++) {
      const letter = this.#work[i] as DeadLetter;
      letter.ref = rename(letter.ref, letter.queue, letter.meta, letter.sequence, letter.bytes, letter.expiryMillis);
    }
  }

  #fetch(letter: DeadLetter): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.#store.fetch(letter.ref, () => {
      this.#isFetching = false;
      this.onWork();
    });
  }

  #publish(letter: DeadLetter): void {
    // It has left its queue: should it be led back there, it is no duplicate of itself.
    letter.queue.deduplication?.left(priorityOf(letter.meta), letter.sequence);
    const { queue, reason } = letter;
    const vhost = this.#vhost(queue.vhostName);
    const exchange = vhost?.exchanges.get(queue.settings.deadLetterExchange ?? '');
    // A missing exchange drops the message silently. [RabbitMQ docs: dead letter exchanges, routing]
    if (vhost === undefined || exchange === undefined) return;
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
      p.parts = null;
    } else {
      p.parts = store.loose.parts as Buffer[];
    }
    p.isPersistent = (letter.meta & metaPersistent) !== 0;
    p.priority = priorityOf(letter.meta);
    p.ttlMillis = -1;
    p.waiter = null;
    p.cycleGuard = reason === 'rejected' ? null : automaticCycle(deaths);
    const route = vhost.router.route(exchange, keys, p, headers);
    this.#publisher.publish(vhost, exchange, route, p);
    p.parts = null;
  }
}

/**
 * Adds a death to x-death: newest first, one entry per queue and reason with a count; and the x-first-death-* and x-last-death-* headers.
 * Returns the deaths. [RabbitMQ docs: dead letter exchanges, effects on messages]
 */
function addDeath(
  headers: FieldTable,
  queueName: string,
  reason: DeathReason,
  exchangeName: string,
  keys: readonly string[],
  expiration: string | null,
  seconds: number,
): FieldTable[] {
  const isFirst = !headers.has('x-death');
  const deaths = knownDeaths(headers.get('x-death'));
  const index = deaths.findIndex(death => valueOf(death, 'queue') === queueName && valueOf(death, 'reason') === reason);
  let death: FieldTable;
  if (index >= 0) {
    death = new Map(deaths[index]);
    deaths.splice(index, 1);
    death.set('count', long(countOf(death) + 1));
  } else {
    death = new Map<string, Field>([
      ['count', long(1)],
      ['reason', longstr(reason)],
      ['queue', longstr(queueName)],
      ['time', timestamp(seconds)],
      ['exchange', longstr(exchangeName)],
      ['routing-keys', array(keys.map(longstr))],
    ]);
    if (expiration !== null) death.set('original-expiration', longstr(expiration));
  }
  deaths.unshift(death);
  headers.set('x-death', array(deaths.map(table)));
  if (isFirst) {
    headers.set('x-first-death-exchange', longstr(exchangeName));
    headers.set('x-first-death-queue', longstr(queueName));
    headers.set('x-first-death-reason', longstr(reason));
  }
  headers.set('x-last-death-exchange', longstr(exchangeName));
  headers.set('x-last-death-queue', longstr(queueName));
  headers.set('x-last-death-reason', longstr(reason));
  return deaths;
}

/**
 * The deaths that a message tells of, one per queue and reason. Very old brokers wrote one for each time, without a count, and clients may
 * have written anything. [RabbitMQ: rabbit_dead_letter, group_by_queue_and_reason]
 */
function knownDeaths(field: Field | undefined): FieldTable[] {
  if (field === undefined || !Array.isArray(field.value)) return [];
  const deaths = field.value.filter(item => item.value instanceof Map).map(item => item.value as FieldTable);
  if (deaths.length < 2) return deaths;
  const kinds = new Map<string, FieldTable>();
  for (const death of deaths) {
    const kind = JSON.stringify([valueOf(death, 'queue'), valueOf(death, 'reason')]);
    const known = kinds.get(kind);
    if (known === undefined) kinds.set(kind, new Map(death).set('count', long(Math.max(1, countOf(death)))));
    else known.set('count', long(Math.min(countMax, countOf(known) + Math.max(1, countOf(death)))));
  }
  return [...kinds.values()];
}

function valueOf(death: FieldTable, name: string): string | null {
  const value = death.get(name)?.value;
  return typeof value === 'string' ? value : null;
}

/** How often the message died there before; a client may have written anything in its place. */
function countOf(death: FieldTable): number {
  const field = death.get('count');
  const count = field !== undefined && isInteger(field) ? Number(field.value) : 0;
  return count >= 0 && count <= countMax ? count : 0;
}

/**
 * The queues that the message must not enter again: it has been there, and nothing but time and limits brought it round since.
 * [RabbitMQ: rabbit_dead_letter, is_cycle]
 */
function automaticCycle(deaths: readonly FieldTable[]): ReadonlySet<string> {
  const queues = new Set<string>();
  for (const death of deaths) {
    if (death.get('reason')?.value === 'rejected') break;
    const queue = death.get('queue')?.value;
    if (typeof queue === 'string') queues.add(queue);
  }
  return queues;
}
