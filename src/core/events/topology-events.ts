// Events about queues, exchanges, bindings and virtual hosts, with RabbitMQ's facts about each.
import type { FieldTable, Json } from '../../base/field-table.ts';
import { erlangTableItems } from '../erlang-field.ts';
import type { Binding } from '../exchanges/binding.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Queue } from '../queues/queue.ts';
import type { TopologyListener, Vhost } from '../vhost.ts';
import type { BrokerEvents } from './broker-events.ts';

/** Tells of what happens in virtual hosts. */
export function topologyEvents(events: BrokerEvents): TopologyListener {
  return {
    queueCreated(vhost, queue, user) {
      if (!events.isObserved) return;
      events.emit('queue.created', { ...named(vhost, queue.name), ...queueFacts(queue), ...by(user) });
    },
    queueDeleted(vhost, queue, user) {
      if (events.isObserved) events.emit('queue.deleted', { ...named(vhost, queue.name), ...by(user) });
    },
    exchangeCreated(vhost, exchange, user) {
      if (!events.isObserved) return;
      events.emit('exchange.created', { ...named(vhost, exchange.name), ...exchangeFacts(exchange), ...by(user) });
    },
    exchangeDeleted(vhost, exchange, user) {
      if (events.isObserved) events.emit('exchange.deleted', { ...named(vhost, exchange.name), ...by(user) });
    },
    bindingCreated(vhost, binding, user) {
      if (events.isObserved) events.emit('binding.created', { ...bindingFacts(vhost, binding), ...by(user) });
    },
    bindingDeleted(vhost, binding, user) {
      if (events.isObserved) events.emit('binding.deleted', { ...bindingFacts(vhost, binding), ...by(user) });
    },
  };
}

/** RabbitMQ prints arguments as Erlang terms. */
export function argumentFacts(table: FieldTable): Json[] {
  return erlangTableItems(table);
}

function named(vhost: Vhost, name: string): Record<string, Json> {
  return { vhost: vhost.name, name };
}

function by(user: string): Record<string, Json> {
  return { user_who_performed_action: user };
}

function queueFacts(queue: Queue): Record<string, Json> {
  return {
    durable: queue.isDurable,
    auto_delete: queue.isAutoDelete,
    arguments: argumentFacts(queue.arguments),
    exclusive: queue.isExclusive,
    type: queue.type.name,
  };
}

function exchangeFacts(exchange: Exchange): Record<string, Json> {
  return {
    type: exchange.type.name,
    durable: exchange.isDurable,
    auto_delete: exchange.isAutoDelete,
    internal: exchange.isInternal,
    arguments: argumentFacts(exchange.arguments),
    policy: exchange.policy.policy ?? '',
  };
}

function bindingFacts(vhost: Vhost, binding: Binding): Record<string, Json> {
  return {
    vhost: vhost.name,
    source_name: binding.source.name,
    source_kind: 'exchange',
    destination_name: binding.destination.name,
    destination_kind: binding.destination.kind,
    routing_key: binding.key,
    arguments: argumentFacts(binding.arguments),
  };
}
