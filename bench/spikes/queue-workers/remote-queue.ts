// The main thread's side: a queue type whose queues are elsewhere, the workers they are on, and the commit log that asks these.
import { Worker } from 'node:worker_threads';
import { copyBytes } from '../../../src/base/bytes.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import type { ShownMessage } from '../../../src/core/messages/message-store.ts';
import type { Publication } from '../../../src/core/messages/publication.ts';
import type { CommitLog } from '../../../src/core/ports/commit-log.ts';
import { Entry, metaPersistent } from '../../../src/core/queues/entry.ts';
import type { QueueContext } from '../../../src/core/queues/queue-context.ts';
import type { QueueType } from '../../../src/core/queues/queue-type.ts';
import { type Outcome, Queue, type QueueDeclaration } from '../../../src/core/queues/queue.ts';
import { classicQueueType } from '../../../src/core/queues/classic-queue-type.ts';
import {
  BatchWriter,
  messageHeadBytes,
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
  recordBytes,
  recordCommit,
  recordCredit,
  recordMessage,
  recordSettled,
} from './batch.ts';

/** How much a consumer without acknowledgements may have under way. */
const autoAckCredit = 4000;

class QueueWorker {
  readonly worker: Worker;
  readonly batch = new BatchWriter();
  onBatch: (batch: Buffer) => void = () => {};
  onUsage: (micros: number) => void = () => {};

  constructor(file: string | null) {
    this.worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { file } });
    this.worker.on('message', (message: { bytes: number; buffer: ArrayBuffer } | { usageMicros: number }) => {
      if ('usageMicros' in message) this.onUsage(message.usageMicros);
      else this.onBatch(Buffer.from(message.buffer, 0, message.bytes));
    });
    this.worker.on('error', error => {
      throw error;
    });
  }

  send(): void {
    if (this.batch.position === 0) return;
    const batch = this.batch.take();
    this.worker.postMessage({ bytes: batch.length, buffer: batch.buffer }, [batch.buffer as ArrayBuffer]);
  }
}

/** All workers of a broker, and its commit log: a commit is done when every worker has said so. */
export class QueueWorkers implements CommitLog {
  readonly workers: QueueWorker[];
  readonly queues: RemoteQueue[] = [];
  readonly isMetadataPending = false;
  readonly isBehind = false;
  isPending = false;
  #lastCommit = 0;
  readonly #open = new Map<number, { left: number; then: (argument: unknown) => void; argument: unknown }>();
  readonly #isDurable: boolean;
  /** A batch has come, outside any turn. */
  onArrival: () => void = () => {};

  constructor(count: number, directory: string | null) {
    this.#isDurable = directory !== null;
    this.workers = Array.from({ length: count }, (_, i) => new QueueWorker(directory === null ? null : `${directory}/worker-${i}`));
    for (const worker of this.workers) worker.onBatch = batch => this.#take(batch);
  }

  commit(then: ((argument: unknown) => void) | null, argument: unknown): void {
    if (then !== null && this.#isDurable && this.isPending) {
      const id = ++this.#lastCommit;
      this.#open.set(id, { left: this.workers.length, then, argument });
      for (const { batch } of this.workers) batch.record(recordCommit, 0, id);
    } else if (then !== null) {
      then(argument);
    }
    this.isPending = false;
    for (const worker of this.workers) worker.send();
  }

  onCaughtUp(callback: () => void): void {
    callback();
  }

  /** Processor time that each worker has used, in microseconds. */
  usage(): Promise<number[]> {
    return Promise.all(
      this.workers.map(
        worker =>
          new Promise<number>(resolve => {
            worker.onUsage = resolve;
            worker.worker.postMessage('usage');
          }),
      ),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(({ worker }) => worker.terminate()));
  }

  #take(batch: Buffer): void {
    this.onArrival();
    for (let at = 0; at < batch.length; ) {
      const index = readUint32(batch, at + 1);
      const number = readUint32(batch, at + 5);
      if (batch[at] === recordMessage) {
        (this.queues[index] as RemoteQueue).arrived(batch, at, number);
        at += messageHeadBytes + number;
      } else {
        this.#committed(number);
        at += recordBytes;
      }
    }
  }

  #committed(id: number): void {
    const commit = this.#open.get(id);
    if (commit === undefined) throw new Error(`commit ${id} is not open`);
    if (--commit.left > 0) return;
    this.#open.delete(id);
    commit.then(commit.argument);
  }
}

