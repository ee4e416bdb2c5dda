// hot path: see docs/STYLE.md
import { equalBytes } from '../../base/bytes.ts';
import type { BrokerError } from '../../core/broker-error.ts';
import type { Exchange } from '../../core/exchanges/exchange.ts';
import type { Route } from '../../core/exchanges/route.ts';

/** What was found out about a basic.publish, for the next one with the same arguments. Void when a generation has moved on. */
export class PublishMemo {
  /** The method's arguments as they came: ticket, exchange, routing key, bits. Exchange and key are the message's envelope. */
  readonly bytes: Buffer;
  readonly exchange: Exchange | null;
  readonly routingKey: string;
  /** Null when the route depends on more than the arguments. */
  route: Route | null;
  readonly isMandatory: boolean;
  /** A refusal that the message gets when its content is there. */
  readonly error: BrokerError | null;
  readonly vhostGeneration: number;
  readonly accessGeneration: number;

  constructor(
    bytes: Buffer,
    exchange: Exchange | null,
    routingKey: string,
    route: Route | null,
    isMandatory: boolean,
    error: BrokerError | null,
    vhostGeneration: number,
    accessGeneration: number,
  ) {
    this.bytes = bytes;
    this.exchange = exchange;
    this.routingKey = routingKey;
    this.route = route;
    this.isMandatory = isMandatory;
    this.error = error;
    this.vhostGeneration = vhostGeneration;
    this.accessGeneration = accessGeneration;
  }

  fits(buffer: Buffer, start: number, end: number, vhostGeneration: number, accessGeneration: number): boolean {
    const count = end - start;
    return (
      this.vhostGeneration === vhostGeneration &&
      this.accessGeneration === accessGeneration &&
      this.bytes.length === count &&
      equalBytes(this.bytes, 0, buffer, start, count)
    );
  }
}

const slotCount = 256;

/**
 * Remembered publishes of a channel: one at first, and as soon as arguments change from publish to publish a small table found by a hash of
 * their last bytes, so that a publisher with hundreds of routing keys is served without making a string.
 */
export class PublishMemos {
  #last: PublishMemo | null = null;
  #slots: (PublishMemo | null)[] | null = null;

  find(buffer: Buffer, start: number, end: number, vhostGeneration: number, accessGeneration: number): PublishMemo | null {
    const last = this.#last;
    if (last !== null && last.fits(buffer, start, end, vhostGeneration, accessGeneration)) return last;
    if (this.#slots === null) return null;
    const memo = this.#slots[slotOf(buffer, start, end)] as PublishMemo | null;
    if (memo === null || !memo.fits(buffer, start, end, vhostGeneration, accessGeneration)) return null;
    this.#last = memo;
    return memo;
  }

  add(memo: PublishMemo): void {
    if (this.#last !== null) {
      this.#slots ??= new Array<PublishMemo | null>(slotCount).fill(null);
      this.#slots[slotOf(memo.bytes, 0, memo.bytes.length)] = memo;
    }
    this.#last = memo;
  }
}

function slotOf(buffer: Buffer, start: number, end: number): number {
  let hash = end - start;
  const from = Math.max(start, end - 9);
  for (let i = from; i < end - 1; i++) hash = (Math.imul(hash, 31) + (buffer[i] as number)) | 0;
  return (hash ^ (hash >>> 8)) & (slotCount - 1);
}
