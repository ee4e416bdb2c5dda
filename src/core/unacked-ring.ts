// hot path: see docs/STYLE.md
import type { Consumer } from './consumer.ts';
import { Entry } from './queues/entry.ts';
import type { Queue } from './queues/queue.ts';
import type { Rename, RefHolder } from './messages/message-ref.ts';

const initialCapacity = 16;
/** What a ring has before its first delivery: most channels of most connections never get one. */
const noConsumers: (Consumer | null)[] = [];
const noNumbers = new Uint32Array(0);
const noDoubles = new Float64Array(0);

/** A delivery that was taken out and may come back. Its entry is kept as it is. */
export interface TakenDelivery {
  readonly tag: number;
  readonly consumer: Consumer;
  readonly entry: Entry;
  readonly deliveredMillis: number;
}

class Straggler {
  readonly consumer: Consumer;
  readonly entry: Entry;
  readonly deliveredMillis: number;

  constructor(consumer: Consumer, entry: Entry, deliveredMillis: number) {
    this.consumer = consumer;
    this.entry = entry;
    this.deliveredMillis = deliveredMillis;
  }
}

/**
 * Deliveries of a channel that wait for an acknowledgement, by delivery tag. Tags ascend by one, so a ring indexed by tag finds each in
 * constant time; a delivery that needs no acknowledgement leaves a hole. A few deliveries that stay for long while others come and go are
 * moved aside, so that the ring does not grow with the traffic behind them.
 */
export class UnackedRing implements RefHolder {
  #capacity = 0;
  #consumers = noConsumers;
  #refs = noNumbers;
  #metas = noNumbers;
  #bytes = noNumbers;
  #sequences = noDoubles;
  #expiries = noDoubles;
  #delivered = noDoubles;
  /** Tags in the ring: [first, next). The first is live when there is any. */
  #first = 1;
  #next = 1;
  #live = 0;
  #stragglers: Map<number, Straggler> | null = null;

  /** How many deliveries wait. */
  get count(): number {
    return this.#live + (this.#stragglers === null ? 0 : this.#stragglers.size);
  }

