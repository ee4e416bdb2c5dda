import type { Copy } from './durable-ledger.ts';

/** What becomes of a message with a value. */
export type Fate = 'new' | 'duplicate' | 'either';

interface Known {
  readonly copy: Copy;
  /** Simulated time from which it counts no longer. */
  readonly expiresAt: number;
  /** Whether it counts; after a crash that is not known of what was not confirmed. */
  isSure: boolean;
}

/**
 * Values that an exchange or queue remembers for a time, whether their messages are still there or not. A value is never remembered without its
 * message, and always when that was confirmed. [docs/guides/deduplication.md]
 */
export class ValueMemory {
  readonly #ttlMillis: number;
  readonly #known = new Map<string, Known>();

  constructor(ttlMillis: number) {
    this.#ttlMillis = ttlMillis;
  }

  fate(value: string, nowMillis: number): Fate {
    const known = this.#known.get(value);
    if (known === undefined || nowMillis >= known.expiresAt) return 'new';
    return known.isSure ? 'duplicate' : 'either';
  }

  /** The message was taken. */
  took(value: string, copy: Copy, nowMillis: number): void {
    this.#known.set(value, { copy, expiresAt: nowMillis + this.#ttlMillis, isSure: true });
  }

  /** The message was dropped; returns that whose value it has. */
  dropped(value: string): Copy | null {
    const known = this.#known.get(value);
    if (known === undefined) return null;
    known.isSure = true;
    return known.copy;
  }

  /** The broker was killed; to be called before its copies are told what was found. `isThere` says whether a message was. */
  restarted(isThere: (copy: Copy) => boolean): void {
    for (const [value, known] of this.#known) {
      const { copy } = known;
      known.isSure &&= copy.isSafe;
      // What was taken out may have left its value behind, nothing else.
      if (!known.isSure && !isThere(copy) && !copy.mayBeGone && !copy.isGone) this.#known.delete(value);
    }
  }
}
