import type { FieldTable } from '../base/field-table.ts';
import type { Binding } from './exchanges/binding.ts';
import type { Exchange } from './exchanges/exchange.ts';
import type { QueueType } from './queues/queue-type.ts';
import type { Queue } from './queues/queue.ts';
import {
  bindingChange,
  exchangeChange,
  logIdChange,
  parkChange,
  pauseChange,
  prepareChange,
  queueChange,
  type TopologyChange,
} from './topology-change.ts';
import type { Vhost } from './vhost.ts';

/**
 * What a virtual host durably holds at one moment, apart from what every virtual host has, as the changes that make it. Only references are
 * taken at that moment, since there may be a million; the changes are made when they are asked for, whatever happens in between.
 */
export class TopologyCapture implements Iterable<TopologyChange> {
  readonly #vhost: string;
  readonly #exchanges: Exchange[] = [];
  readonly #queues: Queue[] = [];
  /** Of the queues: these alone may change. */
  readonly #types: QueueType[] = [];
  readonly #arguments: FieldTable[] = [];
  readonly #bindings: Binding[] = [];
  /** What few of them have. */
  readonly #more: TopologyChange[] = [];

  constructor(vhost: Vhost) {
    this.#vhost = vhost.name;
    for (const exchange of vhost.exchanges.values()) this.#takeExchange(exchange);
    for (const queue of vhost.queues.values()) if (queue.isDurable && !queue.isExclusive) this.#takeQueue(queue);
    for (const successor of vhost.prepared) this.#more.push(prepareChange(vhost.name, successor));
  }

  /** In an order in which they can be applied. */
  *[Symbol.iterator](): Iterator<TopologyChange> {
    for (const exchange of this.#exchanges) yield exchangeChange(this.#vhost, exchange);
    for (let i = 0; i < this.#queues.length; i++)
      yield queueChange(this.#vhost, this.#queues[i] as Queue, this.#types[i] as QueueType, this.#arguments[i] as FieldTable);
    yield* this.#more;
    for (const binding of this.#bindings) yield bindingChange('binding.put', this.#vhost, binding);
  }

  #takeExchange(exchange: Exchange): void {
    const { name } = exchange;
    if (exchange.isDurable && name !== '' && !name.startsWith('amq.')) this.#exchanges.push(exchange);
    this.#takeLogId('exchange.holds', name, exchange.delay?.held.id);
    this.#takeLogId('exchange.remembers', name, exchange.deduplication?.kept?.id);
    for (const binding of exchange.bindings.values()) if (binding.isRecorded) this.#bindings.push(binding);
  }

  #takeQueue(queue: Queue): void {
    this.#queues.push(queue);
    this.#types.push(queue.type);
    this.#arguments.push(queue.arguments);
    if (queue.deduplication !== null) this.#takeLogId('queue.remembers', queue.name, queue.deduplication.kept?.id);
    if (queue.marks !== null) this.#takeLogId('queue.marks', queue.name, queue.marks.id);
    if (queue.paused !== null) this.#more.push(pauseChange(this.#vhost, queue, queue.paused));
    if (queue.groups === null) return;
    const parked = [...queue.groups.table.parkedKeys()];
    if (parked.length > 0) this.#more.push(parkChange(this.#vhost, queue, parked, true));
  }

  #takeLogId(kind: Parameters<typeof logIdChange>[0], name: string, id = 0): void {
    if (id !== 0) this.#more.push(logIdChange(kind, this.#vhost, name, id));
  }
}
