// What warrenctl does to a running broker, beyond what the recording of RabbitMQ's tools has.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { allCommands } from '../../../src/cli/commands/registry.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { exchangeDeclare, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import { temporaryDirectory, WarrenProcess } from '../../support/warren-process.ts';
import { Cli } from './cli.ts';

const conf =
  'management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = 0\nlisteners.tcp.1 = 127.0.0.1:0\nprometheus.tcp.port = 0\nlog.file = broker.log\n';

interface Setting {
  readonly warren: WarrenProcess;
  readonly cli: Cli;
  readonly httpPort: number;
}

async function start(t: TestContext): Promise<Setting> {
  const directory = temporaryDirectory(t);
  const warren = await WarrenProcess.start(t, { conf: `${conf}log.console = true\nlog.dir = ${directory}\n` });
  const [, port] = await warren.logged(/Management plugin: HTTP \(non-TLS\) listener started on port (\d+)/);
  return { warren, cli: new Cli(directory, { WARREN_DATA_DIR: String(warren.dataDir) }), httpPort: Number(port) };
}

async function lines(cli: Cli, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await cli.ctl('-q', ...args);
  assert.equal(`${code}${stderr}`, '0', args.join(' '));
  return stdout.split('\n').filter(line => line !== '');
}

test('stop_app takes no more clients and ends those there are, start_app serves again on the same port', async t => {
  const { warren, cli } = await start(t);
  const client = await AmqpDriver.connect({ port: warren.port });
  const { port } = warren;
  await lines(cli, 'stop_app');
  const close = await client.expectConnectionClose();
  assert.equal(close.replyCode, 320);
  client.destroy();
  await assert.rejects(AmqpDriver.connect({ port }));
  assert.equal((await cli.run('rabbitmq-diagnostics', ['-q', 'check_running'])).code, 69);
  assert.equal((await cli.ctl('check_port_connectivity')).code, 69);
  await lines(cli, 'start_app');
  assert.equal((await cli.run('rabbitmq-diagnostics', ['-q', 'check_running'])).code, 0);
  const again = await AmqpDriver.connect({ port });
  again.destroy();
});

// [RabbitMQ Java client: server tests, MessageRecovery, which take the two commands for a restart]
test('stop_app leaves what a restart would leave of queues, exchanges and bindings', async t => {
  const { warren, cli } = await start(t);
  const client = await AmqpDriver.connect({ port: warren.port });
  await client.openChannel(1);
  for (const durable of [true, false]) {
    const name = durable ? 'durable' : 'transient';
    await client.call(queueDeclare(1, { queue: name, durable }), methods.QueueDeclareOk);
    await client.call(exchangeDeclare(1, { exchange: name, type: 'fanout', durable }), methods.ExchangeDeclareOk);
    await client.call(queueBind(1, { queue: name, exchange: 'durable' }), methods.QueueBindOk);
  }
  for (const command of ['stop_app', 'start_app']) await lines(cli, command);
  assert.deepEqual(await lines(cli, 'list_queues', 'name'), ['name', 'durable']);
  const exchanges = (await lines(cli, 'list_exchanges', 'name')).filter(name => !name.startsWith('amq.') && name !== '');
  assert.deepEqual(exchanges, ['name', 'durable']);
  const bindings = await lines(cli, 'list_bindings', 'source_name', 'destination_name');
  assert.deepEqual(
    bindings.filter(line => line.startsWith('durable')),
    ['durable\tdurable'],
  );
  client.destroy();
});

test('reset wants stop_app first, and leaves a broker as new', async t => {
  const { warren, cli } = await start(t);
  await lines(cli, 'add_user', 'alice', 'pw');
  await lines(cli, 'add_vhost', 'shop');
  await lines(cli, 'enable_vhost_deletion_protection', 'shop');
  await lines(cli, 'set_policy', 'p', '.*', '{"max-length":5}');
  const refused = await cli.ctl('reset');
  assert.equal(refused.code, 64);
  assert.match(refused.stderr, /^Error: this command requires the 'rabbit' app to be stopped/);
  for (const command of ['stop_app', 'reset', 'start_app']) await lines(cli, command);
  assert.deepEqual(await lines(cli, 'list_users'), ['user\ttags', 'guest\t[administrator]']);
  assert.deepEqual(await lines(cli, 'list_vhosts'), ['name', '/']);
  assert.deepEqual(await lines(cli, 'list_policies'), []);
  await warren.stop();
  assert.equal((await warren.exited).code, 0);
});

