import { setImmediate as nextRound } from 'node:timers/promises';
import { type Duration, durationMillis } from './duration.ts';

export interface AdvanceOptions {
  /**
   * Clients send their heartbeats by the machine's clock, so a broker whose time jumps would take all of them for dead. 'kept', the default,
   * counts them as heard of all the time; 'missed' counts what they really sent.
   */
  readonly heartbeats?: 'kept' | 'missed';
}

/** What the clock has to know of its broker. @internal */
export interface VirtualWorld {
  /** A number that changes whenever the broker does something that others can see. */
  activity(): number;
  /** Every client counts as heard of now. */
  keepClientsAlive(nowMillis: number): void;
}

/** Rounds of the event loop without any activity after which a broker counts as done with a moment. */
const quietRounds = 4;
/** Rounds after which a moment ends although there is still activity: clients that answer each other for ever. */
const roundsMax = 10_000;

/**
 * Time that moves when a test says so. What is due on the way happens in its order, each at its own moment, with all that follows from it
 * as far as clients in this process are concerned. Network and disk keep the machine's time.
 */
export class VirtualClock {
  /** @internal */
  nowMillis: number;
  /** @internal */
  wallMillis: number;
  readonly #wallAtZero: number;
  #millis: number;
  #immediate: NodeJS.Immediate | null = null;
  #overdue: NodeJS.Immediate | null = null;
  #runTurn: (() => void) | null = null;
  #dueMillis = Infinity;
  #wake: (() => void) | null = null;
  #world: VirtualWorld | null = null;
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** `startMillis`: the Unix time that it begins with; default now. */
  constructor(startMillis = Date.now()) {
    // Not 0, which means 'never' in places.
    this.#millis = 1000;
    this.#wallAtZero = startMillis - this.#millis;
    this.nowMillis = this.#millis;
    this.wallMillis = startMillis;
  }

  /** The broker's date and time. */
  get now(): Date {
    return new Date(this.#wallAtZero + this.#millis);
  }

  /**
   * Lets time pass: messages expire, delayed ones become ready, queues and acknowledgements time out. Resolves when everything has happened.
   * Rejects with a RangeError for what is no time span.
   */
  advance(duration: Duration, options: AdvanceOptions = {}): Promise<void> {
    const advanced = this.#last.then(() => this.#advance(durationMillis(duration), options));
    this.#last = advanced.catch(() => {});
    return advanced;
  }

  async #advance(millis: number, { heartbeats = 'kept' }: AdvanceOptions): Promise<void> {
    await this.settled();
    const target = this.#millis + millis;
    while (this.#dueMillis <= target && !this.#isStopped) {
      this.#millis = Math.max(this.#millis, this.#dueMillis);
      const wake = this.#wake;
      this.#dueMillis = Infinity;
      this.#wake = null;
      if (heartbeats === 'kept') this.#world?.keepClientsAlive(this.#millis);
      const before = this.#world?.activity();
      wake?.();
      if (this.#world?.activity() !== before) await this.settled();
    }
    this.#millis = target;
    if (heartbeats === 'kept') this.#world?.keepClientsAlive(this.#millis);
    this.#runTurn?.();
    await this.settled();
  }

  /** Resolves when nothing goes on at the present moment. */
  async settled(): Promise<void> {
    let last = NaN;
    let quiet = 0;
    for (let round = 0; round < roundsMax && quiet < quietRounds && !this.#isStopped; round++) {
      await nextRound();
      const activity = this.#world?.activity() ?? 0;
      quiet = activity === last && this.#immediate === null && this.#overdue === null ? quiet + 1 : 0;
      last = activity;
    }
  }

  /** @internal */
  observe(world: VirtualWorld): void {
    this.#world = world;
  }

  /** @internal */
  refresh(): void {
    this.nowMillis = this.#millis;
    this.wallMillis = this.#wallAtZero + this.#millis;
  }

  /** @internal */
  readMillis(): number {
    return this.#millis;
  }

  /** @internal */
  armTurn(run: () => void): void {
    this.#runTurn = run;
    this.#immediate ??= setImmediate(() => {
      this.#immediate = null;
      this.#runTurn?.();
    });
  }

  /** @internal */
  armTimer(dueMillis: number, run: () => void): void {
    this.#dueMillis = dueMillis;
    this.#wake = run;
    // What is due already does not wait for anybody to move the clock.
    if (dueMillis <= this.#millis) this.#overdue ??= setImmediate(() => this.#runDue());
  }

  /** Nothing runs any more. @internal */
  stop(): void {
    this.#isStopped = true;
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    if (this.#overdue !== null) clearImmediate(this.#overdue);
    this.#immediate = null;
    this.#overdue = null;
    this.#runTurn = null;
    this.#wake = null;
    this.#dueMillis = Infinity;
  }

  #runDue(): void {
    this.#overdue = null;
    if (this.#dueMillis > this.#millis) return;
    const wake = this.#wake;
    this.#dueMillis = Infinity;
    this.#wake = null;
    wake?.();
  }
}
