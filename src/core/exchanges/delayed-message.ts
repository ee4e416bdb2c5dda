import type { FieldTable } from '../../base/field-table.ts';
import { commandInvalid, preconditionFailed } from '../broker-error.ts';
import type { ExchangeType } from './exchange-type.ts';

const typeArgument = 'x-delayed-type';

function innerType(args: FieldTable, types: ReadonlyMap<string, ExchangeType>): ExchangeType {
  const name = args.get(typeArgument)?.value;
  if (typeof name !== 'string' || name === delayedMessage.name) {
    throw preconditionFailed(`Invalid argument, '${typeArgument}' must be an existing exchange type`);
  }
  const type = types.get(name);
  if (type === undefined) throw commandInvalid(`unknown exchange type '${name}'`);
  return type;
}

/** Routes as the type in x-delayed-type does, after the time that a message's header x-delay says. [rabbitmq_delayed_message_exchange] */
export const delayedMessage: ExchangeType = {
  name: 'x-delayed-message',
  description: 'Delayed Message Exchange.',
  check: (args, types) => innerType(args, types).check(args, types),
  create: (args, home) => innerType(args, home.types).create(args, home),
  stages: (args, home, exchange) => [...(innerType(args, home.types).stages?.(args, home, exchange) ?? []), exchange.holding(home)],
};
