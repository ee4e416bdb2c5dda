import { tableToJson } from '../../base/field-table.ts';
import type { ConnectionDescription } from '../../core/connection-registry.ts';
import type { Connection } from './connection.ts';

/** A connection's facts for lists. */
export function describeConnection(connection: Connection): ConnectionDescription {
  const { link, tuning } = connection;
  const { facts } = link;
  return {
    name: connection.name,
    protocol: connection.protocol,
    user: connection.user,
    vhost: connection.vhostName,
    state: connection.stateName,
    peerHost: facts.peerHost,
    peerPort: facts.peerPort,
    host: facts.host,
    port: facts.port,
    isTls: facts.isTls,
    mechanism: tuning.mechanism,
    channelCount: connection.channels.size,
    channelsMax: tuning.channelsMax,
    frameBytesMax: tuning.frameBytesMax,
    heartbeatSeconds: tuning.heartbeatMillis / 1000,
    clientProperties: tableToJson(tuning.clientProperties) as Readonly<Record<string, unknown>>,
    connectedAtMillis: connection.connectedAtMillis,
    receivedBytes: link.receivedBytes,
    sentBytes: link.sentBytes,
  };
}
