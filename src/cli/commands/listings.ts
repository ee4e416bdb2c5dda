import type { Command, CommandContext } from '../command.ts';
import { segment } from '../command.ts';
import { CliError, exitCodes } from '../cli-error.ts';

type Item = Record<string, unknown>;

interface ListingSpec {
  readonly name: string;
  readonly what: string;
  readonly path: (context: CommandContext) => string;
  readonly defaults: readonly string[];
  /** Columns whose name in the API differs, or that are made of several fields. */
  readonly columns: Readonly<Record<string, string | ((item: Item) => unknown)>>;
  /** Columns named as in the API. */
  readonly plain: readonly string[];
  readonly hasVhost: boolean;
  readonly description: string;
}

/** A value by a path of names. */
function at(item: Item, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Item | undefined)?.[name], item);
}

function listing(spec: ListingSpec): Command {
  const known = [...spec.plain, ...Object.keys(spec.columns)].sort();
  return {
    name: spec.name,
    usage: `${spec.hasVhost ? '[--vhost <vhost>] ' : ''}[--no-table-headers] [<column>, ...]`,
    group: 'Monitoring, observability and health checks',
    description: `${spec.description} Columns: ${known.join(', ')}`,
    arity: [0, Infinity],
    async run(context) {
      const columns = context.args.length > 0 ? context.args.flatMap(name => name.split(',')).filter(name => name !== '') : spec.defaults;
      const unknown = columns.filter(name => !known.includes(name));
      if (unknown.length > 0) throw new CliError(`Info key(s) ${unknown.join(', ')} are not supported`, exitCodes.usage);
      if (spec.hasVhost) context.out.say('Timeout: 60.0 seconds ...');
      context.out.say(`Listing ${spec.what}${spec.hasVhost ? ` for vhost ${context.vhost}` : ''} ...`);
      const items = await context.api.list(spec.path(context));
      const value = (item: Item, name: string): unknown => {
        const column = spec.columns[name] ?? name;
        return typeof column === 'string' ? at(item, column) : column(item);
      };
      context.out.list({ columns, rows: items.map(item => columns.map(name => value(item, name))) });
    },
  };
}

const inVhost = (resource: string) => (context: CommandContext) => `/${resource}/${segment(context.vhost)}`;

export const listings: readonly Command[] = [
  listing({
    name: 'list_queues',
    what: 'queues',
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
      disk_reads: 'message_stats.disk_reads',
      disk_writes: 'message_stats.disk_writes',
      owner_pid: 'owner_pid_details.name',
      exclusive_consumer_pid: 'exclusive_consumer_tag',
    },
  }),
  listing({
    name: 'list_exchanges',
    what: 'exchanges',
    description: 'Lists exchanges.',
    path: inVhost('exchanges'),
    hasVhost: true,
    defaults: ['name', 'type'],
    plain: ['name', 'type', 'durable', 'auto_delete', 'internal', 'arguments', 'policy'],
    columns: {},
  }),
  listing({
    name: 'list_bindings',
    what: 'bindings',
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
    what: 'connections',
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
    what: 'channels',
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
    what: 'consumers',
    description: 'Lists all consumers for a vhost.',
    path: inVhost('consumers'),
    hasVhost: true,
    defaults: ['queue_name', 'channel_pid', 'consumer_tag', 'ack_required', 'prefetch_count', 'active', 'arguments'],
    plain: ['consumer_tag', 'ack_required', 'prefetch_count', 'active', 'activity_status', 'arguments', 'exclusive'],
    columns: { queue_name: 'queue.name', channel_pid: 'channel_details.name' },
  }),
  listing({
    name: 'list_vhosts',
    what: 'vhosts',
    description: 'Lists virtual hosts.',
    path: () => '/vhosts',
    hasVhost: false,
    defaults: ['name'],
    plain: ['name', 'tracing', 'default_queue_type', 'description', 'tags', 'cluster_state'],
    columns: {},
  }),
];