  /** Remembers a delivery; tags must ascend. */
  push(tag: number, consumer: Consumer, entry: Entry, nowMillis: number): void {
    if (this.#live === 0) {
      this.#first = tag;
      this.#next = tag;
    }
    // Tags of deliveries that need no acknowledgement are holes.
    while (this.#next < tag) {
      this.#claim();
      if (this.#live > 0) continue;
      // All that was waiting has been moved aside on the way.
      this.#first = tag;
      this.#next = tag;
    }
    const index = this.#claim();
    this.#consumers[index] = consumer;
    this.#store(index, entry, nowMillis);
    this.#live++;
  }

  has(tag: number): boolean {
    if (tag >= this.#first) return tag < this.#next && this.#consumers[tag & (this.#capacity - 1)] !== null;
    return this.#stragglers !== null && this.#stragglers.has(tag);
  }

  /** Whose delivery has the tag; null when it is not known. */
  consumerOf(tag: number): Consumer | null {
    if (tag < this.#first) return this.#stragglers?.get(tag)?.consumer ?? null;
    return tag < this.#next ? (this.#consumers[tag & (this.#capacity - 1)] as Consumer | null) : null;
  }

  /** Takes a delivery out into `into`; returns its consumer, null when the tag is not known. */
  take(tag: number, into: Entry): Consumer | null {
    if (tag < this.#first) return this.#takeStraggler(tag, into);
    if (tag >= this.#next) return null;
    const index = tag & (this.#capacity - 1);
    const consumer = this.#consumers[index] as Consumer | null;
    if (consumer === null) return null;
    this.#fill(into, index);
    this.#consumers[index] = null;
    this.#live--;
    if (tag === this.#first) this.#skipHoles();
    return consumer;
  }

  /** Puts deliveries back that were taken out: their settlement was undone. Costs a sort where their place in the ring is gone. */
  restore(deliveries: Iterable<TakenDelivery>): void {
    const outside: (readonly [number, Straggler])[] = [];
    for (const { tag, consumer, entry, deliveredMillis } of deliveries) {
      if (tag < this.#first || tag >= this.#next) {
        outside.push([tag, new Straggler(consumer, entry, deliveredMillis)]);
        continue;
      }
      const index = tag & (this.#capacity - 1);
      this.#consumers[index] = consumer;
      this.#store(index, entry, deliveredMillis);
      this.#live++;
    }
    if (outside.length > 0) this.#stragglers = new Map([...(this.#stragglers ?? []), ...outside].sort(([a], [b]) => a - b));
  }

  /** When a waiting delivery was made. */
  deliveredMillis(tag: number): number {
    if (tag < this.#first) return this.#stragglers?.get(tag)?.deliveredMillis ?? Infinity;
    return this.#delivered[tag & (this.#capacity - 1)] as number;
  }

  /** The lowest tag that waits, or 0. */
  get firstTag(): number {
    if (this.#stragglers !== null && this.#stragglers.size > 0) return this.#stragglers.keys().next().value as number;
    return this.#live === 0 ? 0 : this.#first;
  }

  /** When the oldest waiting delivery was made, Infinity when none waits. */
  get oldestDeliveredMillis(): number {
    if (this.#stragglers !== null && this.#stragglers.size > 0)
      return (this.#stragglers.values().next().value as Straggler).deliveredMillis;
    return this.#live === 0 ? Infinity : (this.#delivered[this.#first & (this.#capacity - 1)] as number);
  }

  /** Looks through the deliveries made before a time, oldest first, until `visit` says true; returns whether it did. */
  someDeliveredBefore(millis: number, visit: (consumer: Consumer, deliveredMillis: number) => boolean): boolean {
    for (const item of this.#stragglers?.values() ?? []) {
      if (item.deliveredMillis >= millis) return false;
      if (visit(item.consumer, item.deliveredMillis)) return true;
    }
    if (this.#live === 0) return false;
    for (let tag = this.#first; tag < this.#next; tag++) {
      const index = tag & (this.#capacity - 1);
      const consumer = this.#consumers[index] as Consumer | null;
      if (consumer === null) continue;
      const deliveredMillis = this.#delivered[index] as number;
      if (deliveredMillis >= millis) return false;
      if (visit(consumer, deliveredMillis)) return true;
    }
    return false;
  }

  /** Visits every waiting delivery in the order of tags. `entry` is filled anew for each. */
  forEach(visit: (tag: number, consumer: Consumer, entry: Entry, deliveredMillis: number) => void): void {
    if (this.#stragglers !== null) for (const [tag, item] of this.#stragglers) visit(tag, item.consumer, item.entry, item.deliveredMillis);
    const entry = new Entry();
    for (let tag = this.#first; tag < this.#next; tag++) {
      const index = tag & (this.#capacity - 1);
      const consumer = this.#consumers[index] as Consumer | null;
      if (consumer === null) continue;
      this.#fill(entry, index);
      visit(tag, consumer, entry, this.#delivered[index] as number);
    }
  }

  /** The queues whose deliveries wait. */
  queues(): Set<Queue> {
    const queues = new Set<Queue>();
    for (const { consumer } of this.#stragglers?.values() ?? []) queues.add(consumer.queue);
    let last: Consumer | null = null;
    for (let tag = this.#first; tag < this.#next; tag++) {
      const consumer = this.#consumers[tag & (this.#capacity - 1)] as Consumer | null;
      if (consumer === null || consumer === last) continue;
      last = consumer;
      queues.add(consumer.queue);
    }
    return queues;
  }

  relocate(rename: Rename): void {
    if (this.#stragglers !== null) {
      for (const { entry, consumer } of this.#stragglers.values()) {
        entry.ref = rename(entry.ref, consumer.queue, entry.meta, entry.sequence, entry.bytes, entry.expiryMillis);
      }
    }
    for (let tag = this.#first; tag < this.#next; tag++) {
      const index = tag & (this.#capacity - 1);
      const consumer = this.#consumers[index] as Consumer | null;
      if (consumer === null) continue;
      this.#refs[index] = rename(
        this.#refs[index] as number,
        consumer.queue,
        this.#metas[index] as number,
        this.#sequences[index] as number,
        this.#bytes[index] as number,
        this.#expiries[index] as number,
      );
    }
  }

  /** Claims the next place and leaves it a hole; returns its index. */
  #claim(): number {
    if (this.#next - this.#first === this.#capacity) this.#makeRoom();
    const index = this.#next++ & (this.#capacity - 1);
    this.#consumers[index] = null;
    return index;
  }

  #store(index: number, entry: Entry, deliveredMillis: number): void {
    this.#refs[index] = entry.ref;
    this.#metas[index] = entry.meta;
    this.#bytes[index] = entry.bytes;
    this.#sequences[index] = entry.sequence;
    this.#expiries[index] = entry.expiryMillis;
    this.#delivered[index] = deliveredMillis;
  }

  #fill(into: Entry, index: number): void {
    into.ref = this.#refs[index] as number;
    into.meta = this.#metas[index] as number;
    into.bytes = this.#bytes[index] as number;
    into.sequence = this.#sequences[index] as number;
    into.expiryMillis = this.#expiries[index] as number;
  }

  #skipHoles(): void {
    const mask = this.#capacity - 1;
    while (this.#first < this.#next && this.#consumers[this.#first & mask] === null) this.#first++;
  }

  #takeStraggler(tag: number, into: Entry): Consumer | null {
    const item = this.#stragglers?.get(tag);
    if (item === undefined) return null;
    this.#stragglers?.delete(tag);
    Object.assign(into, item.entry);
    return item.consumer;
  }

  /** Doubles the ring, or moves old deliveries aside when most of it is holes. */
  #makeRoom(): void {
    if (this.#capacity > 1024 && this.#live < this.#capacity / 4) {
      const until = this.#first + this.#capacity / 2;
      for (let tag = this.#first; tag < until; tag++) {
        const index = tag & (this.#capacity - 1);
        const consumer = this.#consumers[index] as Consumer | null;
        if (consumer === null) continue;
        const entry = new Entry();
        this.#fill(entry, index);
        (this.#stragglers ??= new Map()).set(tag, new Straggler(consumer, entry, this.#delivered[index] as number));
        this.#consumers[index] = null;
        this.#live--;
      }
      this.#first = until;
      this.#skipHoles();
      return;
    }
    const old = this.#capacity;
    const capacity = old === 0 ? initialCapacity : old * 2;
    const from = this.#first;
    const move = <A extends { [index: number]: number }>(source: A, target: A): A => {
      for (let tag = from; tag < this.#next; tag++) target[tag & (capacity - 1)] = source[tag & (old - 1)] as number;
      return target;
    };
    const consumers = new Array<Consumer | null>(capacity).fill(null);
    for (let tag = from; tag < this.#next; tag++) consumers[tag & (capacity - 1)] = this.#consumers[tag & (old - 1)] as Consumer | null;
    this.#consumers = consumers;
    this.#refs = move(this.#refs, new Uint32Array(capacity));
    this.#metas = move(this.#metas, new Uint32Array(capacity));
    this.#bytes = move(this.#bytes, new Uint32Array(capacity));
    this.#sequences = move(this.#sequences, new Float64Array(capacity));
    this.#expiries = move(this.#expiries, new Float64Array(capacity));
    this.#delivered = move(this.#delivered, new Float64Array(capacity));
    this.#capacity = capacity;
  }
}
