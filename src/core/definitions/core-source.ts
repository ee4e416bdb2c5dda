import type { BrokerCore } from '../broker.ts';
import { operatorPolicyComponent } from '../parameters/parameters.ts';
import { vhostLimitsComponent } from '../parameters/vhost-limits.ts';
import { presentBindings } from '../exchanges/binding.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import type { Vhost } from '../vhost.ts';
import type { BindingDefinition, ExchangeDefinition } from './definitions.ts';
import type { DefinitionsSource, ExportedQueue } from './export-definitions.ts';

/** The broker's state as an export of definitions takes it. Nothing is copied before it is asked for. */
export function definitionsSource(core: BrokerCore): DefinitionsSource {
  const { settings, access, policies, parameters, vhosts } = core;
  return {
    version: settings.productVersion,
    productName: settings.product,
    productVersion: settings.productVersion,
    clusterName: core.clusterName,
    users: () => access.users(),
    vhosts: () => vhosts.values(),
    *vhostLimits() {
      for (const { name, limits } of vhosts.values()) {
        if (limits.connectionsMax >= 0 || limits.queuesMax >= 0) yield { vhost: name, ...limits };
      }
    },
    permissions: () => access.permissions(),
    topicPermissions: () => access.topicPermissions(),
    parameters: () =>
      parameters.list().filter(({ component }) => component !== vhostLimitsComponent && component !== operatorPolicyComponent),
    globalParameters: () => parameters.globals(),
    policies: () => policies.list('policy'),
    operatorPolicies: () => policies.list('operator_policy'),
    *queues() {
      for (const vhost of vhosts.values()) yield* queuesOf(vhost);
    },
    *exchanges() {
      for (const vhost of vhosts.values()) for (const exchange of vhost.exchanges.values()) yield exchangeOf(vhost, exchange);
    },
    *bindings() {
      for (const vhost of vhosts.values()) yield* bindingsOf(vhost);
    },
  };
}

function* queuesOf(vhost: Vhost): Iterable<ExportedQueue> {
  for (const queue of vhost.queues.values()) {
    const { name, type, isDurable, isAutoDelete, isExclusive } = queue;
    yield { vhost: vhost.name, name, type: type.name, isDurable, isAutoDelete, isExclusive, arguments: queue.arguments };
  }
}

function exchangeOf(vhost: Vhost, exchange: Exchange): ExchangeDefinition {
  const { name, type, isDurable, isAutoDelete, isInternal } = exchange;
  return { vhost: vhost.name, name, type: type.name, isDurable, isAutoDelete, isInternal, arguments: exchange.arguments };
}

function* bindingsOf(vhost: Vhost): Iterable<BindingDefinition> {
  for (const exchange of vhost.exchanges.values()) {
    for (const { source, destination, key, arguments: args } of presentBindings(exchange.bindings.values())) {
      yield {
        vhost: vhost.name,
        source: source.name,
        destinationKind: destination.kind,
        destination: destination.name,
        key,
        arguments: args,
      };
    }
  }
}
