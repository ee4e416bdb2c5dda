import { encodeContentHeaderFrame } from '../../wire/amqp091/content-header.ts';
import * as methods from '../../wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../wire/amqp091/properties.ts';
import type { PerfConnection, PerfListener } from './connection.ts';
import { nowMicros, type Tally } from './figures.ts';
import type { PerfOptions } from './options.ts';

/** A batch is written when it has so many bytes, and the others get their turn. */
const batchBytes = 64 * 1024;
/** With a rate, messages that are due are sent so often. */
const tickMillis = 5;

/** Publishes over one channel as fast as it may: by rate, by confirms outstanding, by what the socket takes. */
export class Producer {
  readonly connection: PerfConnection;
  readonly #channel: number;
  readonly #options: PerfOptions;
  readonly #tally: Tally;
  readonly #done: () => void;
  /** A whole message's frames for each routing key; where its body begins. */
  readonly #templates: readonly { readonly bytes: Buffer; readonly bodyAt: number }[];
  /** Of the last `confirm` messages, by delivery tag: when they were sent; 0 once confirmed. */
  readonly #sentAt: Float64Array;
  #nextTag = 1;
  #lowestTag = 1;
  #outstanding = 0;
  #isScheduled = false;
  #isStopped = false;
  #isDone = false;
  #startedMillis = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    connection: PerfConnection,
    channel: number,
    exchange: string,
    keys: readonly string[],
    options: PerfOptions,
    tally: Tally,
    done: () => void,
  ) {
    this.connection = connection;
    this.#channel = channel;
    this.#options = options;
    this.#tally = tally;
    this.#done = done;
    this.#sentAt = new Float64Array(Math.max(1, options.confirm));
    this.#templates = keys.map(routingKey => this.#template(exchange, routingKey));
  }

  /** What comes on its channel: confirms, returned messages. */
  readonly listener: Pick<PerfListener, 'onMethod'> = {
    onMethod: (_channel, number, buffer, start) => {
      if (number === methods.BasicAck || number === methods.BasicNack) {
        const tag = buffer.readUInt32BE(start) * 0x1_0000_0000 + buffer.readUInt32BE(start + 4);
        this.#settled(tag, ((buffer[start + 8] as number) & 1) === 1, number === methods.BasicAck);
      } else if (number === methods.BasicReturn) {
        this.#tally.returned();
      }
    },
  };

  start(): void {
    this.#startedMillis = performance.now();
    this.connection.socket.on('drain', () => this.#schedule());
    if (this.#options.rate > 0) this.#timer = setInterval(() => this.#schedule(), tickMillis);
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** The socket, or the confirms, may let more go. */
  wake(): void {
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#publish();
    });
  }

  #publish(): void {
    const { confirm, rate, producerMessages } = this.#options;
    const { socket, isBlocked } = this.connection;
    if (this.#isStopped || isBlocked || socket.writableNeedDrain || socket.destroyed) return;
    const sent = this.#nextTag - 1;
    let allowed = Infinity;
    if (confirm > 0) allowed = confirm - this.#outstanding;
    if (rate > 0) allowed = Math.min(allowed, Math.floor(((performance.now() - this.#startedMillis) / 1000) * rate) - sent);
    if (producerMessages > 0) allowed = Math.min(allowed, producerMessages - sent);
    const largest = Math.max(...this.#templates.map(({ bytes }) => bytes.length));
    const count = Math.min(allowed, Math.max(1, Math.floor(batchBytes / largest)));
    if (count > 0) {
      const now = nowMicros();
      const parts: Buffer[] = [];
      const batch = Buffer.allocUnsafe(count * largest);
      let at = 0;
      for (let index = 0; index < count; index++) at = this.#write(batch, at, now);
      parts.push(batch.subarray(0, at));
      for (const part of parts) socket.write(part);
      this.#tally.sent(count);
    }
    if (producerMessages > 0 && this.#nextTag > producerMessages) {
      this.#finishIfSettled();
      return;
    }
    // More may go at once unless something has to come first that wakes us.
    if (rate === 0 && !socket.writableNeedDrain && (confirm === 0 || this.#outstanding < confirm)) this.#schedule();
  }

  #write(batch: Buffer, at: number, now: number): number {
    const { bytes, bodyAt } = this.#templates[this.#nextTag % this.#templates.length] as { bytes: Buffer; bodyAt: number };
    bytes.copy(batch, at);
    batch.writeUInt32BE(this.#nextTag >>> 0, at + bodyAt);
    batch.writeUInt32BE(Math.floor(now / 0x1_0000_0000), at + bodyAt + 4);
    batch.writeUInt32BE(now % 0x1_0000_0000, at + bodyAt + 8);
    if (this.#options.confirm > 0) {
      this.#sentAt[this.#nextTag % this.#sentAt.length] = now;
      this.#outstanding++;
    }
    this.#nextTag++;
    return at + bytes.length;
  }

  #settled(tag: number, isMultiple: boolean, isAcked: boolean): void {
    const now = nowMicros();
    for (let one = isMultiple ? this.#lowestTag : tag; one <= tag; one++) {
      const slot = one % this.#sentAt.length;
      const sentAt = this.#sentAt[slot] as number;
      if (sentAt === 0) continue;
      this.#sentAt[slot] = 0;
      this.#outstanding--;
      if (isAcked) this.#tally.confirmed(now - sentAt);
      else this.#tally.nacked();
    }
    while (this.#lowestTag < this.#nextTag && this.#sentAt[this.#lowestTag % this.#sentAt.length] === 0) this.#lowestTag++;
    if (this.#options.producerMessages > 0 && this.#nextTag > this.#options.producerMessages) this.#finishIfSettled();
    else this.#schedule();
  }

  #finishIfSettled(): void {
    if (this.#isDone || this.#outstanding > 0) return;
    this.#isDone = true;
    this.stop();
    this.#done();
  }

  #template(exchange: string, routingKey: string): { bytes: Buffer; bodyAt: number } {
    const { sizeBytes, isPersistent, isMandatory } = this.#options;
    const channel = this.#channel;
    const head = Buffer.concat([
      methods.encodeBasicPublish(channel, { exchange, routingKey, mandatory: isMandatory, immediate: false }),
      encodeContentHeaderFrame(channel, sizeBytes, encodeProperties({ deliveryMode: isPersistent ? 2 : 1 })),
    ]);
    const frames: Buffer[] = [];
    const largest = this.connection.frameBytesMax - 8;
    for (let at = 0; at < sizeBytes; at += largest) {
      const count = Math.min(largest, sizeBytes - at);
      const frame = Buffer.alloc(count + 8);
      frame[0] = 3;
      frame.writeUInt16BE(channel, 1);
      frame.writeUInt32BE(count, 3);
      frame[count + 7] = 0xce;
      frames.push(frame);
    }
    return { bytes: Buffer.concat([head, ...frames]), bodyAt: head.length + 7 };
  }
}
