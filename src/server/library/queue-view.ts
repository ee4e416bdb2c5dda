import { inspect } from 'node:util';
import type { BrokerCore } from '../../core/broker.ts';
import { presentBindings } from '../../core/exchanges/binding.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { tableToJson } from '../../base/field-table.ts';
import { browse } from '../../management/messages/browse.ts';
import type { History } from './history.ts';
import { type PublishedMessage, QueuedMessage } from './published-message.ts';
import { waitFor } from './wait.ts';

export interface ConsumerView {
  readonly tag: string;
  readonly connection: string;
  readonly isExclusive: boolean;
  /** Whether it acknowledges nothing. */
  readonly noAck: boolean;
  /** Deliveries it has not acknowledged. */
  readonly unackedCount: number;
}

export interface BindingView {
  /** '' is the default exchange. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface MessagesOptions {
  readonly state?: 'ready' | 'unacked';
  readonly offset?: number;
  /** Default 1000. */
  readonly count?: number;
  /** Only those that have this text in payload or header values. */
  readonly search?: string;
}

const receivedTimeoutMillis = 5000;

/** A queue by name, whether it exists or not: reading it changes nothing. */
export class QueueView {
  readonly vhost: string;
  readonly name: string;
  readonly #core: BrokerCore;
  readonly #history: History | null;

  /** @internal */
  constructor(core: BrokerCore, history: History | null, vhost: string, name: string) {
    this.#core = core;
    this.#history = history;
    this.vhost = vhost;
    this.name = name;
  }

  get exists(): boolean {
    return this.#queue !== undefined;
  }

  /** Messages that are ready or wait for an acknowledgement. */
  get depth(): number {
    return this.#queue?.messageCount ?? 0;
  }

  get ready(): number {
    return this.#queue?.readyCount ?? 0;
  }

  get unacked(): number {
    return this.#queue?.unackedCount ?? 0;
  }

  get type(): string | undefined {
    return this.#queue?.type.name;
  }

  get arguments(): Readonly<Record<string, unknown>> {
    const queue = this.#queue;
    return queue === undefined ? {} : (tableToJson(queue.arguments) as Record<string, unknown>);
  }

  get consumers(): ConsumerView[] {
    return [...(this.#queue?.consumers() ?? [])].map(consumer => ({
      tag: consumer.tag,
      connection: consumer.sink.identity?.().connectionName ?? '',
      isExclusive: consumer.isExclusive,
      noAck: consumer.noAck,
      unackedCount: consumer.unackedCount,
    }));
  }

  /** Its bindings; that to the default exchange, which every queue has, comes first. */
  get bindings(): BindingView[] {
    const queue = this.#queue;
    if (queue === undefined) return [];
    const own = [...presentBindings(queue.incoming)].map(binding => ({
      exchange: binding.source.name,
      routingKey: binding.key,
      arguments: tableToJson(binding.arguments) as Record<string, unknown>,
    }));
    return [{ exchange: '', routingKey: queue.name, arguments: {} }, ...own];
  }

  /** Its messages from the head, without changing anything. */
  async messages({ state = 'ready', offset = 0, count = 1000, search = '' }: MessagesOptions = {}): Promise<QueuedMessage[]> {
    const queue = this.#queue;
    if (queue === undefined) return [];
    const found = await browse(this.#core, queue, { state, offset, count, search });
    return found.map(
      ({ exchange, routingKey, properties, body, id, isRedelivered }) =>
        new QueuedMessage({ exchange, routingKey, properties, body }, id, state, isRedelivered),
    );
  }

  /**
   * The first `count` messages that were put into the queue since the history began, consumed or not; waits until there are so many.
   * Rejects with what there is instead after `timeoutMillis` (5000). @throws Error when the broker has no history
   */
  async received(count: number, { timeoutMillis = receivedTimeoutMillis }: { timeoutMillis?: number } = {}): Promise<PublishedMessage[]> {
    const history = this.#history;
    if (history === null) throw new Error('this broker keeps no history: start it with { history: true }');
    const here = (): PublishedMessage[] => history.receivedBy(this.vhost, this.name);
    await waitFor(() => here().length >= count, {
      timeoutMillis,
      describe: () => this.#shortfall(here(), count, timeoutMillis, history),
      subscribe: check => history.onPublished(check),
    });
    return here().slice(0, count);
  }

  /** Drops its ready messages; returns how many there were. */
  purge(): number {
    this.#core.turn.begin();
    return this.#queue?.purge() ?? 0;
  }

  toString(): string {
    const queue = this.#queue;
    if (queue === undefined) return `queue '${this.name}' in vhost '${this.vhost}' (does not exist)`;
    return `queue '${this.name}' in vhost '${this.vhost}' (${queue.readyCount} ready, ${queue.unackedCount} unacked, ${queue.consumerCount} consumers)`;
  }

  [inspect.custom](): string {
    return this.toString();
  }

  get #queue(): Queue | undefined {
    return this.#core.vhosts.get(this.vhost)?.queues.get(this.name);
  }

  #shortfall(here: readonly PublishedMessage[], count: number, timeoutMillis: number, history: History): string {
    const elsewhere = history
      .messages()
      .filter(message => message.vhost === this.vhost && !here.includes(message))
      .slice(-shownMax);
    const lines = [`${this.toString()} received ${here.length} of ${count} messages within ${timeoutMillis} ms`];
    for (const message of here.slice(0, shownMax)) lines.push(`  ${message.toString()}`);
    if (elsewhere.length > 0) lines.push('published to other places meanwhile:', ...elsewhere.map(message => `  ${message.toString()}`));
    return lines.join('\n');
  }
}

const shownMax = 10;
