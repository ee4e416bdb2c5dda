import type { BrokerCore } from '../../core/broker.ts';
import type { MessageRef } from '../../core/messages/message-ref.ts';
import { fromDeadLetter, type Publication } from '../../core/messages/publication.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { hasSingleMessages } from '../../management/messages/take-out.ts';
import type { Vhost } from '../../core/vhost.ts';
import { decodeProperties } from '../../wire/amqp091/properties.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import type { Fate, MessageParts, PublishedMessage } from './published-message.ts';
import { ByteChunks, RecordedCopy, RecordedMessage, WatchedQueue } from './recorded-message.ts';

/** How much is remembered; what is older is forgotten. */
export interface HistoryLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/** @internal */
export const defaultHistoryLimits: HistoryLimits = { messagesMax: 10_000, bytesMax: 64 * 1024 * 1024 };

/**
 * Remembers what was published, where it went and what became of it, for tests. It listens at the ports between publishers and queues, on
 * the objects of this one broker: brokers without a history pay nothing for it.
 *
 * @internal
 */
export class History {
  readonly #limits: HistoryLimits;
  #core: BrokerCore | null = null;
  /** A ring once it has `messagesMax` slots. */
  #ring: (RecordedMessage | null)[] = [];
  /** The slot after that of the youngest. */
  #next = 0;
  /** How many are remembered. */
  #length = 0;
  #bytes = 0;
  #count = 0;
  #current: RecordedMessage | null = null;
  #lastDeadLetter: RecordedMessage | null = null;
  readonly #chunks = new ByteChunks();
  readonly #queues = new WeakMap<Queue, WatchedQueue>();
  readonly #listeners = new Set<() => void>();

  constructor(limits: HistoryLimits) {
    this.#limits = limits;
  }

  /** Listens at the broker's publisher and at its queues. */
  start(core: BrokerCore): void {
    this.#core = core;
    for (const vhost of core.vhosts.values()) for (const queue of vhost.queues.values()) this.#listenAt(queue);
    core.onQueueAdded = queue => this.#listenAt(queue);
    const { publisher, deadLetters } = core;
    const publish = publisher.publish.bind(publisher);
    publisher.publish = (vhost, exchange, route, p) => {
      const outer = this.#current;
      const message = this.#begin(vhost, p);
      try {
        return publish(vhost, exchange, route, p);
      } finally {
        message.isRefused = p.isRefused;
        this.#end(message, outer, p);
      }
    };
    const deliver = publisher.deliver.bind(publisher);
    publisher.deliver = (vhost, target, keys, p) => {
      if (target.kind === 'exchange') return deliver(vhost, target, keys, p);
      const outer = this.#current;
      const message = this.#begin(vhost, p);
      try {
        return deliver(vhost, target, keys, p);
      } finally {
        this.#end(message, outer, p);
      }
    };
    const add = deadLetters.add.bind(deadLetters);
    deadLetters.add = (queue, entry, reason) => {
      const copy = this.#queues.get(queue)?.held.get(entry.ref);
      if (copy !== undefined) copy.settled = reason;
      add(queue, entry, reason);
    };
  }

  /** What was published, the oldest first. */
  messages(): readonly PublishedMessage[] {
    return this.#remembered().map(message => message.view(this.#read));
  }

