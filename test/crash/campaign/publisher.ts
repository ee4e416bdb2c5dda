import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { FastClient } from '../../support/fast-client.ts';
import type { Random } from '../../support/random.ts';
import { bodyBytesOf, makeBody, writeBody } from './body.ts';
import type { Ledger } from './ledger.ts';
import type { Route } from './topology.ts';

const frameOverhead = 8;
/** Of a content header before the properties: class, weight, bytes of the body. */
const headerBytes = 12;

/** A channel in confirm mode, and what it has under way. */
export class Publisher {
  readonly client: FastClient;
  readonly channel: number;
  /** Names the channel to the ledger: order is kept within it. */
  readonly id: number;
  readonly #ledger: Ledger;
  /** Bytes that no body exceeds. */
  readonly #bodyBytesMax: number;
  readonly #methods = new Map<Route, Buffer>();
  /** First copies and routes of what was sent, by delivery tag. */
  readonly #firsts: number[] = [0];
  readonly #routes: (Route | null)[] = [null];
  #lowest = 1;
  outstanding = 0;
  /** Called after confirms. */
  onConfirmed: (deliveryTag: number) => void = () => {};

  constructor(client: FastClient, channel: number, id: number, ledger: Ledger, bodyBytesMax = Infinity) {
    this.#bodyBytesMax = bodyBytesMax;
    this.client = client;
    this.channel = channel;
    this.id = id;
    this.#ledger = ledger;
  }

  /** Delivery tag of the last message sent. */
  get lastTag(): number {
    return this.#firsts.length - 1;
  }

  /** Sends messages in one write; each is known to the ledger before. Returns their first copies. */
  publish(list: readonly Route[], random: Random): number[] {
    const sizes = list.map(() => Math.min(bodyBytesOf(random), this.#bodyBytesMax));
    let total = 0;
    for (let i = 0; i < list.length; i++) {
      const bytes = sizes[i] as number;
      const frames = Math.ceil(bytes / (this.client.frameMax - frameOverhead));
      const route = list[i] as Route;
      total += this.#method(route).length + headerBytes + route.properties.length + bytes + (frames + 1) * frameOverhead;
    }
    const buffer = Buffer.allocUnsafe(total);
    const copies: number[] = [];
    let at = 0;
    for (let i = 0; i < list.length; i++) {
      const route = list[i] as Route;
      const copy = this.#ledger.published(route, this.id);
      copies.push(copy);
      this.#firsts.push(copy);
      this.#routes.push(route);
      at = this.#write(buffer, at, route, copy, sizes[i] as number);
    }
    this.outstanding += list.length;
    this.client.write(buffer);
    return copies;
  }

  confirmed(deliveryTag: number, multiple: boolean, isNack: boolean): void {
    if (deliveryTag > this.lastTag || deliveryTag < 1) {
      this.#ledger.violation('confirms', `delivery tag ${deliveryTag} was confirmed and never sent`);
      return;
    }
    for (let tag = multiple ? this.#lowest : deliveryTag; tag <= deliveryTag; tag++) {
      const route = this.#routes[tag] as Route | null;
      if (route === null) {
        if (!multiple) this.#ledger.violation('confirms', `delivery tag ${tag} was confirmed twice`);
        continue;
      }
      this.#routes[tag] = null;
      this.outstanding--;
      if (!isNack) this.#ledger.confirmed(route, this.#firsts[tag] as number);
    }
    while (this.#lowest <= this.lastTag && this.#routes[this.#lowest] === null) this.#lowest++;
    this.onConfirmed(deliveryTag);
  }

  #write(buffer: Buffer, start: number, route: Route, copy: number, bytes: number): number {
    let at = start;
    at += this.#method(route).copy(buffer, at);
    const { properties } = route;
    buffer[at] = 2;
    buffer.writeUInt16BE(this.channel, at + 1);
    buffer.writeUInt32BE(headerBytes + properties.length, at + 3);
    buffer.writeUInt32BE(60 << 16, at + 7);
    buffer.writeUInt32BE(0, at + 11);
    buffer.writeUInt32BE(bytes, at + 15);
    at += 7 + headerBytes;
    at += properties.copy(buffer, at);
    buffer[at++] = 0xce;
    const pieceMax = this.client.frameMax - frameOverhead;
    if (bytes <= pieceMax) {
      writeBody(buffer, at + 7, copy, bytes);
      return this.#frame(buffer, at, bytes);
    }
    const body = makeBody(copy, bytes);
    for (let from = 0; from < bytes; from += pieceMax) {
      const count = body.copy(buffer, at + 7, from, Math.min(bytes, from + pieceMax));
      at = this.#frame(buffer, at, count);
    }
    return at;
  }

  #frame(buffer: Buffer, at: number, bytes: number): number {
    buffer[at] = 3;
    buffer.writeUInt16BE(this.channel, at + 1);
    buffer.writeUInt32BE(bytes, at + 3);
    buffer[at + 7 + bytes] = 0xce;
    return at + bytes + frameOverhead;
  }

  #method(route: Route): Buffer {
    let frame = this.#methods.get(route);
    if (frame === undefined) {
      const { exchange, routingKey } = route;
      frame = methods.encodeBasicPublish(this.channel, { exchange, routingKey, mandatory: false, immediate: false });
      this.#methods.set(route, frame);
    }
    return frame;
  }
}
