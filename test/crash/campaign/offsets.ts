import type { Ledger } from './ledger.ts';

/** What stands at the offsets of the stream: whatever anybody saw there is what everybody sees. */
export class Offsets {
  readonly #ledger: Ledger;
  readonly #copies: number[] = [];
  /** What stands before this one was found by an audit that took everything. */
  audited = 0;

  /** Told of what a reader saw. */
  onSeen: (offset: number, copy: number) => void = () => {};

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Behind the last one that was seen. */
  get end(): number {
    return this.#copies.length;
  }

  /** A reader, which last saw `before`, came to an offset; -1: it is its first. */
  seen(offset: number, before: number, copy: number): void {
    if (before >= 0 && offset !== before + 1) this.#ledger.violation('offsets', `offset ${offset} of the stream came behind ${before}`);
    const known = this.#copies[offset];
    if (known !== undefined && known !== copy) this.#ledger.violation('offsets', `offset ${offset} had message ${known} and has ${copy}`);
    this.#copies[offset] = copy;
    this.onSeen(offset, copy);
  }
}
