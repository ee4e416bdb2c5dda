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
/** It was not sent: the packet id that its message has to have is in use. */
export const waitsForId: number = 4;
/** It was not sent: it is to be durable that the message is in the queue. */
export const waitsForCommit: number = 5;

/** Under this id, which no packet has, stands the delivery that waits for its own. */
export const parkedId = 0;

const initialCapacity = 16;
const idMax = 0xffff;

/**
 * The packet id of a queue's message, 1 for the first: the same after a restart, when nothing is known but the queue. `offset` tells queues
 * apart.
 */
export function packetIdOf(sequence: number, offset: number): number {
  return ((sequence + offset + idMax - 1) % idMax) + 1;
}

/**
 * Deliveries of a session that are not complete, by packet id; they outlive the connection. A hash table of typed arrays, whose places are
 * the last bits of ids and the next free ones: ids come in turn, so hardly any place is taken twice.
 */
export class Inflight implements RefHolder {
  #states = new Uint8Array(initialCapacity);
  #ids = new Uint16Array(initialCapacity);
  #consumers: (Consumer | null)[] = Array.from<Consumer | null>({ length: initialCapacity }).fill(null);
  #refs = new Uint32Array(initialCapacity);
  #metas = new Uint32Array(initialCapacity);
  #bytes = new Uint32Array(initialCapacity);
  #sequences = new Float64Array(initialCapacity);
  #expiries = new Float64Array(initialCapacity);
  /** When it was sent first, among the others. */
  #orders = new Float64Array(initialCapacity);
  #mask = initialCapacity - 1;
  #lastOrder = 0;
  count = 0;

  /** Whether a delivery, or a message that is settled, has the id. */
  has(id: number): boolean {
    return this.#find(id) >= 0;
  }

  /** Keeps a delivery under an id that is free. */
  add(id: number, consumer: Consumer, entry: Entry, state: number): void {
    const at = this.#claim(id, state);
    this.#consumers[at] = consumer;
    this.#refs[at] = entry.ref;
    this.#metas[at] = entry.meta;
    this.#bytes[at] = entry.bytes;
    this.#sequences[at] = entry.sequence;
    this.#expiries[at] = entry.expiryMillis;
  }

