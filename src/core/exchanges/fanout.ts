import type { ExchangeType, KeyRoutes, Target } from './exchange-type.ts';
import type { RouteCollector } from './route-collector.ts';

export class FanoutRoutes implements KeyRoutes {
  readonly dependsOn = 'key';
  /** Target -> how many bindings lead to it: keys differ, the effect does not. */
  readonly #targets = new Map<Target, number>();

  check(): void {}

  bind(target: Target): void {
    this.#targets.set(target, (this.#targets.get(target) ?? 0) + 1);
  }

  unbind(target: Target): void {
    const count = this.#targets.get(target) ?? 0;
    if (count > 1) this.#targets.set(target, count - 1);
    else this.#targets.delete(target);
  }

  route(_key: string, out: RouteCollector): void {
    for (const target of this.#targets.keys()) out.add(target);
  }
}

/** Every bound queue, whatever the key. [AMQP 0-9-1, fanout exchange type] */
export const fanout: ExchangeType = {
  name: 'fanout',
  description: 'AMQP fanout exchange, as per the AMQP specification',
  check() {},
  create: () => new FanoutRoutes(),
};
