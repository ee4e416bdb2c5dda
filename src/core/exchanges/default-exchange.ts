import type { Queue } from '../queues/queue.ts';
import type { ExchangeType, KeyRoutes } from './exchange-type.ts';
import type { RouteCollector } from './route-collector.ts';

class DefaultRoutes implements KeyRoutes {
  readonly dependsOn = 'key';
  readonly #find: (name: string) => Queue | undefined;

  constructor(find: (name: string) => Queue | undefined) {
    this.#find = find;
  }

  check(): void {}
  bind(): void {}
  unbind(): void {}

  route(key: string, out: RouteCollector): void {
    const queue = this.#find(key);
    if (queue !== undefined) out.add(queue);
  }
}

/** The nameless exchange to which every queue is bound by its name; shown as a direct one. [AMQP 0-9-1 3.1.3.1] */
export function defaultExchangeType(find: (name: string) => Queue | undefined): ExchangeType {
  return {
    name: 'direct',
    description: 'AMQP direct exchange, as per the AMQP specification',
    check() {},
    create: () => new DefaultRoutes(find),
  };
}
