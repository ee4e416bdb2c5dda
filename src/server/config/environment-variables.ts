// The environment variables that RabbitMQ, its container image and WarrenMQ know, and what becomes of each.

export interface EnvironmentVariable {
  readonly name: string;
  /** The key it sets; null if environment.ts does something else with it. */
  readonly key: string | null;
  /** One sentence for the reference. */
  readonly description: string;
}

/** Variables with an effect. Where two set one key, the later one counts. */
export const VARIABLES: readonly EnvironmentVariable[] = [
  { name: 'RABBITMQ_DEFAULT_USER', key: 'default_user', description: 'User made when the broker starts without any data.' },
  { name: 'RABBITMQ_DEFAULT_PASS', key: 'default_pass', description: "That user's password." },
  { name: 'RABBITMQ_DEFAULT_VHOST', key: 'default_vhost', description: 'Virtual host made when the broker starts without any data.' },
  {
    name: 'RABBITMQ_NODE_PORT',
    key: null,
    description:
      'Port of the one plain AMQP listener, in place of `listeners.tcp`; on every interface unless RABBITMQ_NODE_IP_ADDRESS says otherwise.',
  },
  { name: 'RABBITMQ_NODE_IP_ADDRESS', key: null, description: 'Address of that listener.' },
  {
    name: 'RABBITMQ_NODENAME',
    key: null,
    description: 'Name of the node, `rabbit@HOSTNAME` by default (the host without its domain, unless RABBITMQ_USE_LONGNAME is true).',
  },
  { name: 'RABBITMQ_USE_LONGNAME', key: null, description: "true: the host in the node's name keeps its domain." },
  {
    name: 'RABBITMQ_CONFIG_FILE',
    key: null,
    description: 'Configuration file in place of /etc/rabbitmq/rabbitmq.conf; `.conf` may be left out.',
  },
  {
    name: 'RABBITMQ_CONFIG_FILES',
    key: null,
    description: 'Directory of further files (or a pattern, `dir/*.conf`) in place of /etc/rabbitmq/conf.d.',
  },
  { name: 'RABBITMQ_ADVANCED_CONFIG_FILE', key: null, description: 'advanced.config is not supported: setting this gives a warning.' },
  {
    name: 'RABBITMQ_MNESIA_BASE',
    key: null,
    description: 'Directory below which the data directory is, under the name of the node.',
  },
  { name: 'RABBITMQ_MNESIA_DIR', key: 'warren.data_dir', description: 'Data directory.' },
  {
    name: 'WARREN_DATA_DIR',
    key: 'warren.data_dir',
    description: 'Data directory; goes before RABBITMQ_MNESIA_DIR and RABBITMQ_MNESIA_BASE.',
  },
  {
    name: 'WARREN_LISTEN_ADDRESS',
    key: 'warren.default_listen_address',
    description: 'Where listeners listen that nothing configures: an address, or any. The container image sets any.',
  },
  {
    name: 'RABBITMQ_LOGS',
    key: null,
    description: '`-` logs to standard output only, `-stderr` to standard error only, anything else to that file only.',
  },
  { name: 'RABBITMQ_LOG_BASE', key: 'log.dir', description: 'Directory of log files.' },
  { name: 'RABBITMQ_LOG', key: null, description: 'Levels and format of the log, such as `debug`, `info,connection=debug` or `+json`.' },
  { name: 'RABBITMQ_PID_FILE', key: null, description: 'A further file for the process id, besides warren.pid in the data directory.' },
  {
    name: 'RABBITMQ_ENABLED_PLUGINS_FILE',
    key: null,
    description:
      'File with a list of plugins, in place of /etc/rabbitmq/enabled_plugins; naming a protocol there opens its usual listener.',
  },
  { name: 'RABBITMQ_ENABLED_PLUGINS', key: null, description: 'That list itself, separated by commas.' },
  { name: 'RABBITMQ_PRODUCT_NAME', key: 'product.name', description: '`product` in the server properties.' },
  { name: 'RABBITMQ_PRODUCT_VERSION', key: 'warren.product_version', description: '`version` in the server properties.' },
  {
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    key: 'warren.opentelemetry.endpoint',
    description: 'Address of an OpenTelemetry collector: spans of messages go there.',
  },
  { name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', key: 'warren.opentelemetry.endpoint', description: 'The same, for spans alone.' },
  {
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    key: 'warren.opentelemetry.headers',
    description: 'Headers for the collector, `name=value,name=value`.',
  },
  { name: 'OTEL_SERVICE_NAME', key: 'warren.opentelemetry.service_name', description: 'What spans call this broker.' },
  { name: 'OTEL_RESOURCE_ATTRIBUTES', key: 'warren.opentelemetry.resource_attributes', description: 'Further facts that spans carry.' },
  {
    name: 'OTEL_TRACES_SAMPLER_ARG',
    key: 'warren.opentelemetry.sampling_ratio',
    description: 'Which part of the messages without a parent is traced.',
  },
  { name: 'OTEL_SDK_DISABLED', key: 'warren.opentelemetry.disabled', description: 'true: there are no spans, whatever else is set.' },
];

const ERLANG = 'WarrenMQ does not run on Erlang';

/** Variables without effect for which there is more to say than that. */
export const WITHOUT_EFFECT = new Map([
  ['RABBITMQ_USERNAME', 'the variables of the default user are RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS'],
  ['RABBITMQ_PASSWORD', 'the variables of the default user are RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS'],
  ['RABBITMQ_USER', 'the variables of the default user are RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS'],
  ['RABBITMQ_PASS', 'the variables of the default user are RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS'],
  ['RABBITMQ_VHOST', 'the variable of the default virtual host is RABBITMQ_DEFAULT_VHOST'],
  ['RABBITMQ_DEFAULT_USER_TAGS', 'tags are given in the configuration file, default_user_tags.administrator = true'],
  ['RABBITMQ_DEFAULT_PERMISSIONS', 'permissions are given in the configuration file, default_permissions.configure = .*'],
  ['RABBITMQ_ERLANG_COOKIE', 'a broker is one node, and needs no cookie'],
  ['RABBITMQ_NODE_TYPE', 'a broker is one node'],
  ['RABBITMQ_CONF_ENV_FILE', "set the variables themselves; rabbitmq-env.conf is a script of RabbitMQ's launcher"],
  ['RABBITMQ_SERVER_ERL_ARGS', ERLANG],
  ['RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS', ERLANG],
  ['RABBITMQ_SERVER_START_ARGS', ERLANG],
  ['RABBITMQ_CTL_ERL_ARGS', ERLANG],
  ['RABBITMQ_DIST_PORT', ERLANG],
  ['RABBITMQ_DISTRIBUTION_BUFFER_SIZE', ERLANG],
  ['RABBITMQ_IO_THREAD_POOL_SIZE', ERLANG],
  ['RABBITMQ_FEATURE_FLAGS', 'WarrenMQ has no feature flags'],
  ['RABBITMQ_FEATURE_FLAGS_FILE', 'WarrenMQ has no feature flags'],
  ['RABBITMQ_PLUGINS_DIR', 'plugins of RabbitMQ do not run here'],
  ['RABBITMQ_PLUGINS_EXPAND_DIR', 'plugins of RabbitMQ do not run here'],
  ['RABBITMQ_DATA_DIR', 'the data directory is WARREN_DATA_DIR, or RABBITMQ_MNESIA_DIR'],
  ['RABBITMQ_HOME', ERLANG],
  ['RABBITMQ_VERSION', 'the version that clients see is RABBITMQ_PRODUCT_VERSION'],
]);

/** Variables of other parts of WarrenMQ. */
export const OF_OTHER_PROGRAMS = /^WARREN_(URL|USER|PASSWORD|NODE|API|CTL)/;

/** What RabbitMQ's container image refuses, and the keys that took their place. */
export const DEPRECATED: readonly (readonly [pattern: RegExp, key: (name: string) => string])[] = [
  [/^RABBITMQ_DEFAULT_(PASS|USER)_FILE$/, name => (name.includes('PASS') ? 'default_pass' : 'default_user')],
  [/^RABBITMQ_SSL_/, name => `ssl_options.${name.slice('RABBITMQ_SSL_'.length).toLowerCase()}`],
  [/^RABBITMQ_MANAGEMENT_SSL_/, name => `management.ssl.${name.slice('RABBITMQ_MANAGEMENT_SSL_'.length).toLowerCase()}`],
  [/^RABBITMQ_VM_MEMORY_HIGH_WATERMARK$/, () => 'vm_memory_high_watermark.relative'],
];

/** What Kubernetes and Docker set in every container for a service whose name begins with "rabbitmq"; no one means the broker with it. */
export const SERVICE_LINK =
  /^RABBITMQ_(.+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP)(_(ADDR|PORT|PROTO))?|NAME|ENV_[A-Za-z0-9_]+)$/;
