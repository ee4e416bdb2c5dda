/**
 * Acts on what comes, at most so many times in a round of the event loop; what is more waits for the next rounds, in order. For what thousands
 * may ask for at the same moment, while others are to be served in between.
 */
export class PerRound<Item> {
  readonly #max: number;
  readonly #act: (item: Item) => void;
  readonly #waiting: Item[] = [];
  #left: number;
  #isArmed = false;

  constructor(max: number, act: (item: Item) => void) {
    this.#max = max;
    this.#act = act;
    this.#left = max;
  }

  add(item: Item): void {
    this.#arm();
    if (this.#left > 0 && this.#waiting.length === 0) {
      this.#left--;
      this.#act(item);
    } else {
      this.#waiting.push(item);
    }
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(() => this.#nextRound());
  }

  #nextRound(): void {
    this.#isArmed = false;
    const batch = this.#waiting.splice(0, this.#max);
    this.#left = this.#max - batch.length;
    if (batch.length > 0) this.#arm();
    let acted = 0;
    try {
      while (acted < batch.length) this.#act(batch[acted++] as Item);
    } finally {
      // One that failed takes nobody with it.
      if (acted < batch.length) this.#waiting.unshift(...batch.slice(acted));
    }
  }
}
