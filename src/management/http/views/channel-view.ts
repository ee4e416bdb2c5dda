import { type ChannelInfo, channelName, type ConnectionInfo } from '../../../core/connection-registry.ts';
import type { Services } from '../../services.ts';
import type { JsonObject } from '../reply.ts';
import type { SampleRanges } from '../sample-ranges.ts';
import { consumerView } from './consumer-view.ts';
import { garbageCollection, noReductions } from './erlang-facts.ts';
import { channelStats, trafficValues } from './message-stats.ts';
import { RateWriter } from './rates.ts';

/** A channel and the connection it belongs to. */
export interface ConnectionChannel {
  readonly connection: ConnectionInfo;
  readonly channel: ChannelInfo;
}

export function nameOf({ connection, channel }: ConnectionChannel): string {
  return channelName(connection.name, channel.number);
}

export function channelView(services: Services, where: ConnectionChannel, ranges: SampleRanges): JsonObject {
  const { connection, channel } = where;
  const facts = channel.describe();
  const ends = connection.describe();
  const { statistics } = services;
  const history = statistics.of(channel);
  const view: JsonObject = {
    acks_uncommitted: facts.uncommittedAckCount,
    confirm: facts.isConfirming,
    connection_details: { name: connection.name, peer_host: ends.peerHost, peer_port: ends.peerPort },
    consumer_count: facts.consumerCount,
    garbage_collection: garbageCollection,
    global_prefetch_count: facts.globalPrefetchCount,
    messages_unacknowledged: facts.unackedCount,
    messages_uncommitted: facts.uncommittedCount,
    messages_unconfirmed: facts.unconfirmedCount,
    name: nameOf(where),
    node: services.core.settings.nodeName,
    number: channel.number,
    pending_raft_commands: 0,
    prefetch_count: facts.prefetchCount,
    ...noReductions,
    state: facts.state,
    transactional: facts.isTransactional,
    user: connection.user,
    user_who_performed_action: connection.user,
    vhost: connection.vhostName,
  };
  const stats = channelStats(new RateWriter(statistics), trafficValues(channel.counters), history, ranges.messageRates);
  if (stats !== null) view['message_stats'] = stats;
  const idleTicks = history === undefined ? 0 : statistics.tick - history.lastChangeTick;
  if (idleTicks > 0) view['idle_since'] = new Date(statistics.tickWallMillis - idleTicks * statistics.sampleMillis).toISOString();
  return view;
}

/** The channel by itself, with its consumers. */
export function detailedChannelView(services: Services, where: ConnectionChannel, ranges: SampleRanges): JsonObject {
  const { nodeName } = services.core.settings;
  return {
    ...channelView(services, where, ranges),
    consumer_details: Array.from(where.channel.consumerList(), consumer => consumerView(consumer, nodeName)),
    deliveries: [],
    publishes: [],
  };
}
