import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long something is made before others get their turn. */
const sliceMillis = 5;

/** A stretch of work after which the event loop gets its turn. */
export class Slice {
  #startMillis = performance.now();

  get isOver(): boolean {
    return performance.now() - this.#startMillis > sliceMillis;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#startMillis = performance.now();
  }
}