  /** What got into a queue, the oldest first. */
  receivedBy(vhost: string, queue: string): PublishedMessage[] {
    const here = this.#remembered().filter(message => message.vhost === vhost && message.isIn(queue));
    return here.map(message => message.view(this.#read));
  }

  /** How many messages were published since the start. */
  get count(): number {
    return this.#count;
  }

  /** The number of a message in a queue; 0 for one that is older than the history. */
  numberOf(queue: Queue, ref: MessageRef): number {
    return this.#queues.get(queue)?.held.get(ref)?.number ?? 0;
  }

  clear(): void {
    this.#ring = [];
    this.#next = 0;
    this.#length = 0;
    this.#bytes = 0;
  }

  /** Calls back after each publish; returns how to end that. */
  onPublished(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #begin(vhost: Vhost, p: Publication): RecordedMessage {
    const origin = p.origin === fromDeadLetter ? 'dead letter' : p.publisher === null ? 'broker' : 'client';
    this.#chunks.keep(p);
    const { wallMillis } = (this.#core as BrokerCore).clock;
    const message = new RecordedMessage(vhost.name, origin, wallMillis, ++this.#count, this.#chunks, p);
    this.#current = message;
    return message;
  }

  #end(message: RecordedMessage, outer: RecordedMessage | null, p: Publication): void {
    this.#current = outer;
    if (p.origin === fromDeadLetter) this.#lastDeadLetter = message;
    this.#remember(message);
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener();
  }

  readonly #read = (message: RecordedMessage): MessageParts => {
    const { start, envelopeBytes, propertiesBytes, bodyBytes, format } = message;
    const bytes = message.bytes.subarray(start, start + envelopeBytes + propertiesBytes + bodyBytes);
    const exchangeBytes = bytes[0] as number;
    const keyStart = 2 + exchangeBytes;
    const properties = bytes.subarray(envelopeBytes, envelopeBytes + propertiesBytes);
    return {
      exchange: bytes.toString('utf8', 1, 1 + exchangeBytes),
      routingKey: bytes.toString('utf8', keyStart, keyStart + (bytes[1 + exchangeBytes] as number)),
      properties:
        format === amqp091FormatTag
          ? decodeProperties(properties, 0, propertiesBytes)
          : { headers: (this.#core as BrokerCore).format(format).headers(properties, 0, propertiesBytes) ?? new Map() },
      // A copy: who keeps it keeps no chunk.
      body: Buffer.from(bytes.subarray(envelopeBytes + propertiesBytes)),
    };
  };

  #remember(message: RecordedMessage): void {
    const { messagesMax, bytesMax } = this.#limits;
    if (this.#length >= messagesMax) this.#forgetOldest();
    if (this.#ring.length < messagesMax) this.#ring.push(message);
    else if (messagesMax > 0) this.#ring[this.#next] = message;
    else return;
    this.#next = this.#next + 1 < messagesMax ? this.#next + 1 : 0;
    this.#length++;
    this.#bytes += message.bodyBytes;
    while (this.#bytes > bytesMax) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const slot = this.#slotOf(0);
    const oldest = this.#ring[slot] ?? null;
    if (oldest === null) return;
    // Its bytes can go at once.
    this.#ring[slot] = null;
    this.#length--;
    this.#bytes -= oldest.bodyBytes;
  }

  #remembered(): RecordedMessage[] {
    return Array.from({ length: this.#length }, (_, index) => this.#ring[this.#slotOf(index)] as RecordedMessage);
  }

  /** Of the oldest and those after it. */
  #slotOf(index: number): number {
    const slot = this.#next - this.#length + index;
    return slot < 0 ? slot + this.#limits.messagesMax : slot;
  }

  #listenAt(queue: Queue): void {
    const watched = new WatchedQueue(queue);
    const { held } = watched;
    this.#queues.set(queue, watched);
    this.#core?.holdsRefs(watched);
    const enqueue = queue.enqueue.bind(queue);
    queue.enqueue = (p, ref) => {
      if (this.#current !== null) {
        const copy = new RecordedCopy(watched, p.bodyBytes, this.#count);
        held.set(ref, copy);
        this.#current.add(copy);
      }
      enqueue(p, ref);
    };
    const settle = queue.settle.bind(queue);
    queue.settle = (entry, outcome) => {
      const copy = held.get(entry.ref);
      if (copy !== undefined) {
        if (outcome === 'returned') copy.returnCount++;
        else copy.settled = outcome === 'accepted' ? 'acked' : 'rejected';
      }
      settle(entry, outcome);
    };
    const release = queue.release.bind(queue);
    queue.release = entry => {
      const copy = held.get(entry.ref);
      if (copy !== undefined) {
        held.delete(entry.ref);
        copy.settled ??= watched.exit;
        copy.deadLetter = this.#lastDeadLetter;
      }
      this.#lastDeadLetter = null;
      release(entry);
    };
    const leavingBy = <Result>(exit: Fate, act: () => Result): Result => {
      watched.exit = exit;
      try {
        return act();
      } finally {
        watched.exit = 'delivered';
      }
    };
    const purge = queue.purge.bind(queue);
    queue.purge = () => leavingBy(queue.isDeleted ? 'queue deleted' : 'purged', purge);
    if (hasSingleMessages(queue)) {
      const removeRestored = queue.removeRestored.bind(queue);
      queue.removeRestored = (priority, sequence, into) => {
        const isThere = removeRestored(priority, sequence, into);
        const copy = isThere ? held.get(into.ref) : undefined;
        if (copy !== undefined) copy.settled ??= 'removed';
        return isThere;
      };
    }
    const close = queue.close.bind(queue);
    queue.close = () => {
      leavingBy('queue deleted', close);
      for (const copy of held.values()) copy.settled ??= 'queue deleted';
      held.clear();
      this.#core?.dropsRefs(watched);
    };
  }
}
