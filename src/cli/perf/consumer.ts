import * as methods from '../../wire/amqp091/methods.gen.ts';
import type { PerfConnection, PerfListener } from './connection.ts';
import { nowMicros, type Tally } from './figures.ts';
import type { PerfOptions } from './options.ts';
import { stampHeader } from './template.ts';

const ackBytes = 21;
const ackBatch = 512;

/** Takes deliveries of one channel and acknowledges them as it is told. */
export class Consumer implements PerfListener {
  readonly connection: PerfConnection;
  readonly channel: number;
  readonly #options: PerfOptions;
  readonly #tally: Tally;
  readonly #done: () => void;
  readonly #acks = Buffer.allocUnsafe(ackBytes * ackBatch);
  #ackCount = 0;
  /** Of the delivery whose content comes. */
  #tagHigh = 0;
  #tagLow = 0;
  #bodyLeft = 0;
  readonly #stamp = Buffer.alloc(12);
  #stamped = 0;
  #received = 0;
  #unacked = 0;
  /** Settled and not committed yet. */
  #uncommitted = 0;
  #isDone = false;
  #startedMillis = performance.now();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Empty: messages are sent without being asked for. */
  #polled: readonly string[] = [];
  #nextPolled = 0;
  #pollTimer: NodeJS.Timeout | null = null;

  constructor(connection: PerfConnection, channel: number, options: PerfOptions, tally: Tally, done: () => void) {
    this.connection = connection;
    this.channel = channel;
    this.#options = options;
    this.#tally = tally;
    this.#done = done;
  }

  /** It takes messages from now on. */
  begin(): void {
    this.#startedMillis = performance.now();
  }

  /** Asks for messages one by one, of these queues in turn, in place of having them sent. */
  poll(queues: readonly string[]): void {
    this.begin();
    this.#polled = queues;
    this.#ask();
  }

  onMethod(_channel: number, number: number, buffer: Buffer, start: number): void {
    if (number === methods.BasicGetEmpty) this.#askAgain();
    if (number !== methods.BasicDeliver && number !== methods.BasicGetOk) return;
    const tagAt = number === methods.BasicGetOk ? start : start + 1 + (buffer[start] as number);
    this.#tagHigh = buffer.readUInt32BE(tagAt);
    this.#tagLow = buffer.readUInt32BE(tagAt + 4);
  }

