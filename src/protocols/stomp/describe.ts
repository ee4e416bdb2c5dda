import type { ConnectionDescription } from '../../core/connection-registry.ts';
import { describeLink } from '../../net/link-description.ts';
import type { StompConnection } from './connection.ts';

/** A connection's facts for lists. [RabbitMQ: rabbit_stomp_processor, info] */
export function describeConnection(connection: StompConnection, channelCount: number): ConnectionDescription {
  return {
    name: connection.name,
    givenName: null,
    protocol: connection.protocol,
    user: connection.user,
    vhost: connection.vhostName,
    state: connection.stateName,
    ...describeLink(connection.link),
    mechanism: 'STOMP',
    channelCount,
    channelsMax: 1,
    frameBytesMax: connection.options.frameBytesMax,
    heartbeatSeconds: connection.receiveMillis / 1000,
    clientProperties: { product: 'STOMP client' },
    connectedAtMillis: connection.connectedAtMillis,
  };
}
