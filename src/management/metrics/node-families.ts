import type { Services } from '../services.ts';
import type { Family } from './metric.ts';

/** A number of the node. */
export interface NodeFamily extends Family {
  /** The family of /metrics/detailed in which it is; null: on the other pages only. */
  readonly group: string | null;
  value(services: Services): number;
}

const node = 'node_metrics';
const coarse = 'node_coarse_metrics';
const persister = 'node_persister_metrics';
const churn = 'connection_churn_metrics';
const raft = 'ra_metrics';

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function alarm(resource: 'memory' | 'disk'): (services: Services) => number {
  return ({ core }) => (core.alarms.active.includes(resource) ? 1 : 0);
}

const none = (): number => 0;

/** What RabbitMQ counts of storage that is made differently here. */
const unused: readonly NodeFamily[] = [
  ['io_read_ops_total', 'Reads of files'],
  ['io_read_bytes_total', 'Bytes read from files'],
  ['io_write_ops_total', 'Writes to files'],
  ['io_write_bytes_total', 'Bytes written to files'],
  ['io_sync_ops_total', 'Syncs of files'],
  ['io_seek_ops_total', 'Seeks in files'],
  ['io_reopen_ops_total', 'Files opened again'],
  ['schema_db_ram_tx_total', 'Transactions of the schema in memory'],
  ['schema_db_disk_tx_total', 'Transactions of the schema on disk'],
  ['msg_store_read_total', 'Reads of the message store'],
  ['msg_store_write_total', 'Writes to the message store'],
  ['queue_index_read_ops_total', 'Reads of the queue index'],
  ['queue_index_write_ops_total', 'Writes to the queue index'],
  ['io_read_time_seconds_total', 'Time spent reading files'],
  ['io_write_time_seconds_total', 'Time spent writing files'],
  ['io_sync_time_seconds_total', 'Time spent syncing files'],
  ['io_seek_time_seconds_total', 'Time spent seeking in files'],
].map(([name = '', help = '']) => ({ name, type: 'counter', help: `${help}; not counted here`, group: persister, value: none }));

