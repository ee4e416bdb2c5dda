import type { Queue } from '../queues/queue.ts';

/** What becomes of a message: its queues; remembered for equal messages until anything about the topology changes. */
export class Route {
  readonly queues: readonly Queue[];
  /** Why an exchange does not take the message, for the publisher; null when none refused it. */
  readonly refusal: string | null;

  constructor(queues: readonly Queue[], refusal: string | null = null) {
    this.queues = queues;
    this.refusal = refusal;
  }
}

export const emptyRoute = new Route([]);
/** No queue, but the message is not unroutable: an exchange has kept it, or dropped it as it was told to. */
export const takenRoute = new Route([]);
