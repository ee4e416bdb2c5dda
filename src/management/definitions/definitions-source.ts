import type { BrokerCore } from '../../core/broker.ts';
import type { Vhost } from '../../core/vhost.ts';
import type { BindingDefinition, ExchangeDefinition, VhostDefinition, VhostLimitsDefinition } from '../../core/definitions/definitions.ts';
import type { DefinitionsSource, ExportedQueue } from '../../core/definitions/export-definitions.ts';
import type { ExistingObjects } from '../../core/definitions/references.ts';

/** The broker's state for an export. Durable things only, as in RabbitMQ; what belongs to a connection is left out. */
export function definitionsOf(core: BrokerCore): DefinitionsSource {
  const { settings, access, parameters, policies } = core;
  const vhosts = [...core.vhosts.values()];
  const name = parameters.global('cluster_name');
  return {
    version: settings.productVersion,
    productName: settings.product,
    productVersion: settings.productVersion,
    clusterName: typeof name === 'string' ? name : settings.clusterName,
    users: () => access.users(),
    vhosts: () => vhosts.map(vhostDefinition),
    vhostLimits: () => vhosts.map(vhostLimits).filter(({ connectionsMax, queuesMax }) => connectionsMax >= 0 || queuesMax >= 0),
    permissions: () => access.permissions(),
    topicPermissions: () => access.topicPermissions(),
    parameters: () => parameters.list().filter(({ component }) => component !== 'vhost-limits'),
    globalParameters: () => parameters.globals(),
    policies: () => policies.list('policy'),
    operatorPolicies: () => policies.list('operator_policy'),
    queues: () => queuesOf(vhosts),
    exchanges: () => exchangesOf(vhosts),
    bindings: () => bindingsOf(vhosts),
  };
}

/** What definitions that are imported may refer to. */
export function existingObjects(core: BrokerCore): ExistingObjects {
  const vhost = (name: string): Vhost | undefined => core.vhosts.get(name);
  return {
    hasVhost: name => core.vhosts.has(name),
    hasUser: name => core.access.user(name) !== undefined,
    hasExchange: (where, name) => vhost(where)?.exchanges.has(name) ?? false,
    hasQueue: (where, name) => vhost(where)?.queues.has(name) ?? false,
    hasExchangeType: type => core.exchangeTypes.has(type),
    queueCounts: where => {
      const found = vhost(where);
      return found === undefined ? null : { count: found.queues.size, max: found.limits.queuesMax };
    },
  };
}

function vhostDefinition({ name, description, tags, defaultQueueType, isTracing, isProtectedFromDeletion }: Vhost): VhostDefinition {
  return { name, description, tags, defaultQueueType, isTracing, isProtectedFromDeletion };
}

function vhostLimits({ name, limits }: Vhost): VhostLimitsDefinition {
  return { vhost: name, ...limits };
}

function* queuesOf(vhosts: readonly Vhost[]): Iterable<ExportedQueue> {
  for (const vhost of vhosts) {
    for (const queue of vhost.queues.values()) {
      yield {
        vhost: vhost.name,
        name: queue.name,
        type: queue.type.name,
        isDurable: queue.isDurable,
        isAutoDelete: queue.isAutoDelete,
        isExclusive: queue.isExclusive,
        arguments: queue.arguments,
      };
    }
  }
}

function* exchangesOf(vhosts: readonly Vhost[]): Iterable<ExchangeDefinition> {
  for (const vhost of vhosts) {
    for (const exchange of vhost.exchanges.values()) {
      yield {
        vhost: vhost.name,
        name: exchange.name,
        type: exchange.type.name,
        isDurable: exchange.isDurable,
        isAutoDelete: exchange.isAutoDelete,
        isInternal: exchange.isInternal,
        arguments: exchange.arguments,
      };
    }
  }
}

function* bindingsOf(vhosts: readonly Vhost[]): Iterable<BindingDefinition> {
  for (const vhost of vhosts) {
    for (const exchange of vhost.exchanges.values()) {
      for (const { destination, key, arguments: args } of exchange.bindings.values()) {
        yield {
          vhost: vhost.name,
          source: exchange.name,
          destinationKind: destination.kind,
          destination: destination.name,
          key,
          arguments: args,
        };
      }
    }
  }
}
