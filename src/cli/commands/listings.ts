import { ApiError } from '../api-error.ts';
import { invalid } from '../cli-error.ts';
import { type Command, commandsOf, type CommandContext, segment } from '../command.ts';

type Item = Record<string, unknown>;

interface ListingSpec {
  readonly name: string;
  readonly path: (context: CommandContext) => string;
  readonly defaults: readonly string[];
  /** Columns whose name in the API differs, or that are made of several fields. */
  readonly columns: Readonly<Record<string, string | ((item: Item) => unknown)>>;
  /** Columns named as in the API. */
  readonly plain: readonly string[];
  readonly hasVhost: boolean;
  /** What it says first, "queues for vhost /" for instance. */
  readonly banner: (vhost: string) => string;
  readonly hasTimeout?: boolean;
  readonly options?: readonly string[];
  readonly description: string;
  /** Which items are shown; all by default. */
  readonly isOf?: (item: Item) => boolean;
  readonly examples: readonly string[];
}

const define = commandsOf('Monitoring, observability and health checks', ['rabbitmqctl', 'rabbitmq-diagnostics']);
const timeoutSeconds = 60;

/** A value by a path of names. */
function at(item: Item, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Item | undefined)?.[name], item);
}

/** The API's fields behind the columns; null when a column needs more than a field. */
function fieldsOf(spec: ListingSpec, columns: readonly string[]): string | null {
  const fields = columns.map(name => spec.columns[name] ?? name);
  return fields.every(field => typeof field === 'string') ? fields.join(',') : null;
}

function listing(spec: ListingSpec): Command {
  const known = [...spec.plain, ...Object.keys(spec.columns)].sort();
  const options = spec.options ?? [];
  const flags = options.map(name => `[--${name}] `).join('');
  return define(
    `${spec.name} ${spec.hasVhost ? '[--vhost <vhost>] ' : ''}${flags}[--no-table-headers] [<column> ...]`,
    [0, Infinity],
    `${spec.description} Columns: ${known.join(', ')}; ${spec.defaults.join(', ')} by default.`,
    spec.examples,
    async context => {
      const named = context.args.flatMap(name => name.split(',')).filter(name => name !== '');
      const columns = named.length > 0 ? named : spec.defaults;
      const unknown = columns.filter(name => !known.includes(name));
      if (unknown.length > 0) throw invalid(`Info key(s) ${unknown.join(',')} are not supported`);
      const seconds = Number(context.options.get('timeout') ?? timeoutSeconds);
      if (spec.hasTimeout === true) context.out.say(`Timeout: ${seconds.toFixed(1)} seconds ...`);
      context.out.say(`Listing ${spec.banner(context.vhost)}`);
      const { isOf } = spec;
      const found = context.options.has('offline') ? [] : await fetch(context, spec, isOf === undefined ? fieldsOf(spec, columns) : null);
      const items = isOf === undefined ? found : found.filter(isOf);
      const value = (item: Item, name: string): unknown => {
        const column = spec.columns[name] ?? name;
        return typeof column === 'string' ? at(item, column) : column(item);
      };
      context.out.list({ columns, rows: items.map(item => columns.map(name => value(item, name))) });
    },
    { options },
  );
}

/** An unknown virtual host has nothing in it, as in RabbitMQ's tools. */
async function fetch(context: CommandContext, spec: ListingSpec, fields: string | null): Promise<Item[]> {
  try {
    return await context.api.list(`${spec.path(context)}${fields === null ? '' : `?columns=${segment(fields)}`}`);
  } catch (error) {
    if (spec.hasVhost && error instanceof ApiError && error.status === 404) return [];
    throw error;
  }
}

const inVhost = (resource: string) => (context: CommandContext) => `/${resource}/${segment(context.vhost)}`;

