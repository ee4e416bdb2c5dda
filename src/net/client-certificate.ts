import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TlsOptions } from './tls-contexts.ts';

/** No chain that verifies is longer. */
const chainLengthMax = 300;

/** What is wrong with the client's certificate, in the whole of its chain, after the handshake; null when nothing is. */
export function certificateProblem(
  socket: TLSSocket,
  { verify, failIfNoPeerCert, depth }: Pick<TlsOptions, 'verify' | 'failIfNoPeerCert' | 'depth'>,
  authorities: readonly X509Certificate[],
): string | null {
  const certificate = socket.getPeerX509Certificate();
  if (verify === 'none') return certificate === undefined ? null : 'the client sent a certificate that was not asked for';
  if (certificate === undefined) return failIfNoPeerCert ? 'the client has no certificate' : null;
  if (!socket.authorized) return `the client's certificate does not verify: ${String(socket.authorizationError)}`;
  const count = intermediateCount(certificate, authorities);
  return count > depth ? `the client's certificate has ${count} intermediate certificates, ${depth} are allowed` : null;
}

/**
 * Certificates between the client's own and the authority it was traced to. Some releases of Node.js do not tell a server the chain
 * (nodejs/node#65579): then it is known only whether there are any, and 1 stands for all numbers.
 */
function intermediateCount(certificate: X509Certificate, authorities: readonly X509Certificate[]): number {
  let count = 0;
  let current = certificate;
  while (count < chainLengthMax && !authorities.some(authority => isIssuedBy(current, authority))) {
    count++;
    if (current.issuerCertificate === undefined) break;
    current = current.issuerCertificate;
  }
  return count;
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}
