// What programs that ask the HTTP API for figures read, by path and field.
// [kbudde/rabbitmq_exporter 1.0: exporter_*.go; telegraf 1.3x: plugins/inputs/rabbitmq; Datadog integrations-core: rabbitmq/const.py]

export interface FieldsRead {
  readonly program: string;
  readonly path: string;
  /** Paths of numbers or booleans; the length of a list is a number, too. */
  readonly numbers: readonly string[];
  readonly texts: readonly string[];
}

const withRates = (...names: string[]): string[] => names.flatMap(name => [name, `${name}_details.rate`]);
const below = (prefix: string, names: readonly string[]): string[] => names.map(name => `${prefix}.${name}`);

const nodeFigures = [
  'uptime',
  'running',
  'mem_used',
  'mem_limit',
  'mem_alarm',
  'disk_free',
  'disk_free_alarm',
  'disk_free_limit',
  'fd_used',
  'fd_total',
  'sockets_used',
  'sockets_total',
  'partitions',
];
const overviewTotals = [
  ...below('object_totals', ['channels', 'connections', 'consumers', 'queues', 'exchanges']),
  ...below('queue_totals', withRates('messages', 'messages_ready', 'messages_unacknowledged')),
];
const memoryFigures = [
  'connection_readers',
  'connection_writers',
  'connection_channels',
  'connection_other',
  'queue_procs',
  'plugins',
  'other_proc',
  'metrics',
  'mgmt_db',
  'mnesia',
  'other_ets',
  'binary',
  'msg_index',
  'code',
  'atom',
  'other_system',
  'allocated_unused',
  'reserved_unallocated',
];
const queueBytes = [
  'message_bytes',
  'message_bytes_ready',
  'message_bytes_unacknowledged',
  'message_bytes_ram',
  'message_bytes_persistent',
];

