import { type Area, type Effect, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { addressBlock, interfaceAddress, listenAddress } from '../value-address.ts';
import { boolean, integer, listOf, oneOf, orInfinity } from '../value-type.ts';
import { milliseconds } from '../value-units.ts';

const ERLANG_SOCKET = "it is an option of Erlang's sockets";

/** Socket options below `prefix` (`tcp_listen_options`, `mqtt.tcp_listen_options`). */
export function socketKeys(prefix: string, effect: Effect) {
  return {
    none: optionalKey(prefix, oneOf('none'), 'none leaves every socket option at its default.', { effect }),
    backlog: key(
      `${prefix}.backlog`,
      integer(1, 1_000_000),
      '1024',
      'How many connections may wait to be accepted (the kernel may hold it lower).',
      { effect },
    ),
    noDelay: key(`${prefix}.nodelay`, boolean, 'true', "Switch Nagle's algorithm off.", { effect }),
    keepAlive: key(`${prefix}.keepalive`, boolean, 'false', 'Let the kernel probe idle connections (TCP keepalive).', { effect }),
    ignored: [
      'buffer',
      'delay_send',
      'dontroute',
      'exit_on_close',
      'fd',
      'high_msgq_watermark',
      'high_watermark',
      'low_msgq_watermark',
      'low_watermark',
      'port',
      'priority',
      'send_timeout',
      'send_timeout_close',
      'tos',
      'linger.on',
      'linger.timeout',
    ]
      .map(name => ignoredKey(`${prefix}.${name}`, ERLANG_SOCKET))
      .concat(
        ['recbuf', 'sndbuf'].map(name =>
          ignoredKey(`${prefix}.${name}`, "Node.js leaves the kernel's buffers to the kernel, which sizes them itself"),
        ),
      ),
  };
}

export type SocketKeys = ReturnType<typeof socketKeys>;

export const AMQP_SOCKET = socketKeys('tcp_listen_options', 'full');

export const LISTENERS = {
  noTcp: optionalKey('listeners.tcp', oneOf('none'), 'none opens no plain AMQP listener, whatever else is set.'),
  tcp: familyKey('listeners.tcp.$name', listenAddress, 'A plain AMQP listener; a port without an address listens on every interface.', {
    defaultText: '127.0.0.1:5672',
  }),
  noTls: optionalKey('listeners.ssl', oneOf('none'), 'none opens no AMQP listener with TLS, whatever else is set.'),
  tls: familyKey(
    'listeners.ssl.$name',
    listenAddress,
    'An AMQP listener with TLS; it needs ssl_options.certfile and ssl_options.keyfile.',
    { defaultText: 'none' },
  ),
  defaultAddress: key(
    'warren.default_listen_address',
    interfaceAddress,
    '127.0.0.1',
    'Where listeners listen that no key configures; any is every interface. A container image sets it to any.',
  ),
  proxyProtocol: key('proxy_protocol', boolean, 'false', 'Every AMQP connection must begin with a PROXY protocol header (version 1 or 2).'),
  proxyProtocolSources: optionalKey(
    'warren.proxy_protocol_sources',
    listOf(addressBlock),
    'Addresses and blocks from which PROXY headers are accepted; others are disconnected.',
    { defaultText: 'loopback and private addresses' },
  ),
  handshake: key(
    'handshake_timeout',
    orInfinity(milliseconds(1)),
    '10000',
    'How long a client may take from the first byte to connection.open.',
  ),
  tlsHandshake: key('ssl_handshake_timeout', orInfinity(milliseconds(1)), '5000', 'How long a client may take for its TLS handshake.'),
};

export const LISTENERS_AREA: Area = {
  title: 'Listeners and sockets',
  introduction:
    'Without any listener key the broker listens on 127.0.0.1:5672 only. As soon as a port is configured without an address ' +
    '(`listeners.tcp.default = 5672`, `RABBITMQ_NODE_PORT=5672`), it listens on every interface, as RabbitMQ does.',
  keys: [
    ...Object.values(LISTENERS),
    AMQP_SOCKET.none,
    AMQP_SOCKET.backlog,
    AMQP_SOCKET.noDelay,
    AMQP_SOCKET.keepAlive,
    ...AMQP_SOCKET.ignored,
    ignoredKey('num_acceptors.tcp', 'connections are accepted by one event loop'),
    ignoredKey('num_acceptors.ssl', 'connections are accepted by one event loop'),
    ignoredKey('socket_writer.gc_threshold', 'it tunes the Erlang runtime'),
    ignoredKey('reverse_dns_lookups', 'connections are named by their address'),
    ignoredKey('ranch_connection_max', 'connection_max counts every connection'),
  ],
};
