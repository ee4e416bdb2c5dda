import { type FieldTable, tableFromTagged, tableToTagged, type TaggedTable } from '../base/field-table-tagged.ts';
import type { Binding } from './exchanges/binding.ts';
import type { Exchange } from './exchanges/exchange.ts';
import type { QueuePause } from './queues/queue-pause.ts';
import type { Queue } from './queues/queue.ts';

export type LogIdKind = 'exchange.holds' | 'exchange.remembers' | 'queue.remembers' | 'queue.marks';

/** Changes of exchanges, queues and bindings as they are recorded. Arguments keep their wire types. */
export type TopologyChange =
  | {
      readonly kind: 'vhost.put';
      readonly name: string;
      readonly description: string;
      readonly tags: readonly string[];
      readonly defaultQueueType: string | null;
      /** Not in the first journals. */
      readonly isProtectedFromDeletion?: boolean;
    }
  | { readonly kind: 'vhost.delete'; readonly name: string }
  | {
      readonly kind: 'queue.put';
      readonly vhost: string;
      readonly name: string;
      readonly id: number;
      readonly type: string;
      readonly isAutoDelete: boolean;
      readonly arguments: TaggedTable;
    }
  /** The queue that is to take the place of the one of its name is being filled. */
  | {
      readonly kind: 'queue.prepare';
      readonly vhost: string;
      readonly name: string;
      readonly id: number;
      readonly type: string;
      readonly isAutoDelete: boolean;
      readonly arguments: TaggedTable;
    }
  /** It does so: it has the name and the bindings from now on, and the one of the number `id` is no more. */
  | { readonly kind: 'queue.replace'; readonly vhost: string; readonly name: string; readonly id: number; readonly successor: number }
  /** A queue gets another type and other arguments; its number and its messages stay. */
  | {
      readonly kind: 'queue.reshape';
      readonly vhost: string;
      readonly name: string;
      readonly id: number;
      readonly type: string;
      readonly arguments: TaggedTable;
    }
  /** Message groups of a queue are parked, or go on. */
  | {
      readonly kind: 'queue.park';
      readonly vhost: string;
      readonly name: string;
      readonly id: number;
      readonly keys: readonly string[];
      readonly isParked: boolean;
    }
  /** A queue hands out nothing, or goes on. */
  | { readonly kind: 'queue.pause'; readonly vhost: string; readonly name: string; readonly id: number; readonly paused: QueuePause | null }
  | { readonly kind: 'queue.delete'; readonly vhost: string; readonly name: string; readonly id: number }
  | {
      readonly kind: 'exchange.put';
      readonly vhost: string;
      readonly name: string;
      readonly type: string;
      readonly isAutoDelete: boolean;
      readonly isInternal: boolean;
      readonly arguments: TaggedTable;
    }
  | { readonly kind: 'exchange.delete'; readonly vhost: string; readonly name: string }
  /** Names what an exchange holds, or what an exchange or queue remembers, in the log. */
  | { readonly kind: LogIdKind; readonly vhost: string; readonly name: string; readonly id: number }
  | {
      readonly kind: 'binding.put' | 'binding.delete';
      readonly vhost: string;
      readonly source: string;
      readonly destinationKind: 'queue' | 'exchange';
      readonly destination: string;
      readonly key: string;
      readonly arguments: TaggedTable;
    };

export function queueChange(vhost: string, queue: Queue, type = queue.type, args = queue.arguments): TopologyChange {
  return {
    kind: 'queue.put',
    vhost,
    name: queue.name,
    id: queue.id,
    type: type.name,
    isAutoDelete: queue.isAutoDelete,
    arguments: tableToTagged(args),
  };
}

/** The queue is to take the place of the one of its name, and is being filled. */
export function prepareChange(vhost: string, successor: Queue): TopologyChange {
  return { ...queueChange(vhost, successor), kind: 'queue.prepare' } as TopologyChange;
}

export function reshapeChange(vhost: string, queue: Queue, type: string, args: FieldTable): TopologyChange {
  return { kind: 'queue.reshape', vhost, name: queue.name, id: queue.id, type, arguments: tableToTagged(args) };
}

export function parkChange(vhost: string, queue: Queue, keys: readonly string[], isParked: boolean): TopologyChange {
  return { kind: 'queue.park', vhost, name: queue.name, id: queue.id, keys, isParked };
}

export function pauseChange(vhost: string, queue: Queue, paused: QueuePause | null): TopologyChange {
  return { kind: 'queue.pause', vhost, name: queue.name, id: queue.id, paused };
}

export function exchangeChange(vhost: string, exchange: Exchange): TopologyChange {
  return {
    kind: 'exchange.put',
    vhost,
    name: exchange.name,
    type: exchange.type.name,
    isAutoDelete: exchange.isAutoDelete,
    isInternal: exchange.isInternal,
    arguments: tableToTagged(exchange.arguments),
  };
}

export function logIdChange(kind: LogIdKind, vhost: string, name: string, id: number): TopologyChange {
  return { kind, vhost, name, id };
}

export function bindingChange(kind: 'binding.put' | 'binding.delete', vhost: string, binding: Binding): TopologyChange {
  return {
    kind,
    vhost,
    source: binding.source.name,
    destinationKind: binding.destination.kind,
    destination: binding.destination.name,
    key: binding.key,
    arguments: tableToTagged(binding.arguments),
  };
}

export function argumentsOf(change: { readonly arguments: TaggedTable }): FieldTable {
  return tableFromTagged(change.arguments);
}
