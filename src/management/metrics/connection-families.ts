import type { ConnectionInfo } from '../../core/connection-registry.ts';
import type { ConnectionChannel } from '../http/views/channel-view.ts';
import type { ObjectFamily } from './metric.ts';

const traffic = 'channel_exchange_metrics';
const deliveries = 'channel_queue_metrics';
const facts = 'channel_metrics';

/** What is told of every channel. */
export const channelFamilies: readonly ObjectFamily<ConnectionChannel>[] = [
  {
    name: 'channel_consumers',
    type: 'gauge',
    help: 'Consumers of a channel',
    group: facts,
    value: ({ channel }) => channel.describe().consumerCount,
  },
  {
    name: 'channel_messages_unacked',
    type: 'gauge',
    help: 'Deliveries that wait for an acknowledgement',
    group: facts,
    value: ({ channel }) => channel.describe().unackedCount,
  },
  {
    name: 'channel_messages_unconfirmed',
    type: 'gauge',
    help: 'Publishes that wait for their confirm',
    group: facts,
    value: ({ channel }) => channel.describe().unconfirmedCount,
  },
  {
    name: 'channel_messages_uncommitted',
    type: 'gauge',
    help: 'Publishes of a transaction that is not committed',
    group: facts,
    value: ({ channel }) => channel.describe().uncommittedCount,
  },
  {
    name: 'channel_acks_uncommitted',
    type: 'gauge',
    help: 'Acknowledgements of a transaction that is not committed',
    group: facts,
    value: ({ channel }) => channel.describe().uncommittedAckCount,
  },
  {
    name: 'consumer_prefetch',
    type: 'gauge',
    help: 'Deliveries without acknowledgement that each new consumer may have',
    group: facts,
    value: ({ channel }) => channel.describe().prefetchCount,
  },
  {
    name: 'channel_prefetch',
    type: 'gauge',
    help: 'The same for all consumers of a channel together',
    group: facts,
    value: ({ channel }) => channel.describe().globalPrefetchCount,
  },
  {
    name: 'channel_messages_published_total',
    type: 'counter',
    help: 'Messages published',
    group: traffic,
    value: ({ channel }) => channel.counters.published,
  },
  {
    name: 'channel_messages_confirmed_total',
    type: 'counter',
    help: 'Messages confirmed',
    group: traffic,
    value: ({ channel }) => channel.counters.confirmed,
  },
  {
    name: 'channel_messages_unroutable_returned_total',
    type: 'counter',
    help: 'Mandatory messages that reached no queue',
    group: traffic,
    value: ({ channel }) => channel.counters.returnedUnroutable,
  },
  {
    name: 'channel_messages_unroutable_dropped_total',
    type: 'counter',
    help: 'Other messages that reached no queue',
    group: traffic,
    value: ({ channel }) => channel.counters.droppedUnroutable,
  },
  {
    name: 'channel_process_reductions_total',
    type: 'counter',
    help: "Work of the channel's Erlang process; none here",
    group: 'channel_process_metrics',
    value: () => 0,
  },
  {
    name: 'channel_get_ack_total',
    type: 'counter',
    help: 'Messages got, to be acknowledged',
    group: deliveries,
    value: ({ channel }) => channel.counters.got,
  },
  {
    name: 'channel_get_total',
    type: 'counter',
    help: 'Messages got without acknowledgement',
    group: deliveries,
    value: ({ channel }) => channel.counters.gotNoAck,
  },
  {
    name: 'channel_messages_delivered_ack_total',
    type: 'counter',
    help: 'Messages delivered, to be acknowledged',
    group: deliveries,
    value: ({ channel }) => channel.counters.delivered,
  },
  {
    name: 'channel_messages_delivered_total',
    type: 'counter',
    help: 'Messages delivered without acknowledgement',
    group: deliveries,
    value: ({ channel }) => channel.counters.deliveredNoAck,
  },
  {
    name: 'channel_messages_redelivered_total',
    type: 'counter',
    help: 'Messages delivered again',
    group: deliveries,
    value: ({ channel }) => channel.counters.redelivered,
  },
  {
    name: 'channel_messages_acked_total',
    type: 'counter',
    help: 'Messages acknowledged',
    group: deliveries,
    value: ({ channel }) => channel.counters.acked,
  },
  {
    name: 'channel_get_empty_total',
    type: 'counter',
    help: 'Gets that found no message',
    group: deliveries,
    value: ({ channel }) => channel.counters.gotEmpty,
  },
];

const coarse = 'connection_coarse_metrics';

/** What is told of every connection. */
export const connectionFamilies: readonly ObjectFamily<ConnectionInfo>[] = [
  {
    name: 'connection_incoming_bytes_total',
    type: 'counter',
    help: 'Bytes received',
    group: coarse,
    value: connection => connection.receivedBytes,
  },
  {
    name: 'connection_outgoing_bytes_total',
    type: 'counter',
    help: 'Bytes sent',
    group: coarse,
    value: connection => connection.sentBytes,
  },
  {
    name: 'connection_process_reductions_total',
    type: 'counter',
    help: "Work of the connection's Erlang process; none here",
    group: coarse,
    value: () => 0,
  },
  {
    name: 'connection_incoming_packets_total',
    type: 'counter',
    help: 'Packets received; not counted',
    group: 'connection_metrics',
    value: () => 0,
  },
  {
    name: 'connection_outgoing_packets_total',
    type: 'counter',
    help: 'Packets sent; not counted',
    group: 'connection_metrics',
    value: () => 0,
  },
  {
    name: 'connection_pending_packets',
    type: 'gauge',
    help: 'Packets that wait to be sent; bytes are in warrenmq_connection_pending_bytes',
    group: 'connection_metrics',
    value: () => 0,
  },
  {
    name: 'connection_channels',
    type: 'gauge',
    help: 'Channels of a connection',
    group: 'connection_metrics',
    value: connection => connection.describe().channelCount,
  },
  {
    name: 'connection_pending_bytes',
    isOwn: true,
    type: 'gauge',
    help: 'Bytes that wait for a client to take them',
    group: 'connection_metrics',
    value: connection => connection.describe().pendingBytes,
  },
];
