import net from 'node:net';
import type { LinkFacts } from './link.ts';
import { Link } from './link.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
  readonly outboxBytesMax: number;
}

/** A TCP listener that makes links. Which protocol they speak is the business of whoever accepts them. */
export class Listener {
  readonly options: ListenerOptions;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  /** `accept` gets each new link; it may destroy it. */
  constructor(options: ListenerOptions, accept: (link: Link) => void) {
    this.options = options;
    this.#server = net.createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, socket => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      accept(new Link(socket, factsOf(socket), options.outboxBytesMax));
    });
  }

  /** The port in use, also when 0 was asked for. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.options.port;
  }

  /** Rejects with the system's error when the address cannot be used. */
  async start(): Promise<void> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.options.host, port: this.options.port, backlog: this.options.backlog }, () => {
        server.off('error', reject);
        resolve();
      });
    });
  }

  /** Takes no more connections. Those there are stay open. */
  close(): void {
    this.#server.close();
  }

  /** Ends what is still open. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function factsOf(socket: net.Socket): LinkFacts {
  return {
    peerHost: plainAddress(socket.remoteAddress),
    peerPort: socket.remotePort ?? 0,
    host: plainAddress(socket.localAddress),
    port: socket.localPort ?? 0,
    isTls: false,
    peerCertificate: null,
  };
}

/** An IPv4 address that came over an IPv6 socket, without its wrapping. */
function plainAddress(address: string | undefined): string {
  return address === undefined ? '' : address.replace(/^::ffff:(?=\d+\.)/i, '');
}