test('listeners are suspended and resumed; connections there are stay', async t => {
  const { warren, cli } = await start(t);
  const client = await AmqpDriver.connect({ port: warren.port });
  await lines(cli, 'suspend_listeners');
  await assert.rejects(AmqpDriver.connect({ port: warren.port }));
  await client.openChannel(1);
  await lines(cli, 'resume_listeners');
  const second = await AmqpDriver.connect({ port: warren.port });
  second.destroy();
  await lines(cli, 'upgrade', 'drain');
  assert.equal((await client.expectConnectionClose()).replyCode, 320);
  client.destroy();
  await lines(cli, 'upgrade', 'revive');
});

test('log levels change at run time, of all and of one category; the log is shown', async t => {
  const { warren, cli } = await start(t);
  await lines(cli, 'set_log_level', 'connection', 'debug');
  assert.ok((await lines(cli, 'list_log_levels')).includes('category\tconnection\tdebug'));
  await lines(cli, 'set_log_level', 'error');
  assert.ok((await lines(cli, 'list_log_levels')).includes('output\tconsole\terror'));
  await lines(cli, 'set_log_level', 'info');
  await lines(cli, 'rotate_logs');
  await warren.logged(/Log files are open anew/);
  const tail = await lines(cli, 'log_tail', '-N', '1');
  assert.equal(tail.length, 1);
  assert.match(tail[0] as string, /^\d{4}-\d\d-\d\d .* \[info\] <0\.\d+\.0> /);
  const bad = await cli.ctl('set_log_level', 'nocategory', 'debug');
  assert.match(bad.stderr, /category nocategory is not supported/);
  assert.equal(bad.code, 69);
  assert.match((await lines(cli, 'log_location'))[0] ?? '', /broker\.log$/);
});

test('memory watermark and disk limit move, and alarms are told', async t => {
  const { warren, cli } = await start(t);
  assert.match((await lines(cli, 'diagnostics', 'alarms'))[0] as string, /reported no alarms/);
  await lines(cli, 'set_vm_memory_high_watermark', 'absolute', '1MiB');
  await warren.logged(/vm_memory_high_watermark set/);
  assert.match((await lines(cli, 'list_alarms'))[0] as string, /^Memory alarm on node /);
  assert.equal((await cli.run('rabbitmq-diagnostics', ['check_local_alarms'])).code, 69);
  const status = JSON.parse((await lines(cli, 'status', '--formatter', 'json')).join('\n')) as Record<string, unknown>;
  assert.equal(status['vm_memory_high_watermark_limit'], 1_048_576);
  assert.deepEqual(status['alarms'], ['memory']);
  await lines(cli, 'set_vm_memory_high_watermark', '0.9');
  await warren.logged(/vm_memory_high_watermark clear/);
  await lines(cli, 'set_disk_free_limit', '5000TiB');
  assert.match((await lines(cli, 'alarms'))[0] as string, /^Free disk space alarm/);
  await lines(cli, 'set_disk_free_limit', 'mem_relative', '0.001');
  assert.equal((await cli.ctl('-q', 'check_alarms')).code, 0);
});