  /** The first free id from this one on; 0 when all are taken. */
  freeFrom(id: number): number {
    if (this.count > idMax || (this.count === idMax && !this.has(parkedId))) return 0;
    let free = id;
    while (this.#find(free) >= 0) free = free === idMax ? 1 : free + 1;
    return free;
  }

  /** After a restart: of a message that the client had for good, and was not told so. */
  restore(id: number): void {
    if (!this.has(id)) this.#claim(id, waitsForPubcomp);
  }

  state(id: number): number {
    const at = this.#find(id);
    return at < 0 ? waitsForNothing : (this.#states[at] as number);
  }

  /** Null for what was there before a restart. */
  consumer(id: number): Consumer | null {
    return this.#consumers[this.#find(id)] ?? null;
  }

  /** Fills `into` with the delivery. */
  read(id: number, into: Entry): void {
    const at = this.#find(id);
    into.ref = this.#refs[at] as number;
    into.meta = this.#metas[at] as number;
    into.bytes = this.#bytes[at] as number;
    into.sequence = this.#sequences[at] as number;
    into.expiryMillis = this.#expiries[at] as number;
  }

  /** The delivery waits for something else from now on. */
  setState(id: number, state: number): void {
    this.#states[this.#find(id)] = state;
  }

  /** The message is settled; its id stays taken until PUBCOMP. */
  received(id: number): void {
    const at = this.#find(id);
    this.#states[at] = waitsForPubcomp;
    this.#refs[at] = 0;
  }

  /** The id is free again. */
  release(id: number): void {
    const mask = this.#mask;
    let hole = this.#find(id);
    // Those that would have stood here move up.
    for (let at = (hole + 1) & mask; this.#states[at] !== waitsForNothing; at = (at + 1) & mask) {
      const home = (this.#ids[at] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      this.#move(at, hole);
      hole = at;
    }
    this.#states[hole] = waitsForNothing;
    this.#consumers[hole] = null;
    this.#refs[hole] = 0;
    this.count--;
  }

  /** Another consumer of the same queue has the delivery now: that of the session's new connection. */
  adopt(id: number, consumer: Consumer): void {
    this.#consumers[this.#find(id)] = consumer;
  }

  /** Ids of all deliveries that were sent, in the order in which that was. */
  ids(): number[] {
    const places: number[] = [];
    for (let at = 0; at <= this.#mask; at++) if (this.#states[at] !== waitsForNothing && this.#states[at] !== waitsForId) places.push(at);
    return places.sort((a, b) => (this.#orders[a] as number) - (this.#orders[b] as number)).map(at => this.#ids[at] as number);
  }

  relocate(rename: Rename): void {
    for (let at = 0; at <= this.#mask; at++) {
      const consumer = this.#consumers[at] as Consumer | null;
      if (this.#refs[at] === 0 || consumer === null) continue;
      this.#refs[at] = rename(
        this.#refs[at] as number,
        consumer.queue,
        this.#metas[at] as number,
        this.#sequences[at] as number,
        this.#bytes[at] as number,
        this.#expiries[at] as number,
      );
    }
  }

  #find(id: number): number {
    const mask = this.#mask;
    for (let at = id & mask; this.#states[at] !== waitsForNothing; at = (at + 1) & mask) if (this.#ids[at] === id) return at;
    return -1;
  }

  #claim(id: number, state: number): number {
    if (this.count * 2 >= this.#mask) this.#grow();
    const mask = this.#mask;
    let at = id & mask;
    while (this.#states[at] !== waitsForNothing) at = (at + 1) & mask;
    this.#states[at] = state;
    this.#ids[at] = id;
    this.#orders[at] = ++this.#lastOrder;
    this.count++;
    return at;
  }

  #move(from: number, to: number): void {
    this.#states[to] = this.#states[from] as number;
    this.#ids[to] = this.#ids[from] as number;
    this.#consumers[to] = this.#consumers[from] as Consumer | null;
    this.#refs[to] = this.#refs[from] as number;
    this.#metas[to] = this.#metas[from] as number;
    this.#bytes[to] = this.#bytes[from] as number;
    this.#sequences[to] = this.#sequences[from] as number;
    this.#expiries[to] = this.#expiries[from] as number;
    this.#orders[to] = this.#orders[from] as number;
  }

  #grow(): void {
    const old = this.#mask + 1;
    const length = old * 2;
    const states = this.#states;
    const ids = this.#ids;
    const consumers = this.#consumers;
    const refs = this.#refs;
    const metas = this.#metas;
    const bytes = this.#bytes;
    const sequences = this.#sequences;
    const expiries = this.#expiries;
    const orders = this.#orders;
    this.#states = new Uint8Array(length);
    this.#ids = new Uint16Array(length);
    this.#consumers = Array.from<Consumer | null>({ length }).fill(null);
    this.#refs = new Uint32Array(length);
    this.#metas = new Uint32Array(length);
    this.#bytes = new Uint32Array(length);
    this.#sequences = new Float64Array(length);
    this.#expiries = new Float64Array(length);
    this.#orders = new Float64Array(length);
    this.#mask = length - 1;
    for (let from = 0; from < old; from++) {
      if (states[from] === waitsForNothing) continue;
      let at = (ids[from] as number) & this.#mask;
      while (this.#states[at] !== waitsForNothing) at = (at + 1) & this.#mask;
      this.#states[at] = states[from] as number;
      this.#ids[at] = ids[from] as number;
      this.#consumers[at] = consumers[from] as Consumer | null;
      this.#refs[at] = refs[from] as number;
      this.#metas[at] = metas[from] as number;
      this.#bytes[at] = bytes[from] as number;
      this.#sequences[at] = sequences[from] as number;
      this.#expiries[at] = expiries[from] as number;
      this.#orders[at] = orders[from] as number;
    }
  }
}
