import { randomInt, randomUUID } from 'node:crypto';
import * as methods from '../../wire/amqp091/methods.gen.ts';
import type { PerfConnection, PerfListener } from './connection.ts';
import { nowMicros, type Tally } from './figures.ts';
import type { PerfOptions } from './options.ts';
import { Schedule } from './schedule.ts';
import { messageTemplate, randomKeyBytes, type Template } from './template.ts';

/** A batch is written when it has so many bytes, and the others get their turn. */
const batchBytes = 64 * 1024;
/** With a rate, messages that are due are sent so often. */
const tickMillis = 5;

/** Where messages go, and what they are. */
export interface Outlet {
  readonly exchange: string;
  readonly keys: readonly string[];
  /** Bodies from files; none: made ones. */
  readonly bodies: readonly Buffer[];
}

/** Publishes over one channel as fast as it may: by rate, by confirms outstanding, by what the socket takes. */
export class Producer {
  readonly connection: PerfConnection;
  readonly #channel: number;
  readonly #options: PerfOptions;
  readonly #tally: Tally;
  readonly #done: () => void;
  readonly #outlet: Outlet;
  readonly #rate: Schedule | null;
  /** A whole message's frames for each routing key and body, of this size. */
  #templates: readonly Template[] = [];
  #templateBytesMax = 0;
  #sizeBytes = -1;
  readonly #randomKeys: readonly string[];
  /** Of the last `confirm` messages, by delivery tag: when they were sent; 0 once confirmed. */
  readonly #sentAt: Float64Array;
  #nextTag = 1;
  #lowestTag = 1;
  #outstanding = 0;
  #isScheduled = false;
  #isStopped = false;
  #isDone = false;
  #startedMillis = 0;
  /** When something was last published or settled. */
  #progressMillis = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Published and not committed yet. */
  #uncommitted = 0;
  #isCommitting = false;

  constructor(connection: PerfConnection, channel: number, outlet: Outlet, options: PerfOptions, tally: Tally, done: () => void) {
    this.connection = connection;
    this.#channel = channel;
    this.#options = options;
    this.#tally = tally;
    this.#done = done;
    this.#sentAt = new Float64Array(Math.max(1, options.confirm));
    this.#outlet = outlet;
    const { variableRate, publishingIntervalSeconds: interval, rate, isRandomKey, randomKeys } = options;
    this.#rate = interval > 0 ? Schedule.constant(1 / interval) : (variableRate ?? (rate > 0 ? Schedule.constant(rate) : null));
    this.#randomKeys = isRandomKey ? Array.from({ length: randomKeys }, () => randomUUID()) : [];
  }

  /** What comes on its channel: confirms, returned messages. */
  readonly listener: Pick<PerfListener, 'onMethod'> = {
    onMethod: (_channel, number, buffer, start) => {
      if (number === methods.BasicAck || number === methods.BasicNack) {
        const tag = buffer.readUInt32BE(start) * 0x1_0000_0000 + buffer.readUInt32BE(start + 4);
        this.#settled(tag, ((buffer[start + 8] as number) & 1) === 1, number === methods.BasicAck);
      } else if (number === methods.BasicReturn) {
        this.#tally.returned();
      } else if (number === methods.TxCommitOk) {
        this.#isCommitting = false;
        if (this.#isAllSent) this.#finishIfSettled();
        else this.#schedule();
      }
    },
  };

  /** How long confirms have been waited for that have to come first; 0 when nothing waits, or the broker blocks. */
  get waitedMillis(): number {
    const isWaiting = this.#outstanding > 0 && (this.#outstanding >= this.#options.confirm || this.#isAllSent);
    return isWaiting && !this.connection.isBlocked && !this.#isStopped ? performance.now() - this.#progressMillis : 0;
  }

  get #isAllSent(): boolean {
    return this.#options.producerMessages > 0 && this.#nextTag > this.#options.producerMessages;
  }

  /** Begins, after a random delay if there is one. */
  start(): void {
    const { producerDelaySeconds } = this.#options;
    if (producerDelaySeconds > 0) this.#timer = setTimeout(() => this.#begin(), Math.random() * producerDelaySeconds * 1000);
    else this.#begin();
  }

