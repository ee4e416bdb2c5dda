import { deliverNames, queueColumns, queueDeliverAt, readQueue } from '../../core/statistics/columns.ts';
import type { QueueTypeTotals } from '../../core/statistics/statistics.ts';
import type { Queue } from '../../core/queues/queue.ts';
import type { Services } from '../services.ts';

/** Counters of the whole node that never fall, whatever was deleted since. */
export interface Totals {
  readonly traffic: { published: number; confirmed: number; returnedUnroutable: number; droppedUnroutable: number };
  /** By RabbitMQ's inner name of the queue type. */
  readonly types: ReadonlyMap<string, QueueTypeTotals>;
  queues: number;
  consumers: number;
}

/**
 * Sums up what queues counted: what the latest sample knows, and what happened since. Queues are handed in one by one, so that the caller
 * can let others have their turn in between.
 */
export class TotalsCounter {
  readonly #services: Services;
  readonly #types = new Map<string, QueueTypeTotals>();
  readonly #values = new Float64Array(queueColumns.names.length);
  #queues = 0;
  #consumers = 0;

  constructor(services: Services) {
    this.#services = services;
    for (const type of services.core.queueTypes.values()) {
      const known = services.statistics.typeTotals().get(type.name);
      this.#types.set(type.name, {
        messages: known?.messages.slice() ?? new Float64Array(queueDeliverAt + deliverNames.length),
      });
    }
  }

  add(queue: Queue): void {
    const totals = this.#types.get(queue.type.name);
    if (totals === undefined) return;
    this.#queues++;
    this.#consumers += queue.consumerCount;
    const history = this.#services.statistics.of(queue);
    const values = this.#values;
    readQueue(queue, values);
    const since = (column: number): number => (values[column] as number) - (history?.latest(column) ?? 0);
    for (let column = 0; column < totals.messages.length; column++)
      totals.messages[column] = (totals.messages[column] as number) + since(column);
  }

  totals(): Totals {
    const { core } = this.#services;
    const traffic = { published: 0, confirmed: 0, returnedUnroutable: 0, droppedUnroutable: 0 };
    for (const { counters } of core.vhosts.values()) {
      traffic.published += counters.published;
      traffic.confirmed += counters.confirmed;
      traffic.returnedUnroutable += counters.returnedUnroutable;
      traffic.droppedUnroutable += counters.droppedUnroutable;
    }
    const types = new Map<string, QueueTypeTotals>();
    for (const [name, totals] of this.#types) types.set(core.queueTypes.get(name)?.internalName ?? name, totals);
    return { traffic, types, queues: this.#queues, consumers: this.#consumers };
  }
}
