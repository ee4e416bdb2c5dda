/**
 * Something that is due at a time. A timer belongs to one queue at a time and may be set again from its own `fire`.
 */
export abstract class Timer {
  dueMillis = 0;
  /** Place in the heap; -1 when not set. Written by TimerQueue only. */
  heapIndex = -1;

  abstract fire(nowMillis: number): void;

  get isSet(): boolean {
    return this.heapIndex >= 0;
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

  get size(): number {
    return this.#heap.length;
  }

  /** When the next timer is due, in the clock's milliseconds; Infinity when none is set. */
  get nextDueMillis(): number {
    return this.#heap.length === 0 ? Infinity : (this.#heap[0] as Timer).dueMillis;
  }

  /** Sets the timer, or moves it when it is set already. */
  set(timer: Timer, dueMillis: number): void {
    timer.dueMillis = dueMillis;
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
    if (index < 0) return;
    timer.heapIndex = -1;
    const last = this.#heap.pop() as Timer;
    if (last === timer) return;
    this.#heap[index] = last;
    last.heapIndex = index;
    this.#up(index);
    this.#down(last.heapIndex);
  }

  /** Fires what is due at `nowMillis`, at most `countMax` timers. Returns whether more are due. */
  run(nowMillis: number, countMax = Infinity): boolean {
    let count = 0;
    while (this.#heap.length > 0 && (this.#heap[0] as Timer).dueMillis <= nowMillis) {
      if (count++ >= countMax) return true;
      const timer = this.#heap[0] as Timer;
      this.clear(timer);
      timer.fire(nowMillis);
    }
    return false;
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
