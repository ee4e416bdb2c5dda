import { CallbackTimer, type TimerQueue } from '../base/timer-queue.ts';
import type { SlotList } from '../base/slot-list.ts';
import type { Clock } from '../core/ports/clock.ts';

/** How often connections are looked after. Heartbeats and keep-alives are whole seconds, and are sent at half their time. */
const sweepMillis = 500;
/** A pass that comes so much later than it was due says that the process stood still. */
const lateMillisMax = 1000;

/** How a protocol looks after its connections. */
export interface Sweep<Connection> {
  /** Does what time asks for: heartbeats, deadlines, the end of who is silent. */
  readonly sweep: (connection: Connection, nowMillis: number) => void;
  /** The pass over this connection failed: that is our fault, and the end of this connection only. */
  readonly fault: (connection: Connection, error: unknown) => void;
}

/**
 * Looks after the connections of a protocol, twice a second as long as there are any. When the process stood still (a machine that was
 * suspended, a turn that took long) what clients sent meanwhile waits in the kernel, and their silence proves nothing: that pass is left
 * out, so that sockets are read before the next one.
 */
export class Sweeper<Connection extends object> {
  readonly #timer: CallbackTimer;
  readonly #timers: TimerQueue;
  readonly #clock: Clock;
  #isPassOwed = false;

  constructor(connections: SlotList<Connection>, timers: TimerQueue, clock: Clock, { sweep, fault }: Sweep<Connection>) {
    this.#timers = timers;
    this.#clock = clock;
    this.#timer = new CallbackTimer(now => {
      this.#isPassOwed = !this.#isPassOwed && now - this.#timer.dueMillis > lateMillisMax;
      if (!this.#isPassOwed) {
        connections.visit(connection => {
          try {
            sweep(connection, now);
          } catch (error) {
            fault(connection, error);
          }
        });
      }
      if (connections.size > 0) timers.set(this.#timer, now + sweepMillis);
    });
  }

  /** There is a connection. */
  start(): void {
    if (!this.#timer.isSet) this.#timers.set(this.#timer, this.#clock.nowMillis + sweepMillis);
  }
}
