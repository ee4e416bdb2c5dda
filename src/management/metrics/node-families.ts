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

type Value = NodeFamily['value'];

function family(type: NodeFamily['type']) {
  return (name: string, help: string, group: string | null, value: Value): NodeFamily => ({ name, type, help, group, value });
}

const gauge = family('gauge');
const counter = family('counter');
const untyped = family('untyped');

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
].map(([name = '', help = '']) => counter(name, `${help}; not counted here`, persister, none));

export const nodeFamilies: readonly NodeFamily[] = [
  untyped('alarms_file_descriptor_limit', '1 while an alarm on file descriptors is in effect', null, none),
  untyped('alarms_free_disk_space_watermark', '1 while the disk alarm is in effect', null, alarm('disk')),
  untyped('alarms_memory_used_watermark', '1 while the memory alarm is in effect', null, alarm('memory')),
  counter('connections_opened_total', 'Connections opened', churn, ({ core }) => core.counters.connectionsOpened),
  counter('connections_closed_total', 'Connections closed', churn, ({ core }) => core.counters.connectionsClosed),
  counter('channels_opened_total', 'Channels opened', churn, ({ core }) => core.counters.channelsOpened),
  counter('channels_closed_total', 'Channels closed', churn, ({ core }) => core.counters.channelsClosed),
  counter('queues_declared_total', 'Declarations of queues', churn, ({ core }) => core.counters.queuesDeclared),
  counter('queues_created_total', 'Queues made', churn, ({ core }) => core.counters.queuesCreated),
  counter('queues_deleted_total', 'Queues deleted', churn, ({ core }) => core.counters.queuesDeleted),
  gauge('process_open_fds', 'Open files and sockets', coarse, services => services.node.fdCount),
  gauge('process_open_tcp_sockets', 'Open connections', coarse, services => services.node.socketCount),
  gauge('process_resident_memory_bytes', 'Resident memory', coarse, services => services.node.memory.rss),
  gauge('disk_space_available_bytes', 'Free bytes where the data is', coarse, services => finite(services.node.diskFreeBytes)),
  gauge(
    'erlang_processes_used',
    "Queues, connections and channels, which are Erlang's processes",
    coarse,
    services => services.node.processCount,
  ),
  counter('erlang_gc_runs_total', 'Garbage collections; not counted', coarse, none),
  counter('erlang_gc_reclaimed_bytes_total', 'Bytes collected; not counted', coarse, none),
  counter('erlang_scheduler_context_switches_total', 'Context switches of the process', coarse, services => services.node.contextSwitches),
  gauge('process_max_fds', 'Most files and sockets', node, services => services.node.fdLimit),
  gauge('process_max_tcp_sockets', 'Most connections', node, ({ node: probe, core }) =>
    Math.min(probe.fdLimit, core.settings.connectionsMax),
  ),
  gauge('resident_memory_limit_bytes', 'Memory at which publishers are blocked', node, ({ settings, control }) =>
    finite(control?.memoryWatermarkBytes ?? settings.memory.watermarkBytes),
  ),
  gauge('disk_space_available_limit_bytes', 'Free disk space below which publishers are blocked', node, ({ settings, control }) =>
    finite(control?.diskFreeLimitBytes ?? settings.disk.freeLimitBytes),
  ),
  gauge('erlang_processes_limit', 'Limit of Erlang processes; none here', node, () => 1_048_576),
  gauge('erlang_scheduler_run_queue', 'Erlang processes that wait to run; none here', node, none),
  gauge('erlang_net_ticktime_seconds', 'Interval of heartbeats between nodes', node, () => 60),
  gauge('erlang_uptime_seconds', 'Time since the process began', node, () => process.uptime()),
  ...unused,
  counter('raft_term_total', 'Raft term; one node has none', raft, none),
  gauge('raft_log_snapshot_index', 'Raft snapshot; one node has none', raft, none),
  gauge('raft_log_last_applied_index', 'Raft index applied; one node has none', raft, none),
  gauge('raft_log_commit_index', 'Raft index committed; one node has none', raft, none),
  gauge('raft_log_last_written_index', 'Raft index written; one node has none', raft, none),
  gauge('raft_entry_commit_latency_seconds', 'Time to commit, of the latest sample', raft, commitSeconds),
  // The names of RabbitMQ 4.2 and later.
  counter('raft_term', 'Raft term; one node has none', raft, none),
  gauge('raft_snapshot_index', 'Raft snapshot; one node has none', raft, none),
  gauge('raft_last_applied', 'Raft index applied; one node has none', raft, none),
  gauge('raft_commit_index', 'Raft index committed; one node has none', raft, none),
  gauge('raft_last_written_index', 'Raft index written; one node has none', raft, none),
  gauge('raft_num_segments', 'Raft segments; one node has none', raft, none),
  gauge('raft_max_num_segments', 'Most Raft segments of a queue; one node has none', raft, none),
  gauge('raft_commit_latency_seconds', 'Time to commit, of the latest sample', raft, commitSeconds),
  gauge('raft_max_commit_latency_seconds', 'Time to commit, of the latest sample', raft, commitSeconds),
];

/** What RabbitMQ does not tell. */
export const ownFamilies: readonly NodeFamily[] = [
  gauge(
    'event_loop_delay_mean_seconds',
    'Delay of the event loop since the start or the last reset: mean',
    null,
    ({ node: probe }) => probe.loopDelay.mean,
  ),
  gauge('event_loop_delay_p50_seconds', 'Delay of the event loop: median', null, ({ node: probe }) => probe.loopDelay.p50),
  gauge('event_loop_delay_p99_seconds', 'Delay of the event loop: 99th percentile', null, ({ node: probe }) => probe.loopDelay.p99),
  gauge('event_loop_delay_max_seconds', 'Delay of the event loop: maximum', null, ({ node: probe }) => probe.loopDelay.max),
  gauge('commit_seconds', 'Time until what is published is durable, of the latest sample', null, commitSeconds),
  gauge('message_store_held_bytes', 'Memory that messages take, alive or not', null, ({ core }) => core.store.heldBytes),
  gauge('message_store_live_bytes', 'Bytes of messages alive', null, ({ core }) => core.store.liveBytes),
  counter('messages_unroutable_total', 'Messages that reached no queue, returned or dropped', null, unroutable),
  counter(
    'publishers_held_total',
    'Times a publisher was held because consumers could not keep up',
    null,
    ({ core }) => core.flow.heldCount,
  ),
  counter('internal_errors_total', 'Errors of the broker itself; each is in the log', null, ({ core }) => core.counters.internalErrors),
  gauge('process_heap_bytes', "Memory of JavaScript's objects", null, ({ node: probe }) => probe.memory.heapUsed),
  counter('process_cpu_seconds_total', 'Processor time of the process', null, cpuSeconds),
].map(family => ({ ...family, isOwn: true }));

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