export const nodeFamilies: readonly NodeFamily[] = [
  {
    name: 'alarms_file_descriptor_limit',
    type: 'untyped',
    help: '1 while an alarm on file descriptors is in effect',
    group: null,
    value: none,
  },
  {
    name: 'alarms_free_disk_space_watermark',
    type: 'untyped',
    help: '1 while the disk alarm is in effect',
    group: null,
    value: alarm('disk'),
  },
  {
    name: 'alarms_memory_used_watermark',
    type: 'untyped',
    help: '1 while the memory alarm is in effect',
    group: null,
    value: alarm('memory'),
  },
  {
    name: 'connections_opened_total',
    type: 'counter',
    help: 'Connections opened',
    group: churn,
    value: ({ core }) => core.counters.connectionsOpened,
  },
  {
    name: 'connections_closed_total',
    type: 'counter',
    help: 'Connections closed',
    group: churn,
    value: ({ core }) => core.counters.connectionsClosed,
  },
  {
    name: 'channels_opened_total',
    type: 'counter',
    help: 'Channels opened',
    group: churn,
    value: ({ core }) => core.counters.channelsOpened,
  },
  {
    name: 'channels_closed_total',
    type: 'counter',
    help: 'Channels closed',
    group: churn,
    value: ({ core }) => core.counters.channelsClosed,
  },
  {
    name: 'queues_declared_total',
    type: 'counter',
    help: 'Declarations of queues',
    group: churn,
    value: ({ core }) => core.counters.queuesDeclared,
  },
  { name: 'queues_created_total', type: 'counter', help: 'Queues made', group: churn, value: ({ core }) => core.counters.queuesCreated },
  { name: 'queues_deleted_total', type: 'counter', help: 'Queues deleted', group: churn, value: ({ core }) => core.counters.queuesDeleted },
  { name: 'process_open_fds', type: 'gauge', help: 'Open files and sockets', group: coarse, value: services => services.node.fdCount },
  {
    name: 'process_open_tcp_sockets',
    type: 'gauge',
    help: 'Open connections',
    group: coarse,
    value: services => services.node.socketCount,
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory',
    group: coarse,
    value: services => services.node.memory.rss,
  },
  {
    name: 'disk_space_available_bytes',
    type: 'gauge',
    help: 'Free bytes where the data is',
    group: coarse,
    value: services => finite(services.node.diskFreeBytes),
  },
  {
    name: 'erlang_processes_used',
    type: 'gauge',
    help: "Queues, connections and channels, which are Erlang's processes",
    group: coarse,
    value: services => services.node.processCount,
  },
  { name: 'erlang_gc_runs_total', type: 'counter', help: 'Garbage collections; not counted', group: coarse, value: none },
  { name: 'erlang_gc_reclaimed_bytes_total', type: 'counter', help: 'Bytes collected; not counted', group: coarse, value: none },
  {
    name: 'erlang_scheduler_context_switches_total',
    type: 'counter',
    help: 'Context switches of the process',
    group: coarse,
    value: services => services.node.contextSwitches,
  },
  { name: 'process_max_fds', type: 'gauge', help: 'Most files and sockets', group: node, value: services => services.node.fdLimit },
  {
    name: 'process_max_tcp_sockets',
    type: 'gauge',
    help: 'Most connections',
    group: node,
    value: ({ node: probe, core }) => Math.min(probe.fdLimit, core.settings.connectionsMax),
  },
  {
    name: 'resident_memory_limit_bytes',
    type: 'gauge',
    help: 'Memory at which publishers are blocked',
    group: node,
    value: ({ settings, control }) => finite(control?.memoryWatermarkBytes ?? settings.memory.watermarkBytes),
  },
  {
    name: 'disk_space_available_limit_bytes',
    type: 'gauge',
    help: 'Free disk space below which publishers are blocked',
    group: node,
    value: ({ settings, control }) => finite(control?.diskFreeLimitBytes ?? settings.disk.freeLimitBytes),
  },
  { name: 'erlang_processes_limit', type: 'gauge', help: 'Limit of Erlang processes; none here', group: node, value: () => 1_048_576 },
  { name: 'erlang_scheduler_run_queue', type: 'gauge', help: 'Erlang processes that wait to run; none here', group: node, value: none },
  { name: 'erlang_net_ticktime_seconds', type: 'gauge', help: 'Interval of heartbeats between nodes', group: node, value: () => 60 },
  { name: 'erlang_uptime_seconds', type: 'gauge', help: 'Time since the process began', group: node, value: () => process.uptime() },
  ...unused,
  { name: 'raft_term_total', type: 'counter', help: 'Raft term; one node has none', group: raft, value: none },
  { name: 'raft_log_snapshot_index', type: 'gauge', help: 'Raft snapshot; one node has none', group: raft, value: none },
  { name: 'raft_log_last_applied_index', type: 'gauge', help: 'Raft index applied; one node has none', group: raft, value: none },
  { name: 'raft_log_commit_index', type: 'gauge', help: 'Raft index committed; one node has none', group: raft, value: none },
  { name: 'raft_log_last_written_index', type: 'gauge', help: 'Raft index written; one node has none', group: raft, value: none },
  {
    name: 'raft_entry_commit_latency_seconds',
    type: 'gauge',
    help: 'Time to commit, of the latest sample',
    group: raft,
    value: commitSeconds,
  },
  // The names of RabbitMQ 4.2 and later.
  { name: 'raft_term', type: 'counter', help: 'Raft term; one node has none', group: raft, value: none },
  { name: 'raft_snapshot_index', type: 'gauge', help: 'Raft snapshot; one node has none', group: raft, value: none },
  { name: 'raft_last_applied', type: 'gauge', help: 'Raft index applied; one node has none', group: raft, value: none },
  { name: 'raft_commit_index', type: 'gauge', help: 'Raft index committed; one node has none', group: raft, value: none },
  { name: 'raft_last_written_index', type: 'gauge', help: 'Raft index written; one node has none', group: raft, value: none },
  { name: 'raft_num_segments', type: 'gauge', help: 'Raft segments; one node has none', group: raft, value: none },
  { name: 'raft_max_num_segments', type: 'gauge', help: 'Most Raft segments of a queue; one node has none', group: raft, value: none },
  { name: 'raft_commit_latency_seconds', type: 'gauge', help: 'Time to commit, of the latest sample', group: raft, value: commitSeconds },
  {
    name: 'raft_max_commit_latency_seconds',
    type: 'gauge',
    help: 'Time to commit, of the latest sample',
    group: raft,
    value: commitSeconds,
  },
];

