import { SlotList } from '../../base/slot-list.ts';
import { CallbackTimer } from '../../base/timer-queue.ts';
import type { BrokerCore } from '../../core/broker.ts';
import { limits } from '../../core/limits.ts';
import type { AuthBackend } from '../../core/ports/auth-backend.ts';
import { PublishMemoBudget } from '../../core/publish-memo.ts';
import type { Link } from '../../net/link.ts';
import { Sweeper } from '../../net/sweeper.ts';
import { reasons } from '../../wire/mqtt/constants.ts';
import { Connection } from './connection.ts';
import { defaultMqttOptions, type MqttOptions } from './options.ts';
import { type Redirect, redirectOf, redirectParameter } from './redirect.ts';
import { RetainedMessages } from './retained-messages.ts';
import { Sessions } from './sessions.ts';
import { sweep } from './sweep.ts';

/** How often it is told that there is no room for retained messages. */
const tellMillis = 10_000;

/** MQTT 3.1, 3.1.1 and 5.0 on any listener: makes connections of links and looks after them and their sessions. */
export class FrontEnd {
  readonly name = 'mqtt';
  readonly broker: BrokerCore;
  readonly auth: AuthBackend;
  readonly options: MqttOptions;
  readonly sessions: Sessions;
  readonly retained: RetainedMessages;
  readonly publishMemoBudget = new PublishMemoBudget(limits.publishMemosMax);
  readonly #connections = new SlotList<Connection>();
  readonly #sweeper: Sweeper<Connection>;
  /** Where clients are sent when this server goes away; null: nowhere. */
  readonly standby: Redirect | null;
  #toldMillis = -Infinity;

  constructor(broker: BrokerCore, auth: AuthBackend, options: Partial<MqttOptions> = {}) {
    this.broker = broker;
    this.auth = auth;
    this.options = { ...defaultMqttOptions, ...options };
    this.retained = new RetainedMessages(broker, this.options.retained);
    this.sessions = new Sessions(broker, this.options, this.retained);
    const { serverReference } = this.options;
    this.standby = serverReference === '' ? null : { reason: reasons.useAnotherServer, server: serverReference };
    this.#sweeper = new Sweeper(this.#connections, broker.timers, broker.clock, {
      sweep: (connection, now) => {
        const { redirect } = this;
        if (redirect !== null) connection.redirect(redirect);
        sweep(connection, now);
      },
      fault: (connection, error) => connection.fault(error),
    });
  }

  /** Where operators send all clients at this moment. */
  get redirect(): Redirect | null {
    return redirectOf(this.broker.parameters.global(redirectParameter));
  }

  /** How many connections this front-end has. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  accept(link: Link): Connection {
    this.broker.turn.begin();
    const connection = new Connection(this, link);
    connection.frontEndSlot = this.#connections.add(connection);
    link.start(connection);
    this.#sweeper.start();
    return connection;
  }

  closed(connection: Connection): void {
    this.#connections.remove(connection.frontEndSlot);
  }

  /** Calls back on the broker's clock. */
  later(delayMillis: number, callback: () => void): void {
    this.broker.timers.set(new CallbackTimer(callback), this.broker.clock.nowMillis + delayMillis);
    this.broker.turn.arm();
  }

  /** There was no room for a retained message. */
  retainedRefused(): void {
    const { clock, logger } = this.broker;
    if (clock.nowMillis - this.#toldMillis < tellMillis) return;
    this.#toldMillis = clock.nowMillis;
    logger.warning('queue', 'a retained MQTT message was not kept: the limit of mqtt.retained_message_store is reached');
  }
}
