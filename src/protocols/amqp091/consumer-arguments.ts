import { type FieldTable, fieldTypeName, isInteger } from '../../base/field-table.ts';
import { preconditionFailed } from '../../core/broker-error.ts';
import type { Queue } from '../../core/queues/queue.ts';
import { queueTerm } from '../../core/resource-name.ts';

/** What the arguments of basic.consume say. */
export interface ConsumerArguments {
  readonly arguments: FieldTable;
  readonly priority: number;
  /** Not above 0: as the queue says. */
  readonly ackTimeoutMillis: number;
}

/**
 * Checks the arguments in RabbitMQ's order. Those that nobody knows are accepted.
 * @throws BrokerError PRECONDITION_FAILED [RabbitMQ: rabbit_amqqueue, check_consume_arguments]
 */
export function consumerArguments(args: FieldTable, queue: Queue): ConsumerArguments {
  const priority = integerOf(args, queue, 'x-priority');
  const failover = args.get('x-cancel-on-ha-failover');
  if (failover !== undefined && failover.type !== 't')
    throw invalid('x-cancel-on-ha-failover', queue, `{unacceptable_type,${fieldTypeName(failover)}}`);
  const ackTimeoutMillis = integerOf(args, queue, 'x-consumer-timeout');
  for (const name of args.keys()) {
    if (queue.type.foreignConsumerArguments.has(name))
      throw preconditionFailed(
        `invalid arg '${name}' for ${queueTerm(queue.name, queue.vhostName)} of queue type ${queue.type.internalName}`,
      );
  }
  return { arguments: args, priority, ackTimeoutMillis };
}

/** 0 when it is not given. */
function integerOf(args: FieldTable, queue: Queue, name: string): number {
  const field = args.get(name);
  if (field === undefined) return 0;
  if (!isInteger(field)) throw invalid(name, queue, `"expected integer, got ${fieldTypeName(field)}"`);
  return Number(field.value);
}

function invalid(name: string, queue: Queue, why: string): Error {
  return preconditionFailed(`invalid arg '${name}' for ${queueTerm(queue.name, queue.vhostName)}: ${why}`);
}
