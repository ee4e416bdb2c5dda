// hot path: see docs/STYLE.md
import { equalBytes } from '../../base/bytes.ts';
import type { MessageStore } from '../../core/messages/message-store.ts';
import type { Subscription } from './subscription.ts';
import { matchesTopic } from './topics.ts';

const nothing = Buffer.alloc(0);
const slotsMax = 16;
const dollar = 0x24;

class Remembered {
  key: Buffer = nothing;
  isMatch = false;
  qos = 0;
  isRetainAsPublished = false;
  idBytes: Buffer = nothing;
}

const none: Remembered[] = [];

/**
 * What a session's subscriptions say of a message: the highest QoS of those that match, their identifiers and options. Of several that match
 * one copy is delivered. [MQTT 5.0 3.3.4] The last few topics are remembered.
 */
export class Matches {
  readonly #subscriptions: ReadonlyMap<string, Subscription>;
  /** The subscription that all messages are for, where there is but one. */
  #only: Subscription | null = null;
  #shared: Map<string, Subscription> | null = null;
  #slots: Remembered[] = none;
  #next = 0;
  hasNoLocal = false;
  /** The answer. */
  isMatch = false;
  qos = 0;
  isRetainAsPublished = false;
  idBytes: Buffer = nothing;

  constructor(subscriptions: ReadonlyMap<string, Subscription>) {
    this.#subscriptions = subscriptions;
  }

  /** The subscriptions have changed. `sharedNames` are the queues of shared ones, by filter. */
  changed(sharedNames: ReadonlyMap<string, { readonly name: string }>): void {
    this.#slots = none;
    this.#only = null;
    this.#shared = null;
    this.hasNoLocal = false;
    let count = 0;
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.isNoLocal) this.hasNoLocal = true;
      const queue = sharedNames.get(subscription.filter);
      if (queue !== undefined) (this.#shared ??= new Map()).set(queue.name, subscription);
      else if (++count === 1) this.#only = subscription;
      else this.#only = null;
    }
  }

  /** For a message of a shared subscription's queue. */
  ofShared(queueName: string): void {
    const subscription = this.#shared?.get(queueName) ?? null;
    if (subscription === null) this.isMatch = false;
    else this.#take(subscription);
  }

  /** For the message that `store.locate` found in one of the session's own queues. */
  of(store: MessageStore, asRetained: number): void {
    const { loose } = store;
    const envelope = loose === null ? store.bytes : loose.envelope;
    const lengthAt = (loose === null ? store.envelopeStart : 0) + 1;
    const keyAt = lengthAt + (envelope[lengthAt - 1] as number);
    const start = keyAt + 1;
    const count = envelope[keyAt] as number;
    if (this.#only !== null && asRetained === 0 && envelope[start] !== dollar) {
      this.#take(this.#only);
      return;
    }
    const slots = this.#slots;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i] as Remembered;
      if (slot.key.length !== count || !equalBytes(slot.key, 0, envelope, start, count)) continue;
      this.isMatch = slot.isMatch;
      this.qos = slot.qos;
      this.isRetainAsPublished = slot.isRetainAsPublished;
      this.idBytes = slot.idBytes;
      return;
    }
    this.#find(Buffer.from(envelope.subarray(start, start + count)));
  }

  /** Whether every subscription that matches a message with this routing key refuses what the client itself published. */
  isOnlyNoLocal(routingKey: string): boolean {
    const levels = routingKey.split('.');
    let hasMatch = false;
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.group !== null || !matchesTopic(subscription.levels, levels)) continue;
      if (!subscription.isNoLocal) return false;
      hasMatch = true;
    }
    return hasMatch;
  }

  #take(subscription: Subscription): void {
    this.isMatch = true;
    this.qos = subscription.qos;
    this.isRetainAsPublished = subscription.isRetainAsPublished;
    this.idBytes = subscription.idBytes;
  }

  #find(key: Buffer): void {
    const levels = key.toString('utf8').split('.');
    const found = new Remembered();
    found.key = key;
    const ids: Buffer[] = [];
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.group !== null || !matchesTopic(subscription.levels, levels)) continue;
      found.isMatch = true;
      found.qos = Math.max(found.qos, subscription.qos);
      found.isRetainAsPublished ||= subscription.isRetainAsPublished;
      if (subscription.id > 0) ids.push(subscription.idBytes);
    }
    found.idBytes = Buffer.concat(ids);
    if (this.#slots === none) this.#slots = [found];
    else if (this.#slots.length < slotsMax) this.#slots.push(found);
    else this.#slots[this.#next++ % slotsMax] = found;
    this.isMatch = found.isMatch;
    this.qos = found.qos;
    this.isRetainAsPublished = found.isRetainAsPublished;
    this.idBytes = found.idBytes;
  }
}
