import { CallbackTimer, type TimerQueue } from '../base/timer-queue.ts';
import type { Clock } from './ports/clock.ts';
import type { Queue } from './queues/queue.ts';

/** A publisher's connection, as far as it can be held up. */
export interface Throttleable {
  /** Reads nothing more from the client until `release`. */
  hold(): void;
  release(): void;
}

/** Ready messages (or bytes of them) above which a publisher is held up if consumers are keeping busy. */
export const flowMessagesHigh = 8000;
export const flowBytesHigh = 16 * 1024 * 1024;
/** How often held publishers are looked at. */
const checkMillis = 4;
/** What a queue hands out between two checks at least if its consumers are busy. */
const progressMessagesMin = 80;
const progressBytesMin = 128 * 1024;
/**
 * A queue whose consumers are not busy for so long is not worth waiting for: its publishers would only be slowed down. A fast consumer may
 * well be off the processor for some milliseconds.
 */
const patienceMillis = 20;
/** How long publishers are then left alone, the first time; each further time twice as long. */
const exemptMillisMin = 25;
const exemptMillisMax = 8000;

class HeldQueue {
  readonly queue: Queue;
  readonly held = new Set<Throttleable>();
  readonly timer: CallbackTimer;
  deliveredBefore = 0;
  bytesBefore = 0;
  /** When consumers were last found busy, or the publishers held. */
  busyAtMillis = 0;
  exemptUntilMillis = 0;
  exemptMillis = exemptMillisMin;

  constructor(queue: Queue, check: (state: HeldQueue) => void) {
    this.queue = queue;
    this.timer = new CallbackTimer(() => check(this));
  }
}

/**
 * Keeps a fast publisher from running away from consumers that work as fast as they can: its connection is not read while the queue is
 * long and being emptied at speed. Consumers that are slow by nature (seconds a task) never hold a publisher up: then the queue grows, as
 * queues should, up to its limits or the memory alarm. [RabbitMQ docs: flow control]
 */
export class FlowControl {
  readonly #clock: Clock;
  readonly #timers: TimerQueue;
  readonly #states = new Map<Queue, HeldQueue>();
  /** How often a publisher was held. */
  heldCount = 0;

  constructor(clock: Clock, timers: TimerQueue) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** A publisher has made a long queue longer. */
  consider(queue: Queue, publisher: Throttleable): void {
    if (queue.consumerCount === 0 || queue.paused !== null) return;
    let state = this.#states.get(queue);
    if (state === undefined) {
      state = new HeldQueue(queue, held => this.#check(held));
      this.#states.set(queue, state);
    }
    if (this.#clock.nowMillis < state.exemptUntilMillis || state.held.has(publisher)) return;
    state.held.add(publisher);
    this.heldCount++;
    publisher.hold();
    if (state.timer.isSet) return;
    state.busyAtMillis = this.#clock.nowMillis;
    this.#watch(state);
  }

  /** The publisher's connection is gone. */
  forget(publisher: Throttleable): void {
    for (const state of this.#states.values()) state.held.delete(publisher);
  }

  /** The queue is deleted: nobody waits for it any more. */
  forgetQueue(queue: Queue): void {
    const state = this.#states.get(queue);
    if (state === undefined) return;
    this.#states.delete(queue);
    this.#timers.clear(state.timer);
    for (const publisher of state.held) publisher.release();
  }

  /** Queues that are or were lately found too long. */
  get watchedCount(): number {
    return this.#states.size;
  }

  #watch(state: HeldQueue): void {
    const { counters } = state.queue;
    state.deliveredBefore = counters.delivered + counters.deliveredNoAck;
    state.bytesBefore = state.queue.readyBytes;
    this.#timers.set(state.timer, this.#clock.nowMillis + checkMillis);
  }

  #check(state: HeldQueue): void {
    const { queue } = state;
    const { counters } = queue;
    const progress = counters.delivered + counters.deliveredNoAck - state.deliveredBefore;
    const isBusy = progress >= progressMessagesMin || state.bytesBefore - queue.readyBytes >= progressBytesMin;
    const isShort = queue.readyCount <= flowMessagesHigh / 2 && queue.readyBytes <= flowBytesHigh / 2;
    const { nowMillis } = this.#clock;
    if (isBusy) {
      state.busyAtMillis = nowMillis;
      state.exemptMillis = exemptMillisMin;
    }
    const isSlow = nowMillis - state.busyAtMillis >= patienceMillis;
    if (!isSlow && !isShort && state.held.size > 0) {
      this.#watch(state);
      return;
    }
    const held = [...state.held];
    state.held.clear();
    if (isSlow) {
      state.exemptUntilMillis = nowMillis + state.exemptMillis;
      state.exemptMillis = Math.min(state.exemptMillis * 2, exemptMillisMax);
    }
    if (isShort) this.#states.delete(queue);
    for (const publisher of held) publisher.release();
  }
}
