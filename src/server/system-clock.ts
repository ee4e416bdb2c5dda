import type { Clock } from '../core/ports/clock.ts';

/** The machine's time. */
export class SystemClock implements Clock {
  nowMillis = 0;
  wallMillis = 0;

  constructor() {
    this.refresh();
  }

  refresh(): void {
    this.nowMillis = performance.now();
    this.wallMillis = Date.now();
  }

  readMillis(): number {
    return performance.now();
  }
}
