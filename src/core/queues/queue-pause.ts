/** That a queue hands out nothing for as long as somebody wants: it takes messages as before. */
export interface QueuePause {
  /** A time of day. */
  readonly sinceMillis: number;
  /** The user who paused it. */
  readonly by: string;
}
