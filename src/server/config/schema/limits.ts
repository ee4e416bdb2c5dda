import { type Area, key } from '../key.ts';
import { integer, orInfinity } from '../value-type.ts';
import { byteSize, informationUnits, milliseconds } from '../value-units.ts';

const count = orInfinity(integer(1));

/** The largest message RabbitMQ and WarrenMQ can be told to take. [RabbitMQ docs: limits] */
const MESSAGE_BYTES_CAP = 536_870_912;

export const LIMITS = {
  heartbeat: key('heartbeat', integer(0, 65535), '60', 'Heartbeat timeout in seconds that the server proposes; 0 proposes none.'),
  frameMax: key(
    'frame_max',
    byteSize(0, 2_147_483_647),
    '131072',
    'Largest AMQP frame, at least 4096; 0 is the largest number there is, 2147483647.',
  ),
  initialFrameMax: key(
    'initial_frame_max',
    byteSize(4096, 1_048_576),
    '8192',
    'Largest frame before the connection is tuned, and so before login.',
  ),
  channelMax: key('channel_max', integer(0, 65535), '2047', 'Most channels of a connection; 0 is 65535, the most there can be.', {
    aliases: ['max_channels_per_connection'],
  }),
  channelsPerNode: key('channel_max_per_node', count, '100000', 'Most channels of all connections together.'),
  connections: key(
    'connection_max',
    orInfinity(integer(0)),
    '10000',
    "Most client connections; while it is not set, also at most 80 % of the process's open files.",
    {
      aliases: ['max_connections'],
    },
  ),
  connectionsPerAddress: key('warren.connections_per_ip_max', count, '1000', 'Most connections from one address.'),
  preauthConnections: key('warren.preauth_connections_max', count, '1000', 'Most connections that have not logged in yet.'),
  consumersPerChannel: key('consumer_max_per_channel', count, '10000', 'Most consumers of a channel.'),
  unackedPerChannel: key(
    'warren.unacked_per_channel_max',
    count,
    '1048576',
    'Most unacknowledged deliveries of a channel; beyond it the channel gets nothing more to do.',
  ),
  outboxBytes: key(
    'warren.outbox_bytes_max',
    informationUnits(65_536, 1_073_741_824),
    '1MiB',
    'Most bytes that wait for a client that does not read.',
  ),
  queueIndexBytes: key(
    'warren.queue_index_bytes_max',
    informationUnits(0),
    '16MiB',
    'Memory for the index of long queues, all together, beyond the ends of each; what is above it goes to disk.',
  ),
  messageBytes: key('max_message_size', informationUnits(1, MESSAGE_BYTES_CAP), '16777216', 'Largest message body.'),
  queues: key('cluster_queue_limit', count, '100000', 'Most queues of the broker.', { aliases: ['queue_max', 'warren.queue_max'] }),
  exchanges: key('cluster_exchange_limit', count, '100000', 'Most exchanges of the broker.'),
  bindings: key('warren.binding_max', count, '1000000', 'Most bindings of the broker.', { aliases: ['binding_max'] }),
  vhosts: key('vhost_max', orInfinity(integer(0)), 'infinity', 'Most virtual hosts of the broker.'),
  tableDepth: key('warren.table_depth_max', integer(1, 1000), '32', 'Deepest nesting of a field table (message headers, arguments).'),
  tableEntries: key('warren.table_entries_max', integer(1, 1_000_000), '65536', 'Most entries of a field table, nested ones included.'),
  consumerTimeout: key(
    'consumer_timeout',
    orInfinity(milliseconds(1)),
    '1800000',
    'How long a delivery may stay unacknowledged before its channel is closed.',
  ),
};

export const LIMITS_AREA: Area = {
  title: 'Limits of connections and resources',
  introduction: 'Everything a client can make the broker remember has a limit. `infinity` takes one away.',
  keys: Object.values(LIMITS),
};
