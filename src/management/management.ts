import type net from 'node:net';
import type { BrokerCore } from '../core/broker.ts';
import type { AuthBackend } from '../core/ports/auth-backend.ts';
import type { Logger } from '../core/ports/logger.ts';
import { retentions } from '../core/statistics/retention.ts';
import { Statistics } from '../core/statistics/statistics.ts';
import type { AuditLog } from './audit-log.ts';
import { HttpListener } from './http-listener.ts';
import type { HttpStack } from './http-stack.ts';
import type { FrontEndInfo, ListenerInfo } from './listener-info.ts';
import type { NodeControl } from './node-control.ts';
import { NodeProbe } from './node-probe.ts';
import type { ManagementSettings, RetentionSettings } from './settings.ts';

/** Where connections of local tools come from, which need no password. */
export interface ControlConnections {
  handConnectionsTo(accept: ((socket: net.Socket) => void) | null): void;
}

export interface ManagementOptions {
  readonly core: BrokerCore;
  /** The protocols that are served, for lists of listeners. */
  readonly frontEnds: readonly FrontEndInfo[];
  readonly config: ManagementSettings;
  readonly logger: Logger;
  /** What an operator may do with the node itself; nothing by default. */
  readonly control?: NodeControl;
  readonly controlConnections?: ControlConnections | null;
  /** Who says whose a password is; the broker's own users by default, with a throttle for those who guess. */
  readonly auth?: AuthBackend;
  /** Where the web UI's built files are: asked at the first request of a page; without it there is no UI. */
  readonly pages?: () => Promise<string>;
  /** Where changes are noted; the broker's log by default. */
  readonly audit?: AuditLog;
}

/** The running management. */
export interface Management {
  readonly statistics: Statistics;
  /** What is listened on for the HTTP API and the metrics. */
  listeners(): ListenerInfo[];
  /** Port of the first listener of the HTTP API; 0 without one. */
  readonly port: number;
  /** Port of the first listener of the metrics; 0 without one. */
  readonly metricsPort: number;
  /** Reads the certificates anew, for connections from now on. Rejects with a TlsFileError; then those in use stay. */
  reloadCertificates(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the HTTP API and the metrics: listens, and samples statistics. The HTTP stack itself is loaded at the first connection.
 * @throws ListenError, TlsFileError; nothing is left running then
 */
export async function startManagement(options: ManagementOptions): Promise<Management> {
  const { core, config, controlConnections = null } = options;
  const probe = new NodeProbe(core, config.dataDir);
  const statistics = new Statistics(core, retentionOf(config), probe.figures);
  let stack: Promise<HttpStack> | null = null;
  const load = (): Promise<HttpStack> => {
    stack ??= import('./http-stack.ts').then(({ HttpStack }) => new HttpStack({ ...options, statistics, probe, listeners }));
    return stack;
  };
  const opened: HttpListener[] = [];
  const api = config.management.listeners.map(settings => new HttpListener(settings, async () => (await load()).apiHandler));
  const metrics = config.prometheus.listeners.map(settings => new HttpListener(settings, async () => (await load()).metricsHandler));
  const listeners = (): ListenerInfo[] => [
    ...options.frontEnds.flatMap(frontEnd => [...frontEnd.listeners()]),
    ...api.map(listener => listenerInfo(listener, listener.settings.tls === null ? 'http' : 'https')),
    ...metrics.map(listener => listenerInfo(listener, listener.settings.tls === null ? 'http/prometheus' : 'https/prometheus')),
  ];
  try {
    for (const listener of [...api, ...metrics]) {
      await listener.start();
      opened.push(listener);
    }
  } catch (error) {
    probe.stop();
    await Promise.all(opened.map(listener => listener.stop()));
    throw error;
  }
  controlConnections?.handConnectionsTo(socket => {
    socket.pause();
    void load().then(loaded => loaded.takeLocal(socket));
  });
  ensureClusterId(core);
  statistics.start();
  return {
    statistics,
    listeners,
    get port() {
      return api[0]?.port ?? 0;
    },
    get metricsPort() {
      return metrics[0]?.port ?? 0;
    },
    async reloadCertificates() {
      for (const listener of opened) await listener.reloadCertificates();
    },
    async stop() {
      controlConnections?.handConnectionsTo(null);
      statistics.stop();
      probe.stop();
      await Promise.all(opened.map(listener => listener.stop()));
      if (stack !== null) await (await stack).stop();
    },
  };
}

function listenerInfo(listener: HttpListener, protocol: string): ListenerInfo {
  const { host, port, certificateValidTo } = listener;
  return { protocol, host, port, isTls: listener.settings.tls !== null, backlog: listener.settings.backlog, certificateValidTo };
}

function retentionOf({ management }: ManagementSettings): { global: ReturnType<typeof retentions>; basic: ReturnType<typeof retentions> } {
  const of = (section: RetentionSettings['section']): [number, number][] =>
    management.retention
      .filter(policy => policy.section === section)
      .map(({ intervalSeconds, seconds }) => [intervalSeconds * 1000, seconds * 1000]);
  const { sampleIntervalMillis } = management;
  return { global: retentions(sampleIntervalMillis, of('global')), basic: retentions(sampleIntervalMillis, of('basic')) };
}

/** The cluster's permanent name, by which dashboards join their series. [RabbitMQ: internal_cluster_id] */
function ensureClusterId(core: BrokerCore): void {
  if (core.parameters.global('internal_cluster_id') !== undefined) return;
  core.turn.begin();
  core.parameters.putGlobal(
    'internal_cluster_id',
    `rabbitmq-cluster-id-${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')}`,
  );
}
