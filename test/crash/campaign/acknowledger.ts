import type { Random } from '../../support/random.ts';
import type { Ledger } from './ledger.ts';
import type { Publisher } from './publisher.ts';
import { routes } from './topology.ts';

/** Sends a message that will be confirmed, and calls when it was. */
type Barrier = (confirmed: () => void) => void;

/**
 * What one connection has settled, and which of that is durable for sure: there is one log, and when something that was published behind an
 * acknowledgement is confirmed, the acknowledgement is durable as well.
 */
export class Acknowledger {
  readonly #ledger: Ledger;
  readonly #barrier: Barrier;
  /** Told of what was given back and is durable. */
  onReturned: (copy: number) => void = () => {};
  #sent: number[] = [];
  #returned: number[] = [];
  #isWaiting = false;

  constructor(ledger: Ledger, barrier: Barrier) {
    this.#ledger = ledger;
    this.#barrier = barrier;
  }

  get isIdle(): boolean {
    return !this.#isWaiting && this.#sent.length === 0 && this.#returned.length === 0;
  }

  /** An acknowledgement is about to be sent. */
  acknowledging(copy: number): void {
    this.#ledger.acknowledging(copy);
    this.#sent.push(copy);
  }

  /** A message is about to be given back. */
  returning(copy: number): void {
    this.#returned.push(copy);
  }

  /** Makes what was sent so far sure. */
  barrier(): void {
    if (this.#isWaiting || this.isIdle) return;
    const [sent, returned] = [this.#sent, this.#returned];
    this.#sent = [];
    this.#returned = [];
    this.#isWaiting = true;
    this.#barrier(() => {
      for (const copy of sent) this.#ledger.acknowledged(copy);
      for (const copy of returned) this.onReturned(copy);
      this.#isWaiting = false;
      this.barrier();
    });
  }
}

/** Barriers by a channel in confirm mode that has nothing else to do. */
export function barrierBy(publisher: Publisher, random: Random): Barrier {
  return confirmed => {
    publisher.onConfirmed = () => {
      if (publisher.outstanding === 0) confirmed();
    };
    publisher.publish([routes.barrier], random);
  };
}
