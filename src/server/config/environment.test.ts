import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnabledPlugins } from './enabled-plugins.ts';
import { load, refusal } from '../../../test/support/config-texts.ts';

const env = (variables: Record<string, string>) => load({ env: variables });

test('the default user is taken from RABBITMQ_DEFAULT_USER, _PASS and _VHOST', () => {
  const { config, warnings } = env({ RABBITMQ_DEFAULT_USER: 'app', RABBITMQ_DEFAULT_PASS: 'C4NARY #$(X)', RABBITMQ_DEFAULT_VHOST: 'shop' });
  assert.equal(config.defaults.user, 'app');
  assert.equal(config.defaults.password.reveal(), 'C4NARY #$(X)');
  assert.equal(config.defaults.vhost, 'shop');
  assert.deepEqual(config.loopbackUsers, ['guest']);
  assert.deepEqual(warnings, []);
});

test('an empty variable is the same as none', () => {
  const { config, warnings } = env({
    RABBITMQ_DEFAULT_USER: '',
    RABBITMQ_NODE_PORT: '',
    RABBITMQ_SSL_CERTFILE: '',
    RABBITMQ_WHATEVER: '',
    WARREN_DATA_DIR: '',
  });
  assert.equal(config.defaults.user, 'guest');
  assert.equal(config.listeners[0]?.port, 5672);
  assert.deepEqual(warnings, []);
});

test('RABBITMQ_NODE_PORT alone listens on every interface', () => {
  const [listener] = env({ RABBITMQ_NODE_PORT: '5673' }).config.listeners;
  assert.equal(listener?.host, null);
  assert.equal(listener?.port, 5673);
});

test('RABBITMQ_NODE_IP_ADDRESS is the one address to listen on', () => {
  const listen = (variables: Record<string, string>) => env(variables).config.listeners.map(listener => [listener.host, listener.port]);
  assert.deepEqual(listen({ RABBITMQ_NODE_IP_ADDRESS: '10.0.0.1' }), [['10.0.0.1', 5672]]);
  assert.deepEqual(listen({ RABBITMQ_NODE_IP_ADDRESS: '::1', RABBITMQ_NODE_PORT: '1' }), [['::1', 1]]);
  assert.deepEqual(listen({ RABBITMQ_NODE_IP_ADDRESS: 'auto' }), [[null, 5672]]);
});

test('a bad port or address is refused by the variable’s name', () => {
  assert.deepEqual(refusal({ env: { RABBITMQ_NODE_PORT: 'x', RABBITMQ_NODE_IP_ADDRESS: 'y' } }).problems, [
    'RABBITMQ_NODE_PORT = x: expected a port from 0 to 65535',
    'RABBITMQ_NODE_IP_ADDRESS = y: expected an IP address',
  ]);
});

test('the port that Kubernetes invents for a service named rabbitmq-node is explained', () => {
  assert.match(
    refusal({ env: { RABBITMQ_NODE_PORT: 'tcp://10.0.0.1:5672' } }).message,
    /Kubernetes sets it so for a service named rabbitmq-node/,
  );
});

test('the node is named after the host, without its domain unless names are long', () => {
  const nodeName = (variables: Record<string, string>, hostname: string) =>
    load({ env: variables, platform: { totalMemoryBytes: 1, hostname } }).config.nodeName;
  assert.equal(nodeName({}, 'box.example.com'), 'rabbit@box');
  assert.equal(nodeName({ RABBITMQ_USE_LONGNAME: 'true' }, 'box.example.com'), 'rabbit@box.example.com');
  assert.equal(nodeName({ RABBITMQ_NODENAME: 'hare@elsewhere' }, 'box'), 'hare@elsewhere');
  assert.equal(nodeName({ RABBITMQ_NODENAME: 'hare' }, 'box'), 'hare@box');
  assert.equal(nodeName({}, ''), 'rabbit@localhost');
  assert.equal(nodeName({}, 'böx/../x'), 'rabbit@b-x-');
});

test('a node name that is none is refused', () => {
  assert.deepEqual(refusal({ env: { RABBITMQ_NODENAME: 'a b@../x' } }).problems, [
    'RABBITMQ_NODENAME = a b@../x: expected a name such as rabbit@localhost',
  ]);
});

test('the cluster is named after the node unless it has a name', () => {
  assert.equal(env({ RABBITMQ_NODENAME: 'a@b' }).config.clusterName, 'a@b');
  assert.equal(load({ conf: 'cluster_name = c', env: { RABBITMQ_NODENAME: 'a@b' } }).config.clusterName, 'c');
});

test('the data directory is WARREN_DATA_DIR, RABBITMQ_MNESIA_DIR, or a directory of the node in RABBITMQ_MNESIA_BASE', () => {
  const all = { RABBITMQ_MNESIA_BASE: '/base', RABBITMQ_MNESIA_DIR: '/dir', WARREN_DATA_DIR: '/warren' };
  assert.equal(env(all).config.dataDir, '/warren');
  assert.equal(env({ ...all, WARREN_DATA_DIR: '' }).config.dataDir, '/dir');
  assert.equal(env({ RABBITMQ_MNESIA_BASE: '/base' }).config.dataDir, '/base/rabbit@localhost');
  assert.equal(env({}).config.dataDir, './data');
});

