/** V8's heap, in bytes. What is used may be garbage. */
export interface HeapSample {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

export interface Heap {
  heap(): HeapSample;
  collectGarbage(): void;
}

/** This part of the limit may be in use; what is above is for V8's own work. */
const allowedPart = 0.85;
/** It counts as full until this part of what is allowed is reached from above. */
const clearedPart = 0.95;
/** So far above what is allowed nobody waits for a collection. */
const urgentPart = 1.05;
/** Collections may take this part of the time, and are not more often than this. */
const collectingPart = 0.1;
const collectMillisMin = 2000;

/**
 * V8 ends the process when its heap is full, however much memory the machine has. Messages are not in it; queues, bindings, connections and
 * remembered values are. Whether it is full, and not just due for a collection, only a collection can say.
 */
export class HeapWatch {
  readonly #heap: Heap;
  readonly #now: () => number;
  #collectMillis = -Infinity;
  /** Whether it is full, at the last look. */
  isFull = false;
  /** At the last look. */
  usedBytes = 0;
  allowedBytes = Infinity;

  constructor(heap: Heap, now: () => number = () => performance.now()) {
    this.#heap = heap;
    this.#now = now;
  }

  /** Looks once; returns whether it is full. */
  check(): boolean {
    this.#sample();
    if (this.usedBytes <= this.allowedBytes * clearedPart) {
      this.isFull = false;
      return false;
    }
    const began = this.#now();
    if (began < this.#collectMillis) {
      // Too soon for a collection, too late to wait for it: what is used counts until then, garbage or not.
      if (this.usedBytes > this.allowedBytes * urgentPart) this.isFull = true;
      return this.isFull;
    }
    this.#heap.collectGarbage();
    this.#collectMillis = began + Math.max(collectMillisMin, (this.#now() - began) / collectingPart);
    this.#sample();
    this.isFull = this.usedBytes > this.allowedBytes * (this.isFull ? clearedPart : 1);
    return this.isFull;
  }

  #sample(): void {
    const { usedBytes, limitBytes } = this.#heap.heap();
    this.usedBytes = usedBytes;
    this.allowedBytes = limitBytes * allowedPart;
  }
}