test('messages are published, browsed, moved, redriven and deleted', async t => {
  const { cli } = await start(t);
  const definitions = {
    queues: [
      {
        name: 'orders',
        vhost: '/',
        durable: true,
        auto_delete: false,
        arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'failed', 'x-message-ttl': 0 },
      },
      { name: 'failed', vhost: '/', durable: true, auto_delete: false, arguments: {} },
      { name: 'spare', vhost: '/', durable: true, auto_delete: false, arguments: {} },
    ],
  };
  const imported = await cli.run('warrenctl', ['import_definitions'], JSON.stringify(definitions));
  assert.equal(imported.code, 0, imported.stderr);
  await lines(cli, 'publish', 'orders', 'one');
  await lines(cli, 'publish', 'failed', 'two', '--headers', '{"n":1}');
  assert.equal((await cli.ctl('publish', 'nowhere', 'x')).code, 65);
  const browsed = JSON.parse((await lines(cli, 'browse_messages', 'failed', '--formatter', 'json')).join('\n')) as {
    id: string;
    payload: string;
  }[];
  assert.deepEqual(
    browsed.map(({ payload }) => payload),
    ['one', 'two'],
  );
  assert.match((await lines(cli, 'browse_messages', 'failed', '--search', 'two'))[1] as string, /\ttwo$/);
  assert.deepEqual(await lines(cli, 'redrive_messages', 'failed', '--dry-run'), ['queue\twould_be_moved', 'orders\t1']);
  assert.deepEqual(await lines(cli, 'move_messages', 'failed', 'spare', '--dry-run'), ['2 messages would be moved']);
  assert.deepEqual(await lines(cli, 'move_messages', 'failed', 'spare', '--id', browsed[1]?.id as string), ['Moved 1 messages']);
  // Its time to live is over at once there: it comes back. That it does not go round for ever is what is shown here, too.
  await lines(cli, 'redrive_messages', 'failed', '--count', '1');
  assert.deepEqual(await lines(cli, 'list_queues', 'name', 'messages'), ['name\tmessages', 'failed\t1', 'orders\t0', 'spare\t1']);
  const [spare] = JSON.parse((await lines(cli, 'browse_messages', 'spare', '--formatter', 'json')).join('\n')) as { id: string }[];
  await lines(cli, 'delete_message', 'spare', spare?.id as string);
  assert.equal((await cli.ctl('delete_message', 'spare', spare?.id as string)).code, 65);
  assert.match((await lines(cli, 'explain_routing', '', 'spare'))[0] as string, /^Queues: spare$/);
  assert.deepEqual(await lines(cli, 'pause_queue', 'failed'), []);
  assert.deepEqual(await lines(cli, 'list_queues', 'name', 'state'), [
    'name\tstate',
    'failed\tpaused',
    'orders\trunning',
    'spare\trunning',
  ]);
  assert.deepEqual(await lines(cli, 'resume_queue', 'failed'), []);
  assert.equal((await cli.ctl('pause_queue', 'none')).code, 65);
  assert.deepEqual(await lines(cli, 'change_queue_shape', 'failed', '--type', 'stream'), ['It is a stream queue with 1 messages']);
  const plain = ['change_queue_shape', 'failed', '--arguments', '{"x-max-length": 9}'];
  assert.deepEqual(await lines(cli, ...plain), ['It is a classic queue with 1 messages']);
  assert.equal((await cli.ctl('change_queue_shape', 'failed', '--arguments', '[]')).code, 65);
  assert.equal((await cli.ctl('change_queue_shape', 'none')).code, 65);
  assert.deepEqual(await lines(cli, 'purge_queue', 'failed'), []);
});

test('messages that wait for their time are listed, hurried and cancelled', async t => {
  const { cli } = await start(t);
  const queues = [{ name: 'orders', vhost: '/', durable: true, auto_delete: false, arguments: { 'x-retry-delays': '1h' } }];
  const exchanges = [
    {
      name: 'later',
      vhost: '/',
      type: 'x-delayed-message',
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: { 'x-delayed-type': 'fanout' },
    },
  ];
  const imported = await cli.run('warrenctl', ['import_definitions'], JSON.stringify({ queues, exchanges }));
  assert.equal(imported.code, 0, imported.stderr);
  for (const payload of ['one', 'two'])
    await lines(cli, 'publish', 'k', payload, '--exchange', 'later', '--headers', '{"x-delay":3600000}');
  const held = JSON.parse((await lines(cli, 'list_scheduled_messages', '--exchange', 'later', '--formatter', 'json')).join('\n')) as {
    id: string;
    payload: string;
  }[];
  assert.deepEqual(
    held.map(({ payload }) => payload),
    ['one', 'two'],
  );
  const table = await lines(cli, 'list_scheduled_messages', '--exchange', 'later', '--offset', '1');
  assert.equal(table[0], 'id\tdeliver_at\tremaining_seconds\tretry_count\trouting_key\tpayload_bytes\tpayload');
  assert.match(String(table[1]), /^2\t\d{4}-.*Z\t3600\t\tk\t3\ttwo$/);
  await lines(cli, 'deliver_scheduled_message', '2', '--exchange', 'later', '--after', '7200');
  await lines(cli, 'cancel_scheduled_message', '1', '--exchange', 'later');
  assert.match(String((await lines(cli, 'list_scheduled_messages', '--exchange', 'later'))[1]), /^2\t.*\t7200\t/);
  assert.deepEqual(await lines(cli, 'list_scheduled_messages', '--queue', 'orders'), []);
  const gone = await cli.ctl('cancel_scheduled_message', '1', '--exchange', 'later');
  assert.equal(gone.code, 65);
  assert.match(gone.stderr, /no message 1 waits in exchange 'later' in vhost '\/'/);
  assert.equal((await cli.ctl('list_scheduled_messages', '--queue', 'orders', '--count', '501')).code, 65);
  for (const wrong of [[], ['--queue', 'orders', '--exchange', 'later']])
    assert.equal((await cli.ctl('list_scheduled_messages', ...wrong)).code, 64, wrong.join(' '));
  assert.equal((await cli.ctl('list_scheduled_messages', '--queue', 'nowhere')).code, 65);
});

