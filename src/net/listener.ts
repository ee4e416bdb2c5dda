import { lstat, unlink } from 'node:fs/promises';
import net from 'node:net';
import { isLoopback, plainAddress, unixPeer } from '../base/address.ts';
import { SlotList } from '../base/slot-list.ts';
import type { Admission, AdmissionControl } from './admission.ts';
import type { ByteSocket } from './byte-socket.ts';
import { keepAliveMillis, Link, type LinkFacts, type PeerCertificate, type TlsFacts } from './link.ts';
import { ListenError } from './listen-error.ts';
import { type ProxiedEnds, ProxyHeaderError, ProxyHeaderReader } from './proxy-protocol.ts';
import { reasonOf } from './reason.ts';
import { StageWatch } from './stage-watch.ts';
import type { TlsAcceptor } from './tls-acceptor.ts';
import type { TlsOptions } from './tls-contexts.ts';
import type { WebSocketAcceptor } from './web-socket-acceptor.ts';
import type { WebSocketOptions } from './web-socket-options.ts';

/** A block of addresses, `10.0.0.0/8`. */
export interface AddressBlock {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

export interface ListenerOptions {
  /** Name of the protocol that is spoken, for whoever accepts the links: amqp, mqtt, stomp. */
  readonly protocol: string;
  /** An IP address or a name; null is every interface, IPv6 and IPv4 as the machine has them. */
  readonly host: string | null;
  /** 0 takes any free port. */
  readonly port: number;
  /** A Unix socket in place of host and port; null for none. */
  readonly socketPath: string | null;
  readonly backlog: number;
  /** Connections of this listener at once; the limits of admission hold as well. Infinity for no limit. */
  readonly connectionsMax: number;
  readonly noDelay: boolean;
  /** Whether the kernel probes connections that were idle for a minute. */
  readonly keepAlive: boolean;
  /** Bytes that may wait for one client. */
  readonly outboxBytesMax: number;
  /** From where connections are taken that begin with a PROXY header, which all of them must then; null without PROXY protocol. */
  readonly proxySources: readonly AddressBlock[] | null;
  /** How long a PROXY header may take to come; Infinity for no limit. */
  readonly proxyHeaderTimeoutMillis: number;
  /** Null for a plain listener. */
  readonly tls: TlsOptions | null;
  readonly tlsHandshakeTimeoutMillis: number;
  /** Null for a protocol right on the socket. */
  readonly webSocket: WebSocketOptions | null;
  readonly webSocketHandshakeTimeoutMillis: number;
}

export const defaultListenerOptions: ListenerOptions = {
  protocol: 'amqp',
  host: '127.0.0.1',
  port: 0,
  socketPath: null,
  backlog: 1024,
  connectionsMax: Infinity,
  noDelay: true,
  keepAlive: true,
  outboxBytesMax: 1024 * 1024,
  proxySources: null,
  proxyHeaderTimeoutMillis: 5000,
  tls: null,
  tlsHandshakeTimeoutMillis: 5000,
  webSocket: null,
  webSocketHandshakeTimeoutMillis: 5000,
};

/** Of the local machine: who may send PROXY headers when nobody else is named. */
export const loopbackBlocks: readonly AddressBlock[] = [
  { address: '127.0.0.0', prefixBits: 8, family: 'ipv4' },
  { address: '::1', prefixBits: 128, family: 'ipv6' },
];

/**
 * Listens on one address and makes links of the connections that come, after PROXY header, TLS handshake and WebSocket handshake where
 * these are wanted, and within the limits of admission. Which protocol they speak is the business of whoever accepts the links.
 */
export class Listener {
  readonly options: ListenerOptions;
  readonly #admission: AdmissionControl;
  readonly #accept: (link: Link) => void;
  readonly #server: net.Server;
  readonly #open = new SlotList<Admission>();
  #tls: TlsAcceptor | null = null;
  #webSockets: WebSocketAcceptor | null = null;
  readonly #proxySources: net.BlockList | null;
  readonly #proxyWatch: StageWatch;
  /** The address in use when all connections come to the same one, so that it need not be asked for each. */
  #host: string | null = null;
  #port = 0;

  /** `accept` gets each new link; it may destroy it. */
  constructor(options: Partial<ListenerOptions>, admission: AdmissionControl, accept: (link: Link) => void) {
    this.options = { ...defaultListenerOptions, ...options };
    const { noDelay, keepAlive, proxySources, proxyHeaderTimeoutMillis } = this.options;
    this.#admission = admission;
    this.#accept = accept;
    this.#proxySources = proxySources === null ? null : blockList(proxySources);
    this.#proxyWatch = new StageWatch({ timeoutMillis: proxyHeaderTimeoutMillis, bytesMax: Infinity });
    this.#server = net.createServer({ noDelay, keepAlive, keepAliveInitialDelay: keepAliveMillis }, socket => this.#onConnection(socket));
  }