/** A queue with one consumer whose messages are on another thread. Its log is its own, as a stream's is. */
export class RemoteQueue extends Queue {
  override readonly hasOwnLog = true;
  readonly #workers: QueueWorkers;
  readonly #worker: QueueWorker;
  readonly #index: number;
  readonly #entry = new Entry();
  readonly #shown: { -readonly [K in keyof ShownMessage]: ShownMessage[K] } = {
    bytes: Buffer.alloc(0),
    envelopeStart: 0,
    envelopeBytes: 0,
    propertiesStart: 0,
    propertiesBytes: 0,
    bodyStart: 0,
    bodyBytes: 0,
    format: 0,
  };
  #consumer: Consumer | null = null;
  #sequence = 0;
  /** Credit not told to the worker yet. */
  #owed = 0;
  readyCount = 0;
  unackedCount = 0;
  readyBytes = 0;
  unackedBytes = 0;

  constructor(type: QueueType, vhostName: string, id: number, declaration: QueueDeclaration, context: QueueContext, workers: QueueWorkers) {
    super(type, vhostName, id, declaration, context);
    this.#workers = workers;
    this.#index = workers.queues.push(this) - 1;
    this.#worker = workers.workers[this.#index % workers.workers.length] as QueueWorker;
  }

  get consumerCount(): number {
    return this.#consumer === null ? 0 : 1;
  }

  get exclusiveConsumer(): Consumer | null {
    return null;
  }

  get isLogging(): boolean {
    return this.isDurable;
  }

  consumers(): Iterable<Consumer> {
    return this.#consumer === null ? [] : [this.#consumer];
  }

  admits(): boolean {
    return true;
  }

  enqueue(p: Publication): void {
    const { batch } = this.#worker;
    const bytes = p.envelopeBytes + p.propertiesBytes + p.bodyBytes;
    batch.reserve(messageHeadBytes + bytes);
    const { buffer, position } = batch;
    buffer[position] = recordMessage;
    writeUint32(buffer, position + 1, this.#index);
    writeUint32(buffer, position + 5, bytes);
    writeUint16(buffer, position + 9, p.envelopeBytes);
    writeUint16(buffer, position + 11, p.propertiesBytes);
    buffer[position + 13] = p.format;
    let at = position + messageHeadBytes;
    copyBytes(p.envelope, p.envelopeStart, buffer, at, p.envelopeBytes);
    at += p.envelopeBytes;
    copyBytes(p.properties, p.propertiesStart, buffer, at, p.propertiesBytes);
    at += p.propertiesBytes;
    copyBytes(p.body, p.bodyStart, buffer, at, p.bodyBytes);
    batch.position = at + p.bodyBytes;
    this.readyCount++;
    if (p.isPersistent) this.#workers.isPending = true;
    this.counters.published++;
  }

  /** The worker hands out a message. */
  arrived(batch: Buffer, at: number, bytes: number): void {
    const consumer = this.#consumer;
    if (consumer === null) throw new Error('the spike has consumers that stay');
    const shown = this.#shown;
    shown.bytes = batch;
    shown.envelopeStart = at + messageHeadBytes;
    shown.envelopeBytes = readUint16(batch, at + 9);
    shown.propertiesStart = shown.envelopeStart + shown.envelopeBytes;
    shown.propertiesBytes = readUint16(batch, at + 11);
    shown.bodyStart = shown.propertiesStart + shown.propertiesBytes;
    shown.bodyBytes = bytes - shown.envelopeBytes - shown.propertiesBytes;
    shown.format = batch[at + 13] as number;
    this.context.store.show(shown);
    const entry = this.#entry;
    entry.meta = metaPersistent;
    entry.bytes = shown.bodyBytes;
    entry.sequence = ++this.#sequence;
    this.readyCount--;
    this.counters.delivered++;
    if (consumer.noAck) {
      this.#give(1);
    } else {
      this.unackedCount++;
      consumer.took();
    }
    consumer.sink.deliver(consumer, entry);
  }

  attach(consumer: Consumer): void {
    this.#consumer = consumer;
    this.#worker.batch.record(recordCredit, this.#index, consumer.noAck ? autoAckCredit : consumer.prefetchCount);
    this.context.turn.arm();
  }

  detach(): void {
    this.#consumer = null;
  }

  // Its credit is counted in messages, not in being in a rota.
  consumerReady(): void {}

  pump(): boolean {
    return false;
  }

  take(): boolean {
    throw new Error('not in the spike');
  }

  settle(_entry: Entry, _outcome: Outcome): void {
    this.unackedCount--;
    this.counters.acked++;
    this.#give(1);
  }

  /** Told in lots: a record for each would cost as much as the message. */
  #give(count: number): void {
    this.#owed += count;
    if (this.#owed < 50) return;
    this.#worker.batch.record(recordCredit, this.#index, this.#owed);
    this.#worker.batch.record(recordSettled, this.#index, this.#owed);
    this.#owed = 0;
    this.context.turn.arm();
  }

  purge(): number {
    return 0;
  }

  forEachReady(): void {}

  findReady(): boolean {
    return false;
  }

  relocate(): void {}
  release(): void {}

  fetchHead(): boolean {
    return true;
  }

  applySettings(): void {}
  close(): void {}
}

/** x-queue-type: remote. */
export function remoteQueueType(workers: QueueWorkers): QueueType {
  return {
    ...classicQueueType,
    name: 'remote',
    create: (vhostName, id, declaration, context) =>
      new RemoteQueue(remoteQueueType(workers), vhostName, id, declaration, context, workers),
  };
}
