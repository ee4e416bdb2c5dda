// hot path: see docs/STYLE.md
import type { CommitLog } from './ports/commit-log.ts';

/** Who waits for commits: a channel in confirm mode, an MQTT session ... It says once per batch that it waits. */
export interface ConfirmWaiter {
  /** Written by the ledger: whether the waiter is in the batch that is being gathered. */
  isExpected: boolean;
  /** Called when a batch closes; returns the mark that `confirmed` gets back, e.g. the last publish sequence number. */
  takeMark(): number;
  /** Everything up to the mark is as durable as it has to be. */
  confirmed(mark: number): void;
}

class Batch {
  readonly waiters: ConfirmWaiter[] = [];
  readonly marks: number[] = [];
}

/**
 * Knows who waits for which commit. All acknowledgements of durability go through here, whatever the protocol: they are effects of a
 * commit, never of a return value (architecture, D4).
 */
export class ConfirmLedger {
  readonly #log: CommitLog;
  #gathering: ConfirmWaiter[] = [];
  #spare = new Batch();
  readonly #onCommitted = (batch: unknown): void => this.#committed(batch as Batch);

  constructor(log: CommitLog) {
    this.#log = log;
  }

  /** The waiter wants to hear of the next commit. Cheap to call again within a batch. */
  expect(waiter: ConfirmWaiter): void {
    if (waiter.isExpected) return;
    waiter.isExpected = true;
    this.#gathering.push(waiter);
  }

  /** Closes the batch of this turn. With nothing in the log to wait for it is confirmed at once. */
  commit(): void {
    if (this.#gathering.length === 0) {
      this.#log.commit(null, null);
      return;
    }
    const batch = this.#spare;
    this.#spare = new Batch();
    const gathering = this.#gathering;
    for (let i = 0; i < gathering.length; i++) {
      const waiter = gathering[i] as ConfirmWaiter;
      waiter.isExpected = false;
      batch.waiters.push(waiter);
      batch.marks.push(waiter.takeMark());
    }
    gathering.length = 0;
    this.#log.commit(this.#onCommitted, batch);
  }

  #committed(batch: Batch): void {
    for (let i = 0; i < batch.waiters.length; i++) (batch.waiters[i] as ConfirmWaiter).confirmed(batch.marks[i] as number);
    batch.waiters.length = 0;
    batch.marks.length = 0;
    this.#spare = batch;
  }
}
