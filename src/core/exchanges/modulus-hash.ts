import type { ExchangeType, KeyRoutes, Target } from './exchange-type.ts';
import { hashText } from './key-hash.ts';
import type { RouteCollector } from './route-collector.ts';
import { TargetList } from './target-list.ts';

class ModulusHashRoutes implements KeyRoutes {
  readonly dependsOn = 'key';
  readonly #list = new TargetList();

  check(): void {}

  bind(target: Target, key: string): void {
    this.#list.addInOrder(target, key);
  }

  unbind(target: Target, key: string): void {
    this.#list.remove(target, key);
  }

  route(key: string, out: RouteCollector): void {
    const target = this.#list.at(hashText(key) % this.#list.targets.length);
    if (target !== null) out.add(target);
  }
}

/** Hash of the routing key modulo the number of bindings, whose keys do not matter. [RabbitMQ: rabbitmq_sharding, x-modulus-hash] */
export const modulusHash: ExchangeType = {
  name: 'x-modulus-hash',
  description: 'Modulus Hashing Exchange',
  check() {},
  create: () => new ModulusHashRoutes(),
};
