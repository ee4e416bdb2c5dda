import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { PeerCertificate, TlsFacts } from './link.ts';
import { reasonOf } from './reason.ts';
import { StageWatch } from './stage-watch.ts';
import { loadTlsContexts, type TlsContexts, type TlsOptions } from './tls-contexts.ts';

/** What a client may send before it is through its handshake: enough for a long chain of large certificates. */
const handshakeBytesMax = 64 * 1024;

/** No chain that verifies is longer. */
const chainLengthMax = 300;

/** Who waits for the handshake of one connection. */
export interface TlsWaiter {
  secured(socket: tls.TLSSocket, tls: TlsFacts, certificate: PeerCertificate | null): void;
  /** The handshake failed; the socket is destroyed. */
  failed(why: string): void;
}

class Handshake {
  readonly raw: Socket;
  readonly waiter: TlsWaiter;

  constructor(raw: Socket, waiter: TlsWaiter) {
    this.raw = raw;
    this.waiter = waiter;
  }
}

/**
 * Makes TLS connections of TCP connections that others have accepted, so that a PROXY header may come before the handshake. Nothing a
 * client does in a handshake ends in an error that nobody takes.
 */
export class TlsAcceptor {
  readonly #options: TlsOptions;
  readonly #watch: StageWatch;
  /** Those in their handshake, by the addresses of both ends, which a TLSSocket has in common with the socket below it. */
  readonly #handshakes = new Map<string, Handshake>();
  #server: tls.Server | null = null;
  #contexts: TlsContexts | null = null;

  constructor(options: TlsOptions, handshakeTimeoutMillis: number) {
    this.#options = options;
    this.#watch = new StageWatch({ timeoutMillis: handshakeTimeoutMillis, bytesMax: handshakeBytesMax });
  }

  /** How many handshakes are going on. */
  get handshakeCount(): number {
    return this.#handshakes.size;
  }

  /**
   * Reads the files, at first or anew: handshakes from now on use what they hold, connections there are go on.
   * @throws TlsFileError when a file cannot be used; then everything stays as it was.
   */
  async load(): Promise<void> {
    const contexts = await loadTlsContexts(this.#options);
    if (this.#server === null) this.#server = this.#makeServer(contexts.main);
    else this.#server.setSecureContext(contexts.main);
    this.#contexts = contexts;
  }

  /** Shakes hands on a connection whose bytes nobody has read, but for those that were given back with `unshift`. */
  accept(raw: Socket, waiter: TlsWaiter): void {
    const server = this.#server;
    if (server === null) throw new Error('the certificates are not loaded');
    const key = keyOf(raw);
    if (key === null || this.#handshakes.has(key)) {
      raw.destroy();
      waiter.failed('the connection is gone');
      return;
    }
    this.#handshakes.set(key, new Handshake(raw, waiter));
    this.#watch.begin(raw, why => this.#fail(key, why));
    raw.on('close', () => {
      if (this.#handshakes.get(key)?.raw === raw) this.#fail(key, 'the client went away, or its certificate does not verify');
    });
    raw.on('error', () => {});
    server.emit('connection', raw);
  }

  #makeServer(main: tls.SecureContextOptions): tls.Server {
    const { verify, failIfNoPeerCert } = this.#options;
    const server = tls.createServer({
      ...main,
      requestCert: verify === 'peer',
      // With it OpenSSL tells a client that has no certificate what is wrong. Whether a certificate verifies is looked at below, always.
      rejectUnauthorized: verify === 'peer' && failIfNoPeerCert,
      // Ours is not prolonged by bytes that trickle in; this one only must not come before it.
      handshakeTimeout: 0x7fff_ffff,
      SNICallback: (name, answer) => answer(null, this.#contextFor(name)),
    });
    server.on('secureConnection', socket => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => {
      const key = keyOf(socket);
      if (key !== null) this.#fail(key, reasonOf(error));
      socket.destroy();
    });
    server.on('error', () => {});
    return server;
  }

  /** The context of the name itself, or of a wildcard one label up; undefined for the main one. */
  #contextFor(name: string): tls.SecureContext | undefined {
    const lower = name.toLowerCase();
    const byName = this.#contexts?.byName;
    return byName?.get(lower) ?? byName?.get(lower.replace(/^[^.]+/, '*'));
  }

  #secured(socket: tls.TLSSocket): void {
    // Whatever comes of it, an error of this socket has somebody who takes it.
    socket.on('error', () => {});
    const key = keyOf(socket);
    const handshake = key === null ? undefined : this.#handshakes.get(key);
    if (key === null || handshake === undefined) {
      socket.destroy();
      return;
    }
    const certificate = socket.getPeerX509Certificate();
    const problem = this.#problemOf(socket, certificate);
    if (problem !== null) {
      socket.destroy();
      this.#fail(key, problem);
      return;
    }
    this.#end(key, handshake);
    const { name, standardName } = socket.getCipher();
    const facts = { version: socket.getProtocol() ?? '', cipher: name, cipherSuite: standardName };
    handshake.waiter.secured(socket, facts, certificate === undefined ? null : factsOf(certificate));
  }

  /** What is wrong with the client's certificate, in the whole of its chain; null when nothing is. */
  #problemOf(socket: tls.TLSSocket, certificate: X509Certificate | undefined): string | null {
    const { verify, failIfNoPeerCert, depth } = this.#options;
    if (verify === 'none') return certificate === undefined ? null : 'the client sent a certificate that was not asked for';
    if (certificate === undefined) return failIfNoPeerCert ? 'the client has no certificate' : null;
    if (!socket.authorized) return `the client's certificate does not verify: ${String(socket.authorizationError)}`;
    const count = intermediateCount(certificate, this.#contexts?.authorities ?? []);
    return count > depth ? `the client's certificate has ${count} intermediate certificates, ${depth} are allowed` : null;
  }

  #fail(key: string, why: string): void {
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) return;
    this.#end(key, handshake);
    handshake.raw.destroy();
    handshake.waiter.failed(why);
  }

  #end(key: string, handshake: Handshake): void {
    this.#handshakes.delete(key);
    this.#watch.end(handshake.raw);
  }
}

function keyOf(socket: Socket): string | null {
  return socket.remoteAddress === undefined ? null : `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
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

function factsOf({ subject, subjectAltName, issuer, validFrom, validTo }: PeerCertificate): PeerCertificate {
  return { subject, subjectAltName, issuer, validFrom, validTo };
}
