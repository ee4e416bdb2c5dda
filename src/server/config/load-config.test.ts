import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { CERTIFICATES, configOf as of, load, problemsOf, refusal, TLS, warningsOf } from '../../../test/support/config-texts.ts';
import { assertLinear } from '../../../test/support/growth.ts';

test('the command line goes before the environment, the environment before the file, the file before the default', () => {
  const conf = 'warren.data_dir = /file\nlisteners.tcp.default = 5001\ndefault_user = file';
  const env = { WARREN_DATA_DIR: '/env', RABBITMQ_NODE_PORT: '5002', RABBITMQ_DEFAULT_USER: 'env' };
  const argv = ['--data-dir', '/argv', '--port', '5003'];
  const facts = (texts: Parameters<typeof load>[0]) => {
    const { config } = load(texts);
    return [config.dataDir, config.listeners[0]?.port, config.defaults.user];
  };
  assert.deepEqual(facts({}), ['./data', 5672, 'guest']);
  assert.deepEqual(facts({ conf }), ['/file', 5001, 'file']);
  assert.deepEqual(facts({ conf, env }), ['/env', 5002, 'env']);
  assert.deepEqual(facts({ conf, env, argv }), ['/argv', 5003, 'env']);
  assert.deepEqual(facts({ conf, env, argv: ['--in-memory'] }), [null, 5002, 'env']);
});

test('--print-url is passed on', () => {
  assert.equal(load({ argv: ['--print-url'] }).config.printUrl, true);
  assert.equal(load({}).config.printUrl, false);
});

test('an unknown key is refused with file and line, and a suggestion', () => {
  const error = refusal({ conf: '# x\n\nlisners.tcp.default = 5672' });
  assert.equal(error.exitCode, 78);
  assert.equal(
    error.message,
    'rabbitmq.conf:3: Conf file attempted to set unknown variable: lisners.tcp.default. Did you mean listeners.tcp.default?',
  );
});

test('an unknown key that resembles none is refused without a suggestion', () => {
  assert.deepEqual(problemsOf('my.own.thing = 1'), ['1: Conf file attempted to set unknown variable: my.own.thing']);
});

test('every unknown key and bad value is reported at once', () => {
  assert.deepEqual(problemsOf('hartbeat = 60\nframe_max = huge\nchannel_max = -1\noops'), [
    '4: syntax error: expected "key = value", found "oops"',
    '1: Conf file attempted to set unknown variable: hartbeat. Did you mean heartbeat?',
    '2: frame_max = huge: expected bytes from 0 to 2147483647, such as 2147483647 or 128KB (of 1024s)',
    '3: channel_max = -1: expected an integer from 0 to 65535',
  ]);
});

const BAD_VALUES: readonly [line: string, expected: string][] = [
  ['heartbeat = 1m', 'heartbeat = 1m: expected an integer from 0 to 65535'],
  [
    'listeners.tcp.a = localhost:5672',
    'listeners.tcp.a = localhost:5672: expected a port, or an address and a port such as 127.0.0.1:5672, ::1:5672 or unix:/run/warren.sock:0',
  ],
  ['listeners.tcp = all', 'listeners.tcp = all: expected none'],
  ['ssl_options.verify = maybe', 'ssl_options.verify = maybe: expected one of verify_none, verify_peer'],
  ['loopback_users.guest = none', 'loopback_users.guest = none: expected true or false'],
  ['connection_max = many', 'connection_max = many: expected an integer, 0 or more, or infinity'],
  [
    'max_message_size = 536870913',
    'max_message_size = 536870913: expected bytes, such as 1073741824, 50MB (of 1000s) or 1GiB (of 1024s), at most 536870912',
  ],
  [
    'consumer_timeout = 0',
    'consumer_timeout = 0: expected milliseconds, 1 or more, or a time with units such as 10s or 1h30m, or infinity',
  ],
  ['vm_memory_high_watermark.relative = 40%', 'vm_memory_high_watermark.relative = 40%: expected a number, 0 or more, such as 0.6'],
  [
    'disk_free_limit.absolute = 50 MB',
    'disk_free_limit.absolute = 50 MB: expected bytes, such as 1073741824, 50MB (of 1000s) or 1GiB (of 1024s)',
  ],
  [
    'log.console.level = verbose',
    'log.console.level = verbose: expected one of debug, info, notice, warning, error, critical, alert, emergency, none',
  ],
  [
    'log.file.rotation.date = daily',
    "log.file.rotation.date = daily: expected times in RabbitMQ's notation, such as $D0 for every midnight",
  ],
  ['management.tcp.ip = localhost', 'management.tcp.ip = localhost: expected an IP address'],
  [
    'warren.proxy_protocol_sources = 10.0.0.0/8, lb',
    'warren.proxy_protocol_sources = 10.0.0.0/8, lb: expected a list, separated by commas, each an IP address or a block such as 10.0.0.0/8',
  ],
  ["default_user = ''", 'default_user = : expected text (not empty)'],
];

for (const [line, expected] of BAD_VALUES) {
  test(`"${line}" is refused with key, value and what is expected`, () => assert.deepEqual(problemsOf(line), [`1: ${expected}`]));
}

test('an encrypted value is refused with what to do, and is not shown', () => {
  const [problem = ''] = problemsOf('default_pass = encrypted:C4NARY+x==');
  assert.match(
    problem,
    /^1: default_pass: encrypted values are not supported by WarrenMQ; use an environment variable, default_pass = \$\(NAME\), or/,
  );
  assert.doesNotMatch(problem, /C4NARY/);
});

