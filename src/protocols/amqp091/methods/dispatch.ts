import { BrokerError } from '../../../core/broker-error.ts';
import * as m from '../../../wire/amqp091/methods.gen.ts';
import type { Channel } from '../channel.ts';
import * as basic from './basic.ts';
import * as channels from './channel.ts';
import * as exchanges from './exchange.ts';
import * as modes from './modes.ts';
import * as queues from './queue.ts';

/** A method's handler: decodes its arguments, does it and replies. `start` is behind class and method id. */
export type MethodHandler = (channel: Channel, buffer: Buffer, start: number, end: number) => void;

/** All methods a client may send on a channel, except those the channel handles itself: publish and acknowledgements, open and close. */
const handlers: ReadonlyMap<number, MethodHandler> = new Map<number, MethodHandler>([
  [m.ChannelFlow, channels.flow],
  [m.AccessRequest, channels.accessRequest],
  [m.ExchangeDeclare, exchanges.declare],
  [m.ExchangeDelete, exchanges.remove],
  [m.ExchangeBind, exchanges.bind],
  [m.ExchangeUnbind, exchanges.unbind],
  [m.QueueDeclare, queues.declare],
  [m.QueueBind, queues.bind],
  [m.QueueUnbind, queues.unbind],
  [m.QueuePurge, queues.purge],
  [m.QueueDelete, queues.remove],
  [m.BasicQos, basic.qos],
  [m.BasicConsume, basic.consume],
  [m.BasicCancel, basic.cancel],
  [m.BasicGet, basic.get],
  [m.BasicAck, basic.ack],
  [m.BasicNack, basic.nack],
  [m.BasicReject, basic.reject],
  [m.BasicRecover, basic.recover],
  [m.BasicRecoverAsync, basic.recoverAsync],
  [m.ConfirmSelect, modes.confirmSelect],
  [m.TxSelect, modes.txSelect],
  [m.TxCommit, modes.txCommit],
  [m.TxRollback, modes.txRollback],
]);

/** Methods with content that only servers send: the refusal waits for the content. */
const refusedContentMethods: ReadonlySet<number> = new Set([m.BasicReturn, m.BasicDeliver, m.BasicGetOk]);

/** @throws BrokerError COMMAND_INVALID for a method that clients do not send on a channel; whatever the handler throws. */
export function dispatch(channel: Channel, method: number, buffer: Buffer, start: number, end: number): void {
  const handler = handlers.get(method);
  if (handler !== undefined) {
    handler(channel, buffer, start, end);
    return;
  }
  const error = new BrokerError('COMMAND_INVALID', m.methodNames.has(method) ? 'unimplemented method' : 'unknown method');
  if (!refusedContentMethods.has(method)) throw error;
  channel.publishing.refuse(method, error);
}
