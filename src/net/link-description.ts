import { flat } from '../base/text.ts';
import type { Link, LinkFacts } from './link.ts';

/** What lists tell of a connection whatever it speaks: its ends, its certificate, its bytes. */
export function describeLink({ facts, receivedBytes, sentBytes, pendingBytes }: Link) {
  const { peerHost, peerPort, host, port, isTls, peerCertificate: certificate } = facts;
  return {
    peerHost,
    peerPort,
    host,
    port,
    isTls,
    certificate: certificate === null ? null : { subject: certificate.subject, issuer: certificate.issuer, validTo: certificate.validTo },
    receivedBytes,
    sentBytes,
    pendingBytes,
  };
}

/** As RabbitMQ names a connection: `peer:port -> host:port`. */
export function nameOf({ peerHost, peerPort, host, port }: LinkFacts): string {
  return flat(`${peerHost}:${peerPort} -> ${host}:${port}`);
}
