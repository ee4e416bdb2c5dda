// hot path: see docs/STYLE.md
import { equalBytes } from '../base/bytes.ts';
import type { BrokerError } from './broker-error.ts';
import type { Exchange } from './exchanges/exchange.ts';
import type { Route } from './exchanges/route.ts';

/** What was found out about a publish, for the next one to the same address. Void when a generation has moved on. */
export class PublishMemo {
  /** The address as it came: in AMQP ticket, exchange, routing key and bits, of which exchange and key are the message's envelope; in MQTT the topic. */
  readonly bytes: Buffer;
  /** How many of them there are. */
  byteCount = 0;
  exchange: Exchange | null = null;
  routingKey = '';
  /** Null when the route depends on more than the arguments. */
  route: Route | null = null;
  isMandatory = false;
  /** The message's envelope where that is not part of `bytes`; null elsewhere. */
  envelope: Buffer | null = null;
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
    const first = slotOf(buffer, start, end) & (slots.length - 1);
    let memo = slots[first] as PublishMemo | null;
    if (memo === null || !memo.fits(buffer, start, end, vhostGeneration, accessGeneration)) {
      memo = slots[first ^ 1] as PublishMemo | null;
      if (memo === null || !memo.fits(buffer, start, end, vhostGeneration, accessGeneration)) {
        this.#misses++;
        return null;
      }
    }
    this.#hits++;
    return memo;
  }

  /** Whether what was not found is worth a memo of its own: in a table that cannot grow any more newcomers have to be lucky. */
  isWorthKeeping(): boolean {
    if (this.#misses >= this.#slots.length) this.#review();
    return !this.#isFull || this.#misses % replacementRate === 0;
  }

  add(memo: PublishMemo): void {
    if (this.#slots.length === 0) this.#slots = Array.from<PublishMemo | null>({ length: slotsMin }).fill(null);
    this.#put(this.#slots, memo);
  }

  /** Gives back what was taken from the budget. */
  close(): void {
    this.#budget.slots += Math.max(0, this.#slots.length - slotsMin);
    this.#slots = [];
  }

  #put(slots: (PublishMemo | null)[], memo: PublishMemo): void {
    const first = slotOf(memo.bytes, 0, memo.byteCount) & (slots.length - 1);
    if (slots[first] !== null) slots[first ^ 1] = slots[first] as PublishMemo;
    slots[first] = memo;
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
    const larger = Array.from<PublishMemo | null>({ length: size * 2 }).fill(null);
    for (let i = 0; i < size; i++) {
      const memo = this.#slots[i] as PublishMemo | null;
      if (memo !== null) this.#put(larger, memo);
    }
    this.#slots = larger;
  }
}

function slotOf(buffer: Buffer, start: number, end: number): number {
  let hash = end - start;
  // The last byte holds flags, the ones before it the end of the routing key: where keys differ.
  const from = Math.max(start, end - 13);
  for (let i = from; i < end - 1; i++) hash = (Math.imul(hash, 31) + (buffer[i] as number)) | 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
