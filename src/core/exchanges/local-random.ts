import type { FieldTable } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import type { ExchangeType, Target } from './exchange-type.ts';
import { RandomRoutes } from './random.ts';

class LocalRandomRoutes extends RandomRoutes {
  override check(key: string, _args: FieldTable, target: Target): void {
    if (key !== '') throw preconditionFailed(`Non empty binding '${key}' key not permitted`);
    if (target.kind === 'exchange') throw preconditionFailed('Destination not found');
    if (target.type.policyKind !== 'classic_queues') {
      throw preconditionFailed(`Queue type ${target.type.internalName} not valid for this exchange type`);
    }
  }
}

/** One of the queues on the publisher's own node, by chance; on a single node that is any. [RabbitMQ docs: local random exchange] */
export const localRandom: ExchangeType = {
  name: 'x-local-random',
  description: 'Picks one random local binding (queue) to route via (to).',
  check() {},
  create: (_args, { random }) => new LocalRandomRoutes(random),
};