  /** The port in use, also when 0 was asked for. */
  get port(): number {
    return this.#port === 0 ? this.options.port : this.#port;
  }

  /** As it is named in messages: `127.0.0.1:5672`, `[::]:5672`, a socket's path. */
  get where(): string {
    const { host, socketPath } = this.options;
    if (socketPath !== null) return socketPath;
    if (host === null) return `port ${this.port}`;
    return host.includes(':') ? `[${host}]:${this.port}` : `${host}:${this.port}`;
  }

  /** Connections of this listener, those that are not through PROXY header and TLS handshake among them. */
  get connectionCount(): number {
    return this.#open.size;
  }

  /** Rejects with a ListenError when the address cannot be used, with a TlsFileError when a certificate cannot. */
  async start(): Promise<void> {
    const { host, port, socketPath, backlog, tls, tlsHandshakeTimeoutMillis, webSocket, webSocketHandshakeTimeoutMillis } = this.options;
    // tls.Server cannot tell connections without addresses apart.
    if (socketPath !== null && tls !== null) throw new ListenError(this.where, new Error('TLS on a Unix socket is not supported'));
    if (tls !== null) {
      // Node's TLS takes 4 MB, which a broker without it need not have.
      const { TlsAcceptor } = await import('./tls-acceptor.ts');
      this.#tls = new TlsAcceptor(tls, tlsHandshakeTimeoutMillis);
      await this.#tls.load();
    }
    if (webSocket !== null) {
      const { WebSocketAcceptor } = await import('./web-socket-acceptor.ts');
      this.#webSockets = new WebSocketAcceptor(webSocket, webSocketHandshakeTimeoutMillis);
    }
    if (socketPath === null) await this.#listen({ ...(host === null ? {} : { host }), port, backlog });
    else await this.#listenOnSocket(socketPath, backlog);
    // An error of accept must not end the process: the kernel's backlog waits until it goes again.
    this.#server.on('error', error => {
      this.#admission.refuse('accept', () => `cannot accept a connection on ${this.where}: ${error.message}`);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return;
    this.#port = address.port;
    if (address.address !== '::' && address.address !== '0.0.0.0') this.#host = plainAddress(address.address);
  }

  /** Reads the certificates anew, for connections from now on. Rejects with a TlsFileError; then those in use stay. Nothing without TLS. */
  async reloadCertificates(): Promise<void> {
    await this.#tls?.load();
  }

  /** Takes no more connections. Those there are stay open; resolves when they have ended. */
  async close(): Promise<void> {
    this.#webSockets?.close();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  /** Listens again after `close`, on the port it had. Rejects with a ListenError when the address was taken meanwhile. */
  async resume(): Promise<void> {
    if (this.#server.listening) return;
    const { host, socketPath, backlog } = this.options;
    if (socketPath === null) await this.#listen({ ...(host === null ? {} : { host }), port: this.port, backlog });
    else await this.#listenOnSocket(socketPath, backlog);
  }

  /** Ends what is still open. */
  destroyAll(): void {
    for (const admission of this.#open) admission.socket.destroy();
  }

  async #listen(where: net.ListenOptions): Promise<void> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      const onError = (error: Error): void => reject(new ListenError(this.where, error));
      server.once('error', onError);
      server.listen(where, () => {
        server.off('error', onError);
        resolve();
      });
    });
  }

  /** A socket that a broker has left behind is in the way, but nobody is behind it. */
  async #listenOnSocket(path: string, backlog: number): Promise<void> {
    try {
      await this.#listen({ path, backlog });
    } catch (error) {
      if (!(error instanceof ListenError) || error.code !== 'EADDRINUSE' || !(await isDeserted(path))) throw error;
      await unlink(path);
      await this.#listen({ path, backlog });
    }
  }

