import { tableToJson, type FieldTable } from '../../../base/field-table.ts';
import type { Binding } from '../../../core/exchanges/binding.ts';
import type { Queue } from '../../../core/queues/queue.ts';
import type { JsonObject } from '../reply.ts';
import { argumentsHash } from './arguments-hash.ts';

/** A binding as lists have it, with what is shown of those that nobody made: every queue's to the default exchange. */
export interface ShownBinding {
  readonly source: string;
  readonly vhost: string;
  readonly destination: string;
  readonly kind: 'queue' | 'exchange';
  readonly key: string;
  readonly arguments: FieldTable;
}

export function shownBinding(vhost: string, binding: Binding): ShownBinding {
  return {
    source: binding.source.name,
    vhost,
    destination: binding.destination.name,
    kind: binding.destination.kind,
    key: binding.key,
    arguments: binding.arguments,
  };
}

/** The binding by which the default exchange reaches a queue. [AMQP 0-9-1 3.1.3.1] */
export function defaultBinding(queue: Queue): ShownBinding {
  return { source: '', vhost: queue.vhostName, destination: queue.name, kind: 'queue', key: queue.name, arguments: none };
}

const none: FieldTable = new Map();

export function bindingView(binding: ShownBinding): JsonObject {
  return {
    source: binding.source,
    vhost: binding.vhost,
    destination: binding.destination,
    destination_type: binding.kind,
    routing_key: binding.key,
    arguments: tableToJson(new Map([...binding.arguments].sort(([a], [b]) => (a < b ? -1 : 1)))),
    properties_key: propertiesKey(binding.key, binding.arguments),
  };
}

/**
 * Names a binding among those between the same two ends: the routing key, and behind a tilde a hash of the arguments; a tilde alone when
 * there is neither. [RabbitMQ: pack_binding_props]
 */
export function propertiesKey(key: string, args: FieldTable): string {
  if (args.size > 0) return `${quoted(key)}~${argumentsHash(args)}`;
  return key === '' ? '~' : quoted(key);
}

/** The same with the routing key as it is; null when it has a tilde, which would end it. */
export function plainPropertiesKey(key: string, args: FieldTable): string | null {
  if (key.includes('~')) return null;
  return args.size > 0 ? `${key}~${argumentsHash(args)}` : key;
}

/** Percent encoding with a plus for a space, and the tilde encoded too. */
function quoted(text: string): string {
  return percentEncoded(text).replaceAll('~', '%7E');
}

/** Percent encoding as RabbitMQ's Location header has it. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
