/**
 * Something that is due at a time. A timer belongs to one queue at a time and may be set again from its own `fire`.
 */
export abstract class Timer {
  dueMillis = 0;
  /** Place in the heap; -1 when not set, -2 when put off to the next run. Written by TimerQueue only. */
  heapIndex = -1;

  abstract fire(nowMillis: number): void;

  get isSet(): boolean {
    return this.heapIndex !== -1;
  }
}

/** A timer made of a function, for the control plane. */
export class CallbackTimer extends Timer {
  readonly #callback: (nowMillis: number) => void;

  constructor(callback: (nowMillis: number) => void) {
    super();
    this.#callback = callback;
  }

  fire(nowMillis: number): void {
    this.#callback(nowMillis);
  }
}

/**
 * All timers of a broker in one binary heap, so that a virtual clock can fire them in order and one machine timer serves them all.
 * Setting, moving and clearing cost O(log n).
 */
export class TimerQueue {
  readonly #heap: Timer[] = [];
  /** Timers that are due already and were set while timers fired: others have their turn before. */
  #putOff: Timer[] = [];
  /** Until when timers fire that fire now. */
  #runMillis = -Infinity;

  get size(): number {
    return this.#heap.length + this.#putOff.length;
  }

  /** When the next timer is due, in the clock's milliseconds; Infinity when none is set. */
  get nextDueMillis(): number {
    return this.#heap.length === 0 ? Infinity : (this.#heap[0] as Timer).dueMillis;
  }

  /** Sets the timer, or moves it when it is set already. One that is due already and is set while timers fire, fires in the next run. */
  set(timer: Timer, dueMillis: number): void {
    if (dueMillis <= this.#runMillis || timer.heapIndex === -2) this.clear(timer);
    timer.dueMillis = dueMillis;
    if (dueMillis <= this.#runMillis) {
      timer.heapIndex = -2;
      this.#putOff.push(timer);
      return;
    }
    if (timer.heapIndex < 0) {
      timer.heapIndex = this.#heap.length;
      this.#heap.push(timer);
      this.#up(timer.heapIndex);
    } else {
      this.#up(timer.heapIndex);
      this.#down(timer.heapIndex);
    }
  }

  /** Takes the timer out; nothing happens when it is not set. */
  clear(timer: Timer): void {
    const index = timer.heapIndex;
    if (index === -1) return;
    timer.heapIndex = -1;
    if (index === -2) {
      this.#putOff.splice(this.#putOff.indexOf(timer), 1);
      return;
    }
    const last = this.#heap.pop() as Timer;
    if (last === timer) return;
    this.#heap[index] = last;
    last.heapIndex = index;
    this.#up(index);
    this.#down(last.heapIndex);
  }

  /** Fires what is due at `nowMillis`, at most `countMax` timers. Returns whether more are due. */
  run(nowMillis: number, countMax = Infinity): boolean {
    this.#runMillis = nowMillis;
    try {
      for (let count = 0; count < countMax && this.#isDue(nowMillis); count++) {
        const timer = this.#heap[0] as Timer;
        this.clear(timer);
        timer.fire(nowMillis);
      }
    } finally {
      this.#runMillis = -Infinity;
      if (this.#putOff.length > 0) this.#setPutOff();
    }
    return this.#isDue(nowMillis);
  }

  #isDue(nowMillis: number): boolean {
    return this.#heap.length > 0 && (this.#heap[0] as Timer).dueMillis <= nowMillis;
  }

  #setPutOff(): void {
    const timers = this.#putOff;
    this.#putOff = [];
    for (const timer of timers) {
      timer.heapIndex = -1;
      this.set(timer, timer.dueMillis);
    }
  }

  #up(start: number): void {
    const heap = this.#heap;
    let index = start;
    const timer = heap[index] as Timer;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Timer;
      if (above.dueMillis <= timer.dueMillis) break;
      heap[index] = above;
      above.heapIndex = index;
      index = parent;
    }
    heap[index] = timer;
    timer.heapIndex = index;
  }

  #down(start: number): void {
    const heap = this.#heap;
    let index = start;
    const timer = heap[index] as Timer;
    const count = heap.length;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= count) break;
      if (child + 1 < count && (heap[child + 1] as Timer).dueMillis < (heap[child] as Timer).dueMillis) child++;
      const below = heap[child] as Timer;
      if (below.dueMillis >= timer.dueMillis) break;
      heap[index] = below;
      below.heapIndex = index;
      index = child;
    }
    heap[index] = timer;
    timer.heapIndex = index;
  }
}