  onHeader(_channel: number, buffer: Buffer, start: number, end: number): void {
    this.#bodyLeft = buffer.readUInt32BE(start + 4) * 0x1_0000_0000 + buffer.readUInt32BE(start + 8);
    this.#stamped = 0;
    if (this.#options.bodyFiles.length > 0) this.#stampFromHeader(buffer.subarray(start, end));
    if (this.#bodyLeft === 0) this.#onMessage();
  }

  /** Bodies from files have their time in a header. */
  #stampFromHeader(header: Buffer): void {
    const at = header.indexOf(stampHeader);
    if (at < 0) this.#stamp.fill(0);
    else header.copy(this.#stamp, 4, at + stampHeader.length, at + stampHeader.length + 8);
    this.#stamped = 12;
  }

  onBody(_channel: number, buffer: Buffer, start: number, end: number): void {
    if (this.#stamped < 12) {
      const count = Math.min(12 - this.#stamped, end - start);
      buffer.copy(this.#stamp, this.#stamped, start, start + count);
      this.#stamped += count;
    }
    this.#bodyLeft -= end - start;
    if (this.#bodyLeft <= 0) this.#onMessage();
  }

  onBatch(): void {
    this.#sendAcks();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (this.#pollTimer !== null) clearTimeout(this.#pollTimer);
    this.#isDone = true;
  }

  #ask(): void {
    const queue = this.#polled[this.#nextPolled++ % this.#polled.length];
    const { socket } = this.connection;
    if (queue === undefined || this.#isDone || socket.destroyed) return;
    this.#sendAcks();
    socket.write(methods.encodeBasicGet(this.channel, { queue, noAck: this.#options.isAutoAck }));
  }

  #askAgain(): void {
    const { pollingMillis } = this.#options;
    if (this.#polled.length === 0 || this.#isDone) return;
    if (pollingMillis === 0) this.#ask();
    else this.#pollTimer = setTimeout(() => this.#ask(), pollingMillis);
  }

  #onMessage(): void {
    const { isAutoAck, multiAckEvery, consumerMessages, consumerRate } = this.#options;
    const sentMicros = this.#stamped < 12 ? -1 : this.#stamp.readUInt32BE(4) * 0x1_0000_0000 + this.#stamp.readUInt32BE(8);
    // What was prefetched beyond its share goes back with the connection, for others.
    if (this.#isDone) return;
    this.#received++;
    this.#tally.received(sentMicros < 0 ? -1 : nowMicros() - sentMicros);
    if (!isAutoAck) {
      this.#unacked++;
      const isDue = multiAckEvery === 0 || this.#unacked >= multiAckEvery || this.#received === consumerMessages;
      if (isDue) {
        const count = this.#unacked;
        this.#unacked = 0;
        const wait = this.#latencyMillis() + rateDelay(consumerRate, this.#received, this.#startedMillis);
        if (wait >= 1) this.#ackLater(this.#tagHigh, this.#tagLow, count, wait);
        else this.#ack(this.#tagHigh, this.#tagLow, count);
      }
    }
    if (consumerMessages > 0 && this.#received >= consumerMessages) {
      this.#isDone = true;
      this.#finishIfSettled();
    }
    this.#askAgain();
  }

  #finishIfSettled(): void {
    if (!this.#isDone || this.#timers.size > 0) return;
    this.#sendAcks();
    if (this.#uncommitted > 0) this.#commit();
    this.#done();
  }

  #latencyMillis(): number {
    const { consumerLatencyMicros, variableLatency } = this.#options;
    return (variableLatency?.at((performance.now() - this.#startedMillis) / 1000) ?? consumerLatencyMicros) / 1000;
  }

  #ackLater(high: number, low: number, count: number, millis: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#ack(high, low, count);
      this.#sendAcks();
      this.#finishIfSettled();
    }, millis);
    this.#timers.add(timer);
  }

  /** Settles `count` messages up to this one. */
  #ack(high: number, low: number, count: number): void {
    const { isNack, isRequeue, consumerTransaction } = this.#options;
    if (this.#ackCount === ackBatch) this.#sendAcks();
    const at = this.#ackCount * ackBytes;
    const acks = this.#acks;
    acks[at] = 1;
    acks.writeUInt16BE(this.channel, at + 1);
    acks.writeUInt32BE(13, at + 3);
    acks.writeUInt32BE(isNack ? methods.BasicNack : methods.BasicAck, at + 7);
    acks.writeUInt32BE(high, at + 11);
    acks.writeUInt32BE(low, at + 15);
    acks[at + 19] = (count > 1 ? 1 : 0) | (isNack && isRequeue ? 2 : 0);
    acks[at + 20] = 0xce;
    this.#ackCount++;
    if (consumerTransaction === 0) return;
    this.#uncommitted += count;
    if (this.#uncommitted >= consumerTransaction) this.#commit();
  }

  #commit(): void {
    this.#sendAcks();
    this.#uncommitted = 0;
    const { socket } = this.connection;
    if (!socket.destroyed) socket.write(methods.encodeTxCommit(this.channel));
  }

  #sendAcks(): void {
    if (this.#ackCount === 0) return;
    const { socket } = this.connection;
    if (!socket.destroyed) socket.write(Buffer.from(this.#acks.subarray(0, this.#ackCount * ackBytes)));
    this.#ackCount = 0;
  }
}

/** How long a consumer with a rate waits before it is due to take the next message. */
function rateDelay(rate: number, received: number, startedMillis: number): number {
  return rate === 0 ? 0 : Math.max(0, startedMillis + (received / rate) * 1000 - performance.now());
}
