import type { ConnectionDescription } from '../../core/connection-registry.ts';
import type { StompConnection } from './connection.ts';

/** A connection's facts for lists. [RabbitMQ: rabbit_stomp_processor, info] */
export function describeConnection(connection: StompConnection, channelCount: number): ConnectionDescription {
  const { link } = connection;
  const { facts } = link;
  const certificate = facts.peerCertificate;
  return {
    name: connection.name,
    givenName: null,
    protocol: connection.protocol,
    user: connection.user,
    vhost: connection.vhostName,
    state: connection.stateName,
    peerHost: facts.peerHost,
    peerPort: facts.peerPort,
    host: facts.host,
    port: facts.port,
    isTls: facts.isTls,
    certificate: certificate === null ? null : { subject: certificate.subject, issuer: certificate.issuer, validTo: certificate.validTo },
    mechanism: 'STOMP',
    channelCount,
    channelsMax: 1,
    frameBytesMax: connection.options.frameBytesMax,
    heartbeatSeconds: connection.receiveMillis / 1000,
    clientProperties: { product: 'STOMP client' },
    connectedAtMillis: connection.connectedAtMillis,
    receivedBytes: link.receivedBytes,
    sentBytes: link.sentBytes,
    pendingBytes: link.pendingBytes,
  };
}
