import { InternalBackend } from '../../src/auth/internal-backend.ts';
import { hashPassword } from '../../src/auth/password.ts';
import { defaultHashingAlgorithm, noUserLimits } from '../../src/core/access/user.ts';
import { BrokerCore, type BrokerDeps } from '../../src/core/broker.ts';
import { blockPool } from '../../src/core/messages/block-pool.ts';
import type { LogCategory, Logger } from '../../src/core/ports/logger.ts';
import { Link } from '../../src/net/link.ts';
import { FrontEnd, type FrontEndOptions } from '../../src/protocols/amqp091/front-end.ts';
import { exchangeTypes, messageFormats, queueTypes } from '../../src/server/registry.ts';
import { FakeClock, ManualScheduler } from './fake-clock.ts';
import { FakeSocket, type FakeSocketOptions, type Ticks } from './fake-socket.ts';
import { Random } from './random.ts';

export interface SimBrokerOptions extends Partial<Omit<BrokerDeps, 'clock' | 'scheduler' | 'logger'>> {
  readonly frontEnd?: FrontEndOptions;
  /** Called with the core before it has a virtual host or user: recovery. */
  readonly beforeStart?: (core: BrokerCore) => void;
  /** How far the Unix time is from that of other simulated brokers. */
  readonly wallShiftMillis?: number;
  /** Gets every line of the broker's log. */
  readonly onLog?: (level: string, category: LogCategory, text: string) => void;
}

// Whoever still sends or keeps blocks that were given back sends this.
const { give } = blockPool;
blockPool.give = block => give(block.fill(0xee));

/** An error that the broker took for its own fault: never to be seen in a test. */
export class InternalFault extends Error {}

class WatchingLogger implements Logger {
  readonly faults: InternalFault[] = [];
  readonly #onLog: (level: string, category: LogCategory, text: string) => void;

  constructor(onLog: (level: string, category: LogCategory, text: string) => void) {
    this.#onLog = onLog;
  }

  debug(category: LogCategory, text: string): void {
    this.#onLog('debug', category, text);
  }

  info(category: LogCategory, text: string): void {
    this.#onLog('info', category, text);
  }

  warning(category: LogCategory, text: string): void {
    this.#onLog('warning', category, text);
  }

  error(category: LogCategory, text: string, error?: unknown): void {
    this.#onLog('error', category, text);
    if (error !== undefined) this.faults.push(new InternalFault(text, { cause: error }));
  }
}

/**
 * A whole broker with its AMQP front-end, without network, time or event loop: sockets are fake, the clock moves when told, and turns run
 * when told. Everything is synchronous, so that a test, a transcript or a simulation decides the order of all events.
 */
export class SimBroker {
  readonly clock = new FakeClock();
  readonly scheduler = new ManualScheduler();
  readonly ticks: Ticks = [];
  readonly core: BrokerCore;
  readonly frontEnd: FrontEnd;
  /** For a test that brings the broker's own errors about and takes them itself. */
  expectsFaults = false;
  readonly #logger: WatchingLogger;
  #lastPort = 40_000;

  constructor(options: SimBrokerOptions = {}) {
    this.#logger = new WatchingLogger(options.onLog ?? (() => {}));
    const { frontEnd, onLog: _, beforeStart, wallShiftMillis = 0, ...deps } = options;
    this.clock.jumpWall(wallShiftMillis);
    const seeded = new Random(1);
    this.core = new BrokerCore({
      exchangeTypes,
      queueTypes,
      formats: messageFormats,
      random: () => seeded.fraction(),
      ...deps,
      clock: this.clock,
      scheduler: this.scheduler,
      logger: this.#logger,
    });
    beforeStart?.(this.core);
    this.core.addVhost({ name: '/', description: '', tags: [], defaultQueueType: null });
    if (this.core.access.user('guest') === undefined) this.addUser('guest', '/');
    this.frontEnd = new FrontEnd(this.core, new InternalBackend(this.core.access, []), frontEnd ?? {});
  }

  /** A user whose password is the name, with all permissions in a virtual host. */
  addUser(name: string, vhost: string): void {
    this.core.access.addUser({
      name,
      passwordHash: hashPassword(name, defaultHashingAlgorithm),
      hashingAlgorithm: defaultHashingAlgorithm,
      tags: [],
      limits: noUserLimits,
    });
    this.core.access.putPermission({ user: name, vhost, configure: '.*', write: '.*', read: '.*' });
  }

  /** A new connection, as a listener would hand it over; of AMQP, unless another front-end is given. */
  accept(options: FakeSocketOptions = {}, frontEnd: { accept(link: Link): unknown } = this.frontEnd): FakeSocket {
    const socket = new FakeSocket(this.ticks, { peerPort: ++this.#lastPort, ...options });
    const facts = {
      peerHost: socket.remoteAddress,
      peerPort: socket.remotePort,
      host: socket.localAddress,
      port: socket.localPort,
      isTls: false,
      isWebSocket: false,
      tls: null,
      peerCertificate: null,
    };
    frontEnd.accept(new Link(socket, facts, this.core.settings.outboxBytesMax));
    return socket;
  }

  /** Runs the next thing that waits to be run: a socket's callback, or a turn. False when nothing does. */
  step(): boolean {
    const tick = this.ticks.shift();
    if (tick === undefined) return this.scheduler.runTurn();
    tick();
    return true;
  }

  /** Runs callbacks and turns until nothing is left. @throws Error when there is no end to it */
  settle(): void {
    for (let count = 0; this.step(); count++) if (count > 1_000_000) throw new Error('the broker does not come to rest');
    if (!this.expectsFaults) this.check();
  }

  /** Moves the time, firing timers when they are due, and settles. */
  advance(millis: number): void {
    const end = this.clock.millis + millis;
    this.settle();
    while (this.scheduler.timer !== null && this.scheduler.timerDueMillis <= end) {
      this.clock.millis = Math.max(this.clock.millis, this.scheduler.timerDueMillis);
      this.scheduler.runTimer(this.clock.millis);
      this.settle();
    }
    this.clock.millis = end;
    this.settle();
  }

  /** Takes the errors that the broker had to blame on itself, for a test that brings them about. */
  takeFaults(): InternalFault[] {
    return this.#logger.faults.splice(0);
  }

  /** @throws InternalFault the first error that the broker had to blame on itself */
  check(): void {
    const [fault] = this.#logger.faults;
    if (fault !== undefined) throw fault;
  }
}
