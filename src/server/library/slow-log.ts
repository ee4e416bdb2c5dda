import { CallbackTimer } from '../../base/timer-queue.ts';
import { type CommitLog, volatileLog } from '../../core/ports/commit-log.ts';
import type { BrokerCore } from '../../core/broker.ts';

interface Delayed {
  readonly dueMillis: number;
  readonly then: (argument: unknown) => void;
  readonly argument: unknown;
  /** Messages published until then. */
  readonly publishedCount: number;
}

/**
 * A log whose commits can be held up on purpose: whoever waits for durability (confirms, tx.commit-ok, declarations of durable things)
 * hears of it later, in the same order. Nothing is acknowledged earlier than the real log would.
 */
export class SlowLog implements CommitLog {
  readonly #log: CommitLog;
  #core: BrokerCore | null = null;
  #delayMillis = 0;
  #toldCount = 0;
  /** Counts messages, for `toldCount`. */
  publishedCount: () => number = () => 0;
  readonly #delayed: Delayed[] = [];
  readonly #timer = new CallbackTimer(() => this.#tellDue());

  constructor(log: CommitLog = volatileLog) {
    this.#log = log;
  }

  /** Delays are counted on the broker's clock. */
  start(core: BrokerCore): void {
    this.#core = core;
  }

  /** How many messages had been published when the last commit was asked for that was told; Infinity when none waits. */
  get toldCount(): number {
    return this.#isSlow ? this.#toldCount : Infinity;
  }

  /** From now on commits are told so much later; Infinity: not until the delay is changed. With 0 those that wait are told, too. */
  delayBy(millis: number): void {
    if (!this.#isSlow) this.#toldCount = this.publishedCount();
    this.#delayMillis = millis;
    const now = this.#core?.clock.nowMillis ?? 0;
    for (const item of this.#delayed.splice(0)) this.#delayed.push({ ...item, dueMillis: Math.min(item.dueMillis, now + millis) });
    this.#tellDue();
    this.#core?.turn.arm();
  }

  get isPending(): boolean {
    return this.#log.isPending || this.#isSlow;
  }

  get isMetadataPending(): boolean {
    return this.#log.isMetadataPending || this.#isSlow;
  }

  get isBehind(): boolean {
    return this.#log.isBehind;
  }

  onCaughtUp(callback: () => void): void {
    this.#log.onCaughtUp(callback);
  }

  commit(then: ((argument: unknown) => void) | null, argument: unknown): void {
    if (then === null) {
      this.#log.commit(null, argument);
      return;
    }
    this.#log.commit(() => {
      if (!this.#isSlow || this.#core === null) {
        then(argument);
        return;
      }
      this.#delayed.push({
        dueMillis: this.#core.clock.nowMillis + this.#delayMillis,
        then,
        argument,
        publishedCount: this.publishedCount(),
      });
      this.#watch();
    }, null);
  }

  get #isSlow(): boolean {
    return this.#delayMillis > 0 || this.#delayed.length > 0;
  }

  #tellDue(): void {
    const now = this.#core?.clock.nowMillis ?? 0;
    while (this.#delayed.length > 0 && (this.#delayed[0] as Delayed).dueMillis <= now) {
      const { then, argument, publishedCount } = this.#delayed.shift() as Delayed;
      this.#toldCount = publishedCount;
      then(argument);
    }
    this.#watch();
  }

  #watch(): void {
    const first = this.#delayed[0];
    if (first !== undefined && first.dueMillis !== Infinity && !this.#timer.isSet) this.#core?.timers.set(this.#timer, first.dueMillis);
  }
}
