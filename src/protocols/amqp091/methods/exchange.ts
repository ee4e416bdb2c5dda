import { withoutLineBreaks } from '../../../core/resource-name.ts';
import {
  type ExchangeBindArguments,
  type ExchangeUnbindArguments,
  decodeExchangeBind,
  decodeExchangeDeclare,
  decodeExchangeDelete,
  decodeExchangeUnbind,
  encodeExchangeBindOk,
  encodeExchangeDeclareOk,
  encodeExchangeDeleteOk,
  encodeExchangeUnbindOk,
} from '../../../wire/amqp091/methods.gen.ts';
import type { Channel } from '../channel.ts';
import { replyWhenOver } from './late-answer.ts';

/** [AMQP 0-9-1 exchange.declare] */
export function declare(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeExchangeDeclare(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  const name = withoutLineBreaks(args.exchange);
  const exchange = args.passive
    ? broker.topology.assertExchange(vhost, name, actor)
    : broker.topology.declareExchange(
        vhost,
        args.type,
        { name, isDurable: args.durable, isAutoDelete: args.autoDelete, isInternal: args.internal, arguments: args.arguments },
        actor,
      );
  if (!args.nowait) replyWhenOver(channel, broker.sharding.taskOf(exchange), encodeExchangeDeclareOk(channel.number));
}

/** [AMQP 0-9-1 exchange.delete] */
export function remove(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeExchangeDelete(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  const name = withoutLineBreaks(args.exchange);
  broker.topology.deleteExchange(vhost, name, args.ifUnused, actor);
  if (!args.nowait) replyWhenOver(channel, vhost.departures.of('exchange', name), encodeExchangeDeleteOk(channel.number));
}

/** [RabbitMQ docs: exchange to exchange bindings] */
export function bind(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeExchangeBind(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  broker.topology.bind(vhost, ...endsOf(args), args.routingKey, args.arguments, actor);
  if (!args.nowait) channel.reply(encodeExchangeBindOk(channel.number));
}

/** [RabbitMQ docs: exchange to exchange bindings] */
export function unbind(channel: Channel, buffer: Buffer, start: number, end: number): void {
  const args = decodeExchangeUnbind(buffer, start, end);
  const { broker, vhost, actor } = channel.connection;
  broker.topology.unbind(vhost, ...endsOf(args), args.routingKey, args.arguments, actor);
  if (!args.nowait) channel.reply(encodeExchangeUnbindOk(channel.number));
}

function endsOf({ source, destination }: ExchangeBindArguments | ExchangeUnbindArguments): [string, 'exchange', string] {
  return [withoutLineBreaks(source), 'exchange', withoutLineBreaks(destination)];
}
