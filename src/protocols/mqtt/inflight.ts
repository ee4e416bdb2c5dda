// hot path: see docs/STYLE.md
import type { Consumer } from '../../core/consumer.ts';
import type { RefHolder, Rename } from '../../core/messages/message-ref.ts';
import type { Entry } from '../../core/queues/entry.ts';

/** What a delivery waits for. */
export const waitsForNothing: number = 0;
export const waitsForPuback: number = 1;
export const waitsForPubrec: number = 2;
/** PUBREC came, the message is settled; PUBREL is sent when that is durable. */
export const waitsForPubcomp: number = 3;

const initialCapacity = 16;
const idMax = 0xffff;

/**
 * Deliveries of a session that are not complete, by packet id; they outlive the connection. Ids are given in turn, so that one that has
 * become free is not given again at once.
 */
export class Inflight implements RefHolder {
  #states = new Uint8Array(initialCapacity + 1);
  #consumers: (Consumer | null)[] = Array.from<Consumer | null>({ length: initialCapacity + 1 }).fill(null);
  #refs = new Uint32Array(initialCapacity + 1);
  #metas = new Uint32Array(initialCapacity + 1);
  #bytes = new Uint32Array(initialCapacity + 1);
  #sequences = new Float64Array(initialCapacity + 1);
  #expiries = new Float64Array(initialCapacity + 1);
  /** When it was sent first, among the others. */
  #orders = new Float64Array(initialCapacity + 1);
  #lastId = 0;
  #lastOrder = 0;
  count = 0;

  get #capacity(): number {
    return this.#states.length - 1;
  }

  /** Keeps a delivery; returns its packet id, 0 when all are taken. */
  add(consumer: Consumer, entry: Entry, state: number): number {
    if (this.count * 2 >= this.#capacity && this.#capacity < idMax) this.#grow();
    if (this.count >= this.#capacity) return 0;
    let id = this.#lastId;
    do id = id >= this.#capacity ? 1 : id + 1;
    while (this.#states[id] !== waitsForNothing);
    this.#lastId = id;
    this.#states[id] = state;
    this.#consumers[id] = consumer;
    this.#refs[id] = entry.ref;
    this.#metas[id] = entry.meta;
    this.#bytes[id] = entry.bytes;
    this.#sequences[id] = entry.sequence;
    this.#expiries[id] = entry.expiryMillis;
    this.#orders[id] = ++this.#lastOrder;
    this.count++;
    return id;
  }

  state(id: number): number {
    return id > this.#capacity ? waitsForNothing : (this.#states[id] as number);
  }

  consumer(id: number): Consumer {
    return this.#consumers[id] as Consumer;
  }

  /** Fills `into` with the delivery. */
  read(id: number, into: Entry): void {
    into.ref = this.#refs[id] as number;
    into.meta = this.#metas[id] as number;
    into.bytes = this.#bytes[id] as number;
    into.sequence = this.#sequences[id] as number;
    into.expiryMillis = this.#expiries[id] as number;
  }

  /** The message is settled; its id stays taken until PUBCOMP. */
  received(id: number): void {
    this.#states[id] = waitsForPubcomp;
    this.#refs[id] = 0;
  }

  /** The id is free again. */
  release(id: number): void {
    this.#states[id] = waitsForNothing;
    this.#consumers[id] = null;
    this.#refs[id] = 0;
    this.count--;
  }

  /** Another consumer of the same queue has the delivery now: that of the session's new connection. */
  adopt(id: number, consumer: Consumer): void {
    this.#consumers[id] = consumer;
  }

  /** Ids of all deliveries, in the order in which they were sent. */
  ids(): number[] {
    const ids: number[] = [];
    for (let id = 1; id <= this.#capacity; id++) if (this.#states[id] !== waitsForNothing) ids.push(id);
    return ids.sort((a, b) => (this.#orders[a] as number) - (this.#orders[b] as number));
  }

  relocate(rename: Rename): void {
    for (let id = 1; id <= this.#capacity; id++) {
      if (this.#refs[id] === 0 || this.#states[id] === waitsForNothing) continue;
      this.#refs[id] = rename(
        this.#refs[id] as number,
        this.consumer(id).queue,
        this.#metas[id] as number,
        this.#sequences[id] as number,
        this.#bytes[id] as number,
        this.#expiries[id] as number,
      );
    }
  }

  #grow(): void {
    const length = Math.min(idMax, this.#capacity * 2) + 1;
    const grown = <T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#states = grown(this.#states, new Uint8Array(length));
    this.#refs = grown(this.#refs, new Uint32Array(length));
    this.#metas = grown(this.#metas, new Uint32Array(length));
    this.#bytes = grown(this.#bytes, new Uint32Array(length));
    this.#sequences = grown(this.#sequences, new Float64Array(length));
    this.#expiries = grown(this.#expiries, new Float64Array(length));
    this.#orders = grown(this.#orders, new Float64Array(length));
    while (this.#consumers.length < length) this.#consumers.push(null);
  }
}
