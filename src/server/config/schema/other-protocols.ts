import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { listenAddress, port } from '../value-address.ts';
import { integer, oneOf, orInfinity, someText } from '../value-type.ts';
import { byteSize } from '../value-units.ts';
import { AMQP10, STREAM } from './effects.ts';

const effect = STREAM;

export const STREAM_KEYS = {
  noTcp: optionalKey('stream.listeners.tcp', oneOf('none'), 'none opens no plain stream listener.', { effect }),
  tcp: familyKey('stream.listeners.tcp.$name', listenAddress, 'A plain listener of the stream protocol, usually 5552.', {
    effect,
    defaultText: 'none',
  }),
  noTls: optionalKey('stream.listeners.ssl', oneOf('none'), 'none opens no stream listener with TLS.', { effect }),
  tls: familyKey('stream.listeners.ssl.$name', listenAddress, 'A listener of the stream protocol with TLS (ssl_options).', {
    effect,
    defaultText: 'none',
  }),
  host: optionalKey('stream.advertised_host', someText, 'Host name that clients are told to connect to.', { effect }),
  port: optionalKey('stream.advertised_port', port, 'Port that clients are told to connect to.', { effect }),
  tlsHost: optionalKey('stream.advertised_tls_host', someText, 'The same with TLS.', { effect }),
  tlsPort: optionalKey('stream.advertised_tls_port', port, 'The same with TLS.', { effect }),
  credits: key(
    'stream.initial_credits',
    integer(1, 10_000_000),
    '50000',
    'Messages a publisher may have unconfirmed before it is held up.',
    { effect },
  ),
  creditsToUnblock: key(
    'stream.credits_required_for_unblocking',
    integer(1, 10_000_000),
    '12500',
    'Confirmed messages after which it goes on.',
    { effect },
  ),
  frameMax: key('stream.frame_max', byteSize(4096, 536_870_912), '1048576', 'Largest frame.', { effect }),
  heartbeat: key('stream.heartbeat', integer(0, 65535), '60', 'Heartbeat timeout in seconds.', { effect }),
  connections: key('stream.max_connections', orInfinity(integer(0)), 'infinity', 'Most connections; connection_max holds as well.', {
    effect,
  }),
};

export const AMQP10_KEYS = {
  vhost: optionalKey('amqp1_0.default_vhost', someText, 'Virtual host of AMQP 1.0 clients that name none.', {
    effect: AMQP10,
    defaultText: 'default_vhost',
  }),
  sessions: key('session_max_per_connection', integer(1, 65535), '64', 'Most AMQP 1.0 sessions of a connection.', { effect: AMQP10 }),
  links: key('link_max_per_session', integer(1, 4_294_967_295), '256', 'Most AMQP 1.0 links of a session.', { effect: AMQP10 }),
};

export const OTHER_PROTOCOLS_AREA: Area = {
  title: 'AMQP 1.0 and streams',
  introduction: '',
  keys: [
    ...Object.values(AMQP10_KEYS),
    ignoredKey('amqp1_0.default_user', 'anonymous_login_user took its place'),
    ignoredKey('amqp1_0.protocol_strict_mode', 'the protocol is always strict'),
    ...Object.values(STREAM_KEYS),
    ...[
      'stream.tcp_listen_options',
      'stream.tcp_listen_options.**',
      'stream.num_acceptors.$transport',
      'stream.ssl_cert_login',
      'stream.replication.**',
      'stream.data_dir',
      'stream.initial_frame_max',
      'stream.read_ahead',
      'stream.read_ahead_limit',
      'stream.max_uncompressed_sub_entry_batch_size',
    ].map(pattern => ignoredKey(pattern, 'the stream protocol is not part of this version')),
    ignoredKey('amqp_client.**', 'the broker connects to no other broker'),
  ],
};
