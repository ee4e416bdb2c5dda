// hot path: see docs/STYLE.md
import { inspect } from 'node:util';
import type { MessageRef, RefHolder, Rename } from '../../core/messages/message-ref.ts';
import type { Publication } from '../../core/messages/publication.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { type Fate, type MessageCopy, type MessageParts, PublishedMessage } from './published-message.ts';

/** How the history makes of kept bytes what there is to see. */
export type ReadParts = (message: RecordedMessage) => MessageParts;

const chunkBytes = 256 * 1024;
/** Larger messages have memory of their own, so that a chunk is never left half empty. */
const sharedBytesMax = 32 * 1024;
/** Below this a loop is faster than a call. */
const loopBytesMax = 48;

/** Memory that messages lie in one after the other; a chunk goes when the last of its messages is forgotten. */
export class ByteChunks {
  chunk = Buffer.allocUnsafeSlow(0);
  start = 0;
  #used = 0;

  /** Copies envelope, properties and body; `chunk` and `start` are where. */
  keep(p: Publication): void {
    const bytes = p.envelopeBytes + p.propertiesBytes + p.bodyBytes;
    if (bytes > sharedBytesMax) {
      this.chunk = Buffer.allocUnsafeSlow(bytes);
      this.#used = 0;
    } else if (this.#used + bytes > this.chunk.length) {
      this.chunk = Buffer.allocUnsafeSlow(chunkBytes);
      this.#used = 0;
    }
    this.start = this.#used;
    this.#append(p.envelope, p.envelopeStart, p.envelopeBytes);
    this.#append(p.properties, p.propertiesStart, p.propertiesBytes);
    if (p.large === null) this.#append(p.body, p.bodyStart, p.bodyBytes);
    else for (const part of p.large.pieces) this.#append(part, 0, part.length);
  }

  #append(source: Buffer, start: number, count: number): void {
    const { chunk } = this;
    const at = this.#used;
    if (count < loopBytesMax) for (let i = 0; i < count; i++) chunk[at + i] = source[start + i] as number;
    else source.copy(chunk, at, start, start + count);
    this.#used = at + count;
  }
}

/** What is remembered of a message: little, until somebody looks. */
export class RecordedMessage {
  readonly vhost: string;
  readonly origin: PublishedMessage['origin'];
  readonly atMillis: number;
  /** Counted from 1 in the order of publishing. */
  readonly number: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly envelopeBytes: number;
  readonly propertiesBytes: number;
  readonly bodyBytes: number;
  readonly format: number;
  isRefused = false;
  first: RecordedCopy | null = null;
  others: RecordedCopy[] | null = null;
  #view: PublishedMessage | null = null;

  constructor(vhost: string, origin: PublishedMessage['origin'], atMillis: number, number: number, kept: ByteChunks, p: Publication) {
    this.vhost = vhost;
    this.origin = origin;
    this.atMillis = atMillis;
    this.number = number;
    this.bytes = kept.chunk;
    this.start = kept.start;
    this.envelopeBytes = p.envelopeBytes;
    this.propertiesBytes = p.propertiesBytes;
    this.bodyBytes = p.bodyBytes;
    this.format = p.format;
  }

  add(copy: RecordedCopy): void {
    if (this.first === null) this.first = copy;
    else (this.others ??= []).push(copy);
  }

  isIn(queue: string): boolean {
    return this.first?.queue === queue || this.others?.some(copy => copy.queue === queue) === true;
  }

  /** The message as tests see it: always the same object. */
  view(read: ReadParts): PublishedMessage {
    if (this.#view !== null) return this.#view;
    const view = new PublishedMessage(() => read(this), this.vhost, this.origin, this.atMillis);
    view.isRefused = this.isRefused;
    for (const copy of [this.first, ...(this.others ?? [])]) if (copy !== null) view.copies.push(new CopyView(copy, read));
    this.#view = view;
    return view;
  }
}

/** A message in one queue. It does not know its message, which may be forgotten before it leaves the queue. */
export class RecordedCopy {
  readonly watched: WatchedQueue;
  readonly bodyBytes: number;
  /** Of its message. */
  readonly number: number;
  settled: Fate | null = null;
  returnCount = 0;
  deadLetter: RecordedMessage | null = null;

  constructor(watched: WatchedQueue, bodyBytes: number, number: number) {
    this.watched = watched;
    this.bodyBytes = bodyBytes;
    this.number = number;
  }

  get queue(): string {
    return this.watched.queue.name;
  }
}

class CopyView implements MessageCopy {
  readonly #copy: RecordedCopy;
  readonly #read: ReadParts;

  constructor(copy: RecordedCopy, read: ReadParts) {
    this.#copy = copy;
    this.#read = read;
  }

  get queue(): string {
    return this.#copy.queue;
  }

  get fate(): Fate {
    const { settled, watched } = this.#copy;
    return settled ?? (watched.isReady(this.#copy) ? 'ready' : 'unacked');
  }

  get returnCount(): number {
    return this.#copy.returnCount;
  }

  get deadLetter(): PublishedMessage | null {
    return this.#copy.deadLetter?.view(this.#read) ?? null;
  }

  toString(): string {
    const { queue, fate, deadLetter } = this;
    return `${queue}: ${fate}${deadLetter === null ? '' : ` -> ${deadLetter.queues.join(', ') || 'nowhere'}`}`;
  }

  [inspect.custom](): string {
    return `[${this.toString()}]`;
  }
}

/** What is known of the messages in one queue. */
export class WatchedQueue implements RefHolder {
  readonly queue: Queue;
  readonly held = new Map<MessageRef, RecordedCopy>();
  /** What messages that leave without a word leave by. */
  exit: Fate = 'delivered';

  constructor(queue: Queue) {
    this.queue = queue;
  }

  isReady(copy: RecordedCopy): boolean {
    let isFound = false;
    this.queue.forEachReady(entry => {
      isFound = this.held.get(entry.ref) === copy;
      return !isFound;
    });
    return isFound;
  }

  relocate(rename: Rename): void {
    const held = [...this.held];
    this.held.clear();
    // Without an entry: the queue and the channels tell the log of theirs.
    for (const [ref, copy] of held) this.held.set(rename(ref, null, 0, 0, copy.bodyBytes, 0), copy);
  }
}
