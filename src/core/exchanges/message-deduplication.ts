import type { FieldTable } from '../../base/field-table.ts';
import { preconditionFailed } from '../broker-error.ts';
import { deduplicationArguments } from '../deduplication/deduplication-arguments.ts';
import { DeduplicationStage } from '../deduplication/deduplication-stage.ts';
import { FanoutRoutes } from './fanout.ts';
import type { ExchangeType } from './exchange-type.ts';

/** A fanout that drops duplicates. [rabbitmq-message-deduplication] */
export const messageDeduplication: ExchangeType = {
  name: 'x-message-deduplication',
  description: 'Message Deduplication Exchange.',

  check(args: FieldTable): void {
    if (!args.has('x-cache-size'))
      throw preconditionFailed("Missing or invalid argument, 'x-cache-size' must be an integer greater than 0");
    deduplicationArguments(args);
  },

  create: () => new FanoutRoutes(),
  stages: (args, home, exchange) => [new DeduplicationStage(args, home, exchange)],
};
