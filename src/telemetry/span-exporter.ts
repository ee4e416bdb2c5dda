import type { Logger } from '../core/ports/logger.ts';
import type { Span } from './span.ts';

/** Sends a batch away. Rejects with an ExportError. */
export type SendSpans = (spans: readonly Span[], signal: AbortSignal) => Promise<void>;

/** Why a batch was not taken. */
export class ExportError extends Error {
  /** Whether the same batch may be taken later. */
  readonly isTemporary: boolean;

  constructor(message: string, isTemporary: boolean) {
    super(message);
    this.isTemporary = isTemporary;
  }
}

export interface SpanExporterOptions {
  /** Spans that wait; what comes beyond is dropped. [OTEL_BSP_MAX_QUEUE_SIZE has 2048] */
  readonly waitingMax: number;
  readonly batchMax: number;
  /** How long a span waits for others. */
  readonly delayMillis: number;
  readonly timeoutMillis: number;
  /** How often a batch is tried; then it is dropped. */
  readonly triesMax: number;
  /** How long the first new try waits; each further one twice as long. */
  readonly retryMillis: number;
}

export const defaultExporterOptions: SpanExporterOptions = {
  waitingMax: 8192,
  batchMax: 512,
  delayMillis: 1000,
  timeoutMillis: 10_000,
  triesMax: 4,
  retryMillis: 1000,
};

/** Gathers spans and sends them in batches, one at a time. A collector that is slow or away costs spans, never messages or memory. */
export class SpanExporter {
  readonly #send: SendSpans;
  readonly #logger: Logger;
  readonly #options: SpanExporterOptions;
  #waiting: Span[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  readonly #stop = new AbortController();
  #isFailing = false;
  #lostSinceFailure = 0;
  exportedCount = 0;
  droppedCount = 0;

  constructor(send: SendSpans, logger: Logger, options: SpanExporterOptions = defaultExporterOptions) {
    this.#send = send;
    this.#logger = logger;
    this.#options = options;
  }

  add(span: Span): void {
    if (this.#waiting.length >= this.#options.waitingMax || this.#stop.signal.aborted) {
      this.#lost(1);
      return;
    }
    this.#waiting.push(span);
    if (this.#sending !== null) return;
    if (this.#waiting.length >= this.#options.batchMax) this.#startSending();
    else this.#timer ??= setTimeout(() => this.#startSending(), this.#options.delayMillis).unref();
  }

  /** Sends what waits, in so many milliseconds at most; the rest is lost. Nothing is sent afterwards. */
  async stop(millisMax: number): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), millisMax);
    this.#startSending();
    await this.#sending;
    clearTimeout(timer);
    this.#stop.abort();
  }

  #startSending(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#sending !== null || this.#waiting.length === 0) return;
    this.#sending = this.#sendAll().finally(() => {
      this.#sending = null;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#sendBatch(this.#waiting.splice(0, this.#options.batchMax));
  }

  async #sendBatch(batch: readonly Span[]): Promise<void> {
    const { triesMax, retryMillis, timeoutMillis } = this.#options;
    for (let count = 1; ; count++) {
      try {
        await this.#send(batch, AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMillis)]));
        this.exportedCount += batch.length;
        this.#recovered();
        return;
      } catch (error) {
        this.#failed(error);
        const isTemporary = !(error instanceof ExportError) || error.isTemporary;
        if (!isTemporary || count >= triesMax || this.#stop.signal.aborted) break;
        await pause(retryMillis * 2 ** (count - 1), this.#stop.signal);
      }
    }
    this.#lost(batch.length);
  }

  #lost(count: number): void {
    this.droppedCount += count;
    this.#lostSinceFailure += count;
  }

  #failed(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#logger.warning('default', `Spans are not exported: ${error instanceof Error ? error.message : String(error)}`);
  }

  #recovered(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#logger.info('default', `Spans are exported again; ${this.#lostSinceFailure} were lost`);
    this.#lostSinceFailure = 0;
  }
}

function pause(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, millis).unref();
    signal.addEventListener('abort', end);
  });
}
