// What the container image does, without a container: its entry point, its links and its example, from the checkout.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { temporaryDirectory } from '../../support/warren-process.ts';

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const docker = join(root, 'packaging', 'docker');

interface Container {
  readonly env: NodeJS.ProcessEnv;
  readonly bin: string;
  output(): string;
  stop(): Promise<number | null>;
}

/** Runs the entry point as a user who is not root, with the image's variables on directories of the test's own. */
async function startContainer(t: TestContext, variables: Readonly<Record<string, string>>, conf: string): Promise<Container> {
  const directory = temporaryDirectory(t);
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  execFileSync(join(docker, 'link-commands.sh'), [join(root, 'bin'), bin]);
  // Whoever runs the tests as root is not to become another user, who may not read the checkout.
  writeFileSync(join(bin, 'id'), '#!/bin/sh\necho 1000\n');
  chmodSync(join(bin, 'id'), 0o755);
  writeFileSync(join(directory, 'rabbitmq.conf'), conf);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(RABBITMQ|WARREN|NODE)_/.test(name));
  const env = {
    ...Object.fromEntries(inherited),
    PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    WARREN_DATA_DIR: join(directory, 'warren'),
    WARREN_LISTEN_ADDRESS: 'any',
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: directory,
    ...variables,
  };
  const child = spawn(join(docker, 'docker-entrypoint.sh'), ['rabbitmq-server'], { env, stdio: 'pipe', timeout: 60_000 });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'close');
  t.after(() => child.kill('SIGKILL'));
  await waitUntil(() => output.includes('Server startup complete'), { timeoutMillis: 20_000, message: () => output });
  return {
    env,
    bin,
    output: () => output,
    async stop() {
      child.kill('SIGTERM');
      return (await ended)[0] as number | null;
    },
  };
}

const ports = 'management.tcp.port = 0\nprometheus.tcp.port = 0\n';

function portOf(output: string): number {
  return Number(/started TCP listener on \S*:(\d+)/.exec(output)?.[1]);
}

test('the entry point starts the broker on every interface, with the variables of the image, and passes the end on', async t => {
  const container = await startContainer(
    t,
    { RABBITMQ_DEFAULT_USER: 'shop', RABBITMQ_DEFAULT_PASS: 'secret', RABBITMQ_DEFAULT_VHOST: 'orders' },
    `${ports}listeners.tcp.1 = 0\n`,
  );
  const client = await AmqpDriver.connect({ port: portOf(container.output()), user: 'shop', password: 'secret', vhost: 'orders' });
  client.destroy();
  const run = (name: string, ...args: string[]): string =>
    execFileSync(join(container.bin, name), args, { env: container.env, encoding: 'utf8' });
  // The health check of people's compose files.
  assert.equal(run('rabbitmq-diagnostics', '-q', 'ping'), 'Ping succeeded\n');
  assert.equal(run('rabbitmq-diagnostics', '-q', 'check_running').includes('running'), true);
  assert.match(run('rabbitmqctl', 'list_users'), /shop\t\[administrator\]/);
  assert.match(run('rabbitmqctl', '-n', 'rabbit@rabbitmq', 'status'), /Runtime/);
  assert.equal(await container.stop(), 0);
  assert.throws(() => run('rabbitmq-diagnostics', '-q', 'ping'));
});

test('the example of the compose file is a configuration that works', async t => {
  const example = readFileSync(join(docker, 'example', 'rabbitmq.conf'), 'utf8').replace(
    '/etc/rabbitmq/definitions.json',
    join(docker, 'example', 'definitions.json'),
  );
  const defaults = readFileSync(join(docker, '10-defaults.conf'), 'utf8');
  const container = await startContainer(t, {}, `${example}${defaults}${ports}listeners.tcp.1 = 0\n`);
  const client = await AmqpDriver.connect({ port: portOf(container.output()), user: 'shop', password: 'change-me' });
  client.destroy();
  const list = execFileSync(join(container.bin, 'rabbitmqctl'), ['-q', 'list_queues', 'name', 'policy'], {
    env: container.env,
    encoding: 'utf8',
  });
  assert.equal(list, 'name\tpolicy\norders\tdead-letters\norders.failed\t\n');
  assert.equal(await container.stop(), 0);
});

test('any other command is run as it is', () => {
  assert.equal(execFileSync(join(docker, 'docker-entrypoint.sh'), ['echo', 'a b'], { encoding: 'utf8' }), 'a b\n');
});

test('the image has what it copies, and the links that scripts in it use', () => {
  const file = readFileSync(join(docker, 'Dockerfile'), 'utf8');
  const links = readFileSync(join(docker, 'link-commands.sh'), 'utf8');
  for (const [, sources = ''] of file.matchAll(/^COPY (?!--from)(?:--\S+ )?(.*) \S+$/gm)) {
    for (const source of sources.split(' ')) assert.doesNotThrow(() => execFileSync('test', ['-e', join(root, source)]), source);
  }
  for (const name of ['rabbitmq-server', 'rabbitmqctl', 'rabbitmq-diagnostics', 'rabbitmq-plugins']) assert.ok(links.includes(name));
  assert.doesNotMatch(file, /^USER root/m);
});
