import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { listenAddress } from '../value-address.ts';
import { boolean, integer, oneOf, orInfinity, secret, someText } from '../value-type.ts';
import { informationUnits, milliseconds, TIMER_MILLIS_MAX } from '../value-units.ts';
import { STOMP } from './effects.ts';
import { socketKeys } from './listeners.ts';
import { webSocketKeys } from './web-socket-keys.ts';

const effect = STOMP;

export const STOMP_SOCKET = socketKeys('stomp.tcp_listen_options', effect);
export const WEB_STOMP = webSocketKeys('web_stomp', 'STOMP', '15674', '15673', effect);

export const STOMP_KEYS = {
  noTcp: optionalKey('stomp.listeners.tcp', oneOf('none'), 'none opens no plain STOMP listener.', { effect }),
  tcp: familyKey('stomp.listeners.tcp.$name', listenAddress, 'A plain STOMP listener.', {
    effect,
    defaultText: '61613 if any stomp key or the plugin rabbitmq_stomp is set',
  }),
  noTls: optionalKey('stomp.listeners.ssl', oneOf('none'), 'none opens no STOMP listener with TLS.', { effect }),
  tls: familyKey('stomp.listeners.ssl.$name', listenAddress, 'A STOMP listener with TLS (ssl_options).', { effect, defaultText: 'none' }),
  user: optionalKey('stomp.default_user', someText, 'Whom a client without login header becomes.', { effect }),
  password: optionalKey('stomp.default_pass', secret, "That user's password.", { effect }),
  vhost: key('stomp.default_vhost', someText, '/', 'Virtual host of clients without host header.', { effect }),
  topicExchange: key('stomp.default_topic_exchange', someText, 'amq.topic', 'Exchange of /topic/ destinations.', { effect }),
  implicitConnect: key('stomp.implicit_connect', boolean, 'false', 'Log in stomp.default_user without a CONNECT frame.', { effect }),
  certificateLogin: key('stomp.ssl_cert_login', boolean, 'false', 'Take the user name from the client certificate.', { effect }),
  loginMillis: key('stomp.login_timeout', milliseconds(1, TIMER_MILLIS_MAX), '10000', 'How long a client may take to log in.', { effect }),
  frameBytes: key('stomp.max_frame_size', informationUnits(1024, 536_870_912), '4MiB', 'Largest frame.', { effect }),
  frameBytesBeforeLogin: key(
    'stomp.max_frame_size_unauthenticated',
    informationUnits(1024, 536_870_912),
    '8KiB',
    'Largest frame before login.',
    { effect },
  ),
  connections: key(
    'stomp.max_connections',
    orInfinity(integer(0)),
    'infinity',
    'Most connections of a STOMP listener; connection_max holds as well.',
    {
      effect,
    },
  ),
  proxyProtocol: key('stomp.proxy_protocol', boolean, 'false', 'Every STOMP connection must begin with a PROXY protocol header.', {
    effect,
  }),
  hideServer: key('stomp.hide_server_info', boolean, 'false', 'Leave the server header out of CONNECTED.', { effect }),
  nackRequeue: key('stomp.default_nack_requeue', boolean, 'true', 'What a NACK without requeue header does.', { effect }),
};

export const STOMP_AREA: Area = {
  title: 'STOMP',
  introduction: '',
  keys: [
    ...Object.values(STOMP_KEYS),
    STOMP_SOCKET.none,
    STOMP_SOCKET.backlog,
    STOMP_SOCKET.noDelay,
    STOMP_SOCKET.keepAlive,
    ...STOMP_SOCKET.ignored,
    ...WEB_STOMP.keys,
    ignoredKey('stomp.num_acceptors.$transport', 'connections are accepted by one event loop'),
  ],
};
