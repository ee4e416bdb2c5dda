// hot path: see docs/STYLE.md
import type { ConfirmWaiter } from '../../core/confirm-ledger.ts';
import { packetTypes, reasons } from '../../wire/mqtt/constants.ts';
import { MqttError } from '../../wire/mqtt/mqtt-error.ts';
import type { Connection } from './connection.ts';

const initialCapacity = 64;
/** Twice as many as there are packet ids. */
const pendingMax = 131_072;

/** First bytes of what is sent after a commit. */
export const pubackByte: number = packetTypes.puback << 4;
export const pubrecByte: number = packetTypes.pubrec << 4;
export const pubrelByte: number = (packetTypes.pubrel << 4) | 2;
/** A delivery of QoS 2, whose packet the session writes. */
export const publishByte: number = (packetTypes.publish << 4) | 4;
export const pubcompByte: number = packetTypes.pubcomp << 4;

/**
 * Acknowledgements that wait for a commit: PUBACK and PUBREC for what the client published, PUBCOMP for what it released, PUBREL for what it received for good. A ring in
 * the order in which they were asked for, which is the order they are sent in. (architecture, D4)
 */
export class PendingAcks implements ConfirmWaiter {
  isExpected = false;
  readonly #connection: Connection;
  #ids = new Uint16Array(initialCapacity);
  #firsts = new Uint8Array(initialCapacity);
  #reasons = new Uint8Array(initialCapacity);
  /** Counted since the beginning. */
  #head = 0;
  #tail = 0;
  /** PUBACKs among them. */
  pubackCount = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get count(): number {
    return this.#tail - this.#head;
  }

  /** @throws MqttError when the client asks for the same again and again while a commit takes long */
  push(id: number, first: number, reason: number): void {
    // Deliveries are no more than there are packet ids, and not the client's doing.
    if (this.#tail - this.#head >= pendingMax && first >> 4 !== packetTypes.publish)
      throw new MqttError(reasons.receiveMaximumExceeded, `more than ${pendingMax} acknowledgements wait`);
    if (this.#tail - this.#head === this.#ids.length) this.#grow();
    const index = this.#tail++ & (this.#ids.length - 1);
    this.#ids[index] = id;
    this.#firsts[index] = first;
    this.#reasons[index] = reason;
    if (first === pubackByte) this.pubackCount++;
    if (!this.isExpected) this.#connection.broker.ledger.expect(this);
  }

  takeMark(): number {
    return this.#tail;
  }

  confirmed(mark: number): void {
    const connection = this.#connection;
    if (!connection.isOpen) {
      this.#head = Math.max(this.#head, mark);
      return;
    }
    const { outbox } = connection;
    const mask = this.#ids.length - 1;
    let confirmed = 0;
    for (; this.#head < mark; this.#head++) {
      const index = this.#head & mask;
      const first = this.#firsts[index] as number;
      if (first === pubackByte || first === pubrecByte) confirmed++;
      if (first === pubackByte) this.pubackCount--;
      if (first >> 4 === packetTypes.publish) {
        connection.session.deliveries.sendDurable(this.#ids[index] as number, first & 15);
        continue;
      }
      const reason = connection.isVersion5 ? (this.#reasons[index] as number) : 0;
      outbox.reserve(5);
      const { buffer } = outbox;
      const at = outbox.position;
      const id = this.#ids[index] as number;
      buffer[at] = first;
      buffer[at + 1] = reason === 0 ? 2 : 3;
      buffer[at + 2] = id >> 8;
      buffer[at + 3] = id;
      buffer[at + 4] = reason;
      outbox.position = at + (reason === 0 ? 4 : 5);
    }
    connection.session.counters.confirmed += confirmed;
    connection.traffic.confirmed += confirmed;
    connection.vhost.counters.confirmed += confirmed;
    connection.wrote();
  }

  #grow(): void {
    const length = this.#ids.length * 2;
    const ids = new Uint16Array(length);
    const firsts = new Uint8Array(length);
    const reasons = new Uint8Array(length);
    for (let at = this.#head; at < this.#tail; at++) {
      const from = at & (this.#ids.length - 1);
      const to = at & (length - 1);
      ids[to] = this.#ids[from] as number;
      firsts[to] = this.#firsts[from] as number;
      reasons[to] = this.#reasons[from] as number;
    }
    this.#ids = ids;
    this.#firsts = firsts;
    this.#reasons = reasons;
  }
}