export const fieldsRead: readonly FieldsRead[] = [
  {
    program: 'rabbitmq_exporter',
    path: '/api/overview',
    numbers: [
      ...overviewTotals,
      ...below('message_stats', ['publish_details.rate', 'deliver_no_ack_details.rate', 'deliver_details.rate']),
    ],
    texts: ['node', 'erlang_version', 'rabbitmq_version', 'cluster_name'],
  },
  {
    program: 'rabbitmq_exporter',
    path: '/api/queues',
    numbers: [
      ...['messages_ready', 'messages_unacknowledged', 'messages', 'messages_ready_ram', 'messages_unacknowledged_ram', 'messages_ram'],
      ...['messages_persistent', ...queueBytes, 'consumers', 'consumer_utilisation', 'memory', 'durable', 'reductions'],
      ...below('garbage_collection', ['min_heap_size', 'min_bin_vheap_size', 'fullsweep_after', 'minor_gcs']),
      ...below('message_stats', ['publish_details.rate', 'deliver_no_ack_details.rate', 'deliver_details.rate']),
      ...below('message_stats', ['publish', 'deliver', 'deliver_no_ack', 'get', 'get_no_ack', 'redeliver', 'ack']),
      'effective_policy_definition.max-length',
    ],
    texts: ['vhost', 'name', 'policy', 'state', 'node'],
  },
  {
    program: 'rabbitmq_exporter',
    path: '/api/exchanges',
    numbers: below('message_stats', ['publish_in', 'publish_out']),
    texts: ['vhost', 'name'],
  },
  { program: 'rabbitmq_exporter', path: '/api/nodes', numbers: nodeFigures, texts: ['name'] },
  {
    program: 'rabbitmq_exporter',
    path: '/api/nodes/{node}/memory',
    numbers: below('memory', [...memoryFigures, 'total.erlang', 'total.rss', 'total.allocated']),
    texts: [],
  },
  {
    program: 'rabbitmq_exporter',
    path: '/api/connections',
    numbers: ['channels', ...withRates('recv_oct', 'send_oct'), 'recv_cnt', 'send_cnt', 'send_pend'],
    texts: ['vhost', 'node', 'peer_host', 'user', 'state'],
  },
  { program: 'rabbitmq_exporter', path: '/api/aliveness-test/%2F', numbers: [], texts: ['status'] },
  {
    program: 'telegraf',
    path: '/api/overview',
    numbers: [
      ...overviewTotals,
      ...below('message_stats', ['ack', 'deliver', 'deliver_get', 'publish', ...withRates('return_unroutable')]),
      'listeners',
    ],
    texts: [],
  },
  {
    program: 'telegraf',
    path: '/api/nodes',
    numbers: [
      ...nodeFigures,
      ...['proc_total', 'proc_used', 'run_queue'],
      ...withRates('mnesia_disk_tx_count', 'mnesia_ram_tx_count', 'gc_num', 'gc_bytes_reclaimed'),
      ...withRates('io_read_avg_time', 'io_read_bytes', 'io_write_avg_time', 'io_write_bytes'),
    ],
    texts: ['name'],
  },
  {
    program: 'telegraf',
    path: '/api/queues',
    numbers: [
      ...['messages', 'messages_ready', 'messages_unacknowledged', ...queueBytes, 'memory', 'consumers', 'consumer_utilisation'],
      ...['durable', 'auto_delete'],
      ...below('message_stats', withRates('ack', 'deliver', 'deliver_get', 'publish', 'redeliver')),
    ],
    texts: ['name', 'node', 'vhost'],
  },
  {
    program: 'telegraf',
    path: '/api/exchanges',
    numbers: ['internal', 'durable', 'auto_delete', ...below('message_stats', withRates('publish_in', 'publish_out'))],
    texts: ['name', 'type', 'vhost'],
  },
  {
    program: 'Datadog',
    path: '/api/overview',
    numbers: [
      ...overviewTotals,
      ...below('message_stats', withRates('ack', 'confirm', 'deliver_get', 'publish', 'drop_unroutable', 'return_unroutable', 'redeliver')),
    ],
    texts: ['cluster_name'],
  },
  {
    program: 'Datadog',
    path: '/api/nodes',
    numbers: ['fd_used', 'disk_free', 'mem_used', 'mem_limit', 'run_queue', 'sockets_used', 'partitions', 'running', 'mem_alarm'],
    texts: ['name'],
  },
  {
    program: 'Datadog',
    path: '/api/queues',
    numbers: [
      ...['consumers', 'consumer_utilisation', 'memory', 'message_bytes', ...withRates('messages', 'messages_ready')],
      ...withRates('messages_unacknowledged'),
      ...below('message_stats', withRates('ack', 'deliver', 'deliver_get', 'publish', 'redeliver')),
    ],
    texts: ['node', 'name', 'vhost', 'policy'],
  },
  {
    program: 'Datadog',
    path: '/api/exchanges',
    numbers: below('message_stats', withRates('publish_in', 'publish_out')),
    texts: ['name', 'vhost'],
  },
  { program: 'Datadog', path: '/api/connections', numbers: [], texts: ['vhost', 'state'] },
  { program: 'Datadog', path: '/api/vhosts', numbers: [], texts: ['name'] },
];

/** The value at a path such as `message_stats.publish`. */
export function valueAt(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], object);
}

export function isFigure(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || Array.isArray(value);
}

/** What a program would miss in an answer. A list is searched for an object that has a field: not each has figures of everything. */
export function missingIn(answer: unknown, { numbers, texts }: FieldsRead): string[] {
  const objects = Array.isArray(answer) ? (answer as unknown[]) : [answer];
  const has = (path: string, fits: (value: unknown) => boolean): boolean => objects.some(object => fits(valueAt(object, path)));
  return [...numbers.filter(path => !has(path, isFigure)), ...texts.filter(path => !has(path, value => typeof value === 'string'))];
}
