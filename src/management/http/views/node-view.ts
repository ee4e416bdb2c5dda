import { version } from '../../../base/version.ts';
import type { BrokerCore } from '../../../core/broker.ts';
import { churnNames } from '../../../core/statistics/columns.ts';
import type { Services } from '../../services.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRanges } from '../sample-ranges.ts';
import { RateWriter } from './rates.ts';

const mechanismDescriptions: Readonly<Record<string, string>> = {
  PLAIN: 'SASL PLAIN authentication mechanism',
  AMQPLAIN: 'QPid AMQPLAIN mechanism',
  EXTERNAL: 'SASL EXTERNAL authentication mechanism',
  ANONYMOUS: 'SASL ANONYMOUS authentication mechanism',
};

/** Counters of RabbitMQ's storage that have no counterpart here, or none yet. */
const unusedCounters = [
  'gc_num',
  'gc_bytes_reclaimed',
  'io_read_count',
  'io_read_bytes',
  'io_read_avg_time',
  'io_write_count',
  'io_write_bytes',
  'io_write_avg_time',
  'io_sync_count',
  'io_sync_avg_time',
  'io_seek_count',
  'io_seek_avg_time',
  'io_reopen_count',
  'mnesia_ram_tx_count',
  'mnesia_disk_tx_count',
  'msg_store_read_count',
  'msg_store_write_count',
  'queue_index_write_count',
  'queue_index_read_count',
] as const;

const noGarbage = {
  connection_closed: 0,
  channel_closed: 0,
  consumer_deleted: 0,
  exchange_deleted: 0,
  queue_deleted: 0,
  vhost_deleted: 0,
  node_node_deleted: 0,
  channel_consumer_deleted: 0,
} as const;

export function nodeView(services: Services, ranges: SampleRanges): JsonObject {
  const { core, settings, node, statistics, control } = services;
  const view: JsonObject = {
    partitions: [],
    os_pid: String(process.pid),
    fd_total: node.fdLimit,
    sockets_total: Math.min(node.fdLimit, core.settings.connectionsMax),
    mem_limit: finite(control?.memoryWatermarkBytes ?? settings.memory.watermarkBytes),
    mem_alarm: core.alarms.active.includes('memory'),
    disk_free_limit: finite(control?.diskFreeLimitBytes ?? settings.disk.freeLimitBytes),
    disk_free_alarm: core.alarms.active.includes('disk'),
    proc_total: processLimit,
    rates_mode: settings.management.ratesMode,
    uptime: Math.round(process.uptime() * 1000),
    run_queue: 0,
    processors: node.processors,
    exchange_types: exchangeTypesView(core),
    auth_mechanisms: core.settings.mechanisms.map(name => ({ name, description: mechanismDescriptions[name] ?? '', enabled: true })),
    applications: [{ name: 'rabbit', description: 'WarrenMQ', version: core.settings.productVersion }],
    warrenmq_version: version,
    contexts: contextsView(services, false),
    log_files: [settings.log.file?.path ?? '<stdout>'],
    db_dir: settings.dataDir ?? '',
    config_files: settings.configFiles,
    net_ticktime: 60,
    enabled_plugins: ['rabbitmq_management', 'rabbitmq_prometheus'],
    mem_calculation_strategy: 'rss',
    ra_open_file_metrics: { ra_log_wal: 0, ra_log_segment_writer: 0 },
    being_drained: control?.isListening === false,
    cluster_tags: core.parameters.global('cluster_tags') ?? [],
    name: core.settings.nodeName,
    type: 'disc',
    running: control?.isAppRunning !== false,
  };
  const rates = new RateWriter(statistics);
  const figures: [string, number][] = [
    ['mem_used', node.memory.rss],
    ['fd_used', node.fdCount],
    ['sockets_used', node.socketCount],
    ['proc_used', node.processCount],
    ['disk_free', finite(node.diskFreeBytes)],
    ['context_switches', node.contextSwitches],
  ];
  for (const [name, value] of figures)
    rates.write(view, name, value, statistics.node, [statistics.node.columns.index(name)], ranges.nodeStats);
  for (const name of unusedCounters) rates.write(view, name, 0, undefined, [], ranges.nodeStats);
  for (const name of churnNames) {
    const column = statistics.node.columns.index(name);
    rates.write(view, name, statistics.node.latest(column), statistics.node, [column], ranges.nodeStats);
  }
  view['cluster_links'] = [];
  view['metrics_gc_queue_length'] = noGarbage;
  return view;
}

/** What Erlang calls a process has no limit here; tools divide by it. */
const processLimit = 1_048_576;

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

export function exchangeTypesView(core: BrokerCore): JsonObject[] {
  return Array.from(core.exchangeTypes.values(), ({ name, description }) => ({ name, description, enabled: true }));
}

export function listenersView(services: Services): JsonObject[] {
  const node = services.core.settings.nodeName;
  return services.listeners().map(({ protocol, host, port, backlog }) => ({
    node,
    protocol,
    ip_address: host,
    port,
    socket_opts: { backlog, nodelay: true, linger: [true, 0], exit_on_close: false },
  }));
}

/** HTTP listeners as RabbitMQ's web dispatcher names them. `withNode` is the form of the overview. */
export function contextsView(services: Services, withNode: boolean): JsonObject[] {
  return services
    .listeners()
    .filter(({ protocol }) => protocol.startsWith('http') && !protocol.includes('/web-'))
    .map(({ protocol, host, port }) => ({
      ...(withNode ? { ssl_opts: [], node: services.core.settings.nodeName } : {}),
      description: protocol === 'http/prometheus' ? 'RabbitMQ Prometheus' : 'RabbitMQ Management',
      path: services.settings.management.pathPrefix === '' ? '/' : services.settings.management.pathPrefix,
      cowboy_opts: '[]',
      ip: host,
      port: String(port),
      ...(withNode ? {} : { protocol }),
    }));
}
