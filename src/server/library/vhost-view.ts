import { inspect } from 'node:util';
import type { BrokerCore } from '../../core/broker.ts';
import type { History } from './history.ts';
import { QueueView } from './queue-view.ts';

/** A virtual host as tests look at it. */
export class VhostView {
  readonly name: string;
  /** What clients connect with to get here. */
  readonly amqpUrl: string;
  readonly #core: BrokerCore;
  readonly #history: History | null;

  /** @internal */
  constructor(core: BrokerCore, history: History | null, name: string, amqpUrl: string) {
    this.#core = core;
    this.#history = history;
    this.name = name;
    this.amqpUrl = amqpUrl;
  }

  get exists(): boolean {
    return this.#core.vhosts.has(this.name);
  }

  /** A queue by name, whether it exists or not. */
  queue(name: string): QueueView {
    return new QueueView(this.#core, this.#history, this.name, name);
  }

  /** The queues there are. */
  queues(): QueueView[] {
    return [...(this.#core.vhosts.get(this.name)?.queues.keys() ?? [])].map(name => this.queue(name));
  }

  /** Names of the exchanges there are, without the default exchange. */
  exchanges(): string[] {
    return [...(this.#core.vhosts.get(this.name)?.exchanges.keys() ?? [])].filter(name => name !== '');
  }

  /** Deletes the virtual host with all it holds; its connections are closed. */
  delete(): void {
    this.#core.turn.begin();
    this.#core.deleteVhost(this.name);
  }

  toString(): string {
    const vhost = this.#core.vhosts.get(this.name);
    return `vhost '${this.name}' (${vhost === undefined ? 'does not exist' : `${vhost.queues.size} queues`})`;
  }

  [inspect.custom](): string {
    return this.toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.delete();
    await this.#core.committed();
  }
}
