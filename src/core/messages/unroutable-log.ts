// hot path: see docs/STYLE.md
import { copyBytes } from '../../base/bytes.ts';
import { shownBytes } from './envelope.ts';
import type { Publication } from './publication.ts';

/** Messages that are remembered, the last ones. */
export const unroutableMax = 100;
/** Bytes that are kept of each: envelope, properties, and as much of the body as there is room for. */
const slotBytes = 4096;

/** A message that reached no queue. Its bytes are a view of the log's: to be read at once. */
export interface UnroutableMessage {
  /** Counts from the first one of the virtual host on. */
  readonly number: number;
  readonly wallMillis: number;
  readonly format: number;
  /** Exchange and routing key. */
  readonly envelope: Buffer;
  /** Null when they were too long to be kept. */
  readonly properties: Buffer | null;
  /** The beginning of the body. */
  readonly body: Buffer;
  readonly bodyBytes: number;
}

/**
 * The last messages of a virtual host that reached no queue, in a fixed piece of memory that is made with the first: a publisher that gets
 * its routing key wrong by the million costs a copy of a few bytes each.
 */
export class UnroutableLog {
  #bytes: Buffer | null = null;
  readonly #times = new Float64Array(unroutableMax);
  readonly #formats = new Uint8Array(unroutableMax);
  readonly #envelopeBytes = new Uint16Array(unroutableMax);
  /** -1: not kept. */
  readonly #propertiesBytes = new Int32Array(unroutableMax);
  readonly #keptBytes = new Uint16Array(unroutableMax);
  readonly #bodyBytes = new Float64Array(unroutableMax);
  /** How many there were. */
  #count = 0;
  #first = 0;

  get count(): number {
    return Math.min(unroutableMax, this.#count - this.#first);
  }

  add(p: Publication, wallMillis: number): void {
    this.#bytes ??= Buffer.allocUnsafeSlow(unroutableMax * slotBytes);
    const slot = this.#count++ % unroutableMax;
    const start = slot * slotBytes;
    const envelopeBytes = shownBytes(p.envelope, p.envelopeStart);
    copyBytes(p.envelope, p.envelopeStart, this.#bytes, start, envelopeBytes);
    let at = start + envelopeBytes;
    const fits = p.propertiesBytes <= start + slotBytes - at;
    if (fits) {
      copyBytes(p.properties, p.propertiesStart, this.#bytes, at, p.propertiesBytes);
      at += p.propertiesBytes;
    }
    this.#times[slot] = wallMillis;
    this.#formats[slot] = p.format;
    this.#envelopeBytes[slot] = envelopeBytes;
    this.#propertiesBytes[slot] = fits ? p.propertiesBytes : -1;
    this.#keptBytes[slot] = this.#copyBody(p, at, start + slotBytes);
    this.#bodyBytes[slot] = p.bodyBytes;
  }

  /** Forgets all. */
  clear(): void {
    this.#first = this.#count;
  }

  /** Newest first. */
  *list(): Generator<UnroutableMessage> {
    const oldest = this.#count - this.count;
    for (let number = this.#count - 1; number >= oldest; number--) {
      const slot = number % unroutableMax;
      const start = slot * slotBytes;
      const propertiesStart = start + (this.#envelopeBytes[slot] as number);
      const propertiesBytes = this.#propertiesBytes[slot] as number;
      const bodyStart = propertiesStart + Math.max(0, propertiesBytes);
      const bytes = this.#bytes as Buffer;
      yield {
        number: number + 1,
        wallMillis: this.#times[slot] as number,
        format: this.#formats[slot] as number,
        envelope: bytes.subarray(start, propertiesStart),
        properties: propertiesBytes < 0 ? null : bytes.subarray(propertiesStart, bodyStart),
        body: bytes.subarray(bodyStart, bodyStart + (this.#keptBytes[slot] as number)),
        bodyBytes: this.#bodyBytes[slot] as number,
      };
    }
  }

  /** Copies as much of the body as there is room for; returns how many bytes. */
  #copyBody(p: Publication, from: number, end: number): number {
    const bytes = this.#bytes as Buffer;
    if (p.large === null) {
      const count = Math.min(p.bodyBytes, end - from);
      copyBytes(p.body, p.bodyStart, bytes, from, count);
      return count;
    }
    let at = from;
    const { pieces } = p.large;
    for (let i = 0; i < pieces.length && at < end; i++) at += (pieces[i] as Buffer).copy(bytes, at, 0, end - at);
    return at - from;
  }
}
