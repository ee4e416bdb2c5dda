import type { Ledger } from './ledger.ts';

/** How often messages of a quorum queue came back, which is counted for good: a count never goes back behind what was durable. */
export class DeliveryCounts {
  readonly #ledger: Ledger;
  /** Returns that are durable for sure, by copy. */
  readonly #sure = new Map<number, number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** What came back is durable. */
  returned(copy: number): void {
    this.#sure.set(copy, (this.#sure.get(copy) ?? 0) + 1);
  }

  /** A message came, which says how often it came back; at most `limit` times. */
  delivered(copy: number, count: number, limit: number): void {
    const sure = this.#sure.get(copy) ?? 0;
    if (count < sure) this.#ledger.violation('counts', `message ${copy} came back ${sure} times and says ${count}`);
    if (count > limit) this.#ledger.violation('counts', `message ${copy} is beyond its limit: ${count}`);
  }
}
