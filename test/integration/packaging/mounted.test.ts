// Files mounted where RabbitMQ's image has them: the entry point runs in a mount namespace in which /etc/rabbitmq and /var/lib/rabbitmq are a
// container's.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { MqttDriver } from '../../support/mqtt-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { temporaryDirectory } from '../../support/warren-process.ts';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const docker = join(root, 'packaging', 'docker');

/** Options of unshare that this machine allows: root needs no user namespace, others may be given one. */
function namespaceOptions(): string[] | null {
  for (const options of [['--mount'], ['--mount', '--map-root-user']]) {
    const tried = spawnSync('unshare', [...options, 'mount', '--bind', '/tmp', '/mnt'], { stdio: 'ignore' });
    if (tried.status === 0) return options;
  }
  return null;
}

const options = namespaceOptions();
const skip = options === null ? 'mount namespaces are not allowed here' : false;

/** What a machine's /etc has that programs look for. */
const systemFiles = ['passwd', 'group', 'hosts', 'resolv.conf', 'nsswitch.conf', 'ld.so.cache', 'localtime'];

interface Container {
  output(): string;
  portOf(what: string): number;
  /** Runs one of the image's commands beside the broker. */
  run(name: string, ...args: string[]): string;
  stop(): Promise<number | null>;
}

/** `files` are what is mounted, by path below /etc/rabbitmq. */
async function start(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>> = {},
): Promise<Container> {
  const directory = temporaryDirectory(t);
  const [etc, lib, bin] = [join(directory, 'etc'), join(directory, 'lib'), join(directory, 'bin')];
  for (const made of [join(etc, 'rabbitmq', 'conf.d'), join(lib, 'rabbitmq'), bin]) mkdirSync(made, { recursive: true });
  for (const name of systemFiles) if (existsSync(join('/etc', name))) copyFileSync(join('/etc', name), join(etc, name));
  copyFileSync(join(docker, '10-defaults.conf'), join(etc, 'rabbitmq', 'conf.d', '10-defaults.conf'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(etc, 'rabbitmq', name), text);
  execFileSync(join(docker, 'link-commands.sh'), [join(root, 'bin'), bin]);
  // Root is not to become another user, who may not read the checkout.
  writeFileSync(join(bin, 'id'), '#!/bin/sh\necho 1000\n');
  chmodSync(join(bin, 'id'), 0o755);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(RABBITMQ|WARREN|NODE)_/.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: '/var/lib/rabbitmq',
    WARREN_DATA_DIR: '/var/lib/rabbitmq/warren',
    WARREN_LISTEN_ADDRESS: 'any',
    ...variables,
  };
  const inside = `mount --bind '${etc}' /etc && mount --bind '${lib}' /var/lib && exec "$@"`;
  const entered = (command: readonly string[]): string[] => [...(options ?? []), 'sh', '-c', inside, 'sh', ...command];
  const child = spawn('unshare', entered([join(docker, 'docker-entrypoint.sh'), 'rabbitmq-server']), { env, stdio: 'pipe' });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close');
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  await waitUntil(() => output.includes('Server startup complete') || child.exitCode !== null, {
    timeoutMillis: 20_000,
    message: () => output,
  });
  assert.equal(child.exitCode, null, output);
  return {
    output: () => output,
    portOf: what => Number(new RegExp(`started ${what} listener on \\S*:(\\d+)`).exec(output)?.[1] ?? assert.fail(output)),
    run: (name, ...args) => execFileSync('unshare', entered([name, ...args]), { env, encoding: 'utf8' }),
    async stop() {
      child.kill('SIGTERM');
      return (await ended)[0] as number | null;
    },
  };
}

const ports = 'listeners.tcp.1 = 0\nmanagement.tcp.port = 0\nprometheus.tcp.port = 0\nmqtt.listeners.tcp.1 = 0\n';

