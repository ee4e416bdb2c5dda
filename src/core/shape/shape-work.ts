import type { MessageRef } from '../messages/message-ref.ts';
import type { QueueContext } from '../queues/queue-context.ts';

/** Messages that one step looks at: a few milliseconds at most. */
export const stepMessagesMax = 4096;
/** Messages that one step copies into the log. */
export const stepCopiesMax = 1024;
/** Bytes that one step copies. */
export const stepBytesMax = 1024 * 1024;

/** How a step ended: there is nothing left to do, there is more, or `goOn` is called when there is. */
export type StepResult = 'done' | 'more' | 'waits';

/** Something long that is done in short steps, the first at once and the others in turns of their own, as the disk keeps up. */
export class ShapeWork {
  readonly #context: QueueContext;
  readonly #step: () => StepResult;
  readonly #failed: (error: unknown) => void;
  #isPlanned = false;

  /** `failed` gets what a step threw; none follows. */
  constructor(context: QueueContext, step: () => StepResult, failed: (error: unknown) => void) {
    this.#context = context;
    this.#step = step;
    this.#failed = failed;
  }

  run(): void {
    this.#isPlanned = false;
    try {
      if (this.#step() === 'more') this.goOn();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Another step follows in another turn. */
  goOn(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    const { backlog, turn } = this.#context;
    const plan = (): void => turn.beforeCommit(() => this.run());
    if (backlog.isBehind) backlog.onCaughtUp(plan);
    else plan();
  }

  /** Whether a message's bytes are in memory; if not they are fetched, and then another step follows. */
  isThere(ref: MessageRef): boolean {
    const { store } = this.#context;
    if (store.isResident(ref)) return true;
    store.fetch(ref, () => this.goOn());
    return false;
  }
}