test('the HTTP API is used with a URL and credentials, and only with the right ones', async t => {
  const { cli, httpPort } = await start(t);
  const url = `http://127.0.0.1:${httpPort}`;
  assert.equal((await cli.ctl('--url', url, '-q', 'list_vhosts')).stdout, 'name\n/\n');
  assert.equal((await cli.ctl('--url', `http://guest:guest@127.0.0.1:${httpPort}`, '-q', 'ping')).code, 0);
  const wrong = await cli.ctl('--url', url, '--username', 'guest', '--password', 'no', 'list_vhosts');
  assert.equal(wrong.code, 65);
  assert.match(wrong.stderr, /refused the user name and password/);
  await lines(cli, 'add_user', 'plain', 'pw');
  assert.notEqual((await cli.ctl('--url', url, '--username', 'plain', '--password', 'pw', 'list_users')).code, 0);
  assert.equal((await cli.ctl('--url', url, 'shutdown')).code, 69);
  assert.equal((await cli.ctl('--url', 'ftp://x', 'ping')).code, 64);
});

test('without a broker the exit code is 69 and it says how to name one', async t => {
  const directory = temporaryDirectory(t);
  const cli = new Cli(directory, { WARREN_DATA_DIR: join(directory, 'none') });
  const { code, stderr } = await cli.run('rabbitmqctl', ['list_queues']);
  assert.equal(code, 69);
  assert.match(stderr, /^Error: unable to perform an operation: no broker with data directory .*none answers/);
  assert.match(stderr, /--data-dir/);
});

test('a data directory that cannot be entered is told like a broker that does not answer', async t => {
  const cli = new Cli(temporaryDirectory(t), { WARREN_DATA_DIR: '/etc/passwd' });
  const { code, stderr } = await cli.run('rabbitmqctl', ['list_queues']);
  assert.equal(code, 69);
  assert.match(stderr, /^Error: unable to perform an operation: no broker with data directory .*ENOTDIR/);
});

