// Frames of the requests that tests send most, with a default for what a test does not care about.
import type { FieldTable } from '../../src/base/field-table.ts';
import type { MethodArguments } from '../../src/wire/amqp091/methods.gen.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';

type Given<M extends keyof MethodArguments> = Partial<MethodArguments[M]>;

/** A map of its own for every frame, so that no test changes another's. */
const none = (): FieldTable => new Map();

export function exchangeDeclare(channel: number, given: Given<typeof methods.ExchangeDeclare> = {}): Buffer {
  const flags = { passive: false, durable: false, autoDelete: false, internal: false, nowait: false };
  return methods.encodeExchangeDeclare(channel, { exchange: '', type: 'direct', ...flags, arguments: none(), ...given });
}

export function exchangeDelete(channel: number, given: Given<typeof methods.ExchangeDelete> = {}): Buffer {
  return methods.encodeExchangeDelete(channel, { exchange: '', ifUnused: false, nowait: false, ...given });
}

export function exchangeBind(channel: number, given: Given<typeof methods.ExchangeBind> = {}): Buffer {
  return methods.encodeExchangeBind(channel, { destination: '', source: '', routingKey: '', nowait: false, arguments: none(), ...given });
}

export function exchangeUnbind(channel: number, given: Given<typeof methods.ExchangeUnbind> = {}): Buffer {
  return methods.encodeExchangeUnbind(channel, { destination: '', source: '', routingKey: '', nowait: false, arguments: none(), ...given });
}

export function queueDeclare(channel: number, given: Given<typeof methods.QueueDeclare> = {}): Buffer {
  const flags = { passive: false, durable: false, exclusive: false, autoDelete: false, nowait: false };
  return methods.encodeQueueDeclare(channel, { queue: '', ...flags, arguments: none(), ...given });
}

export function queueBind(channel: number, given: Given<typeof methods.QueueBind> = {}): Buffer {
  return methods.encodeQueueBind(channel, { queue: '', exchange: '', routingKey: '', nowait: false, arguments: none(), ...given });
}

export function queueUnbind(channel: number, given: Given<typeof methods.QueueUnbind> = {}): Buffer {
  return methods.encodeQueueUnbind(channel, { queue: '', exchange: '', routingKey: '', arguments: none(), ...given });
}

export function queuePurge(channel: number, given: Given<typeof methods.QueuePurge> = {}): Buffer {
  return methods.encodeQueuePurge(channel, { queue: '', nowait: false, ...given });
}

export function queueDelete(channel: number, given: Given<typeof methods.QueueDelete> = {}): Buffer {
  return methods.encodeQueueDelete(channel, { queue: '', ifUnused: false, ifEmpty: false, nowait: false, ...given });
}

export function basicQos(channel: number, prefetchCount: number, global = false): Buffer {
  return methods.encodeBasicQos(channel, { prefetchSize: 0, prefetchCount, global });
}

export function basicConsume(channel: number, given: Given<typeof methods.BasicConsume> = {}): Buffer {
  const flags = { noLocal: false, noAck: false, exclusive: false, nowait: false };
  return methods.encodeBasicConsume(channel, { queue: '', consumerTag: '', ...flags, arguments: none(), ...given });
}

export function basicCancel(channel: number, consumerTag: string, nowait = false): Buffer {
  return methods.encodeBasicCancel(channel, { consumerTag, nowait });
}

export function basicGet(channel: number, queue: string, noAck = false): Buffer {
  return methods.encodeBasicGet(channel, { queue, noAck });
}

export function basicAck(channel: number, deliveryTag: number, multiple = false): Buffer {
  return methods.encodeBasicAck(channel, { deliveryTag, multiple });
}

export function basicNack(channel: number, deliveryTag: number, given: Given<typeof methods.BasicNack> = {}): Buffer {
  return methods.encodeBasicNack(channel, { deliveryTag, multiple: false, requeue: true, ...given });
}

export function basicReject(channel: number, deliveryTag: number, requeue = true): Buffer {
  return methods.encodeBasicReject(channel, { deliveryTag, requeue });
}

export function confirmSelect(channel: number, nowait = false): Buffer {
  return methods.encodeConfirmSelect(channel, { nowait });
}