test('a key of RabbitMQ without effect gives a warning with the reason, whatever its value', () => {
  assert.deepEqual(
    warningsOf(
      'cluster_partition_handling = whatever\nnum_acceptors.tcp = 10\nqueue_index_embed_msgs_below = 4kb\nauth_ldap.servers.1 = x',
    ),
    [
      '1: cluster_partition_handling has no effect: a broker is one node',
      '2: num_acceptors.tcp has no effect: connections are accepted by one event loop',
      '3: queue_index_embed_msgs_below has no effect: WarrenMQ stores messages in its own way',
      '4: auth_ldap.servers.1 has no effect: users and permissions are internal; auth_backends refuses any other',
    ],
  );
});

test('a key set twice in one file has its last value, with a warning', () => {
  const { config, warnings } = load({ conf: 'heartbeat = 1\nheartbeat = 2' });
  assert.equal(config.limits.heartbeatSeconds, 2);
  assert.deepEqual(warnings, ['rabbitmq.conf:2: heartbeat was set in line 1 already; this value counts']);
});

test('a key’s other names set it, and the main name goes before them', () => {
  assert.equal(of('max_connections = 7').limits.connectionMax, 7);
  assert.equal(of('connection_max = 5\nmax_connections = 7').limits.connectionMax, 5);
  assert.equal(of('max_connections = 7\nconnection_max = 5').limits.connectionMax, 5);
  assert.equal(of('max_channels_per_connection = 9').limits.channelMax, 9);
  assert.equal(of('queue_max = 3').limits.queueMax, 3);
  assert.equal(of('product.version = 4.0.1').product.version, '4.0.1');
});

test('the configuration is frozen to its leaves', () => {
  const config = of(`${TLS}listeners.ssl.a = 5671\ncluster_tags.a = b`, CERTIFICATES);
  const open: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) open.push(path);
    for (const [name, member] of Object.entries(value)) visit(member, `${path}.${name}`);
  };
  visit(config, 'config');
  assert.deepEqual(open, []);
});

test('no way of printing the configuration shows a password', () => {
  const conf = `default_pass = C4NARY1
anonymous_login_pass = C4NARY2
default_users.a.password = C4NARY3
stomp.default_user = s
stomp.default_pass = C4NARY4
mqtt.allow_anonymous = true
mqtt.default_user = m
mqtt.default_pass = C4NARY5
ssl_options.password = C4NARY6
management.ssl.certfile = /tls/cert.pem
management.ssl.keyfile = /tls/key.pem
management.ssl.password = C4NARY7
${TLS}`;
  const loaded = load({ conf, files: CERTIFICATES });
  assert.doesNotMatch(JSON.stringify(loaded) + inspect(loaded, { depth: null, showHidden: true }), /C4NARY/);
});

test('tags named like members of objects are only names', () => {
  const config = of(
    'cluster_tags.__proto__ = x\nnode_tags.constructor = y\nloopback_users.__proto__ = true\ndefault_users.__proto__.read = z',
  );
  assert.deepEqual(config.clusterTags, [{ name: '__proto__', value: 'x' }]);
  assert.deepEqual(config.nodeTags, [{ name: 'constructor', value: 'y' }]);
  assert.deepEqual(config.loopbackUsers, ['guest', '__proto__']);
  assert.equal(config.defaults.vhostUsers[0]?.name, '__proto__');
  assert.equal(({} as { read?: string }).read, undefined);
  assert.deepEqual(problemsOf('__proto__.polluted = 1\nconstructor.prototype.x = 1'), [
    '1: Conf file attempted to set unknown variable: __proto__.polluted',
    '2: Conf file attempted to set unknown variable: constructor.prototype.x',
  ]);
});

test('a hostile file of unknown keys is refused in linear time with a bounded message', () => {
  const confOf = (words: number): string =>
    Array.from({ length: 90 }, (_, n) => `${`unknown_key_${n}.`.repeat(words)}x = ${'y'.repeat(1000)}`).join('\n');
  assertLinear('long keys', 300, words => void refusal({ conf: confOf(words) }));
  const error = refusal({ conf: confOf(300) });
  assert.ok(error.message.length < 10_000, `${error.message.length}`);
  assert.match(error.message, /\.\.\. and 65 more$/);
});

test('a file of many repeated and ignored keys gives a bounded number of warnings', () => {
  const { warnings } = load({ conf: 'num_acceptors.tcp = 1\n'.repeat(100_000) });
  assert.equal(warnings.length, 501);
});

test('a family of many members is read in linear time', () => {
  assertLinear('members', 20_000, size => {
    const conf = Array.from({ length: size }, (_, n) => `cluster_tags.t${n} = ${n}`).join('\n');
    assert.equal(of(conf).clusterTags.length, size);
  });
});

test('random texts are read or refused, never anything else', () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return seed % below;
  };
  const pieces = [
    'listeners.tcp',
    '.',
    'default',
    ' = ',
    '=',
    "'",
    "'''",
    '#',
    '\n',
    '\r\n',
    '\t',
    '$(',
    ')',
    'x',
    '5672',
    'none',
    '\\.',
    'include ',
    '/',
    '*',
    '\u0000',
    'é',
    '[',
    'heartbeat',
    'true',
    'encrypted:',
    '__proto__',
  ];
  for (let round = 0; round < 3000; round++) {
    const conf = Array.from({ length: random(30) }, () => pieces[random(pieces.length)] ?? '').join('');
    try {
      load({ conf });
    } catch (error) {
      assert.equal((error as Error).name, 'ConfigError', JSON.stringify(conf));
    }
  }
});
