import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import net from 'node:net';
import { ListenError } from '../net/listen-error.ts';
import type { HttpTls, RequestHandler } from './http/http-server.ts';
import type { HttpListenerSettings } from './settings.ts';

/**
 * A port of the HTTP API or of the metrics. Until the first connection it is a plain socket: Node's HTTP stack and ours take 20 MB and
 * a tenth of a second, which a broker that nobody looks at need not pay. The HTTP server then takes the listening socket over.
 */
export class HttpListener {
  readonly settings: HttpListenerSettings;
  readonly #handler: () => Promise<RequestHandler>;
  readonly #socket: net.Server;
  #tls: HttpTls | null = null;
  #server: Promise<Server> | null = null;
  #isClosed = false;

  /** `handler` is asked for at the first connection. */
  constructor(settings: HttpListenerSettings, handler: () => Promise<RequestHandler>) {
    this.settings = settings;
    this.#handler = handler;
    this.#socket = net.createServer({ pauseOnConnect: true, noDelay: true }, socket => void this.#onConnection(socket));
  }

  /** The port in use, also when 0 was asked for. */
  get port(): number {
    const address = this.#socket.address();
    return address !== null && typeof address === 'object' ? address.port : this.settings.port;
  }

  get host(): string {
    return this.settings.host ?? '::';
  }

  /** Until when the certificate is valid, as X.509 has it; null without one. */
  get certificateValidTo(): string | null {
    const certificate = this.#tls?.contexts.main.cert;
    return Buffer.isBuffer(certificate) ? new X509Certificate(certificate).validTo : null;
  }

  /** @throws ListenError; TlsFileError when a certificate cannot be used */
  async start(): Promise<void> {
    const { tls, host, port, backlog } = this.settings;
    if (tls !== null) {
      const { loadTlsContexts } = await import('../net/tls-contexts.ts');
      this.#tls = { options: tls, contexts: await loadTlsContexts(tls) };
    }
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', error => reject(new ListenError(`${this.host}:${port}`, error)));
      this.#socket.listen({ ...(host === null ? {} : { host }), port, backlog }, () => {
        this.#socket.removeAllListeners('error');
        resolve();
      });
    });
  }

  /** Reads the certificates anew, for connections from now on. Rejects with a TlsFileError; then those in use stay. Nothing without TLS. */
  async reloadCertificates(): Promise<void> {
    if (this.#tls === null) return;
    const { loadTlsContexts } = await import('../net/tls-contexts.ts');
    this.#tls.contexts = await loadTlsContexts(this.#tls.options);
    const server = await this.#server;
    if (server !== null) (server as HttpsServer).setSecureContext(this.#tls.contexts.main);
  }

  /** Takes no more connections and ends those there are. */
  async stop(): Promise<void> {
    this.#isClosed = true;
    const server = await this.#server;
    this.#socket.close();
    if (server === null) return;
    server.closeAllConnections();
    await new Promise<void>(resolve => server.close(() => resolve()));
  }

  async #onConnection(socket: net.Socket): Promise<void> {
    socket.on('error', () => {});
    this.#server ??= this.#takeOver();
    const server = await this.#server;
    if (this.#isClosed) {
      socket.destroy();
      return;
    }
    server.emit('connection', socket);
    socket.resume();
  }

  async #takeOver(): Promise<Server> {
    const [{ makeHttpServer }, handler] = await Promise.all([import('./http/http-server.ts'), this.#handler()]);
    const server = makeHttpServer(handler, this.#tls);
    if (this.#isClosed) return server;
    await new Promise<void>(resolve => server.listen(this.#socket, () => resolve()));
    return server;
  }
}
