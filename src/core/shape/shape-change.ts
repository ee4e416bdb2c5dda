import type { FieldTable } from '../../base/field-table.ts';
import { BrokerError, preconditionFailed } from '../broker-error.ts';
import type { QueueType } from '../queues/queue-type.ts';
import type { Queue } from '../queues/queue.ts';
import { queueTerm } from '../resource-name.ts';

/** What became of a change: the queue, which may be another object than before, or why it stays as it was. */
export type ShapeOutcome = { readonly queue: Queue; readonly error: null } | { readonly queue: null; readonly error: BrokerError };

/** A queue is getting another type or other arguments, and those who asked for it wait. */
export class ShapeChange {
  readonly type: QueueType;
  readonly arguments: FieldTable;
  readonly #queue: Queue;
  readonly #onFault: (where: string, error: unknown) => void;
  #outcome: ShapeOutcome | null = null;
  #isDecided = false;
  #waiting: ((outcome: ShapeOutcome) => void)[] = [];
  /** Called when somebody else ends it, so that what was begun is undone. */
  onGivenUp: () => void = () => {};

  constructor(queue: Queue, type: QueueType, args: FieldTable, onFault: (where: string, error: unknown) => void) {
    this.#onFault = onFault;
    this.#queue = queue;
    this.type = type;
    this.arguments = args;
  }

  /** Null while it is under way. */
  get outcome(): ShapeOutcome | null {
    return this.#outcome;
  }

  /** Calls back when it is over: at once when it is. Durable it is with the next commit. */
  whenOver(then: (outcome: ShapeOutcome) => void): void {
    if (this.#outcome === null) this.#waiting.push(then);
    else then(this.#outcome);
  }

  done(queue: Queue): void {
    this.#end({ queue, error: null });
  }

  /** The queue stays as it was. An error that is ours is for the log. */
  fail(error: unknown): void {
    if (error instanceof BrokerError) {
      this.#end({ queue: null, error });
      return;
    }
    this.#onFault('a change of shape', error);
    this.#end({ queue: null, error: this.#refusal('it failed, see the log of the broker') });
  }

  /** It is recorded, and nothing can stop it any more. */
  decide(): void {
    this.#isDecided = true;
  }

  /** Somebody has done with the queue what the change cannot go on with. */
  giveUp(why: string): void {
    if (this.#outcome !== null || this.#isDecided) return;
    this.#end({ queue: null, error: this.#refusal(why) });
    this.onGivenUp();
  }

  #refusal(why: string): BrokerError {
    return preconditionFailed(`cannot change ${queueTerm(this.#queue.name, this.#queue.vhostName)}: ${why}`);
  }

  #end(outcome: ShapeOutcome): void {
    if (this.#outcome !== null) return;
    this.#outcome = outcome;
    this.#queue.change = null;
    for (const then of this.#waiting.splice(0)) then(outcome);
  }
}
