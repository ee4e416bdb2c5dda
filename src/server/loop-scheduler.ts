import type { Scheduler } from '../core/ports/scheduler.ts';

/** Longest time that a machine timer takes. */
const timeoutMillisMax = 0x7fff_ffff;

/** Turns on the event loop: after each poll phase in which something happened, and when a timer is due. */
export class LoopScheduler implements Scheduler {
  #immediate: NodeJS.Immediate | null = null;
  #timeout: NodeJS.Timeout | null = null;
  #run: (() => void) | null = null;
  readonly #onImmediate = (): void => {
    this.#immediate = null;
    this.#run?.();
  };

  armTurn(run: () => void): void {
    this.#run = run;
    this.#immediate ??= setImmediate(this.#onImmediate);
  }

  armTimer(dueMillis: number, run: () => void): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    const delayMillis = Math.min(timeoutMillisMax, Math.max(0, Math.ceil(dueMillis - performance.now())));
    this.#timeout = setTimeout(run, delayMillis);
  }

  /** Nothing runs any more. */
  stop(): void {
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#immediate = null;
    this.#timeout = null;
    this.#run = null;
  }
}
