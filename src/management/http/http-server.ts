import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type net from 'node:net';
import type { TlsContexts, TlsOptions } from '../../net/tls-contexts.ts';

/** What keeps a client from holding a connection for nothing; in milliseconds and bytes, by the names of node:http. */
export interface HttpLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersTimeout: number;
  /** And to the end of its body. */
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly connectionsCheckingInterval: number;
  readonly maxHeaderSize: number;
}

const defaultLimits: HttpLimits = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2000,
  maxHeaderSize: 16 * 1024,
};
const connectionsMax = 2000;

/** Contexts and options of a listener with TLS. */
export interface HttpTls {
  readonly options: TlsOptions;
  /** Replaced when the files are read anew. */
  contexts: TlsContexts;
}

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** An HTTP or HTTPS server with the limits of ours; it listens on nothing yet. */
export function makeHttpServer(handler: RequestHandler, tls: HttpTls | null, limits: HttpLimits = defaultLimits): Server {
  const listener: RequestListener = (request, response) => void handler(request, response);
  const server = tls === null ? createServer(limits, listener) : createTlsServer({ ...limits, ...tlsOptions(tls) }, listener);
  server.maxConnections = connectionsMax;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable && !socket.destroyed)
      socket.end(`HTTP/1.1 ${statusLineOf(error)}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    else socket.destroy();
  });
  server.on('tlsClientError', (_error, socket: net.Socket) => socket.destroy());
  return server;
}

function statusLineOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout';
  return code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
}

function tlsOptions(tls: HttpTls): object {
  const { options } = tls;
  return {
    ...tls.contexts.main,
    requestCert: options.verify === 'peer',
    rejectUnauthorized: options.verify === 'peer' && options.failIfNoPeerCert,
    handshakeTimeout: 5000,
    SNICallback: (name: string, done: (error: Error | null, context?: unknown) => void) => {
      const { byName } = tls.contexts;
      done(null, byName.get(name.toLowerCase()) ?? byName.get(name.toLowerCase().replace(/^[^.]+/, '*')));
    },
  };
}
