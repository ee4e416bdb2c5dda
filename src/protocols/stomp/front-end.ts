import { SlotList } from '../../base/slot-list.ts';
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { AuthBackend } from '../../core/ports/auth-backend.ts';
import type { Link } from '../../net/link.ts';
import { Sweeper } from '../../net/sweeper.ts';
import { StompConnection } from './connection.ts';
import { defaultStompOptions, type StompOptions } from './options.ts';

/** STOMP on any listener, on sockets and in WebSockets: makes connections of links and looks after them. */
export class StompFrontEnd {
  readonly name = 'stomp';
  readonly broker: BrokerCore;
  readonly auth: AuthBackend;
  readonly options: StompOptions;
  readonly #connections = new SlotList<StompConnection>();
  readonly #sweeper: Sweeper<StompConnection>;

  constructor(broker: BrokerCore, auth: AuthBackend, options: Partial<StompOptions> = {}) {
    this.broker = broker;
    this.auth = auth;
    this.options = { ...defaultStompOptions, ...options };
    this.#sweeper = new Sweeper(this.#connections, broker.timers, broker.clock, {
      sweep: (connection, now) => connection.sweep(now),
      fault: (connection, error) => connection.fail(error),
    });
  }

  /** How many connections this front-end has. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  accept(link: Link): StompConnection {
    this.broker.turn.begin();
    const connection = new StompConnection(this, link);
    this.broker.logger.info('connection', `accepting STOMP connection ${connection.name}`);
    connection.frontEndSlot = this.#connections.add(connection);
    link.start(connection);
    this.#sweeper.start();
    return connection;
  }

  closed(connection: StompConnection): void {
    this.#connections.remove(connection.frontEndSlot);
  }

  /** Calls back on the broker's clock. */
  later(delayMillis: number, callback: () => void): void {
    this.broker.timers.set(new CallbackTimer(callback), this.broker.clock.nowMillis + delayMillis);
    this.broker.turn.arm();
  }
}
