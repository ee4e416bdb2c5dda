import { type Area, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { listenAddress } from '../value-address.ts';
import { boolean, integer, oneOf, orInfinity, secret, someText } from '../value-type.ts';
import { informationUnits, milliseconds, TIMER_MILLIS_MAX } from '../value-units.ts';
import { MQTT } from './effects.ts';
import { socketKeys } from './listeners.ts';
import { webSocketKeys } from './web-socket-keys.ts';

const effect = MQTT;

export const MQTT_SOCKET = socketKeys('mqtt.tcp_listen_options', effect);
export const WEB_MQTT = webSocketKeys('web_mqtt', 'MQTT', '15675', '15676', effect);

export const MQTT_KEYS = {
  noTcp: optionalKey('mqtt.listeners.tcp', oneOf('none'), 'none opens no plain MQTT listener.', { effect }),
  tcp: familyKey('mqtt.listeners.tcp.$name', listenAddress, 'A plain MQTT listener.', {
    effect,
    defaultText: '1883 if any mqtt key or the plugin rabbitmq_mqtt is set',
  }),
  noTls: optionalKey('mqtt.listeners.ssl', oneOf('none'), 'none opens no MQTT listener with TLS.', { effect }),
  tls: familyKey('mqtt.listeners.ssl.$name', listenAddress, 'An MQTT listener with TLS (ssl_options).', { effect, defaultText: 'none' }),
  allowAnonymous: key(
    'mqtt.allow_anonymous',
    boolean,
    'false',
    'Let clients in without credentials, as anonymous_login_user (RabbitMQ: true).',
    { effect },
  ),
  vhost: key('mqtt.vhost', someText, '/', 'Virtual host of clients whose user name names none.', { effect }),
  exchange: key('mqtt.exchange', someText, 'amq.topic', 'Topic exchange that MQTT topics go through.', { effect }),
  prefetch: key('mqtt.prefetch', integer(0, 65535), '10', 'Most unacknowledged QoS 1 messages of a client.', { effect }),
  sessionSeconds: key(
    'mqtt.max_session_expiry_interval_seconds',
    orInfinity(integer(0, 4_294_967_295)),
    '86400',
    'Longest time a session outlives its connection.',
    { effect },
  ),
  mailbox: key(
    'mqtt.mailbox_soft_limit',
    integer(0, 1_000_000),
    '200',
    'QoS 0 messages waiting for a busy client before further ones are dropped; 0: no limit but that of bytes.',
    { effect },
  ),
  queueType: key('mqtt.durable_queue_type', oneOf('classic', 'quorum'), 'classic', 'Type of the queues of lasting QoS 1 subscriptions.', {
    effect,
  }),
  proxyProtocol: key('mqtt.proxy_protocol', boolean, 'false', 'Every MQTT connection must begin with a PROXY protocol header.', { effect }),
  certificateLogin: key('mqtt.ssl_cert_login', boolean, 'false', 'Take the user name from the client certificate.', { effect }),
  clientIdFrom: optionalKey(
    'mqtt.ssl_cert_client_id_from',
    oneOf('distinguished_name', 'subject_alternative_name'),
    'Part of the certificate that the client id must equal.',
    { effect },
  ),
  sanType: key(
    'mqtt.ssl_cert_login_san_type',
    oneOf('dns', 'ip', 'email', 'uri', 'other_name'),
    'dns',
    'Which kind of subject alternative name that is.',
    { effect },
  ),
  sanIndex: key('mqtt.ssl_cert_login_san_index', integer(0, 1000), '0', 'Which one of that kind, from 0.', { effect }),
  connections: key('mqtt.max_connections', orInfinity(integer(0)), 'infinity', 'Most MQTT connections; connection_max holds as well.', {
    effect,
  }),
  sparkplug: key('mqtt.sparkplug', boolean, 'false', 'Translate the dots of Sparkplug topics (spBv1.0).', { effect }),
  disconnectUnauthorized: key('mqtt.disconnect_on_unauthorized', boolean, 'true', 'Disconnect a client that does what it may not.', {
    effect,
  }),
  packetBytesBeforeLogin: key(
    'mqtt.max_packet_size_unauthenticated',
    informationUnits(128, 268_435_455),
    '64KiB',
    'Largest packet before login.',
    { effect },
  ),
  packetBytes: key(
    'mqtt.max_packet_size_authenticated',
    informationUnits(128, 268_435_455),
    '268435455',
    'Largest packet after login; max_message_size holds as well.',
    { effect },
  ),
  topicAliases: key('mqtt.topic_alias_maximum', integer(0, 65535), '16', 'Topic aliases of a client.', { effect }),
  sessions: key(
    'mqtt.max_sessions',
    integer(1, 10_000_000),
    '100000',
    'Most sessions, those of clients that are away among them; beyond it CONNACK 0x97.',
    { effect },
  ),
  subscriptions: key(
    'mqtt.max_subscriptions_per_session',
    integer(1, 1_000_000),
    '10000',
    'Most topic filters of a session; beyond it SUBACK 0x97.',
    { effect },
  ),
  receiveMax: key(
    'mqtt.receive_maximum',
    integer(1, 65535),
    '1000',
    'Most QoS 1 and 2 messages of an MQTT 5 client that wait for their acknowledgement; CONNACK tells.',
    { effect },
  ),
  keepAliveSeconds: key(
    'mqtt.max_keep_alive_seconds',
    integer(0, 65535),
    '0',
    'Longest keep-alive; an MQTT 5 client that asks for more, or for none, is given this one. 0: what the client says.',
    { effect },
  ),
  topicLevels: key('mqtt.max_topic_levels', integer(1, 128), '128', 'Most levels of a topic or filter.', { effect }),
  queuedBytes: key(
    'mqtt.max_queued_bytes',
    orInfinity(informationUnits(1)),
    'infinity',
    'Most bytes that wait in a queue of a session made from now on; the oldest messages go.',
    { effect },
  ),
  serverReference: optionalKey(
    'mqtt.server_reference',
    someText,
    'Where MQTT 5 clients are sent when the broker stops or is drained: host:port, or several with spaces between them.',
    { effect },
  ),
  loginMillis: key('mqtt.login_timeout', milliseconds(1, TIMER_MILLIS_MAX), '10000', 'How long a client may take to log in.', { effect }),
  retainedCount: key(
    'mqtt.retained_message_store.max_messages',
    orInfinity(integer(0)),
    'infinity',
    'Most retained messages of a virtual host.',
    { effect },
  ),
  retainedBytes: key(
    'mqtt.retained_message_store.max_size_bytes',
    orInfinity(informationUnits(0)),
    'infinity',
    'Most bytes of retained messages of a virtual host.',
    { effect },
  ),
  oldUser: optionalKey('mqtt.default_user', someText, 'The older name of anonymous_login_user, for MQTT.', { effect }),
  oldPassword: optionalKey('mqtt.default_pass', secret, 'The older name of anonymous_login_pass, for MQTT.', { effect }),
};

export const MQTT_AREA: Area = {
  title: 'MQTT',
  introduction: '',
  keys: [
    ...Object.values(MQTT_KEYS),
    MQTT_SOCKET.none,
    MQTT_SOCKET.backlog,
    MQTT_SOCKET.noDelay,
    MQTT_SOCKET.keepAlive,
    ...MQTT_SOCKET.ignored,
    ...WEB_MQTT.keys,
    ignoredKey('mqtt.subscription_ttl', 'mqtt.max_session_expiry_interval_seconds took its place'),
    ignoredKey('mqtt.retained_message_store', 'retained messages are stored with all others'),
    ignoredKey('mqtt.retained_message_store_dets_sync_interval', 'retained messages are stored with all others'),
    ignoredKey('mqtt.num_acceptors.$transport', 'connections are accepted by one event loop'),
  ],
};
