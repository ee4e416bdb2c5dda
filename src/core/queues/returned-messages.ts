import type { RefOwner, Rename } from '../messages/message-ref.ts';
import { Entry } from './entry.ts';
import { ReturnedHeap } from './returned-heap.ts';
import { ReturnedRun } from './returned-run.ts';
import type { Runs } from './runs.ts';

/** So many are sorted one by one; more of them mostly come in order. */
const heapMin = 64;
/** Clients that return many at the same time, each in order. */
const runsMax = 8;

/**
 * Messages that came back, lowest place first. They are all older than what is still in the ring, so the queue takes from here first:
 * that is how a returned message gets its old place again. [RabbitMQ docs: queues, message ordering]
 */
export class ReturnedMessages {
  readonly #heap = new ReturnedHeap();
  #runs: ReturnedRun[] = [];
  length = 0;
  readonly #scratch = new Entry();

  push(entry: Entry): void {
    this.length++;
    for (const run of this.#runs) {
      if (run.last >= entry.sequence) continue;
      run.push(entry);
      return;
    }
    if (this.#heap.length < heapMin || this.#runs.length === runsMax) {
      this.#heap.push(entry);
      return;
    }
    const run = new ReturnedRun();
    run.push(entry);
    this.#runs.push(run);
  }

  /** Fills `into` with the first message and leaves it in place. */
  peek(into: Entry): void {
    const run = this.#firstRun();
    if (run === null) this.#heap.peek(into);
    else run.peek(into);
  }

  shift(into: Entry): void {
    this.length--;
    const run = this.#firstRun();
    if (run === null) {
      this.#heap.shift(into);
      return;
    }
    run.shift(into);
    this.#dropIfEmpty(run);
  }

  /**
   * Visits the messages but the first `skip` in the order of their places without taking them out, until `visit` answers false; returns whether it
   * went on to the end. For browsing.
   */
  forEach(visit: (entry: Entry) => boolean, into: Entry, skip = 0): boolean {
    let left = skip;
    const sorted = this.#heap.sorted();
    const heads = this.#runs.map(run => ({ run, position: run.head }));
    for (let at = 0; ; ) {
      let best: { run: ReturnedRun; position: number } | null = null;
      for (const head of heads) {
        if (head.position < head.run.tail && (best === null || sequenceOf(head) < sequenceOf(best))) best = head;
      }
      const item = sorted[at];
      if (item !== undefined && (best === null || item.sequence < sequenceOf(best))) {
        at++;
        Object.assign(into, item);
      } else if (best !== null) {
        const { run, position } = best;
        best.position++;
        if (run.isEmptyAt(position)) continue;
        run.fill(into, position);
      } else return true;
      if (left > 0) left--;
      else if (!visit(into)) return false;
    }
  }

  /** Fills `into` with the message at a place. Returns false when it is not here. */
  find(sequence: number, into: Entry): boolean {
    for (const run of this.#runs) {
      const position = run.positionOf(sequence);
      if (position < 0) continue;
      run.fill(into, position);
      return true;
    }
    return this.#heap.find(sequence, into);
  }

  /** Takes the message at a place out, wherever it is. Returns false when it is not here. */
  remove(sequence: number, into: Entry): boolean {
    for (const run of this.#runs) {
      const position = run.positionOf(sequence);
      if (position < 0) continue;
      this.length--;
      run.removeAt(position, into);
      this.#dropIfEmpty(run);
      return true;
    }
    if (!this.#heap.remove(sequence, into)) return false;
    this.length--;
    return true;
  }

  /** Adds the places of all that are in the log. */
  addLogged(runs: Runs): void {
    for (const run of this.#runs) run.addLogged(runs);
    this.#heap.addLogged(runs);
  }

  limitExpiries(expiryMillis: number): void {
    for (const run of this.#runs) run.limitExpiries(expiryMillis);
    this.#heap.limitExpiries(expiryMillis);
  }

  relocate(rename: Rename, owner: RefOwner | null): void {
    for (const run of this.#runs) run.relocate(rename, owner);
    this.#heap.relocate(rename, owner);
  }

  /** The run whose first message is the first of all; null when that is in the heap. */
  #firstRun(): ReturnedRun | null {
    let best: ReturnedRun | null = null;
    for (const run of this.#runs) if (best === null || run.first < best.first) best = run;
    if (best === null || this.#heap.length === 0) return best;
    this.#heap.peek(this.#scratch);
    return this.#scratch.sequence < best.first ? null : best;
  }

  #dropIfEmpty(run: ReturnedRun): void {
    if (run.length === 0) this.#runs = this.#runs.filter(each => each !== run);
  }
}

function sequenceOf({ run, position }: { readonly run: ReturnedRun; readonly position: number }): number {
  return run.sequenceAt(position);
}
