import type { FieldTable } from '../../base/field-table.ts';
import type { ExchangeType, MessageRoutes, Target } from './exchange-type.ts';
import type { RouteCollector } from './route-collector.ts';
import type { RoutedMessage } from './routed-message.ts';
import { TargetList } from './target-list.ts';

export class RandomRoutes implements MessageRoutes {
  readonly dependsOn = 'message';
  readonly #list = new TargetList();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  check(_key: string, _args: FieldTable, _target: Target): void {}

  bind(target: Target, key: string): void {
    this.#list.add(target, key);
  }

  unbind(target: Target, key: string): void {
    this.#list.remove(target, key);
  }

  route(_message: RoutedMessage, out: RouteCollector): void {
    const target = this.#list.at(Math.floor(this.#random() * this.#list.targets.length));
    if (target !== null) out.add(target);
  }
}

/** One of the bindings, by chance. [RabbitMQ: rabbitmq_random_exchange] */
export const random: ExchangeType = {
  name: 'x-random',
  description: 'Randomly picks a binding (queue) to route via (to).',
  check() {},
  create: (_args, { random }) => new RandomRoutes(random),
};
