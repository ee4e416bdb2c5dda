import { version } from '../../../base/version.ts';
import { churnNames } from '../../../core/statistics/columns.ts';
import type { Vhost } from '../../../core/vhost.ts';
import type { Services } from '../../services.ts';
import type { ApiCall } from '../api-call.ts';
import { isMonitor } from '../api-user.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRange, SampleRanges } from '../sample-ranges.ts';
import { channelStats } from './message-stats.ts';
import { contextsView, exchangeTypesView, listenersView } from './node-view.ts';
import { RateWriter } from './rates.ts';
import { writeLengths } from './vhost-view.ts';

const runtime = `Node.js ${process.versions.node}`;

export function overviewView(call: ApiCall, ranges: SampleRanges): JsonObject {
  const { core, services } = call;
  const { settings } = services;
  const view: JsonObject = {
    management_version: core.settings.productVersion,
    rates_mode: settings.management.ratesMode,
    sample_retention_policies: retentionView(services),
    exchange_types: exchangeTypesView(core),
    product_version: core.settings.productVersion,
    product_name: core.settings.product,
    rabbitmq_version: core.settings.productVersion,
    warrenmq_version: version,
    cluster_name: clusterName(services),
    cluster_tags: core.parameters.global('cluster_tags') ?? [],
    node_tags: [],
    default_queue_type: core.settings.defaultQueueType,
    // There is no Erlang here; monitoring tools show what they find.
    erlang_version: process.versions.node,
    erlang_full_version: runtime,
    release_series_support_status: 'supported',
    disable_stats: settings.management.disableStats,
    enable_queue_totals: settings.management.enableQueueTotals,
    is_op_policy_updating_enabled: !settings.management.operatorPolicyChangesDisabled,
    statistics_db_event_queue: 0,
  };
  addTotals(call, view, ranges);
  if (isMonitor(call.user)) {
    view['node'] = core.settings.nodeName;
    view['listeners'] = listenersView(services);
    view['contexts'] = contextsView(services, true);
  }
  return view;
}

/** Sums of what the user may see. */
function addTotals(call: ApiCall, view: JsonObject, ranges: SampleRanges): void {
  const { core, services } = call;
  const { statistics } = services;
  const { node } = statistics;
  const rates = new RateWriter(statistics);
  const names = node.columns.names.slice(0, 11);
  if (isMonitor(call.user)) {
    const latest = Float64Array.from(names, (_name, column) => node.latest(column));
    view['message_stats'] = withDisk(rates, channelStats(rates, latest, node, ranges.messageRates), ranges.messageRates);
    const churn: JsonObject = {};
    for (const name of churnNames) {
      const column = node.columns.index(name);
      rates.write(churn, name, node.latest(column), node, [column], ranges.messageRates);
    }
    view['churn_rates'] = churn;
    const [ready, unacked] = [node.columns.index('messages_ready'), node.columns.index('messages_unacknowledged')];
    const now = countMessages(core.vhosts.values());
    const totals: JsonObject = {};
    rates.write(totals, 'messages', now.ready + now.unacked, node, [ready, unacked], ranges.lengths);
    rates.write(totals, 'messages_ready', now.ready, node, [ready], ranges.lengths);
    rates.write(totals, 'messages_unacknowledged', now.unacked, node, [unacked], ranges.lengths);
    view['queue_totals'] = totals;
  } else {
    addMemberTotals(call, view);
  }
  view['object_totals'] = objectTotals(call, core.connections.size);
}

/** Rates are sums of those of the virtual hosts; what happens to connections and queues elsewhere is not told. */
function addMemberTotals(call: ApiCall, view: JsonObject): void {
  const { statistics } = call.services;
  const rates = new RateWriter(statistics);
  const stats: JsonObject = {};
  const totals: JsonObject = {};
  writeLengths(totals, rates, undefined, null);
  for (const vhost of call.memberVhosts()) {
    const history = statistics.vhost(vhost.name);
    if (history === undefined) continue;
    const latest = Float64Array.from(history.columns.names, (_name, column) => history.latest(column));
    addUp(stats, channelStats(rates, latest, history, null));
    const lengths: JsonObject = {};
    writeLengths(lengths, rates, history, null);
    addUp(totals, lengths);
  }
  view['message_stats'] = withDisk(rates, stats, null);
  view['churn_rates'] = {};
  const { ready, unacked } = countMessages(call.memberVhosts());
  view['queue_totals'] = { ...totals, messages: ready + unacked, messages_ready: ready, messages_unacknowledged: unacked };
}

function countMessages(vhosts: Iterable<Vhost>): { ready: number; unacked: number } {
  let ready = 0;
  let unacked = 0;
  for (const vhost of vhosts) {
    for (const queue of vhost.queues.values()) {
      ready += queue.readyCount;
      unacked += queue.unackedCount;
    }
  }
  return { ready, unacked };
}

/** Adds numbers, and the rates below them. */
function addUp(sums: JsonObject, more: JsonObject | null): void {
  for (const [name, value] of Object.entries(more ?? {})) {
    if (typeof value === 'number') sums[name] = Number(sums[name] ?? 0) + value;
    else addUp((sums[name] ??= {}) as JsonObject, value as JsonObject);
  }
}

function withDisk(rates: RateWriter, stats: JsonObject | null, range: SampleRange | null): JsonObject {
  const view = stats ?? {};
  for (const name of ['disk_reads', 'disk_writes']) rates.write(view, name, 0, undefined, [], range);
  return view;
}

function objectTotals(call: ApiCall, connectionCount: number): JsonObject {
  const { core } = call;
  const seesAll = isMonitor(call.user);
  let connections = 0;
  let channels = 0;
  if (seesAll) {
    connections = connectionCount;
    channels = Math.max(0, core.counters.channelsOpened - core.counters.channelsClosed);
  } else {
    for (const connection of core.connections) {
      if (connection.user !== call.user.name) continue;
      connections++;
      channels += connection.describe().channelCount;
    }
  }
  let queues = 0;
  let exchanges = 0;
  let consumers = 0;
  for (const vhost of call.memberVhosts()) {
    queues += vhost.queues.size;
    exchanges += vhost.exchanges.size;
    for (const queue of vhost.queues.values()) consumers += queue.consumerCount;
  }
  return { channels, connections, consumers, exchanges, queues };
}

function retentionView(services: Services): JsonObject {
  const view: Record<string, number[]> = { global: [], basic: [], detailed: [] };
  for (const { section, seconds } of services.settings.management.retention) view[section]?.push(seconds);
  return view;
}

export function clusterName(services: Services): string {
  return services.core.clusterName;
}
