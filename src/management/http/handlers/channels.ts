import type { ConnectionInfo } from '../../../core/connection-registry.ts';
import type { ApiCall } from '../api-call.ts';
import { list, single } from '../listing.ts';
import { notFound, type Reply } from '../reply.ts';
import { sampleRangesOf } from '../sample-ranges.ts';
import { channelView, type ConnectionChannel, detailedChannelView, nameOf } from '../views/channel-view.ts';
import { connectionOf, refuseStranger, visibleConnections } from './connections.ts';

export function listChannels(call: ApiCall): Promise<Reply> {
  return listOf(call, channelsOf(visibleConnections(call)));
}

export function listChannelsOfVhost(call: ApiCall): Promise<Reply> {
  const vhost = call.vhost();
  const connections = [...visibleConnections(call)].filter(connection => connection.vhostName === vhost.name);
  return listOf(call, channelsOf(connections));
}

export function listChannelsOfConnection(call: ApiCall): Promise<Reply> {
  return listOf(call, channelsOf([connectionOf(call)]));
}

export function getChannel(call: ApiCall): Reply {
  const name = call.parameter('name');
  for (const where of channelsOf(call.core.connections)) {
    if (nameOf(where) !== name) continue;
    refuseStranger(call, where.connection);
    return single(call, detailedChannelView(call.services, where, sampleRangesOf(call.query)));
  }
  throw notFound();
}

/** Sessions of AMQP 1.0; other protocols have none. */
export function listSessionsOfConnection(call: ApiCall): Promise<Reply> {
  connectionOf(call);
  return list<ConnectionChannel>(call, [], { keys: {}, view: () => ({}) });
}

function listOf(call: ApiCall, channels: Iterable<ConnectionChannel>): Promise<Reply> {
  const ranges = sampleRangesOf(call.query);
  return list(call, channels, {
    keys: { vhost: ({ connection }) => connection.vhostName, name: nameOf, user: ({ connection }) => connection.user },
    name: nameOf,
    view: where => channelView(call.services, where, ranges),
  });
}

function* channelsOf(connections: Iterable<ConnectionInfo>): Iterable<ConnectionChannel> {
  for (const connection of connections) for (const channel of connection.channelInfos()) yield { connection, channel };
}
