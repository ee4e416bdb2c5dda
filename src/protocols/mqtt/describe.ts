import type { ChannelIdentity, ConnectionDescription } from '../../core/connection-registry.ts';
import { describeLink } from '../../net/link-description.ts';
import { mqtt31, mqtt311 } from '../../wire/mqtt/constants.ts';
import type { Connection } from './connection.ts';
import type { Session } from './session.ts';

/** As RabbitMQ names the protocol's versions. */
export function protocolName(version: number): string {
  return version === mqtt31 ? 'MQTT 3-1-0' : version === mqtt311 ? 'MQTT 3-1-1' : 'MQTT 5-0';
}

/** The name that metrics have for a version of the protocol. [RabbitMQ: rabbit_mqtt_types] */
export function metricsName(version: number): string {
  return version === mqtt31 ? 'mqtt310' : version === mqtt311 ? 'mqtt311' : 'mqtt50';
}

/** A connection's facts for lists. */
export function describeConnection(connection: Connection): ConnectionDescription {
  const { clientId } = connection;
  return {
    name: connection.name,
    givenName: clientId === '' ? null : clientId,
    protocol: connection.protocol,
    user: connection.user,
    vhost: connection.vhostName,
    state: connection.stateName,
    ...describeLink(connection.link),
    mechanism: '',
    channelCount: connection.isOpen ? 1 : 0,
    channelsMax: 0,
    frameBytesMax: 0,
    heartbeatSeconds: connection.keepAliveSeconds,
    clientProperties: { product: 'MQTT client', client_id: clientId },
    connectedAtMillis: connection.connectedAtMillis,
  };
}

/** Where a session's consumers are. */
export function identityOf(session: Session): ChannelIdentity {
  const { connection } = session;
  if (connection === null) return { connectionName: session.clientId, number: 1, user: session.user, peerHost: '', peerPort: 0 };
  const { facts } = connection.link;
  return { connectionName: connection.name, number: 1, user: connection.user, peerHost: facts.peerHost, peerPort: facts.peerPort };
}
