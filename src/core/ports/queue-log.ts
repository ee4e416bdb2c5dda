/**
 * The durable record of what is in queues; ports/commit-log.ts says when it is durable. An entry is named by its queue's number, its
 * priority and its sequence number there.
 */
export interface QueueLog {
  /** A message, whose bytes are in a slab of the log, is in the queue. `expiryMillis` is the Unix time it expires at; 0: never. */
  enqueued(queueId: number, priority: number, sequence: number, ref: number, bodyBytes: number, expiryMillis: number): void;
  /**
   * The entry, which is in the queue, was tried so often; it waits until the Unix time `dueMillis`, or with 0 does not wait any more.
   * Holds until it is said anew.
   */
  waits(queueId: number, priority: number, sequence: number, dueMillis: number, retryCount: number): void;
  /** The message came back to the queue: `meta` has its flags and how often that was. */
  returned(queueId: number, priority: number, sequence: number, meta: number): void;
  /** The message, which died and is kept until all targets have taken it, is in this queue now: it is not to get it again. */
  taken(queueId: number, priority: number, sequence: number, targetId: number): void;
  /** The message, which was at `from`, is at this place now; `meta` has its flags and how often it came back. All of it holds, or nothing. */
  moved(
    queueId: number,
    priority: number,
    from: number,
    sequence: number,
    ref: number,
    bodyBytes: number,
    expiryMillis: number,
    meta: number,
  ): void;
  /** The message is no longer in the queue. */
  settled(queueId: number, priority: number, sequence: number): void;
  /** The same of so many messages of the level of a priority, whose numbers follow each other. */
  settledRun(queueId: number, priority: number, first: number, count: number): void;
}
