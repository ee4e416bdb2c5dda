import type { AddressBlock, ListenerConfig, TlsConfig } from '../config.ts';
import type { FamilyKey, Key, OptionalKey } from '../key.ts';
import type { HttpServerKeys } from '../schema/http.ts';
import { AMQP_SOCKET, LISTENERS, type SocketKeys } from '../schema/listeners.ts';
import type { WebSocketKeys } from '../schema/web-socket-keys.ts';
import type { ListenAddress } from '../value-address.ts';
import { type BuildContext, problem, unconfiguredPort, warn } from './context.ts';
import { buildTls } from './tls.ts';

const AMQP_PORT = 5672;

/** Socket options of a listener. */
type SocketOptions = Pick<ListenerConfig, 'backlog' | 'noDelay' | 'keepAlive' | 'proxyProtocol'>;

const HTTP_SOCKET: SocketOptions = { backlog: 1024, noDelay: true, keepAlive: false, proxyProtocol: false };

/** The keys of a protocol's listeners. */
interface ListenerKeys {
  readonly noTcp: OptionalKey<'none'>;
  readonly tcp: FamilyKey<ListenAddress>;
  readonly noTls: OptionalKey<'none'>;
  readonly tls: FamilyKey<ListenAddress>;
}

/** AMQP's listeners: those of the file, less what the environment and then the command line put in place of the plain ones. */
export function buildAmqpListeners(context: BuildContext, tls: TlsConfig | null): readonly ListenerConfig[] {
  const { settings, commandLine, environment } = context;
  const options = socketOptions(context, AMQP_SOCKET, LISTENERS.proxyProtocol);
  const { plain, secure } = buildListeners(context, LISTENERS, options, tls, AMQP_PORT);

  let tcp = plain;
  if (environment.nodePort !== null || environment.nodeAddress !== undefined) {
    tcp = [tcpListener('default', environment.nodeAddress ?? null, environment.nodePort ?? AMQP_PORT, options)];
  }
  if (commandLine.port !== null || commandLine.host !== undefined) {
    const first = tcp.find(listener => listener.socketPath === null);
    const host =
      commandLine.host !== undefined ? commandLine.host : first === undefined ? settings.value(LISTENERS.defaultAddress) : first.host;
    tcp = [tcpListener('default', host, commandLine.port ?? first?.port ?? AMQP_PORT, options)];
  }
  return [...tcp, ...secure];
}

/** The listeners of one protocol. A plain one on the usual port is there unless others are, or none is asked for. */
export function buildListeners(
  context: BuildContext,
  keys: ListenerKeys,
  options: SocketOptions,
  tls: TlsConfig | null,
  usualPort: number,
) {
  const { settings } = context;
  const plain = settings.members(keys.tcp).map(({ name, value }) => listener('tcp', name, value, options, null));
  if (plain.length === 0)
    plain.push(tcpListener('default', settings.value(LISTENERS.defaultAddress), unconfiguredPort(context, usualPort), options));
  const secureMembers = settings.optional(keys.noTls) === null ? settings.members(keys.tls) : [];
  const [first] = secureMembers;
  if (first !== undefined && tls === null && keys.tls.effect === 'full') {
    problem(context, first.where, 'a TLS listener needs ssl_options.certfile and ssl_options.keyfile');
  }
  return {
    plain: settings.optional(keys.noTcp) === null ? plain : [],
    secure: tls === null ? [] : secureMembers.map(({ name, value }) => listener('tls', name, value, options, tls)),
  };
}

export function socketOptions(context: BuildContext, keys: SocketKeys, proxyProtocol: Key<boolean>): SocketOptions {
  const { settings } = context;
  return {
    backlog: settings.value(keys.backlog),
    noDelay: settings.value(keys.noDelay),
    keepAlive: settings.value(keys.keepAlive),
    proxyProtocol: settings.value(proxyProtocol),
  };
}

function listener(
  kind: 'tcp' | 'tls',
  name: string,
  address: ListenAddress,
  options: SocketOptions,
  tls: TlsConfig | null,
): ListenerConfig {
  return { kind, name, host: address.host, port: address.port, socketPath: address.socketPath, ...options, tls };
}

function tcpListener(name: string, host: string | null, port: number, options: SocketOptions): ListenerConfig {
  return listener('tcp', name, { host, port, socketPath: null }, options, null);
}

