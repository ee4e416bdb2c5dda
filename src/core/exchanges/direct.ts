import type { ExchangeType, KeyRoutes, Target } from './exchange-type.ts';
import type { RouteCollector } from './route-collector.ts';

class DirectRoutes implements KeyRoutes {
  readonly dependsOn = 'key';
  readonly #targets = new Map<string, Target[]>();

  check(): void {}

  bind(target: Target, key: string): void {
    const targets = this.#targets.get(key);
    if (targets === undefined) this.#targets.set(key, [target]);
    else targets.push(target);
  }

  unbind(target: Target, key: string): void {
    const targets = this.#targets.get(key);
    const index = targets?.indexOf(target) ?? -1;
    if (targets === undefined || index < 0) return;
    targets.splice(index, 1);
    if (targets.length === 0) this.#targets.delete(key);
  }

  route(key: string, out: RouteCollector): void {
    const targets = this.#targets.get(key);
    if (targets === undefined) return;
    for (const target of targets) out.add(target);
  }
}

/** Routing key equals binding key. [AMQP 0-9-1, direct exchange type] */
export const direct: ExchangeType = {
  name: 'direct',
  description: 'AMQP direct exchange, as per the AMQP specification',
  check() {},
  create: () => new DirectRoutes(),
};
