import { tableToJson } from '../../base/field-table.ts';
import type { ChannelDescription, ChannelIdentity, ConnectionDescription } from '../../core/connection-registry.ts';
import { describeLink } from '../../net/link-description.ts';
import type { Channel } from './channel.ts';
import type { Connection } from './connection.ts';

/** A connection's facts for lists. */
export function describeConnection(connection: Connection): ConnectionDescription {
  const { tuning } = connection;
  const givenName = tuning.clientProperties.get('connection_name')?.value;
  return {
    name: connection.name,
    givenName: typeof givenName === 'string' ? givenName : null,
    protocol: connection.protocol,
    user: connection.user,
    vhost: connection.vhostName,
    state: connection.stateName,
    ...describeLink(connection.link),
    mechanism: tuning.mechanism,
    channelCount: connection.channels.size,
    channelsMax: tuning.channelsMax,
    frameBytesMax: tuning.frameBytesMax,
    heartbeatSeconds: tuning.heartbeatMillis / 1000,
    clientProperties: tableToJson(tuning.clientProperties) as Readonly<Record<string, unknown>>,
    connectedAtMillis: connection.connectedAtMillis,
  };
}

/** A channel's facts for lists. */
export function describeChannel(channel: Channel): ChannelDescription {
  return {
    state: channel.isClosing ? 'closing' : 'running',
    isConfirming: channel.confirms !== null,
    isTransactional: channel.transaction !== null,
    consumerCount: channel.consumers.size,
    unackedCount: channel.unacked.count,
    oldestDeliveredMillis: channel.unacked.oldestDeliveredMillis,
    unconfirmedCount: channel.confirms?.unconfirmedCount ?? 0,
    uncommittedCount: channel.transaction?.publishCount ?? 0,
    uncommittedAckCount: channel.transaction?.settlementCount ?? 0,
    prefetchCount: channel.prefetchCount,
    globalPrefetchCount: channel.shared.limit,
  };
}

/** Where a channel's consumers are. */
export function identityOf(channel: Channel): ChannelIdentity {
  const { connection, number } = channel;
  const { facts } = connection.link;
  return { connectionName: connection.name, number, user: connection.user, peerHost: facts.peerHost, peerPort: facts.peerPort };
}
