import { type Effect, ignoredKey, key, optionalKey, type SchemaKey } from '../key.ts';
import { ipAddress, port } from '../value-address.ts';
import { boolean, integer, oneOf, orInfinity, someText } from '../value-type.ts';
import { informationUnits, milliseconds, TIMER_MILLIS_MAX } from '../value-units.ts';
import { tlsKeys } from './tls-keys.ts';

/** The keys of a WebSocket listener below `prefix` (`web_mqtt`, `web_stomp`). */
export function webSocketKeys(prefix: string, protocol: string, tcpPort: string, tlsPort: string, effect: Effect) {
  const keys = {
    tcpListener: optionalKey(`${prefix}.tcp.listener`, oneOf('none'), `none opens no ${protocol} WebSocket listener without TLS.`, {
      effect,
    }),
    tcpPort: optionalKey(`${prefix}.tcp.port`, port, `Port of ${protocol} over WebSockets, usually ${tcpPort}.`, {
      effect,
      defaultText: 'none',
    }),
    tcpAddress: optionalKey(`${prefix}.tcp.ip`, ipAddress, 'The one address to listen on.', { effect, defaultText: 'every interface' }),
    tcpBacklog: key(`${prefix}.tcp.backlog`, integer(1, 65535), '1024', 'How many connections may wait to be accepted.', { effect }),
    tlsListener: optionalKey(`${prefix}.ssl.listener`, oneOf('none'), `none opens no ${protocol} WebSocket listener with TLS.`, { effect }),
    tlsPort: optionalKey(`${prefix}.ssl.port`, port, `Port of ${protocol} over WebSockets with TLS, usually ${tlsPort}.`, {
      effect,
      defaultText: 'none',
    }),
    tlsAddress: optionalKey(`${prefix}.ssl.ip`, ipAddress, 'The one address to listen on with TLS.', {
      effect,
      defaultText: 'every interface',
    }),
    tlsBacklog: key(`${prefix}.ssl.backlog`, integer(1, 65535), '1024', 'How many connections may wait to be accepted.', { effect }),
    path: key(`${prefix}.ws_path`, someText, '/ws', 'Path of the WebSocket.', { effect }),
    frameBytes: key(`${prefix}.ws_opts.max_frame_size`, orInfinity(informationUnits(1024)), '16MiB', 'Largest WebSocket frame.', {
      effect,
    }),
    idleMillis: key(
      `${prefix}.ws_opts.idle_timeout`,
      milliseconds(1000, TIMER_MILLIS_MAX),
      '60000',
      'Close a WebSocket without traffic after this time.',
      {
        effect,
      },
    ),
    connections: key(
      `${prefix}.max_connections`,
      orInfinity(integer(0)),
      'infinity',
      'Most connections of a listener; connection_max holds as well.',
      {
        effect,
      },
    ),
    proxyProtocol: key(`${prefix}.proxy_protocol`, boolean, 'false', 'Every connection must begin with a PROXY protocol header.', {
      effect,
    }),
  };
  const tls = tlsKeys(`${prefix}.ssl`, effect);
  const ignored = [
    ignoredKey(`${prefix}.port`, `${prefix}.tcp.port took its place`),
    ignoredKey(`${prefix}.ws_opts.compress`, 'compression of WebSockets is off, because it costs memory and can be abused'),
    ignoredKey(`${prefix}.ws_frame`, 'frames are of the kind the client sends'),
    ignoredKey(`${prefix}.use_http_auth`, 'login is a matter of the protocol inside'),
    ignoredKey(`${prefix}.hsts.policy`, 'this header is always sent with TLS'),
    ignoredKey(`${prefix}.num_acceptors.$transport`, 'connections are accepted by one event loop'),
    ignoredKey(`${prefix}.cowboy_opts.**`, 'limits of the HTTP handshake are fixed'),
  ];
  const all: readonly SchemaKey[] = [...Object.values(keys), ...Object.values(tls), ...ignored];
  return { ...keys, tls, keys: all };
}

export type WebSocketKeys = ReturnType<typeof webSocketKeys>;