test('rabbitmq.conf, conf.d and enabled_plugins are read where the image has them, and the variables make the first user', {
  skip,
}, async t => {
  const container = await start(
    t,
    {
      'rabbitmq.conf': `${ports}heartbeat = 33\nchannel_max = 100\n`,
      'conf.d/20-mine.conf': 'channel_max = 77\n',
      enabled_plugins: '[rabbitmq_management,rabbitmq_prometheus,rabbitmq_mqtt].\n',
    },
    { RABBITMQ_DEFAULT_USER: 'shop', RABBITMQ_DEFAULT_PASS: 'secret', RABBITMQ_DEFAULT_VHOST: 'orders', RABBITMQ_NODENAME: 'rabbit@shop' },
  );
  const client = await AmqpDriver.connect({ port: container.portOf('TCP'), user: 'shop', password: 'secret', vhost: 'orders' });
  assert.equal(client.offered.heartbeat, 33);
  assert.equal(client.offered.channelMax, 77, 'files of conf.d come after rabbitmq.conf');
  client.destroy();
  await assert.rejects(AmqpDriver.connect({ port: container.portOf('TCP') }), 'guest is not made beside another first user');
  const mqtt = await MqttDriver.connect(container.portOf('MQTT TCP'), { username: 'orders:shop', password: 'secret' });
  mqtt.destroy();
  assert.equal(container.run('rabbitmq-diagnostics', '-q', 'ping'), 'Ping succeeded\n');
  assert.match(container.run('rabbitmqctl', '-q', 'list_vhosts'), /^orders$/m);
  assert.match(container.run('rabbitmqctl', 'status'), /rabbit@shop/);
  assert.match(container.run('rabbitmq-plugins', 'list', '-E', '-m'), /^rabbitmq_mqtt$/m);
  assert.doesNotMatch(container.output(), /has no effect/);
  assert.equal(await container.stop(), 0);
});

test('the example of the compose file runs as it is, with the paths in it', { skip }, async t => {
  const example = (name: string): string => readFileSync(join(docker, 'example', name), 'utf8');
  const container = await start(t, {
    'rabbitmq.conf': example('rabbitmq.conf'),
    'definitions.json': example('definitions.json'),
    'conf.d/90-ports.conf': ports,
  });
  const client = await AmqpDriver.connect({ port: container.portOf('TCP'), user: 'shop', password: 'change-me' });
  client.destroy();
  assert.match(container.run('rabbitmqctl', '-q', 'list_queues', 'name'), /^orders\.failed$/m);
  assert.equal(await container.stop(), 0);
});

test('the compose file says what the image has', { skip: existsSync('/usr/bin/python3') ? false : 'needs Python to read YAML' }, t => {
  const read = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
  const parsed = spawnSync('/usr/bin/python3', ['-c', read, join(docker, 'example', 'docker-compose.yml')], { encoding: 'utf8' });
  if (parsed.status !== 0) {
    assert.match(parsed.stderr, /No module named 'yaml'/);
    t.skip('needs python3-yaml');
    return;
  }
  const { services, volumes } = JSON.parse(parsed.stdout) as {
    services: Record<
      string,
      { image: string; build: { context: string; dockerfile: string }; ports: string[]; volumes: string[]; healthcheck: { test: string } }
    >;
    volumes: Record<string, unknown>;
  };
  const service = services['rabbitmq'] ?? assert.fail('no service rabbitmq');
  const image = readFileSync(join(docker, 'Dockerfile'), 'utf8');
  assert.ok(existsSync(join(docker, 'example', service.build.context, service.build.dockerfile)));
  const exposed = /^EXPOSE (.*)$/m.exec(image)?.[1]?.split(' ') ?? [];
  for (const mapping of service.ports) assert.ok(exposed.includes(mapping.split(':').at(-1) ?? ''), mapping);
  for (const volume of service.volumes) {
    const [source = '', target = ''] = volume.split(':');
    assert.ok(source.startsWith('./') ? existsSync(join(docker, 'example', source)) : Object.hasOwn(volumes, source), volume);
    assert.match(target, /^\/(etc|var\/lib)\/rabbitmq/);
  }
  assert.equal(service.healthcheck.test, 'rabbitmq-diagnostics -q ping');
});

test('systemd takes the unit, and finds it well shut in', { skip: existsSync('/usr/bin/systemd-analyze') ? false : 'needs systemd' }, t => {
  const unit = join(temporaryDirectory(t), 'warrenmq.service');
  const text = readFileSync(join(root, 'packaging', 'systemd', 'warrenmq.service'), 'utf8');
  writeFileSync(unit, text.replaceAll('/usr/local/bin/', `${join(root, 'bin')}/`));
  const verified = spawnSync('/usr/bin/systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  assert.deepEqual([verified.status, verified.stderr], [0, '']);
  const found = spawnSync('/usr/bin/systemd-analyze', ['security', '--offline=true', '--no-pager', unit], { encoding: 'utf8' });
  const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(found.stdout)?.[1]);
  assert.ok(exposure <= 2.5, `exposure ${exposure}`);
});
