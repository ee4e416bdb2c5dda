// The HTTP servers: management and Prometheus, which RabbitMQ configures alike.
import { type Area, type Effect, familyKey, ignoredKey, key, optionalKey } from '../key.ts';
import { ipAddress, port } from '../value-address.ts';
import { boolean, integer, oneOf, path, someText } from '../value-type.ts';
import { informationUnits, milliseconds } from '../value-units.ts';
import { EVENTS, MANAGEMENT, PROMETHEUS } from './effects.ts';
import { tlsKeys } from './tls-keys.ts';

const ONE_LIMIT = 'time limits of HTTP connections are fixed';

/** `management.tcp.*`, `management.ssl.*` and the same of other servers. */
export function httpServerKeys(prefix: string, what: string, tcpPort: string, tlsPort: string, effect: Effect) {
  return {
    enabled: key(`warren.${prefix}.enabled`, boolean, 'true', `Whether there is ${what} at all.`, { effect }),
    tcpPort: optionalKey(`${prefix}.tcp.port`, port, `Port of ${what}.`, { effect, defaultText: tcpPort }),
    tcpAddress: optionalKey(`${prefix}.tcp.ip`, ipAddress, 'The one address to listen on.', {
      effect,
      defaultText: 'every interface if the port is set, else warren.default_listen_address',
    }),
    tlsPort: optionalKey(
      `${prefix}.ssl.port`,
      port,
      `Port of ${what} with TLS, usually ${tlsPort}; then there is none without TLS unless its port is set, too.`,
      { effect },
    ),
    tlsAddress: optionalKey(`${prefix}.ssl.ip`, ipAddress, 'The one address to listen on with TLS.', {
      effect,
      defaultText: 'every interface',
    }),
    tls: tlsKeys(`${prefix}.ssl`, effect),
    ignored: [
      ignoredKey(`${prefix}.ssl.backlog`, 'the backlog of HTTP servers is fixed'),
      ...['tcp', 'ssl'].flatMap(transport => [
        ignoredKey(`${prefix}.${transport}.max_connections`, 'connections of HTTP clients have a fixed limit'),
        ignoredKey(`${prefix}.${transport}.compress`, 'answers are compressed as the client accepts it'),
        ...['idle_timeout', 'inactivity_timeout', 'request_timeout', 'shutdown_timeout', 'max_keepalive'].map(name =>
          ignoredKey(`${prefix}.${transport}.${name}`, ONE_LIMIT),
        ),
      ]),
    ],
  };
}

export type HttpServerKeys = ReturnType<typeof httpServerKeys>;

export const MANAGEMENT_SERVER = httpServerKeys('management', 'the management API and UI', '15672', '15671', MANAGEMENT);
export const PROMETHEUS_SERVER = httpServerKeys('prometheus', 'the Prometheus endpoint', '15692', '15691', PROMETHEUS);

export const MANAGEMENT_KEYS = {
  pathPrefix: key('management.path_prefix', someText, '/', 'Path below which everything is served.', { effect: MANAGEMENT }),
  ratesMode: key('management.rates_mode', oneOf('basic', 'detailed', 'none'), 'basic', 'How detailed message rates are.', {
    effect: MANAGEMENT,
  }),
  bodyBytes: key('management.http.max_body_size', informationUnits(1024, 1_073_741_824), '20MiB', 'Largest request body.', {
    effect: MANAGEMENT,
  }),
  accessLogDirectory: optionalKey('http_dispatch.access_log_dir', path, 'Directory of an access log.', {
    effect: MANAGEMENT,
    aliases: ['management.http_log_dir'],
  }),
  sessionMinutes: key('management.login_session_timeout', integer(1, 525_600), '480', 'How long a login to the UI lasts, in minutes.', {
    effect: MANAGEMENT,
  }),
  noCorsOrigins: optionalKey('management.cors.allow_origins', oneOf('none'), 'none allows no other origin.', { effect: MANAGEMENT }),
  corsOrigins: familyKey('management.cors.allow_origins.$n', someText, 'An origin whose pages may call the API (CORS).', {
    effect: MANAGEMENT,
    defaultText: 'none',
  }),
  corsSeconds: key('management.cors.max_age', integer(0, 86_400_000), '1800', 'How long browsers may remember that, in seconds.', {
    effect: MANAGEMENT,
  }),
  csp: optionalKey('management.csp.policy', someText, 'Content-Security-Policy header, in place of the strict one.', {
    effect: MANAGEMENT,
  }),
  hsts: optionalKey('management.hsts.policy', someText, 'Strict-Transport-Security header.', {
    effect: MANAGEMENT,
    defaultText: 'sent with TLS',
  }),
  disableStats: key('management.disable_stats', boolean, 'false', 'Keep no statistics.', {
    effect: MANAGEMENT,
    aliases: ['management_agent.disable_metrics_collector'],
  }),
  queueTotals: key('management.enable_queue_totals', boolean, 'false', 'Show queue totals all the same.', { effect: MANAGEMENT }),
  restrictOperatorPolicies: key(
    'management.restrictions.operator_policy_changes.disabled',
    boolean,
    'false',
    'Refuse changes of operator policies over HTTP.',
    { effect: MANAGEMENT },
  ),
  retention: familyKey(
    'management.sample_retention_policies.$section.$interval',
    integer(1, 86_400),
    'For how long (minute, hour, day, or seconds) samples of global, basic or detailed data are kept at which interval in seconds.',
    { effect: MANAGEMENT },
  ),
  sampleMillis: key('collect_statistics_interval', milliseconds(100, 3_600_000), '5000', 'How often statistics are sampled.', {
    effect: MANAGEMENT,
  }),
  requireJsonExtension: key('management.definitions.require_json_extension', boolean, 'false', 'Import only files named *.json.', {
    effect: MANAGEMENT,
    aliases: ['management.require_definition_json_extension'],
  }),
};

