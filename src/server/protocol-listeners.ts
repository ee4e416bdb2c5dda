// The listeners that a configuration asks for, of all protocols.
import type { ListenerOptions } from '../net/listener.ts';
import { defaultWebSocketOptions, type WebSocketOptions } from '../net/web-socket-options.ts';
import type { Config, ListenerConfig, WebSocketConfig } from './config/config.ts';

/** What a protocol is called inside a WebSocket, and how it is spoken there. */
type WebSocketProtocol = Pick<WebSocketOptions, 'subProtocols' | 'isSubProtocolRequired' | 'frames'>;

const amqpInWebSocket: WebSocketProtocol = { subProtocols: ['amqp'], isSubProtocolRequired: false, frames: 'binary' };

const mqttInWebSocket: WebSocketProtocol = { subProtocols: ['mqtt', 'mqttv3.1'], isSubProtocolRequired: false, frames: 'binary' };

export function protocolListeners(config: Config): readonly Partial<ListenerOptions>[] {
  return [
    ...plain(config, 'amqp', config.listeners),
    ...inWebSockets(config, 'amqp', config.webAmqp, amqpInWebSocket),
    ...plain(config, 'mqtt', config.mqtt.listeners),
    ...inWebSockets(config, 'mqtt', config.mqtt.webSocket, mqttInWebSocket),
  ];
}

function plain(config: Config, protocol: string, listeners: readonly ListenerConfig[]): Partial<ListenerOptions>[] {
  return listeners.map(listener => ({ protocol, ...socketOptions(config, listener) }));
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
