import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from '../core/ports/logger.ts';
import type { ListenerInfo } from '../management/listener-info.ts';
import type { Management } from '../management/management.ts';
import type { NodeControl } from '../management/node-control.ts';
import type { Listener, ListenerOptions } from '../net/listener.ts';
import type { Broker } from './broker.ts';
import type { Config } from './config/config.ts';

/** Starts the HTTP API and the metrics, if anything is to be reached of them. They are loaded only then, after the broker serves. */
export async function startManagement(
  broker: Broker,
  config: Config,
  logger: Logger,
  nodeControl: NodeControl,
): Promise<Management | null> {
  const control = broker.dataDir?.control ?? null;
  if (control === null && config.management.listeners.length === 0 && config.prometheus.listeners.length === 0) return null;
  const management = await import('../management/management.ts');
  return await management.startManagement({
    core: broker.core,
    frontEnds: [{ name: 'protocols', listeners: () => broker.listeners.map(listenerInfo) }],
    config,
    logger,
    controlConnections: control,
    auth: broker.auth,
    control: nodeControl,
    pages: async () => await (await import('./ui-folder.ts')).uiFolder(),
  });
}

/** As RabbitMQ names what is listened for: stomp, stomp/ssl, http/web-stomp, https/web-stomp. */
export function listenerProtocol({ protocol, tls, webSocket }: ListenerOptions): string {
  if (webSocket !== null) return `${tls === null ? 'http' : 'https'}/web-${protocol}`;
  return tls === null ? protocol : `${protocol}/ssl`;
}

function listenerInfo(listener: Listener): ListenerInfo {
  const { host, socketPath, tls, backlog } = listener.options;
  return {
    protocol: listenerProtocol(listener.options),
    host: socketPath ?? host ?? '::',
    port: listener.port,
    isTls: tls !== null,
    backlog,
    certificateValidTo: tls === null ? null : validTo(tls.certFile),
  };
}

function validTo(certificateFile: string): string | null {
  try {
    return new X509Certificate(readFileSync(certificateFile)).validTo;
  } catch {
    return null;
  }
}
