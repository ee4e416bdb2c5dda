// hot path: see docs/STYLE.md
import type { TimerQueue } from '../base/timer-queue.ts';
import type { BrokerMessages } from './broker-messages.ts';
import type { ConfirmLedger } from './confirm-ledger.ts';
import type { DeadLetters } from './dead-letters.ts';
import { limits } from './limits.ts';
import type { Clock } from './ports/clock.ts';
import type { Scheduler } from './ports/scheduler.ts';
import type { Queue } from './queues/queue.ts';

/** A connection with bytes to send; its `flush` writes them to the socket, once per turn. */
export interface Flushable {
  flush(): void;
}

/**
 * The rhythm of the data plane: INGEST (sockets call into sessions), PUMP (queues hand out messages), FLUSH (one write per connection),
 * COMMIT (the log). Whoever has work says so (`queueReady`, `flushLater`, `ingested`); at most one run is scheduled at a time, and all
 * code between two runs is synchronous. (docs/ARCHITECTURE.md, the turn)
 */
export class Turn {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #timers: TimerQueue;
  readonly #ledger: ConfirmLedger;
  deadLetters: DeadLetters | null = null;
  brokerMessages: BrokerMessages | null = null;
  #readyQueues: Queue[] = [];
  #pumping: Queue[] = [];
  #dirty: Flushable[] = [];
  #flushing: Flushable[] = [];
  readonly #beforeCommit: (() => void)[] = [];
  #isArmed = false;
  #isRunning = false;
  #isTimeFresh = false;
  #ingestedBytes = 0;
  /** When the first input came since every socket was looked at; Infinity while there is none. */
  #pollBeganMillis = Infinity;
  #armedTimerMillis = Infinity;
  readonly #afterPoll: (() => void)[] = [];
  readonly #run = (): void => {
    this.#pollBeganMillis = Infinity;
    if (this.#afterPoll.length > 0) {
      this.begin();
      for (const act of this.#afterPoll.splice(0)) act();
    }
    this.run();
  };
  readonly #wake = (): void => {
    this.#armedTimerMillis = Infinity;
    this.run();
  };
  /** Hears of errors that are ours. One queue or connection that fails must not end the turn, nor the process. */
  onFault: (where: string, error: unknown) => void = (_, error) => {
    throw error;
  };
  /** Turns since the start; statistics tell turns apart by it. */
  count = 0;

  constructor(clock: Clock, scheduler: Scheduler, timers: TimerQueue, ledger: ConfirmLedger) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#timers = timers;
    this.#ledger = ledger;
  }

  /** To be called before a session acts on input, so that time is read once per turn and not per event. */
  begin(): void {
    if (this.#isTimeFresh) return;
    this.#isTimeFresh = true;
    this.#clock.refresh();
    this.arm();
  }

  /** A queue has messages and a consumer for them, or may have. */
  queueReady(queue: Queue): void {
    if (queue.isMarkedReady) return;
    queue.isMarkedReady = true;
    this.#readyQueues.push(queue);
    if (!this.#isArmed) this.arm();
  }

  /** Asks for `connection.flush()` at the end of the turn. The caller asks once until it was flushed. */
  flushLater(connection: Flushable): void {
    this.#dirty.push(connection);
    if (!this.#isArmed) this.arm();
  }

  /**
   * A session has acted on `bytes` of input. After a batch's worth the turn runs at once: what came in is handed out while it is still
   * in the processor's cache, and one busy publisher does not hold up everybody's deliveries for long.
   */
  ingested(bytes: number): void {
    this.#ingestedBytes += bytes;
    if (this.#pollBeganMillis === Infinity) this.#pollBeganMillis = this.#clock.nowMillis;
    if (this.#ingestedBytes >= limits.turnIngestBytes && !this.#isRunning) this.run();
  }

  /** Whether input was acted on for so long that the other sockets are to be looked at before there is more from the same. */
  get isPollLong(): boolean {
    return this.#clock.nowMillis - this.#pollBeganMillis >= limits.pollMillis;
  }

  /** Calls back once at the end of the turn, before what it did is committed and confirmed. */
  beforeCommit(act: () => void): void {
    this.#beforeCommit.push(act);
    if (!this.#isArmed) this.arm();
  }

  /** Calls back once when every socket was looked at: in the next turn that does not come about by input alone. */
  afterPoll(act: () => void): void {
    this.#afterPoll.push(act);
    if (!this.#isArmed) this.arm();
  }

  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#scheduler.armTurn(this.#run);
  }

  /** PUMP, FLUSH and COMMIT for what has gathered. */
  run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#isArmed = false;
    this.count++;
    this.#ingestedBytes = 0;
    if (!this.#isTimeFresh) this.#clock.refresh();
    const hasMoreTimers = this.#runTimers();
    this.#pumpQueues();
    if (this.#beforeCommit.length > 0) for (const act of this.#beforeCommit.splice(0)) act();
    this.#ledger.commit();
    this.#flushConnections();
    this.#isTimeFresh = false;
    this.#isRunning = false;
    if (
      hasMoreTimers ||
      this.#readyQueues.length > 0 ||
      this.#dirty.length > 0 ||
      this.#afterPoll.length > 0 ||
      this.deadLetters?.hasWork ||
      this.brokerMessages?.hasWork
    )
      this.arm();
    const dueMillis = this.#timers.nextDueMillis;
    if (dueMillis < this.#armedTimerMillis) {
      this.#armedTimerMillis = dueMillis;
      this.#scheduler.armTimer(dueMillis, this.#wake);
    }
  }

  #runTimers(): boolean {
    try {
      return this.#timers.run(this.#clock.nowMillis, limits.turnTimersMax);
    } catch (error) {
      this.onFault('a timer', error);
      return true;
    }
  }

  #pumpQueues(): void {
    // Dead letters make queues ready and pumping makes dead letters: a few rounds settle the usual chains, the next turn takes the rest.
    let lettersLeft: number = limits.turnDeadLettersMax;
    for (let round = 0; round < limits.turnRoundsMax; round++) {
      if (this.deadLetters !== null && this.deadLetters.hasWork) lettersLeft -= this.deadLetters.run(lettersLeft);
      if (this.brokerMessages?.hasWork) this.brokerMessages.run();
      if (this.#readyQueues.length === 0) return;
      const queues = this.#readyQueues;
      this.#readyQueues = this.#pumping;
      this.#pumping = queues;
      for (let i = 0; i < queues.length; i++) {
        const queue = queues[i] as Queue;
        queue.isMarkedReady = false;
        try {
          if (!queue.isDeleted && queue.pump(limits.queuePumpMessages)) this.queueReady(queue);
        } catch (error) {
          this.onFault(`queue '${queue.name}' in vhost '${queue.vhostName}'`, error);
        }
        // One message for ten thousand clients: the first have it while the last are written to, and their buffers serve the next.
        if (this.#dirty.length >= limits.turnConnectionsMax) this.#flushConnections();
      }
      queues.length = 0;
    }
  }

  #flushConnections(): void {
    const dirty = this.#dirty;
    this.#dirty = this.#flushing;
    this.#flushing = dirty;
    for (let i = 0; i < dirty.length; i++) {
      try {
        (dirty[i] as Flushable).flush();
      } catch (error) {
        this.onFault('a connection', error);
      }
    }
    dirty.length = 0;
  }
}