  #onConnection(socket: net.Socket): void {
    const { connectionsMax } = this.options;
    if (this.#open.size >= connectionsMax) {
      socket.destroy();
      this.#admission.refuse('connections', () => `refusing a connection on ${this.where}: ${connectionsMax} are open, which is its limit`);
      return;
    }
    const admission = this.#admission.admit(socket, this.#open);
    if (admission === null) {
      socket.destroy();
      return;
    }
    const { socketPath } = this.options;
    const peerHost = socketPath === null ? plainAddress(socket.remoteAddress) : unixPeer;
    const ends: ProxiedEnds = {
      peerHost,
      peerPort: socket.remotePort ?? 0,
      host: socketPath ?? this.#host ?? plainAddress(socket.localAddress),
      port: this.#port,
    };
    // A connection that is gone already has no address: nothing may be concluded from that.
    if (peerHost === '') {
      admission.close();
      socket.destroy();
    } else if (this.#proxySources === null) {
      this.#identified(socket, ends, admission);
    } else {
      this.#readProxyHeader(socket, ends, admission, this.#proxySources);
    }
  }

  #readProxyHeader(socket: net.Socket, ends: ProxiedEnds, admission: Admission, sources: net.BlockList): void {
    socket.on('close', () => {
      this.#proxyWatch.end(socket);
      admission.close();
    });
    socket.on('error', () => {});
    const { peerHost } = ends;
    if (peerHost !== unixPeer && !sources.check(peerHost, peerHost.includes(':') ? 'ipv6' : 'ipv4')) {
      socket.destroy();
      this.#admission.refuse(
        'proxy-source',
        () => `refusing a connection from ${peerHost} on ${this.where}: it is none of the proxies that PROXY headers are accepted from`,
      );
      return;
    }
    const fail = (why: string): void => {
      socket.destroy();
      this.#admission.refuse('proxy-header', () => `closing a connection from ${peerHost} on ${this.where}: ${why}`);
    };
    this.#proxyWatch.begin(socket, () => fail('no PROXY header came in time'));
    const reader = new ProxyHeaderReader();
    const onData = (bytes: Buffer): void => {
      let next: number;
      try {
        next = reader.push(bytes);
      } catch (error) {
        fail(error instanceof ProxyHeaderError ? error.message : 'the PROXY header cannot be read');
        return;
      }
      if (next < 0) return;
      this.#proxyWatch.end(socket);
      socket.off('data', onData);
      socket.pause();
      if (next < bytes.length) socket.unshift(bytes.subarray(next));
      this.#identified(socket, trusted(reader.ends, ends), admission);
      // With TLS it is not this socket any more that is read.
      if (this.#tls === null) socket.resume();
    };
    socket.on('data', onData);
  }

  /** It is known from where the client comes. */
  #identified(socket: net.Socket, ends: ProxiedEnds, admission: Admission): void {
    if (!admission.comesFrom(ends.peerHost)) {
      socket.destroy();
      admission.close();
    } else if (this.#tls === null) {
      this.#secured(socket, ends, admission, null, null);
    } else {
      this.#tls.accept(socket, {
        secured: (secure, facts, certificate) => this.#secured(secure, ends, admission, facts, certificate),
        failed: why => {
          admission.close();
          this.#admission.refuse('tls', () => `TLS handshake with ${ends.peerHost} on ${this.where} failed: ${why}`);
        },
      });
    }
  }

  /** Below the protocol there is at most a WebSocket to come. */
  #secured(
    socket: net.Socket,
    ends: ProxiedEnds,
    admission: Admission,
    tls: TlsFacts | null,
    peerCertificate: PeerCertificate | null,
  ): void {
    const { peerHost, peerPort, host, port } = ends;
    const webSockets = this.#webSockets;
    const facts = { peerHost, peerPort, host, port, isTls: tls !== null, isWebSocket: webSockets !== null, tls, peerCertificate };
    if (webSockets === null) {
      this.#link(socket, facts, admission);
      return;
    }
    webSockets.accept(socket, peerHost, {
      opened: stream => this.#link(stream, facts, admission),
      failed: why => {
        admission.close();
        this.#admission.refuse('web-socket', () => `WebSocket handshake with ${peerHost} on ${this.where} failed: ${why}`);
      },
    });
  }

  #link(socket: ByteSocket, facts: LinkFacts, admission: Admission): void {
    this.#accept(new Link(socket, facts, this.options.outboxBytesMax, admission));
  }
}

/**
 * The ends to go by. What a proxy on another machine calls its loopback is not ours: such a client counts as coming from the proxy, so that
 * a user who may only log in from this machine cannot from that one.
 */
function trusted(proxied: ProxiedEnds | null, real: ProxiedEnds): ProxiedEnds {
  if (proxied === null) return real;
  return isLoopback(proxied.peerHost) && !isLoopback(real.peerHost) ? real : proxied;
}

function blockList(blocks: readonly AddressBlock[]): net.BlockList {
  const list = new net.BlockList();
  for (const { address, prefixBits, family } of blocks) list.addSubnet(address, prefixBits, family);
  return list;
}

/** Whether the file is a socket that nobody listens on. */
async function isDeserted(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSocket()) return false;
  } catch {
    return false;
  }
  return new Promise(resolve => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', error => resolve(reasonOf(error).includes('ECONNREFUSED')));
  });
}