test('the pid file and the advertised product can be set', () => {
  const { config } = env({ RABBITMQ_PID_FILE: '/run/r.pid', RABBITMQ_PRODUCT_NAME: 'P', RABBITMQ_PRODUCT_VERSION: '4.1.0' });
  assert.equal(config.pidFile, '/run/r.pid');
  assert.deepEqual(config.product, { name: 'P', version: '4.1.0' });
});

test('RABBITMQ_LOGS is the console or a file, and goes before the configuration file', () => {
  const conf = 'log.file = /var/log/x.log\nlog.file.level = debug';
  const console = load({ conf, env: { RABBITMQ_LOGS: '-' } }).config.log;
  assert.equal(console.file, null);
  assert.equal(console.console?.stream, 'stdout');
  const stderr = load({ conf, env: { RABBITMQ_LOGS: '-stderr' } }).config.log;
  assert.equal(stderr.console?.stream, 'stderr');
  const file = load({ conf, env: { RABBITMQ_LOGS: '/var/log/y.log' } }).config.log;
  assert.equal(file.file?.path, '/var/log/y.log');
  assert.equal(file.file.level, 'debug');
  assert.equal(file.console, null);
  assert.notEqual(load({ conf: 'log.console = true', env: { RABBITMQ_LOGS: '/y' } }).config.log.console, null);
  assert.deepEqual(load({ env: { RABBITMQ_LOGS: 'syslog:' } }).warnings, [
    'RABBITMQ_LOGS = syslog: has no effect: the log goes to the console or a file',
  ]);
});

test('RABBITMQ_LOG_BASE is the directory of a log file with a relative name', () => {
  assert.equal(load({ conf: 'log.file = x.log', env: { RABBITMQ_LOG_BASE: '/logs' } }).config.log.file?.path, '/logs/x.log');
});

test('RABBITMQ_LOG sets levels and the format', () => {
  const { log } = env({ RABBITMQ_LOG: 'debug,connection=error,+json,-color,+single_line' }).config;
  assert.deepEqual(log.console, { level: 'debug', format: 'json', stream: 'stdout', useColors: false });
  assert.deepEqual(log.categories, [{ category: 'connection', level: 'error' }]);
  assert.equal(log.file, null);
  assert.deepEqual(refusal({ env: { RABBITMQ_LOG: 'loud,??' } }).problems, [
    "RABBITMQ_LOG: ??: expected a level (info), a category's level (connection=debug), +json or +color",
    'RABBITMQ_LOG: log.console.level = loud: expected one of debug, info, notice, warning, error, critical, alert, emergency, none',
  ]);
});

test('a variable of RabbitMQ without effect gives a warning with a reason, and never its value', () => {
  const { warnings } = env({
    RABBITMQ_USERNAME: 'u',
    RABBITMQ_PASSWORD: 'C4NARY',
    RABBITMQ_ERLANG_COOKIE: 'C4NARY',
    RABBITMQ_SURPRISE: 'C4NARY',
    WARREN_DATADIR: '/x',
  });
  assert.deepEqual(warnings, [
    'RABBITMQ_ERLANG_COOKIE has no effect: a broker is one node, and needs no cookie',
    'RABBITMQ_PASSWORD has no effect: the variables of the default user are RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS',
    'RABBITMQ_SURPRISE has no effect: WarrenMQ knows no such variable',
    'RABBITMQ_USERNAME has no effect: the variables of the default user are RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS',
    'WARREN_DATADIR has no effect: WarrenMQ knows no such variable',
  ]);
});

test('what Kubernetes and Docker set for a service named rabbitmq is passed over', () => {
  const { config, warnings } = env({
    RABBITMQ_SERVICE_HOST: '10.0.0.1',
    RABBITMQ_SERVICE_PORT: '5672',
    RABBITMQ_SERVICE_PORT_AMQP: '5672',
    RABBITMQ_PORT: 'tcp://10.0.0.1:5672',
    RABBITMQ_PORT_5672_TCP: 'tcp://10.0.0.1:5672',
    RABBITMQ_PORT_5672_TCP_ADDR: '10.0.0.1',
    RABBITMQ_PORT_5672_TCP_PORT: '5672',
    RABBITMQ_PORT_5672_TCP_PROTO: 'tcp',
    RABBITMQ_SSL_SERVICE_HOST: '10.0.0.2',
    RABBITMQ_SSL_PORT: 'tcp://10.0.0.2:5671',
    RABBITMQ_NAME: '/app/rabbitmq',
    RABBITMQ_ENV_RABBITMQ_VERSION: '3.13',
  });
  assert.deepEqual(warnings, []);
  assert.equal(config.listeners[0]?.port, 5672);
});