/** An HTTP server's listeners: plain and TLS as configured; a plain one on the usual port if nothing is. */
export function buildHttpListeners(
  context: BuildContext,
  keys: HttpServerKeys,
  usualPort: number,
  usualTlsPort: number,
): readonly ListenerConfig[] {
  const { settings } = context;
  if (!settings.value(keys.enabled)) return [];
  const listeners: ListenerConfig[] = [];
  const [tcpPort, tcpAddress] = [settings.optional(keys.tcpPort), settings.optional(keys.tcpAddress)];
  if (tcpPort !== null || tcpAddress !== null) {
    listeners.push(tcpListener('tcp', tcpAddress, tcpPort ?? unconfiguredPort(context, usualPort), HTTP_SOCKET));
  }
  const tls = buildTls(context, keys.tls);
  const [tlsPort, tlsAddress] = [settings.optional(keys.tlsPort), settings.optional(keys.tlsAddress)];
  if (tls !== null) {
    listeners.push(
      listener(
        'tls',
        'ssl',
        { host: tlsAddress, port: tlsPort ?? unconfiguredPort(context, usualTlsPort), socketPath: null },
        HTTP_SOCKET,
        tls,
      ),
    );
  } else if (tlsPort !== null && keys.tlsPort.effect === 'full') {
    problem(
      context,
      settings.where(keys.tlsPort),
      `${keys.tlsPort.pattern} needs ${keys.tls.certFile.pattern} and ${keys.tls.keyFile.pattern}`,
    );
  }
  if (listeners.length > 0) return listeners;
  return [tcpListener('default', settings.value(LISTENERS.defaultAddress), unconfiguredPort(context, usualPort), HTTP_SOCKET)];
}

/** The listeners of a protocol over WebSockets: those with a port, or the usual one if the plugin is enabled. */
export function buildWebSocketListeners(
  context: BuildContext,
  keys: WebSocketKeys,
  usualPort: number,
  isPluginEnabled: boolean,
): readonly ListenerConfig[] {
  const { settings } = context;
  const listeners: ListenerConfig[] = [];
  const proxyProtocol = settings.value(keys.proxyProtocol);
  const tls = buildTls(context, keys.tls);
  const [tcpPort, tlsPort] = [settings.optional(keys.tcpPort), settings.optional(keys.tlsPort)];
  const tlsWanted = tlsPort !== null && settings.optional(keys.tlsListener) === null;
  if (settings.optional(keys.tcpListener) === null && (tcpPort !== null || isPluginEnabled)) {
    const host =
      tcpPort === null && settings.optional(keys.tcpAddress) === null
        ? settings.value(LISTENERS.defaultAddress)
        : settings.optional(keys.tcpAddress);
    listeners.push(
      tcpListener('tcp', host, tcpPort ?? unconfiguredPort(context, usualPort), {
        ...HTTP_SOCKET,
        backlog: settings.value(keys.tcpBacklog),
        proxyProtocol,
      }),
    );
  }
  if (tlsWanted && tls !== null) {
    const address = { host: settings.optional(keys.tlsAddress), port: tlsPort, socketPath: null };
    listeners.push(listener('tls', 'ssl', address, { ...HTTP_SOCKET, backlog: settings.value(keys.tlsBacklog), proxyProtocol }, tls));
  } else if (tlsWanted && keys.tlsPort.effect === 'full') {
    problem(
      context,
      settings.where(keys.tlsPort),
      `${keys.tlsPort.pattern} needs ${keys.tls.certFile.pattern} and ${keys.tls.keyFile.pattern}`,
    );
  }
  return listeners;
}

/** Loopback and the blocks that are not routed on the Internet: where load balancers stand if nothing says where. */
const PRIVATE_BLOCKS: readonly AddressBlock[] = [
  { address: '127.0.0.0', prefixBits: 8, family: 'ipv4' },
  { address: '10.0.0.0', prefixBits: 8, family: 'ipv4' },
  { address: '172.16.0.0', prefixBits: 12, family: 'ipv4' },
  { address: '192.168.0.0', prefixBits: 16, family: 'ipv4' },
  { address: '169.254.0.0', prefixBits: 16, family: 'ipv4' },
  { address: '::1', prefixBits: 128, family: 'ipv6' },
  { address: 'fc00::', prefixBits: 7, family: 'ipv6' },
  { address: 'fe80::', prefixBits: 10, family: 'ipv6' },
];

export function buildProxyProtocolSources(context: BuildContext): readonly AddressBlock[] {
  const { settings } = context;
  const listed = settings.optional(LISTENERS.proxyProtocolSources);
  if (listed === null && settings.value(LISTENERS.proxyProtocol)) {
    warn(
      context,
      settings.where(LISTENERS.proxyProtocol),
      'PROXY headers are accepted from loopback and private addresses; name the load balancers in warren.proxy_protocol_sources',
    );
  }
  return listed ?? PRIVATE_BLOCKS;
}
