import { expirationMillis } from '../messages/expiration.ts';
import { Publication } from '../messages/publication.ts';
import type { StreamReader } from '../ports/stream-log.ts';
import type { MessageQueue } from '../queues/message-queue.ts';
import type { QueueContext } from '../queues/queue-context.ts';
import { defaultQueueSettings } from '../queues/queue-settings.ts';
import type { StreamFollower, StreamQueue } from '../queues/stream/stream-queue.ts';
import { Succession, type SuccessionHome } from './succession.ts';
import { stepBytesMax, stepCopiesMax, type StepResult } from './shape-work.ts';

/** What a message counts for in a step besides its body. */
const messageBytes = 64;

/** A message that came to the stream when the copying had all but caught up. */
interface LateMessage {
  readonly envelope: Buffer;
  readonly properties: Buffer;
  readonly body: Buffer;
  readonly large: null;
  readonly bodyBytes: number;
  readonly format: number;
}

/**
 * What a stream keeps becomes the ready messages of a queue. Consumers of the stream read on meanwhile. A stream shows only what is durable, so
 * there is always something behind when messages keep coming: from the moment when it is the last commit, new ones are noted beside.
 */
export class CopyFromStream extends Succession implements StreamFollower {
  readonly #stream: StreamQueue;
  readonly #queue: MessageQueue;
  readonly #reader: StreamReader;
  readonly #publication = new Publication();
  /** Offset of the first message that is noted beside; Infinity: none is. */
  #lateOffset = Infinity;
  #late: LateMessage[] = [];

  constructor(source: StreamQueue, successor: MessageQueue, context: QueueContext, home: SuccessionHome) {
    super(source, successor, context, home);
    this.#stream = source;
    this.#queue = successor;
    // Limits and time to live are for when it counts: what they take away would be dead-lettered, and be in the stream still.
    successor.isMarkedReady = true;
    successor.applySettings(defaultQueueSettings);
    this.#reader = source.readLog(source.log.firstOffset, () => this.durable());
    source.follower = this;
  }

  durable(): void {
    this.context.turn.begin();
    this.work.goOn();
  }

  added(p: Publication, offset: number): void {
    if (offset >= this.#lateOffset) this.#note(p, offset);
  }

  protected step(): StepResult {
    const { log } = this.#stream;
    let bytes = 0;
    for (let count = 0; count < stepCopiesMax && bytes < stepBytesMax; count++) {
      if (!this.#reader.next()) {
        if (!this.#reader.isAtEnd) return 'waits';
        if (log.endOffset < log.nextOffset && log.endOffset < this.#lateOffset) {
          if (this.#lateOffset === Infinity) this.#lateOffset = log.nextOffset;
          return 'waits';
        }
        this.#finish();
        return 'done';
      }
      if (this.#reader.offset >= this.#lateOffset) {
        this.#finish();
        return 'done';
      }
      bytes += this.#copy();
    }
    return 'more';
  }

  protected end(): void {
    this.#reader.close();
    this.#stream.follower = null;
    this.#late = [];
  }

  // Its files go when the change is durable.
  protected clear(): boolean {
    return true;
  }

  #finish(): void {
    const p = this.#publication;
    for (const late of this.#late) {
      Object.assign(p, late, { envelopeStart: 0, propertiesStart: 0, bodyStart: 0 });
      p.envelopeBytes = late.envelope.length;
      p.propertiesBytes = late.properties.length;
      this.#enqueue();
    }
    this.takeOver();
    this.#queue.isMarkedReady = false;
    this.context.turn.queueReady(this.#queue);
  }

  /** Copies the reader's message; returns what it counts for. */
  #copy(): number {
    const p = this.#publication;
    const reader = this.#reader;
    p.envelope = reader.bytes;
    p.envelopeStart = reader.envelopeStart;
    p.envelopeBytes = reader.envelopeBytes;
    p.properties = reader.bytes;
    p.propertiesStart = reader.propertiesStart;
    p.propertiesBytes = reader.propertiesBytes;
    p.body = reader.bytes;
    p.bodyStart = reader.bodyStart;
    p.bodyBytes = reader.bodyBytes;
    p.large = null;
    p.format = reader.format;
    this.#enqueue();
    return p.bodyBytes + messageBytes;
  }

  #enqueue(): void {
    const { context } = this;
    const queue = this.#queue;
    const p = this.#publication;
    const described = context.format(p.format).describe(p.properties, p.propertiesStart, p.propertiesBytes);
    const expiration = described.get('expiration')?.value;
    p.priority = Number(described.get('priority')?.value ?? 0);
    p.ttlMillis = typeof expiration === 'string' ? expirationMillis(expiration) : -1;
    // In the stream it was durable, whatever its publisher asked for.
    p.isPersistent = true;
    queue.deduplication?.learnOf(p, p.priority, queue.nextPlace);
    queue.enqueue(p, context.store.append(p, 1, context.clock.nowMillis, queue.isLogging));
  }

  #note(p: Publication, offset: number): void {
    const pivot = this.context.pivot();
    const properties = Buffer.alloc(p.propertiesBytes + pivot.streamOffsetBytes);
    const end = pivot.writeWithStreamOffset(p.properties, p.propertiesStart, p.propertiesBytes, offset, properties, 0);
    this.#late.push({
      envelope: Buffer.from(p.envelope.subarray(p.envelopeStart, p.envelopeStart + p.envelopeBytes)),
      properties: properties.subarray(0, end),
      body: p.large?.toBuffer() ?? Buffer.from(p.body.subarray(p.bodyStart, p.bodyStart + p.bodyBytes)),
      large: null,
      bodyBytes: p.bodyBytes,
      format: p.format,
    });
  }
}