test('variables that RabbitMQ’s image refuses are refused, with the key to use', () => {
  const error = refusal({
    env: {
      RABBITMQ_SSL_CERTFILE: '/c',
      RABBITMQ_MANAGEMENT_SSL_FAIL_IF_NO_PEER_CERT: 'true',
      RABBITMQ_DEFAULT_PASS_FILE: '/run/secrets/pass',
      RABBITMQ_VM_MEMORY_HIGH_WATERMARK: '0.4',
    },
  });
  assert.equal(error.exitCode, 78);
  assert.deepEqual(error.problems, [
    'error: RABBITMQ_DEFAULT_PASS_FILE is set but deprecated; the key in the configuration file is default_pass',
    'error: RABBITMQ_MANAGEMENT_SSL_FAIL_IF_NO_PEER_CERT is set but deprecated; the key in the configuration file is management.ssl.fail_if_no_peer_cert',
    'error: RABBITMQ_SSL_CERTFILE is set but deprecated; the key in the configuration file is ssl_options.certfile',
    'error: RABBITMQ_VM_MEMORY_HIGH_WATERMARK is set but deprecated; the key in the configuration file is vm_memory_high_watermark.relative',
    'error: deprecated environment variables detected',
    'Please use a configuration file instead; see docs/guides/configuration.md',
  ]);
});

test('advanced.config is not read, and said to be so', () => {
  const [named] = env({ RABBITMQ_ADVANCED_CONFIG_FILE: '/x/advanced.config' }).warnings;
  assert.match(named ?? '', /^RABBITMQ_ADVANCED_CONFIG_FILE has no effect: WarrenMQ does not read advanced\.config/);
  const [found] = load({ files: { '/etc/rabbitmq/advanced.config': '[].' } }).warnings;
  assert.match(found ?? '', /^\/etc\/rabbitmq\/advanced\.config has no effect/);
  assert.deepEqual(load({ conf: '', files: { '/etc/rabbitmq/advanced.config': '[].' } }).warnings, []);
});

test('members of Object are no variables', () => {
  const { config } = load({ conf: "cluster_name = 'x'", env: Object.create({ RABBITMQ_NODENAME: 'a@b' }) as Record<string, string> });
  assert.equal(config.nodeName, 'rabbit@localhost');
  assert.deepEqual(refusal({ conf: 'cluster_name = $(constructor)' }).problems, [
    'rabbitmq.conf:1: cluster_name: the environment variable constructor is not set',
  ]);
});

test('an enabled_plugins file is read', () => {
  assert.deepEqual(parseEnabledPlugins('[rabbitmq_management,rabbitmq_mqtt].\n'), ['rabbitmq_management', 'rabbitmq_mqtt']);
  assert.deepEqual(parseEnabledPlugins("%% mine\n[ 'rabbitmq_stomp' , % that\n  rabbitmq_top ] ."), ['rabbitmq_stomp', 'rabbitmq_top']);
  assert.deepEqual(parseEnabledPlugins('[].'), []);
  for (const wrong of ['', 'rabbitmq_mqtt', '[a', '[{a,b}].', 'x'.repeat(100_000)])
    assert.equal(parseEnabledPlugins(wrong), null, wrong.slice(0, 20));
});

test('plugins are named by a file, or by RABBITMQ_ENABLED_PLUGINS', () => {
  const files = { '/etc/rabbitmq/enabled_plugins': '[rabbitmq_mqtt].', '/p': '[rabbitmq_stomp].', '/q': 'nonsense' };
  assert.deepEqual(load({ files }).config.enabledPlugins, ['rabbitmq_mqtt']);
  assert.equal(load({ files, conf: '' }).config.enabledPlugins, null);
  assert.deepEqual(load({ files, env: { RABBITMQ_ENABLED_PLUGINS_FILE: '/p' } }).config.enabledPlugins, ['rabbitmq_stomp']);
  assert.deepEqual(load({ files, env: { RABBITMQ_ENABLED_PLUGINS: 'rabbitmq_web_mqtt, NONE' } }).config.enabledPlugins, [
    'rabbitmq_web_mqtt',
  ]);
  assert.equal(load({ files, env: { RABBITMQ_ENABLED_PLUGINS_FILE: '/none' } }).config.enabledPlugins, null);
  assert.deepEqual(load({ files, env: { RABBITMQ_ENABLED_PLUGINS_FILE: '/q' } }).warnings, [
    '/q: not read: expected a list of plugins such as [rabbitmq_management,rabbitmq_mqtt].',
  ]);
});

test('an enabled protocol plugin listens on its usual port', () => {
  const { config } = env({ RABBITMQ_ENABLED_PLUGINS: 'rabbitmq_mqtt,rabbitmq_stomp,rabbitmq_web_mqtt,rabbitmq_web_stomp,rabbitmq_stream' });
  const ports = [
    config.mqtt.listeners,
    config.stomp.listeners,
    config.mqtt.webSocket.listeners,
    config.stomp.webSocket.listeners,
    config.stream.listeners,
  ].map(listeners => listeners.map(listener => [listener.host, listener.port]));
  assert.deepEqual(ports, [
    [['127.0.0.1', 1883]],
    [['127.0.0.1', 61613]],
    [['127.0.0.1', 15675]],
    [['127.0.0.1', 15674]],
    [['127.0.0.1', 5552]],
  ]);
});
