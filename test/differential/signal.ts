// Waits for a condition that other code announces, with an upper bound: no fixed sleeps.

export class Signal {
  #waiting: (() => void)[] = [];

  notify(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Resolves true when the condition holds, false after `millisMax`. The condition is looked at after each notify and every few ms. */
  async until(condition: () => boolean, millisMax: number): Promise<boolean> {
    const deadline = performance.now() + millisMax;
    while (!condition()) {
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Math.min(left, 3));
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return true;
  }
}