test('definitions go out to a file of the owner only, and come back', async t => {
  const { cli } = await start(t);
  const file = join(temporaryDirectory(t), 'definitions.json');
  await lines(cli, 'add_vhost', 'shop');
  await lines(cli, 'export_definitions', file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await lines(cli, 'delete_vhost', 'shop');
  await lines(cli, 'import_definitions', file);
  assert.deepEqual(await lines(cli, 'list_vhosts'), ['name', '/', 'shop']);
  assert.deepEqual(JSON.parse((await lines(cli, 'export_definitions', '-')).join('\n')), JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(file, '{');
  assert.equal((await cli.ctl('import_definitions', file)).code, 65);
});

test('plugins: what is built in is enabled, what is not is told', async t => {
  const { cli } = await start(t);
  assert.match((await lines(cli, 'plugins', 'list', '-e', '-m')).join('\n'), /^rabbitmq_management$/m);
  assert.equal((await cli.run('rabbitmq-plugins', ['enable', 'rabbitmq_management'])).code, 0);
  assert.equal((await cli.run('rabbitmq-plugins', ['enable', 'rabbitmq_shovel'])).code, 69);
  assert.equal((await cli.run('rabbitmq-plugins', ['enable', 'nosuch'])).code, 70);
  assert.equal((await cli.run('rabbitmq-plugins', ['disable', 'rabbitmq_management'])).code, 0);
  assert.equal((await cli.run('rabbitmq-plugins', ['is_enabled', 'rabbitmq_shovel'])).code, 69);
  assert.equal((await cli.run('rabbitmq-plugins', ['set', 'rabbitmq_prometheus'])).code, 0);
});

test('plugins enabled offline are in the file that the broker reads at its start', async t => {
  const file = join(temporaryDirectory(t), 'etc', 'enabled_plugins');
  const cli = new Cli(temporaryDirectory(t), { RABBITMQ_ENABLED_PLUGINS_FILE: file, WARREN_DATA_DIR: '/nonexistent' });
  const plugins = async (...args: string[]): Promise<string> => {
    assert.equal((await cli.run('rabbitmq-plugins', args)).code, 0);
    return readFileSync(file, 'utf8');
  };
  assert.equal(await plugins('enable', '--offline', 'rabbitmq_stomp', 'rabbitmq_management'), '[rabbitmq_management,rabbitmq_stomp].\n');
  assert.equal(await plugins('enable', '--offline', 'rabbitmq_mqtt'), '[rabbitmq_management,rabbitmq_mqtt,rabbitmq_stomp].\n');
  assert.equal(await plugins('disable', '--offline', 'rabbitmq_stomp'), '[rabbitmq_management,rabbitmq_mqtt].\n');
  assert.equal(await plugins('set', '--offline', 'rabbitmq_web_mqtt'), '[rabbitmq_web_mqtt].\n');
  assert.equal((await cli.run('rabbitmq-plugins', ['enable', '--offline', 'nosuch'])).code, 70);
});

test('the environment shows the settings in effect, and no secret', async t => {
  const { cli } = await start(t);
  const settings = await lines(cli, 'environment');
  assert.ok(settings.includes('limits.heartbeatSeconds = 60'));
  assert.ok(settings.includes('defaults.password = ***'));
});

test('completion gives commands, columns and options', async t => {
  const cli = new Cli(temporaryDirectory(t), {});
  const words = async (...args: string[]): Promise<string[]> =>
    (await cli.run('rabbitmqctl', ['autocomplete', ...args])).stdout.trim().split('\n');
  assert.deepEqual(await words('list_que'), ['list_queues']);
  assert.deepEqual(await words('--', 'list_queues', 'messages_un'), ['messages_unacknowledged', 'messages_unacknowledged_ram']);
  assert.deepEqual(await words('--', 'set_policy', '--app'), ['--apply-to']);
  assert.deepEqual(await words('--', '-q', 'list_queues', '--formatter', 'js'), ['json', 'json_stream']);
  for (const shell of ['bash', 'zsh', 'fish']) assert.match((await cli.ctl('completion', shell)).stdout, /autocomplete/);
});

test('--watch shows the listing again and again until it is stopped', async t => {
  const { cli } = await start(t);
  const result = await cli.runUntil('warrenctl', ['-q', 'list_vhosts', '--watch', '0.1'], text => text.split('name\n/').length > 3);
  assert.match(result, /name\n\/\nname\n\/\n/);
  assert.equal((await cli.ctl('list_vhosts', '--watch', '0')).code, 65);
});

for (const command of ['stop', 'shutdown']) {
  test(`${command} ends the broker in an orderly way and returns when it is gone`, async t => {
    const { warren, cli } = await start(t);
    await lines(cli, command);
    assert.throws(() => process.kill(warren.child.pid as number, 0));
    assert.deepEqual(await warren.exited, { code: 0, signal: null });
    assert.equal((await cli.ctl(command)).code, 69);
  });
}

/** Commands that need no more than to be asked, with what they must say. */
const asked: readonly (readonly [line: string, code: number, pattern: RegExp])[] = [
  ['ctl await_startup', 0, /^$/],
  ['ctl wait --pid PID', 0, /Applications are up/],
  ['ctl hash_password secret', 0, /^[A-Za-z0-9+/]{40,}={0,2}$/m],
  ['ctl set_permissions_globally guest .* .* .*', 0, /all virtual hosts/],
  ['ctl set_vhost_tags / a b', 0, /\[a, b\]/],
  ['ctl update_vhost_metadata / --description main', 0, /Updating/],
  ['ctl disable_vhost_deletion_protection /', 0, /No longer protecting/],
  ['ctl list_deprecated_features', 0, /Listing/],
  ['ctl list_amqp10_connections', 0, /AMQP 1\.0/],
  ['ctl list_mqtt_connections', 0, /MQTT/],
  ['ctl list_stomp_connections', 0, /STOMP/],
  ['ctl list_stream_connections', 0, /stream connections/],
  ['ctl list_stream_consumers', 0, /stream consumers/],
  ['ctl list_stream_publishers', 0, /stream publishers/],
  ['ctl list_connections name state', 0, /Listing connections/],
  ['ctl cluster_status', 0, /Disk Nodes[\s\S]*Listeners[\s\S]*Feature flags/],
  ['ctl status', 0, /Runtime[\s\S]*Memory[\s\S]*Listeners/],
  ['ctl report', 0, /Reporting server status[\s\S]*Listing queues/],
  ['ctl force_gc', 0, /full sweep GC/],
  ['ctl force_reset', 64, /to be stopped/],
  ['ctl node_health_check', 0, /Health check passed/],
  ['ctl list_node_auth_attempt_stats', 0, /protocol\tauth_attempts/],
  ['ctl eval 1+1.', 69, /no code to evaluate/],
  ['ctl eval_file x', 69, /does not run on Erlang/],
  ['ctl exec x', 69, /does not run on Erlang/],
  ['ctl join_cluster rabbit@other', 69, /A broker is one node/],
  ['ctl await_online_nodes 2', 69, /there is one node/],
  ['diagnostics observer', 69, /warrenctl top/],
  ['diagnostics memory_breakdown --unit mb', 0, / mb \(/],
  ['diagnostics memory_breakdown --unit pints', 65, /not supported/],
  ['diagnostics listeners', 0, /protocol: amqp, purpose: AMQP 0-9-1/],
  ['diagnostics server_version', 0, /^\d+\.\d+\.\d+$/m],
  ['diagnostics os_env', 0, /WARREN_DATA_DIR=/],
  ['diagnostics command_line_arguments', 0, /dataDir = /],
  ['diagnostics list_network_interfaces', 0, /127\.0\.0\.1/],
  ['diagnostics resolve_hostname localhost', 0, /127\.0\.0\.1/],
  ['diagnostics resolve_hostname no.such.invalid', 69, /could not resolve/],
  ['diagnostics cipher_suites', 0, /ECDHE-RSA-AES256-GCM-SHA384/],
  ['diagnostics tls_versions', 0, /tlsv1\.3/],
  ['diagnostics certificates', 0, /No TLS listener/],
  ['diagnostics check_port_connectivity', 0, /Successfully connected/],
  ['diagnostics quorum_status nosuch', 69, /not_found/],
  ['streams stream_status nosuch', 69, /not_found/],
  ['diagnostics reset_node_auth_attempt_metrics', 0, /Reset/],
  ['diagnostics log_tail_stream --duration 1', 0, /Streaming/],
  ['upgrade post_upgrade', 0, /nothing to do/],
  ['plugins directories', 0, /built in/],
];

test('every other command answers', async t => {
  const { cli, warren } = await start(t);
  for (const [line, code, pattern] of asked) {
    const [tool = '', ...args] = line.replace('PID', String(warren.pid)).split(' ');
    const result = await cli.run(tool === 'ctl' ? 'rabbitmqctl' : `rabbitmq-${tool}`, args);
    assert.equal(result.code, code, `${line}: ${result.stdout}${result.stderr}`);
    assert.match(result.stdout + result.stderr, pattern, line);
  }
});

test('what needs no broker answers without one', async t => {
  const cli = new Cli(temporaryDirectory(t), { WARREN_DATA_DIR: '/nonexistent' });
  const { explained } = await import('../../../src/cli/commands/explained.ts');
  for (const { name, tools, arity } of explained) {
    const result = await cli.run(tools[0] as string, [name, ...Array.from({ length: arity[0] }, () => 'x')]);
    assert.ok(result.code === 0 || result.code === 69, name);
    assert.match(result.stdout + result.stderr, /\.\n$/, name);
  }
});

test('every command is run by a test', async () => {
  const here = new URL('.', import.meta.url);
  const texts = [
    readFileSync(new URL('commands.test.ts', here), 'utf8'),
    readFileSync(new URL('live.test.ts', here), 'utf8'),
    readFileSync(new URL('recorded/rabbitmqctl-3.10.8.json', here), 'utf8'),
  ].join('\n');
  const { explained } = await import('../../../src/cli/commands/explained.ts');
  const isRun = ({ name }: { name: string }): boolean => new RegExp(`[ '"\`]${name}[ '"\`\\\\]`).test(texts);
  assert.deepEqual(
    allCommands.filter(command => !explained.includes(command) && !isRun(command)).map(({ name }) => name),
    [],
  );
});
