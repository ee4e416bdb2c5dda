// hot path: see docs/STYLE.md
import { equalBytes } from '../../base/bytes.ts';

/** Topic aliases that a client was told, by routing key. [MQTT 5.0 3.3.2.3.4] */
export class OutgoingAliases {
  readonly #max: number;
  readonly #keys: Buffer[] = [];

  /** `max`: as many as the client takes. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The alias that the client knows for a routing key's topic, or 0. */
  find(key: Buffer, start: number, count: number): number {
    const keys = this.#keys;
    for (let i = 0; i < keys.length; i++) {
      const known = keys[i] as Buffer;
      if (known.length === count && equalBytes(known, 0, key, start, count)) return i + 1;
    }
    return 0;
  }

  /** A new alias for a topic, or 0 when there are as many as the client takes. */
  add(key: Buffer, start: number, count: number): number {
    if (this.#keys.length >= this.#max) return 0;
    return this.#keys.push(Buffer.from(key.subarray(start, start + count)));
  }
}
