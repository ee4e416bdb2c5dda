import type { QueueContext } from '../queues/queue-context.ts';
import type { Queue } from '../queues/queue.ts';
import { ShapeChange } from './shape-change.ts';
import { stepMessagesMax, type StepResult, ShapeWork } from './shape-work.ts';

/** What a change needs of the virtual host. */
export interface SuccessionHome {
  /** The successor is to be forgotten. */
  drop(): void;
  /** It takes the queue's place: one record, which makes the change. */
  replace(): void;
  /** The queue that was replaced has nothing any more. */
  left(): void;
}

/**
 * Changes a queue into one that keeps its messages in another way: they are copied to a successor of the new type, which has a number of its own in
 * the log and which nobody sees, while the old queue is what counts. When all are there the successor takes its place and its bindings, and
 * consumers are cancelled, as when a queue is deleted.
 */
export abstract class Succession {
  readonly change: ShapeChange;
  protected readonly source: Queue;
  protected readonly successor: Queue;
  protected readonly context: QueueContext;
  protected readonly work: ShapeWork;
  readonly #home: SuccessionHome;
  /** Whether nothing is to be copied any more. */
  #isOver = false;

  constructor(source: Queue, successor: Queue, context: QueueContext, home: SuccessionHome) {
    this.source = source;
    this.successor = successor;
    this.context = context;
    this.#home = home;
    this.change = new ShapeChange(source, successor.type, successor.arguments, (where, error) => context.turn.onFault(where, error));
    this.change.onGivenUp = () => this.#undo();
    this.work = new ShapeWork(
      context,
      () => (this.#isOver ? 'done' : this.step()),
      error => {
        this.change.fail(error);
        this.#undo();
      },
    );
    source.change = this.change;
  }

  begin(): ShapeChange {
    this.work.run();
    return this.change;
  }

  /** Copies some messages; the last step calls `takeOver`. */
  protected abstract step(): StepResult;

  /** Nothing is copied any more. */
  protected abstract end(isTakenOver: boolean): void;

  /** Lets go of some messages that the old queue has; returns whether that was all. */
  protected abstract clear(): boolean;

  /** All is copied. */
  protected takeOver(): void {
    const { context, change, source, successor } = this;
    this.#isOver = true;
    change.decide();
    this.end(true);
    this.#home.replace();
    // What the successor knows of the messages it has is in the log before anybody is told.
    const { deduplication } = successor;
    const work = new ShapeWork(
      context,
      () => {
        if (change.outcome === null && !successor.isDeleted && deduplication?.kept?.writeSome(stepMessagesMax) === false) return 'more';
        change.done(successor);
        if (!this.clear()) return 'more';
        this.#home.left();
        return 'done';
      },
      error => context.turn.onFault(`the rest of queue '${source.name}'`, error),
    );
    work.run();
  }

  #undo(): void {
    this.#isOver = true;
    this.end(false);
    this.#home.drop();
  }
}
