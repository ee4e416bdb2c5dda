// What is loaded at the first connection: the HTTP server, the routes, the metrics.
import type { Server } from 'node:http';
import type net from 'node:net';
import { InternalBackend } from '../auth/internal-backend.ts';
import { LoginThrottle, ThrottledBackend } from '../auth/login-throttle.ts';
import type { Statistics } from '../core/statistics/statistics.ts';
import { LoggedAudit } from './audit-log.ts';
import { Findings } from './findings/findings.ts';
import { Dispatcher } from './http/dispatcher.ts';
import { EventStreams } from './http/handlers/events.ts';
import { makeHttpServer, type RequestHandler } from './http/http-server.ts';
import { Login } from './http/login.ts';
import { routes } from './http/routes.ts';
import type { ListenerInfo } from './listener-info.ts';
import type { ManagementOptions } from './management.ts';
import { MetricsEndpoint } from './metrics/metrics-endpoint.ts';
import type { NodeProbe } from './node-probe.ts';
import { PageFolder } from './pages/page-folder.ts';
import type { Services } from './services.ts';

export interface HttpStackOptions extends ManagementOptions {
  readonly statistics: Statistics;
  readonly probe: NodeProbe;
  listeners(): readonly ListenerInfo[];
}

export class HttpStack {
  readonly apiHandler: RequestHandler;
  readonly metricsHandler: RequestHandler;
  readonly #local: Server;

  constructor(options: HttpStackOptions) {
    const { core, config, logger, statistics, probe } = options;
    const audit = options.audit ?? new LoggedAudit(logger);
    const nowMillis = (): number => performance.now();
    const backend =
      options.auth ?? new ThrottledBackend(new InternalBackend(core.access, config.loopbackUsers), new LoginThrottle(), nowMillis);
    const login = new Login({
      backend,
      access: core.access,
      loopbackUsers: config.loopbackUsers,
      sessionMillis: config.management.sessionMinutes * 60_000,
      nowMillis,
      tried: (user, peerAddress, refusal) =>
        audit.note({ user, peerAddress, action: 'login', outcome: refusal === null ? 'done' : 'refused', detail: refusal ?? '' }),
    });
    const services: Services = {
      core,
      events: new EventStreams(routes),
      findings: new Findings(core, statistics),
      settings: config,
      statistics,
      node: probe,
      control: options.control ?? null,
      login,
      audit,
      logger,
      listeners: () => options.listeners(),
    };
    const pages = options.pages === undefined ? null : new PageFolder(options.pages);
    const dispatcher = new Dispatcher(services, pages === null ? null : (path, request) => pages.get(path, request.headers));
    const metrics = new MetricsEndpoint(services);
    this.apiHandler = (request, response) => dispatcher.handle(request, response, false);
    this.metricsHandler = (request, response) => metrics.handle(request, response);
    this.#local = makeHttpServer((request, response) => dispatcher.handle(request, response, true), null);
  }

  /** Serves a connection of a local tool, to whom everything is open. */
  takeLocal(socket: net.Socket): void {
    this.#local.emit('connection', socket);
    socket.resume();
  }

  async stop(): Promise<void> {
    this.#local.closeAllConnections();
    await Promise.resolve();
  }
}
