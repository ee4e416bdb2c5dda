import { BrokerCore } from '../../src/core/broker.ts';
import type { Files } from '../../src/core/ports/files.ts';
import { silentLogger } from '../../src/core/ports/logger.ts';
import type { StreamFilter, StreamLog, StreamReader, StreamRetention, StreamStart } from '../../src/core/ports/stream-log.ts';
import { packEnvelope } from '../../src/core/messages/envelope.ts';
import { amqp091FormatTag } from '../../src/core/messages/format-tags.ts';
import { MemoryCommits } from '../../src/store/streams/memory-commits.ts';
import { StreamStore, type StreamStoreOptions, type StreamsReport } from '../../src/store/streams/stream-store.ts';
import { decodeProperties, encodeProperties, type Properties } from '../../src/wire/amqp091/properties.ts';
import { exchangeTypes, messageFormats, queueTypes } from '../../src/server/registry.ts';
import { FakeClock, ManualScheduler } from './fake-clock.ts';

export const keepAll: StreamRetention = { bytesMax: -1, ageMillisMax: -1, segmentBytesMax: 500_000_000, filterBytes: 16 };

export interface ReadMessage {
  readonly offset: number;
  readonly body: string;
  readonly properties: Properties;
}

/** Streams in the files of a test, without a broker around them. */
export class StreamWorld {
  readonly store: StreamStore;
  readonly report: StreamsReport;
  readonly log: StreamLog;
  readonly errors: string[] = [];
  /** For a test to note what it appended. */
  readonly pending = new Map<number, string>();
  readonly #settle: () => void;
  readonly #commits: MemoryCommits;
  wallMillis = 1_000_000;

  /** `settle` does what the files have been asked for, where they do not do it at once. */
  constructor(files: Files, retention: StreamRetention = keepAll, options: StreamStoreOptions = {}, settle = (): void => {}) {
    this.#settle = settle;
    this.store = new StreamStore(files, options);
    this.#commits = new MemoryCommits(this.store);
    const logger = { ...silentLogger, error: (_: string, text: string) => void this.errors.push(text) };
    this.store.attach(
      new BrokerCore({
        clock: new FakeClock(),
        scheduler: new ManualScheduler(),
        logger,
        exchangeTypes,
        queueTypes,
        formats: messageFormats,
        streams: this.store,
        log: this.#commits,
      }),
    );
    this.log = this.store.open(1, retention);
    this.report = this.store.recover(true);
    let hasBegun = false;
    this.store.begin(error => {
      if (error !== null) throw error;
      hasBegun = true;
    });
    settle();
    if (!hasBegun) throw new Error('the store has not begun');
  }

  append(body: string | Buffer, properties: Properties = {}, filterValue: string | null = null, log = this.log): number {
    const bytes = encodeProperties(properties);
    const envelope = packEnvelope('', 's');
    return log.append(
      {
        envelope,
        envelopeStart: 0,
        envelopeBytes: envelope.length,
        properties: bytes,
        propertiesStart: 0,
        propertiesBytes: bytes.length,
        body: Buffer.from(body),
        bodyStart: 0,
        bodyBytes: Buffer.byteLength(body),
        large: null,
        format: amqp091FormatTag,
      },
      filterValue,
      this.wallMillis,
    );
  }

  commit(): void {
    this.#commits.commit(null, null);
  }

  /** Appends and commits, message by message: each gets a chunk of its own. */
  appendEach(...bodies: string[]): void {
    for (const body of bodies) {
      this.append(body);
      this.commit();
    }
  }

  stop(): void {
    this.store.markClean();
    this.commit();
    this.store.close();
  }

  /** All that a new reader finds at once. */
  read(start: StreamStart = { kind: 'first' }, filter: StreamFilter | null = null): ReadMessage[] {
    let isReadable = false;
    const reader = this.log.read(start, filter, () => {
      isReadable = true;
    });
    const messages: ReadMessage[] = [];
    do {
      isReadable = false;
      messages.push(...readAll(reader));
      this.#settle();
    } while (isReadable);
    reader.close();
    return messages;
  }

  bodies(start: StreamStart = { kind: 'first' }, filter: StreamFilter | null = null): string[] {
    return this.read(start, filter).map(message => message.body);
  }
}

export function readAll(reader: StreamReader): ReadMessage[] {
  const messages: ReadMessage[] = [];
  while (reader.next()) {
    messages.push({
      offset: reader.offset,
      body: reader.bytes.toString('utf8', reader.bodyStart, reader.bodyStart + reader.bodyBytes),
      properties: decodeProperties(reader.bytes, reader.propertiesStart, reader.propertiesStart + reader.propertiesBytes),
    });
  }
  return messages;
}
