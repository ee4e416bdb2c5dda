import { SlotList } from '../../base/slot-list.ts';
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import type { AuthBackend } from '../../core/ports/auth-backend.ts';
import type { Link } from '../../net/link.ts';
import { StompConnection } from './connection.ts';
import { defaultStompOptions, type StompOptions } from './options.ts';

/** How often connections are looked after. Heart-beats are whole seconds and are sent at half their time. */
const sweepMillis = 500;

/** STOMP on any listener, on sockets and in WebSockets: makes connections of links and looks after them. */
export class StompFrontEnd {
  readonly name = 'stomp';
  readonly broker: BrokerCore;
  readonly auth: AuthBackend;
  readonly options: StompOptions;
  readonly #connections = new SlotList<StompConnection>();
  readonly #sweeper: CallbackTimer;

  constructor(broker: BrokerCore, auth: AuthBackend, options: Partial<StompOptions> = {}) {
    this.broker = broker;
    this.auth = auth;
    this.options = { ...defaultStompOptions, ...options };
    this.#sweeper = new CallbackTimer(now => {
      for (const connection of [...this.#connections]) {
        try {
          connection.sweep(now);
        } catch (error) {
          connection.fail(error);
        }
      }
      if (this.#connections.size > 0) broker.timers.set(this.#sweeper, now + sweepMillis);
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
    if (!this.#sweeper.isSet) this.broker.timers.set(this.#sweeper, this.broker.clock.nowMillis + sweepMillis);
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