  #begin(): void {
    this.#startedMillis = performance.now();
    this.connection.socket.on('drain', () => this.#schedule());
    if (this.#rate !== null) this.#timer = setInterval(() => this.#schedule(), tickMillis);
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** The socket, or the confirms, may let more go. */
  wake(): void {
    this.#progressMillis = performance.now();
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
    const { socket, isBlocked } = this.connection;
    if (this.#isStopped || this.#isCommitting || isBlocked || socket.writableNeedDrain || socket.destroyed) return;
    const nowMillis = performance.now();
    const elapsedSeconds = (nowMillis - this.#startedMillis) / 1000;
    this.#prepare(elapsedSeconds);
    const count = Math.min(this.#allowed(elapsedSeconds), Math.max(1, Math.floor(batchBytes / this.#templateBytesMax)));
    if (count > 0) {
      this.#progressMillis = nowMillis;
      const now = nowMicros();
      const batch = Buffer.allocUnsafe(count * this.#templateBytesMax);
      let at = 0;
      for (let index = 0; index < count; index++) at = this.#write(batch, at, now);
      socket.write(batch.subarray(0, at));
      this.#tally.sent(count);
      this.#commitIfDue(count);
    }
    if (this.#isAllSent) {
      this.#finishIfSettled();
      return;
    }
    // More may go at once unless something has to come first that wakes us.
    const { confirm } = this.#options;
    const isHeld = this.#rate !== null || this.#isCommitting || socket.writableNeedDrain;
    if (!isHeld && (confirm === 0 || this.#outstanding < confirm)) this.#schedule();
  }

  /** How many messages may go now. */
  #allowed(elapsedSeconds: number): number {
    const { confirm, producerMessages, producerTransaction, publishingIntervalSeconds } = this.#options;
    const sent = this.#nextTag - 1;
    let allowed = Infinity;
    if (confirm > 0) allowed = confirm - this.#outstanding;
    // At an interval the first message goes at once.
    if (this.#rate !== null)
      allowed = Math.min(allowed, Math.floor(this.#rate.total(elapsedSeconds)) + (publishingIntervalSeconds > 0 ? 1 : 0) - sent);
    if (producerMessages > 0) allowed = Math.min(allowed, producerMessages - sent);
    if (producerTransaction > 0) allowed = Math.min(allowed, producerTransaction - this.#uncommitted);
    return allowed;
  }

  #commitIfDue(count: number): void {
    const { producerTransaction } = this.#options;
    if (producerTransaction === 0) return;
    this.#uncommitted += count;
    if (this.#uncommitted < producerTransaction && !this.#isAllSent) return;
    this.#uncommitted = 0;
    this.#isCommitting = true;
    this.connection.socket.write(methods.encodeTxCommit(this.#channel));
  }

  #write(batch: Buffer, at: number, now: number): number {
    const { bytes, keyAt, stampAt, sequenceAt } = this.#templates[this.#nextTag % this.#templates.length] as Template;
    bytes.copy(batch, at);
    if (sequenceAt >= 0) batch.writeUInt32BE(this.#nextTag >>> 0, at + sequenceAt);
    batch.writeUInt32BE(Math.floor(now / 0x1_0000_0000), at + stampAt);
    batch.writeUInt32BE(now % 0x1_0000_0000, at + stampAt + 4);
    if (this.#options.isRandomKey) {
      const keys = this.#randomKeys;
      batch.write(keys.length > 0 ? (keys[randomInt(keys.length)] as string) : randomUUID(), at + keyAt, 'latin1');
    }
    if (this.#options.confirm > 0) {
      this.#sentAt[this.#nextTag % this.#sentAt.length] = now;
      this.#outstanding++;
    }
    this.#nextTag++;
    return at + bytes.length;
  }

  /** Has templates of the size that messages have now. */
  #prepare(elapsedSeconds: number): void {
    const { sizeBytes, variableSize, isRandomKey } = this.#options;
    const size = Math.max(12, variableSize?.at(elapsedSeconds) ?? sizeBytes);
    if (size === this.#sizeBytes) return;
    this.#sizeBytes = size;
    const { exchange, keys, bodies } = this.#outlet;
    const common = { channel: this.#channel, exchange, frameBytesMax: this.connection.frameBytesMax, options: this.#options };
    const templates: Template[] = [];
    for (const routingKey of isRandomKey ? ['?'.repeat(randomKeyBytes)] : keys) {
      if (bodies.length === 0) templates.push(messageTemplate({ ...common, routingKey, body: null, sizeBytes: size }));
      for (const body of bodies) templates.push(messageTemplate({ ...common, routingKey, body, sizeBytes: body.length }));
    }
    this.#templates = templates;
    this.#templateBytesMax = Math.max(...templates.map(({ bytes }) => bytes.length));
  }

  #settled(tag: number, isMultiple: boolean, isAcked: boolean): void {
    const now = nowMicros();
    this.#progressMillis = performance.now();
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
    if (this.#isAllSent) this.#finishIfSettled();
    else this.#schedule();
  }

  #finishIfSettled(): void {
    if (this.#isDone || this.#outstanding > 0 || this.#isCommitting) return;
    this.#isDone = true;
    this.stop();
    this.#done();
  }
}
