/** A message that was published to a stream. */
export interface StreamRecord {
  readonly messageId: number;
  /** Number of the event that put it there. */
  readonly event: number;
  readonly bodyBytes: number;
  readonly filterValue: string | null;
  /** It was not published before this time. */
  readonly sentMillis: number;
  /** Where it stands: messages are numbered in the order of publishing. */
  readonly offset: number;
  /** When a client was told that it is safe; Infinity: it was not. */
  confirmedMillis: number;
  /** Confirmed, delivered or found after a start: it can never be missing again, but for the stream's limits. */
  isSafe: boolean;
}

/** The limits that a stream was declared with; Infinity: none. */
export interface StreamLimits {
  readonly bytesMax: number;
  readonly ageMillisMax: number;
  readonly segmentBytesMax: number;
}

/** Bytes that a record takes besides its body, with a chunk of its own, at most. */
const overheadBytesMax = 700;
/** Messages of one chunk, where they are small. */
const chunkBytesMax = 66_000;

/**
 * What is known of one stream: which message has which offset, for ever. Messages get their offsets in the order in which they are
 * published; a crash takes the last ones of a life, never one in the middle, and gives their offsets to others, unless somebody saw them.
 */
export class StreamLedger {
  readonly name: string;
  readonly limits: StreamLimits;
  readonly #records: StreamRecord[] = [];

  constructor(name: string, limits: StreamLimits) {
    this.name = name;
    this.limits = limits;
  }

  /** Offset of the next message. */
  get end(): number {
    return this.#records.length;
  }

  at(offset: number): StreamRecord | undefined {
    return this.#records[offset];
  }

  published(given: Omit<StreamRecord, 'offset' | 'confirmedMillis' | 'isSafe'>): StreamRecord {
    const record = { ...given, offset: this.end, confirmedMillis: Infinity, isSafe: false };
    this.#records.push(record);
    return record;
  }

  /** A message is at an offset. @throws Error when another one must be, or none */
  find(offset: number, messageId: number): StreamRecord {
    const record = this.at(offset);
    if (record?.messageId !== messageId)
      throw new Error(`offset ${offset} of stream ${this.name} has message ${messageId} in place of ${record?.messageId ?? 'none'}`);
    return record;
  }

  /** Compares with where the stream begins and ends after a start. All that happened up to `durableEvent` is durable. */
  audit(firstOffset: number, endOffset: number, durableEvent: number, wallMillis: number): void {
    const lost = this.#records.slice(endOffset).find(record => record.isSafe || record.event <= durableEvent);
    if (lost !== undefined)
      throw new Error(`message ${lost.messageId} is lost from stream ${this.name}, which ends at ${endOffset}: ${JSON.stringify(lost)}`);
    this.checkFirst(firstOffset, wallMillis);
  }

  /** What was found after a start is what there is from now on. */
  accept(endOffset: number): void {
    if (endOffset > this.end) throw new Error(`stream ${this.name} ends at ${endOffset}, and only ${this.end} messages were published`);
    this.#records.length = endOffset;
    for (const record of this.#records) record.isSafe = true;
  }

  /** @throws Error when the stream begins behind messages that its limits do not forbid */
  checkFirst(firstOffset: number, wallMillis: number): void {
    if (firstOffset === 0) return;
    const last = this.at(firstOffset - 1);
    if (last === undefined) throw new Error(`stream ${this.name} begins at ${firstOffset} and ends at ${this.end}`);
    const { bytesMax, ageMillisMax, segmentBytesMax } = this.limits;
    // A segment goes as a whole, and the message at its end with it.
    const bytes = this.#bytesFrom(last.offset, overheadBytesMax) + Math.max(segmentBytesMax, chunkBytesMax);
    if (last.sentMillis + ageMillisMax < wallMillis || bytes > bytesMax) return;
    throw new Error(`stream ${this.name} begins at ${firstOffset}, and nothing says that message ${last.messageId} may go`);
  }

  /** @throws Error when the stream keeps more than its limits allow: a segment more than the most */
  checkLength(firstOffset: number): void {
    const { bytesMax, segmentBytesMax } = this.limits;
    const bytes = this.#bytesFrom(firstOffset, 0);
    const largest = this.#records.slice(firstOffset).reduce((most, record) => Math.max(most, record.bodyBytes), 0);
    if (bytes > bytesMax + Math.min(segmentBytesMax, bytesMax) + 2 * (largest + 100_000))
      throw new Error(`stream ${this.name} keeps ${bytes} bytes from offset ${firstOffset} on, and is to keep ${bytesMax}`);
  }

  #bytesFrom(offset: number, overheadBytes: number): number {
    return this.#records.slice(offset).reduce((sum, record) => sum + record.bodyBytes + overheadBytes, 0);
  }
}
