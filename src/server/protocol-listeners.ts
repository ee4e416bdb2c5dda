// The listeners that a configuration asks for, of all protocols.
import type { ListenerOptions } from '../net/listener.ts';
import { defaultWebSocketOptions, type WebSocketOptions } from '../net/web-socket-options.ts';
import type { Config, ListenerConfig, WebSocketConfig } from './config/config.ts';

/** What a protocol is called inside a WebSocket, and how it is spoken there. */
type WebSocketProtocol = Pick<WebSocketOptions, 'subProtocols' | 'isSubProtocolRequired' | 'frames'>;

const amqpInWebSocket: WebSocketProtocol = { subProtocols: ['amqp'], isSubProtocolRequired: false, frames: 'binary' };

const stompInWebSocket: WebSocketProtocol = {
  subProtocols: ['v12.stomp', 'v11.stomp', 'v10.stomp'],
  isSubProtocolRequired: false,
  frames: 'as-received',
};

const mqttInWebSocket: WebSocketProtocol = { subProtocols: ['mqtt', 'mqttv3.1'], isSubProtocolRequired: false, frames: 'binary' };

export function protocolListeners(config: Config): readonly Partial<ListenerOptions>[] {
  const { webAmqp, mqtt, stomp } = config;
  return [
    ...plain(config, 'amqp', config.listeners),
    ...inWebSockets(config, 'amqp', webAmqp, amqpInWebSocket),
    ...plain(config, 'mqtt', mqtt.listeners),
    ...inWebSockets(config, 'mqtt', mqtt.webSocket, mqttInWebSocket),
    ...plain(config, 'stomp', stomp.listeners, stomp.connectionMax),
    ...inWebSockets(config, 'stomp', stomp.webSocket, stompInWebSocket),
  ];
}

function plain(
  config: Config,
  protocol: string,
  listeners: readonly ListenerConfig[],
  connectionsMax = Infinity,
): Partial<ListenerOptions>[] {
  return listeners.map(listener => ({ protocol, ...socketOptions(config, listener), connectionsMax }));
}

function inWebSockets(
  config: Config,
  protocol: string,
  { listeners, path, frameBytesMax, idleMillis, connectionMax }: WebSocketConfig,
  inside: WebSocketProtocol,
): Partial<ListenerOptions>[] {
  const webSocket: WebSocketOptions = {
    ...defaultWebSocketOptions,
    ...inside,
    path,
    messageBytesMax: frameBytesMax,
    idleTimeoutMillis: idleMillis,
    origins: config.webSocketOrigins,
  };
  return listeners.map(listener => ({ protocol, ...socketOptions(config, listener), webSocket, connectionsMax: connectionMax }));
}

function socketOptions(config: Config, listener: ListenerConfig): Partial<ListenerOptions> {
  const { host, port, socketPath, backlog, noDelay, keepAlive, tls } = listener;
  return {
    host,
    port,
    socketPath,
    backlog,
    noDelay,
    keepAlive,
    tls,
    proxySources: listener.proxyProtocol ? config.proxyProtocolSources : null,
    tlsHandshakeTimeoutMillis: config.limits.tlsHandshakeMillis,
    webSocketHandshakeTimeoutMillis: config.limits.handshakeMillis,
  };
}
