import type { Queue } from '../queues/queue.ts';

/** The queues of a message; remembered for equal messages until anything about the topology changes. */
export class Route {
  readonly queues: readonly Queue[];

  constructor(queues: readonly Queue[]) {
    this.queues = queues;
  }
}

export const emptyRoute = new Route([]);
