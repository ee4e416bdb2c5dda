import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type net from 'node:net';
import type { TlsContexts, TlsOptions } from '../../net/tls-contexts.ts';

const timeouts = {
  /** From the first byte of a request to the end of its headers. */
  headersTimeout: 10_000,
  /** And to the end of its body. */
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16 * 1024,
} as const;
const connectionsMax = 2000;

/** Contexts and options of a listener with TLS. */
export interface HttpTls {
  readonly options: TlsOptions;
  readonly contexts: TlsContexts;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** An HTTP or HTTPS server with the limits of ours; it listens on nothing yet. */
export function makeHttpServer(handler: RequestHandler, tls: HttpTls | null): Server {
  const listener: RequestListener = (request, response) => void handler(request, response);
  const server = tls === null ? createServer(timeouts, listener) : createTlsServer({ ...timeouts, ...tlsOptions(tls) }, listener);
  server.maxConnections = connectionsMax;
  server.on('clientError', (_error, socket) => {
    if (socket.writable && !socket.destroyed) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    else socket.destroy();
  });
  server.on('tlsClientError', (_error, socket: net.Socket) => socket.destroy());
  return server;
}

function tlsOptions({ options, contexts }: HttpTls): object {
  const { byName } = contexts;
  return {
    ...contexts.main,
    requestCert: options.verify === 'peer',
    rejectUnauthorized: options.verify === 'peer' && options.failIfNoPeerCert,
    handshakeTimeout: 5000,
    SNICallback: (name: string, done: (error: Error | null, context?: unknown) => void) =>
      done(null, byName.get(name.toLowerCase()) ?? byName.get(name.toLowerCase().replace(/^[^.]+/, '*'))),
  };
}
