import type { BrokerCore } from '../../core/broker.ts';
import type { MessageRef, RefHolder, Rename } from '../../core/messages/message-ref.ts';
import { fromDeadLetter, type Publication } from '../../core/messages/publication.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { hasSingleMessages } from '../../management/messages/take-out.ts';
import type { Vhost } from '../../core/vhost.ts';
import { decodeProperties } from '../../wire/amqp091/properties.ts';
import { amqp091FormatTag } from '../../core/messages/format-tags.ts';
import { type Fate, type MessageCopy, type MessageParts, PublishedMessage } from './published-message.ts';

/** How much is remembered; what is older is forgotten. */
export interface HistoryLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

export const defaultHistoryLimits: HistoryLimits = { messagesMax: 10_000, bytesMax: 64 * 1024 * 1024 };

class Copy implements MessageCopy {
  readonly watched: WatchedQueue;
  readonly bodyBytes: number;
  /** Of its message, counted from 1 in the order of publishing. */
  readonly number: number;
  settled: Fate | null = null;
  returnCount = 0;
  deadLetter: PublishedMessage | null = null;

  constructor(watched: WatchedQueue, bodyBytes: number, number: number) {
    this.watched = watched;
    this.bodyBytes = bodyBytes;
    this.number = number;
  }

  get queue(): string {
    return this.watched.queue.name;
  }

  get fate(): Fate {
    return this.settled ?? (this.watched.isReady(this) ? 'ready' : 'unacked');
  }
}

/** What is known of the messages in one queue. */
class WatchedQueue implements RefHolder {
  readonly queue: Queue;
  readonly held = new Map<MessageRef, Copy>();
  /** What messages that leave without a word leave by. */
  exit: Fate = 'delivered';

  constructor(queue: Queue) {
    this.queue = queue;
  }

  isReady(copy: Copy): boolean {
    let isFound = false;
    this.queue.forEachReady(entry => {
      isFound = this.held.get(entry.ref) === copy;
      return !isFound;
    });
    return isFound;
  }

  relocate(rename: Rename): void {
    const held = [...this.held];
    this.held.clear();
    // Without an entry: the queue and the channels tell the log of theirs.
    for (const [ref, copy] of held) this.held.set(rename(ref, null, 0, 0, copy.bodyBytes, 0), copy);
  }
}

/**
 * Remembers what was published, where it went and what became of it, for tests. It listens at the ports between publishers and queues, on
 * the objects of this one broker: brokers without a history pay nothing for it.
 */
export class History {
  readonly #limits: HistoryLimits;
  #core: BrokerCore | null = null;
  #messages: PublishedMessage[] = [];
  /** Of each of them. */
  #bodyBytes: number[] = [];
  #bytes = 0;
  #count = 0;
  #current: PublishedMessage | null = null;
  #lastDeadLetter: PublishedMessage | null = null;
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
    return this.#messages;
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
    this.#messages = [];
    this.#bodyBytes = [];
    this.#bytes = 0;
  }

  /** Calls back after each publish; returns how to end that. */
  onPublished(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #begin(vhost: Vhost, p: Publication): PublishedMessage {
    const origin = p.origin === fromDeadLetter ? 'dead letter' : p.publisher === null ? 'broker' : 'client';
    const message = new PublishedMessage(this.#keep(p), vhost.name, origin, (this.#core as BrokerCore).clock.wallMillis);
    this.#current = message;
    this.#count++;
    return message;
  }

  #end(message: PublishedMessage, outer: PublishedMessage | null, p: Publication): void {
    this.#current = outer;
    if (p.origin === fromDeadLetter) this.#lastDeadLetter = message;
    this.#messages.push(message);
    this.#bytes += p.bodyBytes;
    this.#bodyBytes.push(p.bodyBytes);
    const { messagesMax, bytesMax } = this.#limits;
    if (this.#messages.length > messagesMax * 1.25 || this.#bytes > bytesMax) this.#forget();
    for (const listener of this.#listeners) listener();
  }

  /** Copies a message's bytes; what is returned makes of them what there is to see. */
  #keep(p: Publication): () => MessageParts {
    const { envelopeBytes, propertiesBytes, bodyBytes, format } = p;
    const bytes = Buffer.allocUnsafe(envelopeBytes + propertiesBytes + bodyBytes);
    p.envelope.copy(bytes, 0, p.envelopeStart, p.envelopeStart + envelopeBytes);
    p.properties.copy(bytes, envelopeBytes, p.propertiesStart, p.propertiesStart + propertiesBytes);
    let at = envelopeBytes + propertiesBytes;
    if (p.parts === null) p.body.copy(bytes, at, p.bodyStart, p.bodyStart + bodyBytes);
    else for (const part of p.parts) at += part.copy(bytes, at);
    return () => {
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
        body: bytes.subarray(envelopeBytes + propertiesBytes),
      };
    };
  }

  #forget(): void {
    const { messagesMax, bytesMax } = this.#limits;
    let dropped = 0;
    while (dropped < this.#messages.length && (this.#messages.length - dropped > messagesMax || this.#bytes > bytesMax * 0.75)) {
      this.#bytes -= this.#bodyBytes[dropped++] as number;
    }
    this.#messages.splice(0, dropped);
    this.#bodyBytes.splice(0, dropped);
  }

  #listenAt(queue: Queue): void {
    const watched = new WatchedQueue(queue);
    const { held } = watched;
    this.#queues.set(queue, watched);
    this.#core?.holdsRefs(watched);
    const enqueue = queue.enqueue.bind(queue);
    queue.enqueue = (p, ref) => {
      if (this.#current !== null) {
        const copy = new Copy(watched, p.bodyBytes, this.#count);
        held.set(ref, copy);
        this.#current.copies.push(copy);
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