export const PROMETHEUS_KEYS = {
  path: key('prometheus.path', someText, '/metrics', 'Path of the endpoint.', { effect: PROMETHEUS }),
  perObject: key(
    'prometheus.return_per_object_metrics',
    boolean,
    'false',
    'Give metrics of every queue, channel and connection at /metrics, too.',
    { effect: PROMETHEUS },
  ),
  authentication: key('prometheus.authentication.enabled', boolean, 'false', 'Ask for a user with the tag monitoring.', {
    effect: PROMETHEUS,
  }),
};

export const EVENT_EXCHANGE = {
  vhost: optionalKey('event_exchange.vhost', someText, 'Virtual host of amq.rabbitmq.event.', {
    effect: EVENTS,
    defaultText: 'default_vhost',
  }),
  protocol: key('event_exchange.protocol', oneOf('amqp_0_9_1', 'amqp_1_0'), 'amqp_0_9_1', 'Format of the events.', { effect: EVENTS }),
};

/** RabbitMQ's oldest form of the same settings. */
export const OLD_MANAGEMENT_LISTENER = {
  port: optionalKey(
    'management.listener.port',
    port,
    'The oldest name of management.tcp.port, or with management.listener.ssl of management.ssl.port.',
    { effect: MANAGEMENT },
  ),
  address: optionalKey('management.listener.ip', ipAddress, 'The address to it.', { effect: MANAGEMENT }),
  isTls: key('management.listener.ssl', boolean, 'false', 'Whether that listener has TLS.', { effect: MANAGEMENT }),
  tls: tlsKeys('management.listener.ssl_opts', MANAGEMENT),
};

const FIXED_HEADERS = 'this header is always sent, and strict';
const OAUTH = 'login by OAuth 2 does not exist';

export const MANAGEMENT_AREA: Area = {
  title: 'Management HTTP API and UI',
  introduction: '',
  keys: [
    MANAGEMENT_SERVER.enabled,
    MANAGEMENT_SERVER.tcpPort,
    MANAGEMENT_SERVER.tcpAddress,
    MANAGEMENT_SERVER.tlsPort,
    MANAGEMENT_SERVER.tlsAddress,
    ...Object.values(MANAGEMENT_SERVER.tls),
    ...MANAGEMENT_SERVER.ignored,
    ...Object.values(MANAGEMENT_KEYS),
    OLD_MANAGEMENT_LISTENER.port,
    OLD_MANAGEMENT_LISTENER.address,
    OLD_MANAGEMENT_LISTENER.isTls,
    ...Object.values(OLD_MANAGEMENT_LISTENER.tls),
    ignoredKey('management.listener.server.**', ONE_LIMIT),
    ignoredKey('management.listener.ssl_opts', 'its keys are set below it'),
    ignoredKey('management.headers.$name', FIXED_HEADERS),
    ignoredKey('management.http.hide_allow_header', FIXED_HEADERS),
    ignoredKey('management.db_cache_multiplier', 'answers are not cached'),
    ignoredKey('management.delegate_count', 'it tunes the Erlang runtime'),
    ignoredKey('management.restrictions.quorum_queue_replica_operations.disabled', 'replication does not exist'),
    ignoredKey('management.require_auth_for_api_reference', 'the description of the API has no secrets'),
    ignoredKey('management.credential_encryption_secret', 'the UI keeps no credentials'),
    ignoredKey('management.disable_basic_auth', OAUTH),
    ignoredKey('management.enable_uaa', OAUTH),
    ignoredKey('management.uaa_client_id', OAUTH),
    ignoredKey('management.uaa_location', OAUTH),
    ...[
      'enabled',
      'client_id',
      'client_secret',
      'provider_url',
      'scopes',
      'disable_basic_auth',
      'initiated_logon_type',
      'authorization_endpoint_params',
      'token_endpoint_params',
      'resource_servers',
      'metadata_url',
      'response_type',
    ].flatMap(name => [ignoredKey(`management.oauth_${name}`, OAUTH), ignoredKey(`management.oauth_${name}.**`, OAUTH)]),
    ignoredKey('management_agent.filter_aggregated_queue_metrics_pattern', 'aggregated metrics count every queue'),
    ignoredKey('collect_statistics', 'management.rates_mode decides'),
    ...Object.values(EVENT_EXCHANGE),
  ],
};

export const PROMETHEUS_AREA: Area = {
  title: 'Prometheus endpoint',
  introduction: '',
  keys: [
    PROMETHEUS_SERVER.enabled,
    PROMETHEUS_SERVER.tcpPort,
    PROMETHEUS_SERVER.tcpAddress,
    PROMETHEUS_SERVER.tlsPort,
    PROMETHEUS_SERVER.tlsAddress,
    ...Object.values(PROMETHEUS_SERVER.tls),
    ...PROMETHEUS_SERVER.ignored,
    ...Object.values(PROMETHEUS_KEYS),
    ignoredKey('prometheus.filter_aggregated_queue_metrics_pattern', 'aggregated metrics count every queue'),
  ],
};
