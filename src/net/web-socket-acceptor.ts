import http from 'node:http';
import type { Socket } from 'node:net';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { reasonOf } from './reason.ts';
import { StageWatch } from './stage-watch.ts';
import type { WebSocketOptions } from './web-socket-options.ts';
import { isOriginAllowed } from './web-socket-origin.ts';
import { strangerMessageBytesMax, WebSocketStream } from './web-socket-stream.ts';

/** What a client may send before it is through its handshake. */
const handshakeBytesMax = 32 * 1024;
const headerBytesMax = 16 * 1024;
/** A message may come in so many pieces. */
const fragmentsMax = 4096;
/** How long a client may take to answer the close of a WebSocket. */
const closeTimeoutMillis = 5000;

/** Who waits for the handshake of one connection. */
export interface WebSocketWaiter {
  /** The WebSocket is open; `subProtocol` is '' when the client asked for none that is known. */
  opened(stream: WebSocketStream, subProtocol: string): void;
  /** The handshake failed; the socket is destroyed, or will be when the client has read why. */
  failed(why: string): void;
}

class Handshake {
  readonly peerHost: string;
  readonly waiter: WebSocketWaiter;

  constructor(peerHost: string, waiter: WebSocketWaiter) {
    this.peerHost = peerHost;
    this.waiter = waiter;
  }
}

/** Makes WebSockets of connections that others have accepted, behind PROXY header and TLS handshake. There is no compression. */
export class WebSocketAcceptor {
  readonly #options: WebSocketOptions;
  readonly #watch: StageWatch;
  readonly #handshakes = new Map<Socket, Handshake>();
  readonly #http: http.Server;
  readonly #upgrader: WebSocketServer;
  readonly #streams = new Set<WebSocketStream>();
  readonly #pinger: NodeJS.Timeout | null;

  constructor(options: WebSocketOptions, handshakeTimeoutMillis: number) {
    this.#options = options;
    this.#watch = new StageWatch({ timeoutMillis: handshakeTimeoutMillis, bytesMax: handshakeBytesMax });
    const settings: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: Math.min(strangerMessageBytesMax, options.messageBytesMax),
      maxFragments: fragmentsMax,
      closeTimeout: closeTimeoutMillis,
      handleProtocols: offered => options.subProtocols.find(name => offered.has(name)) ?? false,
    };
    this.#upgrader = new WebSocketServer(settings);
    this.#http = http.createServer({ maxHeaderSize: headerBytesMax, keepAlive: false });
    this.#http.on('upgrade', (request, _, head) => this.#onUpgrade(request, head));
    this.#http.on('request', (request, response) => this.#onRequest(request, response));
    this.#http.on('clientError', (error, socket) => this.#refuse(socket as Socket, 400, reasonOf(error)));
    const { idleTimeoutMillis } = options;
    this.#pinger = Number.isFinite(idleTimeoutMillis) ? setInterval(() => this.#lookAround(), idleTimeoutMillis / 4) : null;
    this.#pinger?.unref();
  }

  /** Shakes hands on a connection whose bytes nobody has read, but for those that were given back with `unshift`. */
  accept(socket: Socket, peerHost: string, waiter: WebSocketWaiter): void {
    this.#handshakes.set(socket, new Handshake(peerHost, waiter));
    this.#watch.begin(socket, why => this.#fail(socket, why));
    socket.on('close', () => this.#fail(socket, 'the client went away'));
    socket.on('error', () => {});
    this.#http.emit('connection', socket);
  }

  /** Stops looking after connections. */
  close(): void {
    if (this.#pinger !== null) clearInterval(this.#pinger);
  }

  #onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    const isPath = pathOf(request) === this.#options.path;
    const status = isPath ? 426 : 404;
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close', ...(isPath ? { upgrade: 'websocket' } : {}) });
    response.end(isPath ? 'This is a WebSocket.\n' : 'Not found.\n');
    this.#forget(request.socket, isPath ? 'an HTTP request that is no WebSocket' : 'an HTTP request for another path');
  }

  #onUpgrade(request: http.IncomingMessage, head: Buffer): void {
    const { socket } = request;
    const handshake = this.#handshakes.get(socket);
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    const problem = this.#problemOf(request, handshake.peerHost);
    if (problem !== null) {
      this.#refuse(socket, problem.status, problem.text);
      return;
    }
    this.#upgrader.handleUpgrade(request, socket, head, ws => this.#opened(ws, socket, handshake));
    // A key or version that is none was answered by ws itself.
    if (this.#handshakes.has(socket)) this.#forget(socket, 'a request that is no proper WebSocket handshake');
  }

  #problemOf(request: http.IncomingMessage, peerHost: string): { readonly status: number; readonly text: string } | null {
    const { path, origins, subProtocols, isSubProtocolRequired } = this.#options;
    const { origin, host } = request.headers;
    if (pathOf(request) !== path) return { status: 404, text: 'a WebSocket for another path' };
    if (!isOriginAllowed({ origin, host, peerHost }, origins)) {
      return { status: 403, text: `origin ${JSON.stringify(String(origin).slice(0, 200))} is not allowed to connect` };
    }
    if (!isSubProtocolRequired) return null;
    const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(',');
    if (offered.some(name => subProtocols.includes(name.trim()))) return null;
    return { status: 400, text: `the client does not offer the sub-protocol ${subProtocols.join(' or ')}` };
  }

  #opened(ws: WebSocket, socket: Socket, handshake: Handshake): void {
    this.#end(socket);
    const stream = new WebSocketStream(ws, socket, this.#options);
    this.#streams.add(stream);
    ws.on('close', () => this.#streams.delete(stream));
    handshake.waiter.opened(stream, ws.protocol);
  }

  /** Answers and closes. */
  #refuse(socket: Socket, status: number, why: string): void {
    if (socket.writable) {
      socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
    socket.destroySoon();
    this.#forget(socket, why);
  }

  #fail(socket: Socket, why: string): void {
    socket.destroy();
    this.#forget(socket, why);
  }

  #forget(socket: Socket, why: string): void {
    const handshake = this.#handshakes.get(socket);
    if (handshake === undefined) return;
    this.#end(socket);
    handshake.waiter.failed(why);
  }

  #end(socket: Socket): void {
    this.#handshakes.delete(socket);
    this.#watch.end(socket);
  }

  /** Pings who was not heard of for a while, and ends who does not answer. One that is not read cannot be heard. */
  #lookAround(): void {
    const now = performance.now();
    const { idleTimeoutMillis } = this.#options;
    for (const stream of this.#streams) {
      if (stream.isPaused) stream.lastHeardMillis = now;
      const silentMillis = now - stream.lastHeardMillis;
      if (silentMillis >= idleTimeoutMillis) stream.destroy();
      else if (silentMillis >= idleTimeoutMillis / 2) stream.ping();
    }
  }
}

function pathOf({ url = '' }: http.IncomingMessage): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
