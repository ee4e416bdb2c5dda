import type { AlarmSource } from '../core/alarms.ts';
import type { BrokerCore } from '../core/broker.ts';

/** Raises and clears one of the broker's alarms, with the log entries that RabbitMQ's users look for. */
export class ResourceAlarm {
  readonly #core: BrokerCore;
  readonly #source: AlarmSource;
  #isSet = false;

  constructor(core: BrokerCore, source: AlarmSource) {
    this.#core = core;
    this.#source = source;
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  set(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    const { logger, settings, alarms, turn } = this.#core;
    logger.warning('default', `${this.#source} resource limit alarm set on node ${settings.nodeName}.`);
    logger.warning('default', '*** Publishers will be blocked until this alarm clears ***');
    turn.begin();
    alarms.set(this.#source);
  }

  clear(): void {
    if (!this.#isSet) return;
    this.#isSet = false;
    const { logger, settings, alarms, turn } = this.#core;
    logger.warning('default', `${this.#source} resource limit alarm cleared on node ${settings.nodeName}`);
    logger.warning('default', `${this.#source} resource limit alarm cleared across the cluster`);
    turn.begin();
    alarms.clear(this.#source);
  }
}
