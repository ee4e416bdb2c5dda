import { type FieldTable, tableFromJson } from '../../base/field-table.ts';
import * as methods from '../../wire/amqp091/methods.gen.ts';
import type { PerfConnection } from './connection.ts';
import { type PerfOptions, queueNames } from './options.ts';

/** What is published with which keys, and where it can be consumed. */
export interface Routes {
  readonly exchange: string;
  readonly queues: readonly string[];
  readonly keys: readonly string[];
}

const standardExchanges = ['direct', 'fanout', 'topic', 'headers'];

/** Declares exchange, queues and bindings on channel 1, or takes them as they are. @throws CliError */
export async function declareTopology(connection: PerfConnection, options: PerfOptions): Promise<Routes> {
  const wanted = queueNames(options);
  const { exchange } = options;
  if (options.isPredeclared) {
    const keys = wanted.map(name => options.routingKey ?? name);
    const isDefault = exchange === 'direct' && wanted.every(name => name !== '');
    return { exchange: isDefault ? '' : exchange, queues: wanted, keys };
  }
  if (exchange !== '' && !exchange.startsWith('amq.')) {
    // PerfTest calls its exchange as its type.
    const type = standardExchanges.includes(exchange) ? exchange : options.exchangeType;
    const flags = { passive: false, durable: false, autoDelete: false, internal: false, nowait: false, arguments: new Map() as FieldTable };
    await connection.call(methods.encodeExchangeDeclare(1, { exchange, type, ...flags }), methods.ExchangeDeclareOk);
  }
  // Each consumer declares its own.
  if (options.isExclusive) return { exchange, queues: [], keys: [options.routingKey ?? options.id] };
  const queues: string[] = [];
  const keys: string[] = [];
  for (const name of wanted) {
    const queue = await declareQueue(connection, options, name, options.routingKey);
    queues.push(queue);
    keys.push(exchange === '' ? queue : (options.routingKey ?? queue));
  }
  return { exchange, queues, keys: [...new Set(keys)] };
}

/** Declares a queue and binds it, with its name for a key if there is none; its name. */
export async function declareQueue(connection: PerfConnection, options: PerfOptions, name: string, key: string | null): Promise<string> {
  const declaration = {
    queue: name,
    passive: false,
    durable: options.isPersistent || options.queueArguments['x-queue-type'] !== undefined,
    exclusive: options.isExclusive,
    autoDelete: options.isAutoDelete,
    nowait: false,
    arguments: tableFromJson({ ...options.queueArguments }),
  };
  const { queue } = await connection.call(methods.encodeQueueDeclare(1, declaration), methods.QueueDeclareOk);
  const { exchange } = options;
  if (exchange !== '' && options.isBinding) {
    const binding = { queue, exchange, routingKey: key ?? queue, nowait: false, arguments: new Map() as FieldTable };
    await connection.call(methods.encodeQueueBind(1, binding), methods.QueueBindOk);
  }
  return queue;
}

/** Whether no queue has a message that waits. */
export async function areQueuesEmpty(connection: PerfConnection, queues: readonly string[]): Promise<boolean> {
  const flags = { passive: true, durable: false, exclusive: false, autoDelete: false, nowait: false, arguments: new Map() as FieldTable };
  for (const queue of queues) {
    const { messageCount } = await connection.call(methods.encodeQueueDeclare(1, { queue, ...flags }), methods.QueueDeclareOk);
    if (messageCount > 0) return false;
  }
  return true;
}
