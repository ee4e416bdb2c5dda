// hot path: see docs/STYLE.md
import { equalBytes } from '../../base/bytes.ts';
import type { BrokerError } from '../../core/broker-error.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import type { Route } from '../../core/exchanges/route.ts';

/** What was found out about a basic.publish, for the next one with the same arguments. Void when a generation has moved on. */
export class PublishMemo {
  /** The method's arguments as they came: ticket, exchange, routing key, bits. Exchange and key are the message's envelope. */
  readonly bytes: Buffer;
  /** How many of them there are. */
  byteCount = 0;
  exchange: Exchange | null = null;
  routingKey = '';
  /** Null when the route depends on more than the arguments. */
  route: Route | null = null;
  isMandatory = false;
  /** A refusal that the message gets when its content is there. */
  error: BrokerError | null = null;
  vhostGeneration = -1;
  accessGeneration = -1;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  fits(buffer: Buffer, start: number, end: number, vhostGeneration: number, accessGeneration: number): boolean {
    const count = end - start;
    return (
      this.vhostGeneration === vhostGeneration &&
      this.accessGeneration === accessGeneration &&
      this.byteCount === count &&
      equalBytes(this.bytes, 0, buffer, start, count)
    );
  }

  /** Whether ticket and exchange are those of the memo. */
  hasExchangeOf(buffer: Buffer, start: number, end: number): boolean {
    if (start + 3 > end) return false;
    const count = 3 + (buffer[start + 2] as number);
    return start + count < end && count < this.byteCount && equalBytes(this.bytes, 0, buffer, start, count);
  }
}

/** Slots that a connection has from the start; more come from the budget. */
const slotsMin = 256;
const slotsMax = 16_384;
/** Of this many arguments that are not remembered in a full table, one takes another's place. */
const replacementRate = 8;

/** Slots that all connections together may have beyond their first. */
export class PublishMemoBudget {
  slots: number;

  constructor(slots: number) {
    this.slots = slots;
  }
}

/**
 * Remembered publishes of a connection, in a table found by a hash of their last bytes, so that a publisher with thousands of routing keys
 * is served without making a string. The table grows while too many arguments are not found in it.
 */
export class PublishMemos {
  readonly #budget: PublishMemoBudget;
  #slots: (PublishMemo | null)[] = [];
  /** Of the arguments in the slots. */
  #hashes = new Int32Array(0);
  #hits = 0;
  #misses = 0;
  #isFull = false;

  constructor(budget: PublishMemoBudget) {
    this.#budget = budget;
  }

  get slotCount(): number {
    return this.#slots.length;
  }

  find(buffer: Buffer, start: number, end: number, vhostGeneration: number, accessGeneration: number): PublishMemo | null {
    const slots = this.#slots;
    if (slots.length === 0) return null;
    const hash = hashOf(buffer, start, end);
    const first = hash & (slots.length - 1);
    // The hashes of all slots are close together in memory; a memo is looked at only when it is likely the one.
    const hashes = this.#hashes;
    for (let at = first, probe = 0; probe < 2; probe++, at ^= 1) {
      if (hashes[at] !== hash) continue;
      const memo = slots[at] as PublishMemo | null;
      if (memo === null || !memo.fits(buffer, start, end, vhostGeneration, accessGeneration)) continue;
      this.#hits++;
      return memo;
    }
    this.#misses++;
    return null;
  }

  /** Whether what was not found is worth a memo of its own: in a table that cannot grow any more newcomers have to be lucky. */
  isWorthKeeping(): boolean {
    if (this.#misses >= this.#slots.length) this.#review();
    return !this.#isFull || this.#misses % replacementRate === 0;
  }

  add(memo: PublishMemo): void {
    if (this.#slots.length === 0) this.#resize(slotsMin);
    this.#put(memo, hashOf(memo.bytes, 0, memo.byteCount));
  }

  /** Gives back what was taken from the budget. */
  close(): void {
    this.#budget.slots += Math.max(0, this.#slots.length - slotsMin);
    this.#slots = [];
    this.#hashes = new Int32Array(0);
  }

  #put(memo: PublishMemo, hash: number): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const first = hash & (slots.length - 1);
    if (slots[first] !== null) {
      slots[first ^ 1] = slots[first] as PublishMemo;
      hashes[first ^ 1] = hashes[first] as number;
    }
    slots[first] = memo;
    hashes[first] = hash;
  }

  /** As many were not found as there are slots: doubles the table when that was more than one in eight. */
  #review(): void {
    const isCrowded = this.#misses * 8 > this.#hits;
    this.#hits = 0;
    this.#misses = 0;
    const size = this.#slots.length;
    if (!isCrowded || size === 0) return;
    this.#isFull = size >= slotsMax || this.#budget.slots < size;
    if (this.#isFull) return;
    this.#budget.slots -= size;
    this.#resize(size * 2);
  }

  #resize(size: number): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    this.#slots = Array.from<PublishMemo | null>({ length: size }).fill(null);
    this.#hashes = new Int32Array(size);
    for (let i = 0; i < slots.length; i++) {
      const memo = slots[i] as PublishMemo | null;
      if (memo !== null) this.#put(memo, hashes[i] as number);
    }
  }
}

function hashOf(buffer: Buffer, start: number, end: number): number {
  let hash = end - start;
  // The last byte holds flags, the ones before it the end of the routing key: where keys differ.
  const from = Math.max(start, end - 13);
  for (let i = from; i < end - 1; i++) hash = (Math.imul(hash, 31) + (buffer[i] as number)) | 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