/** What RabbitMQ does not tell. */
export const ownFamilies: readonly NodeFamily[] = [
  {
    name: 'event_loop_delay_mean_seconds',
    isOwn: true,
    type: 'gauge',
    help: 'Delay of the event loop since the start or the last reset: mean',
    group: null,
    value: ({ node: probe }) => probe.loopDelay.mean,
  },
  {
    name: 'event_loop_delay_p50_seconds',
    isOwn: true,
    type: 'gauge',
    help: 'Delay of the event loop: median',
    group: null,
    value: ({ node: probe }) => probe.loopDelay.p50,
  },
  {
    name: 'event_loop_delay_p99_seconds',
    isOwn: true,
    type: 'gauge',
    help: 'Delay of the event loop: 99th percentile',
    group: null,
    value: ({ node: probe }) => probe.loopDelay.p99,
  },
  {
    name: 'event_loop_delay_max_seconds',
    isOwn: true,
    type: 'gauge',
    help: 'Delay of the event loop: maximum',
    group: null,
    value: ({ node: probe }) => probe.loopDelay.max,
  },
  {
    name: 'commit_seconds',
    isOwn: true,
    type: 'gauge',
    help: 'Time until what is published is durable, of the latest sample',
    group: null,
    value: commitSeconds,
  },
  {
    name: 'message_store_held_bytes',
    isOwn: true,
    type: 'gauge',
    help: 'Memory that messages take, alive or not',
    group: null,
    value: ({ core }) => core.store.heldBytes,
  },
  {
    name: 'message_store_live_bytes',
    isOwn: true,
    type: 'gauge',
    help: 'Bytes of messages alive',
    group: null,
    value: ({ core }) => core.store.liveBytes,
  },
  {
    name: 'messages_unroutable_total',
    isOwn: true,
    type: 'counter',
    help: 'Messages that reached no queue, returned or dropped',
    group: null,
    value: unroutable,
  },
  {
    name: 'publishers_held_total',
    isOwn: true,
    type: 'counter',
    help: 'Times a publisher was held because consumers could not keep up',
    group: null,
    value: ({ core }) => core.flow.heldCount,
  },
  {
    name: 'internal_errors_total',
    isOwn: true,
    type: 'counter',
    help: 'Errors of the broker itself; each is in the log',
    group: null,
    value: ({ core }) => core.counters.internalErrors,
  },
  {
    name: 'process_heap_bytes',
    isOwn: true,
    type: 'gauge',
    help: "Memory of JavaScript's objects",
    group: null,
    value: ({ node: probe }) => probe.memory.heapUsed,
  },
  {
    name: 'process_cpu_seconds_total',
    isOwn: true,
    type: 'counter',
    help: 'Processor time of the process',
    group: null,
    value: cpuSeconds,
  },
];

function commitSeconds({ node: probe }: Services): number {
  return probe.commitSeconds;
}

function unroutable({ core }: Services): number {
  let sum = 0;
  for (const { counters } of core.vhosts.values()) sum += counters.returnedUnroutable + counters.droppedUnroutable;
  return sum;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
