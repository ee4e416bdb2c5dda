import { Histogram } from './histogram.ts';

/** What producers and consumers count, in one interval and in all. */
export class Figures {
  sent = 0;
  received = 0;
  confirmed = 0;
  nacked = 0;
  returned = 0;
  readonly consumerLatency = new Histogram();
  readonly confirmLatency = new Histogram();

  clear(): void {
    this.sent = 0;
    this.received = 0;
    this.confirmed = 0;
    this.nacked = 0;
    this.returned = 0;
    this.consumerLatency.clear();
    this.confirmLatency.clear();
  }
}

/** Both at once: `add` calls go to the interval's and to the whole test's. */
export class Tally {
  readonly interval = new Figures();
  readonly whole = new Figures();

  sent(count: number): void {
    this.interval.sent += count;
    this.whole.sent += count;
  }

  received(micros: number): void {
    this.interval.received++;
    this.whole.received++;
    // What another machine's clock says may be out by more than the time itself.
    if (micros < 0 || micros > 3.6e9) return;
    this.interval.consumerLatency.add(micros);
    this.whole.consumerLatency.add(micros);
  }

  confirmed(micros: number): void {
    this.interval.confirmed++;
    this.whole.confirmed++;
    this.interval.confirmLatency.add(micros);
    this.whole.confirmLatency.add(micros);
  }

  nacked(): void {
    this.interval.nacked++;
    this.whole.nacked++;
  }

  returned(): void {
    this.interval.returned++;
    this.whole.returned++;
  }
}

/** Microseconds since the epoch. */
export function nowMicros(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}
