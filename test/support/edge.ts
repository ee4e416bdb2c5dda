// A broker with a further AMQP listener of any kind in front of it, and what it logs.
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { InternalBackend } from '../../src/auth/internal-backend.ts';
import type { Logger } from '../../src/core/ports/logger.ts';
import type { BrokerSettings } from '../../src/core/settings.ts';
import { Broker } from '../../src/index.ts';
import { AdmissionControl, type AdmissionLimits } from '../../src/net/admission.ts';
import type { Link } from '../../src/net/link.ts';
import { Listener, type ListenerOptions } from '../../src/net/listener.ts';
import type { TlsOptions } from '../../src/net/tls-contexts.ts';
import { FrontEnd } from '../../src/protocols/amqp091/front-end.ts';
import type { Certificate } from './certificates.ts';

export interface EdgeOptions {
  readonly listener?: Partial<ListenerOptions>;
  readonly limits?: Partial<AdmissionLimits>;
  readonly settings?: Partial<BrokerSettings>;
}

export interface Edge {
  readonly broker: Broker;
  readonly listener: Listener;
  readonly admission: AdmissionControl;
  readonly port: number;
  /** Every link that came through. */
  readonly links: readonly Link[];
  /** What was logged as a warning or error. */
  readonly log: readonly string[];
}

export async function withEdge(options: EdgeOptions, run: (edge: Edge) => Promise<void>): Promise<void> {
  const log: string[] = [];
  const links: Link[] = [];
  const note = (_category: string, text: string): void => void log.push(text);
  const logger: Logger = { debug() {}, info() {}, warning: note, error: note };
  const broker = await Broker.start({ logger, ...(options.settings === undefined ? {} : { settings: options.settings }) });
  const { core } = broker;
  const admission = new AdmissionControl({ ...core.settings, ...options.limits }, logger);
  const frontEnd = new FrontEnd(core, new InternalBackend(core.access, core.settings.loopbackUsers));
  const listener = new Listener({ outboxBytesMax: core.settings.outboxBytesMax, ...options.listener }, admission, link => {
    links.push(link);
    frontEnd.accept(link);
  });
  try {
    await listener.start();
    await run({ broker, listener, admission, port: listener.port, links, log });
  } finally {
    void listener.close();
    await broker.stop();
    listener.destroyAll();
  }
}

/** TLS with this certificate; nothing asked of clients unless said otherwise. */
export function tlsWith(certificate: Certificate, options: Partial<TlsOptions> = {}): TlsOptions {
  return {
    certFile: certificate.certFile,
    keyFile: certificate.keyFile,
    caFile: null,
    password: null,
    verify: 'none',
    failIfNoPeerCert: false,
    depth: 10,
    versions: ['TLSv1.3', 'TLSv1.2'],
    ciphers: [],
    honorCipherOrder: true,
    sni: [],
    ...options,
  };
}

/** An IPv4 address of this machine that is not loopback, which it reaches itself by. */
export function outerAddress(): string | undefined {
  const networks = Object.values(networkInterfaces()).flat();
  return networks.find(network => network?.family === 'IPv4' && !network.internal)?.address;
}

/** Resolves when the socket is closed, by a reset too. */
export function closeOf(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise(resolve => socket.once('close', () => resolve()));
}
