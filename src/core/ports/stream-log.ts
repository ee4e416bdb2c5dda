/** A message on its way into a stream; byte ranges are (buffer, start, count). Nothing of it is kept. */
export interface StreamMessage {
  /** Exchange name and routing key, each behind its length, and perhaps more that is not for receivers. */
  readonly envelope: Buffer;
  readonly envelopeStart: number;
  readonly envelopeBytes: number;
  readonly properties: Buffer;
  readonly propertiesStart: number;
  readonly propertiesBytes: number;
  readonly body: Buffer;
  readonly bodyStart: number;
  readonly bodyBytes: number;
  /** A large body, in place of `body`. */
  readonly large: { copyTo(target: Buffer, at: number): number } | null;
  readonly format: number;
}

/** How long a stream keeps its messages, and how it is cut. -1: no limit. */
export interface StreamRetention {
  /** The oldest segments go while there are more bytes than this. */
  readonly bytesMax: number;
  /** A segment goes when all its messages are older than this. */
  readonly ageMillisMax: number;
  /** A segment that has so many bytes is followed by a new one. */
  readonly segmentBytesMax: number;
  /** Size of the Bloom filter of filter values in each chunk. */
  readonly filterBytes: number;
}

/** Where a reader begins. A chunk is the smallest part that is found by time, or as the last. [RabbitMQ docs: streams, consuming] */
export type StreamStart =
  | { readonly kind: 'first' | 'last' | 'next' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'time'; readonly wallMillis: number };

/** Which messages a reader wants. [RabbitMQ docs: stream filtering] */
export interface StreamFilter {
  readonly values: readonly string[];
  /** Whether it also wants messages without a filter value. */
  readonly matchesUnfiltered: boolean;
}

/**
 * A message of a stream at a time, from front to back, without changing anything. Where it stands is told by the fields, which are valid
 * until anything else is done with the log or its readers.
 */
export interface StreamReader {
  /** Goes to the next message; false when none is in memory: `onReadable` is called when that changes. */
  next(): boolean;
  /** Whether `next` found nothing because there is nothing behind what was read, or the reader is closed. */
  readonly isAtEnd: boolean;
  /** The message's bytes and their parts, as in MessageStore. */
  readonly bytes: Buffer;
  readonly envelopeStart: number;
  readonly envelopeBytes: number;
  readonly propertiesStart: number;
  readonly propertiesBytes: number;
  readonly bodyStart: number;
  readonly bodyBytes: number;
  readonly format: number;
  /** The message's number in the stream. */
  readonly offset: number;
  close(): void;
}

/** A log of messages that are kept when they were read. */
export interface StreamLog {
  /** Offset of the oldest message that is kept. */
  readonly firstOffset: number;
  /** Offset behind the last message that is durable; only those are read. */
  readonly endOffset: number;
  /** Offset that the next message gets. */
  readonly nextOffset: number;
  /** Bytes of what is kept. */
  readonly bytes: number;
  readonly segmentCount: number;
  /** Called when more is durable. */
  onDurable: () => void;
  /**
   * Adds a message with its place in the stream in its properties, which must be of the pivot format. It is durable with the next commit of
   * the broker's log. `filterValue` null: it has none. Returns its offset.
   */
  append(p: StreamMessage, filterValue: string | null, wallMillis: number): number;
  /** From now on this is kept; older messages go at once. */
  retain(retention: StreamRetention, wallMillis: number): void;
  /** `onReadable` is called, never from within `next`, when a reader that had nothing may have something. */
  read(start: StreamStart, filter: StreamFilter | null, onReadable: () => void): StreamReader;
  /** Removes the log with all its files; readers find nothing any more. */
  remove(): void;
}

/** All streams of a broker. */
export interface StreamLogs {
  /** The log of a number that names no other, now or later: the queue's. */
  open(id: number, retention: StreamRetention): StreamLog;
}
