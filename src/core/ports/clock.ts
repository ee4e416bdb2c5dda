/**
 * The core's only source of time. `nowMillis` is monotonic and stands still during a turn; `wallMillis` is the Unix time.
 * The adapter reads the machine's clock once per turn; a virtual clock moves when a test says so.
 */
export interface Clock {
  /** Monotonic milliseconds as of the beginning of the turn. */
  readonly nowMillis: number;
  /** Milliseconds since 1970 as of the beginning of the turn. */
  readonly wallMillis: number;
  /** Reads the time anew; called once at the beginning of a turn. */
  refresh(): void;
  /** Monotonic milliseconds of this very moment: only to end work that has taken too long. Under a virtual clock nothing takes long. */
  readMillis(): number;
}