export const listings: readonly Command[] = [
  listing({
    name: 'list_queues',
    banner: vhost => `queues for vhost ${vhost} ...`,
    examples: [
      'list_queues',
      'list_queues name messages_ready messages_unacknowledged consumers',
      'list_queues -p shop --formatter json name policy',
    ],
    hasTimeout: true,
    options: ['online', 'offline', 'local'],
    description: 'Lists queues and their properties.',
    path: inVhost('queues'),
    hasVhost: true,
    defaults: ['name', 'messages'],
    plain: [
      'name',
      'durable',
      'auto_delete',
      'arguments',
      'policy',
      'operator_policy',
      'effective_policy_definition',
      'exclusive',
      'exclusive_consumer_tag',
      'messages',
      'messages_ready',
      'messages_unacknowledged',
      'messages_ram',
      'messages_ready_ram',
      'messages_unacknowledged_ram',
      'messages_persistent',
      'message_bytes',
      'message_bytes_ready',
      'message_bytes_unacknowledged',
      'message_bytes_ram',
      'message_bytes_persistent',
      'head_message_timestamp',
      'consumers',
      'consumer_utilisation',
      'consumer_capacity',
      'memory',
      'state',
      'type',
      'leader',
      'members',
      'online',
    ],
    columns: {
      pid: 'node',
      slave_pids: () => '',
      mirror_pids: () => '',
      synchronised_slave_pids: () => '',
      synchronised_mirror_pids: () => '',
      disk_reads: 'message_stats.disk_reads',
      disk_writes: 'message_stats.disk_writes',
      owner_pid: 'owner_pid_details.name',
      exclusive_consumer_pid: 'exclusive_consumer_tag',
    },
  }),
  listing({
    name: 'list_exchanges',
    banner: vhost => `exchanges for vhost ${vhost} ...`,
    examples: ['list_exchanges name type durable policy'],
    description: 'Lists exchanges.',
    path: inVhost('exchanges'),
    hasVhost: true,
    defaults: ['name', 'type'],
    plain: ['name', 'type', 'durable', 'auto_delete', 'internal', 'arguments', 'policy'],
    columns: {},
  }),
  listing({
    name: 'list_bindings',
    banner: vhost => `bindings for vhost ${vhost}...`,
    examples: ['list_bindings -p shop', 'list_bindings source_name destination_name routing_key'],
    description: 'Lists all bindings on a vhost.',
    path: inVhost('bindings'),
    hasVhost: true,
    defaults: ['source_name', 'source_kind', 'destination_name', 'destination_kind', 'routing_key', 'arguments'],
    plain: ['routing_key', 'arguments', 'vhost'],
    columns: {
      source_name: 'source',
      source_kind: () => 'exchange',
      destination_name: 'destination',
      destination_kind: 'destination_type',
    },
  }),
  listing({
    name: 'list_connections',
    banner: () => 'connections ...',
    examples: ['list_connections', 'list_connections name user vhost state send_pend'],
    description: 'Lists client connections.',
    path: () => '/connections',
    hasVhost: false,
    defaults: ['user', 'peer_host', 'peer_port', 'state'],
    plain: [
      'name',
      'port',
      'host',
      'peer_port',
      'peer_host',
      'ssl',
      'ssl_protocol',
      'ssl_key_exchange',
      'ssl_cipher',
      'ssl_hash',
      'peer_cert_subject',
      'peer_cert_issuer',
      'peer_cert_validity',
      'state',
      'channels',
      'protocol',
      'auth_mechanism',
      'user',
      'vhost',
      'timeout',
      'frame_max',
      'channel_max',
      'client_properties',
      'recv_oct',
      'recv_cnt',
      'send_oct',
      'send_cnt',
      'send_pend',
      'connected_at',
    ],
    columns: { pid: 'name' },
  }),
  listing({
    name: 'list_channels',
    banner: () => 'channels ...',
    examples: ['list_channels name prefetch_count messages_unacknowledged'],
    description: 'Lists all channels in the node.',
    path: () => '/channels',
    hasVhost: false,
    defaults: ['pid', 'user', 'consumer_count', 'messages_unacknowledged'],
    plain: [
      'name',
      'number',
      'user',
      'vhost',
      'transactional',
      'confirm',
      'consumer_count',
      'messages_unacknowledged',
      'messages_uncommitted',
      'acks_uncommitted',
      'messages_unconfirmed',
      'prefetch_count',
      'global_prefetch_count',
    ],
    columns: { pid: 'name', connection: 'connection_details.name' },
  }),
  listing({
    name: 'list_consumers',
    banner: vhost => `consumers in vhost ${vhost} ...`,
    examples: ['list_consumers', 'list_consumers -p shop queue_name consumer_tag active'],
    description: 'Lists all consumers for a vhost.',
    path: inVhost('consumers'),
    hasVhost: true,
    defaults: ['queue_name', 'channel_pid', 'consumer_tag', 'ack_required', 'prefetch_count', 'active', 'arguments'],
    plain: ['consumer_tag', 'ack_required', 'prefetch_count', 'active', 'activity_status', 'arguments', 'exclusive'],
    columns: { queue_name: 'queue.name', channel_pid: 'channel_details.name' },
  }),
  listing({
    name: 'list_vhosts',
    banner: () => 'vhosts ...',
    examples: ['list_vhosts', 'list_vhosts name description default_queue_type tracing'],
    description: 'Lists virtual hosts.',
    path: () => '/vhosts',
    hasVhost: false,
    defaults: ['name'],
    plain: ['name', 'tracing', 'default_queue_type', 'description', 'tags', 'cluster_state'],
    columns: {},
  }),
  define(
    'list_unresponsive_queues [--local] [--queue-timeout <milliseconds>] [--vhost <vhost>] [--no-table-headers] [<column> ...]',
    [0, Infinity],
    'Lists queues that do not respond. A broker that answers this at all has none: all queues are served by one thread.',
    ['list_unresponsive_queues --timeout 5'],
    async ({ api, out, vhost }) => {
      out.say(`Listing unresponsive queues for vhost ${vhost} ...`);
      await api.get('/whoami');
      out.list({ columns: ['name'], rows: [] });
    },
    { options: ['local', 'queue-timeout'] },
  ),
  ...['stream_connections', 'stream_consumers', 'stream_publishers'].map(kind =>
    listing({
      name: `list_${kind}`,
      banner: vhost => `${kind.replace('_', ' ')}${kind === 'stream_connections' ? '' : ` in vhost ${vhost}`} ...`,
      examples: [`list_${kind}`],
      description: `Lists ${kind.slice(7)} of the stream protocol.`,
      path: context => (kind === 'stream_connections' ? '/stream/connections' : `/stream/${kind.slice(7)}/${segment(context.vhost)}`),
      hasVhost: kind !== 'stream_connections',
      defaults: kind === 'stream_connections' ? ['conn_name'] : ['connection', 'stream'],
      plain:
        kind === 'stream_connections'
          ? ['name', 'user', 'vhost', 'peer_host', 'peer_port', 'state', 'protocol']
          : ['reference', 'messages_consumed', 'offset', 'credits'],
      columns:
        kind === 'stream_connections'
          ? { conn_name: 'name' }
          : {
              connection: 'connection_details.name',
              stream: 'queue.name',
              publisher_id: 'publisher_id',
              subscription_id: 'subscription_id',
            },
    }),
  ),
  ...['amqp10', 'mqtt', 'stomp'].map(protocol =>
    listing({
      name: `list_${protocol}_connections`,
      banner: () => `${protocol === 'amqp10' ? 'AMQP 1.0' : protocol.toUpperCase()} connections ...`,
      examples: [`list_${protocol}_connections`],
      description: `Lists connections of ${protocol === 'amqp10' ? 'AMQP 1.0' : protocol.toUpperCase()} clients.`,
      path: () => '/connections',
      hasVhost: false,
      defaults: ['conn_name', 'user', 'state'],
      plain: ['name', 'user', 'vhost', 'peer_host', 'peer_port', 'state', 'protocol', 'client_id'],
      columns: { conn_name: 'name' },
      isOf: item => protocolOf(item) === protocol,
    }),
  ),
];

function protocolOf(item: Item): string {
  const name = String(item['protocol'] ?? '').toLowerCase();
  if (name.includes('mqtt')) return 'mqtt';
  if (name.includes('stomp')) return 'stomp';
  return name.includes('amqp 1-0') || name.includes('amqp 1.0') || name === 'amqp10' ? 'amqp10' : 'amqp';
}
