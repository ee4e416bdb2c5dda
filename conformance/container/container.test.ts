// The image, built and run by a container engine as its users run RabbitMQ's.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../test/support/amqp-driver.ts';
import { queueDeclare } from '../../test/support/amqp-requests.ts';
import { conformanceRoot } from '../support/install.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Container, Engine, engineHere } from './engine.ts';

const root = dirname(conformanceRoot);
const docker = join(root, 'packaging', 'docker');
const image = process.env['CONTAINER_IMAGE'] ?? 'localhost/warrenmq-conformance';
const engine = engineHere();

/** Builds the image, unless CONTAINER_IMAGE names one; returns why it cannot be built here. */
function reasonWithoutImage(): string | null {
  if (typeof engine === 'string') return engine;
  if (process.env['CONTAINER_IMAGE'] !== undefined) return null;
  const base = 'node:24-bookworm-slim';
  if (engine.run('image', 'inspect', base).code !== 0 && engine.run('pull', base).code !== 0)
    return `the base image ${base} cannot be had here`;
  // The format of Docker keeps health checks; Docker itself knows no other.
  const format = engine.run('build', '--help').output.includes('--format') ? ['--format', 'docker'] : [];
  engine.must('build', ...format, '-f', join(docker, 'Dockerfile'), '-t', image, root);
  return null;
}

const reason = reasonWithoutImage();
const published = ['-p', '127.0.0.1::5672', '-p', '127.0.0.1::15672'];

async function started(t: TestContext, options: readonly string[]): Promise<Container> {
  assert.ok(engine instanceof Engine);
  const container = engine.start(t, image, [...published, ...options]);
  await waitUntil(`the broker to start:\n${container.log()}`, () => container.log().includes('Server startup complete'), 30_000);
  return container;
}

function connect(container: Container, user: string, password: string, vhost = '/'): Promise<AmqpDriver> {
  return AmqpDriver.connect({ port: container.port(5672), user, password, vhost });
}

function directoryWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'warren-container-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text, { mode: 0o644 });
  return directory;
}

describe('the image', { skip: reason ?? false }, () => {
  test('starts with the variables of RabbitMQ, serves as nobody but rabbitmq, is healthy, ends when it is told to and keeps its data', async t => {
    const container = await started(t, [
      ...['-e', 'RABBITMQ_DEFAULT_USER=shop', '-e', 'RABBITMQ_DEFAULT_PASS=secret', '-e', 'RABBITMQ_DEFAULT_VHOST=orders'],
    ]);
    const client = await connect(container, 'shop', 'secret', 'orders');
    await client.openChannel(1);
    await client.call(queueDeclare(1, { queue: 'kept', durable: true }), methods.QueueDeclareOk);
    client.destroy();
    const whoami = await fetch(`http://127.0.0.1:${container.port(15672)}/api/whoami`, {
      headers: { authorization: `Basic ${btoa('shop:secret')}` },
    });
    assert.equal(whoami.status, 200);
    assert.match(container.exec('cat', '/proc/1/status').output, /^Uid:\t999\t999\t999\t999$/m);
    assert.match(container.exec('cat', '/proc/1/status').output, /^CapEff:\t0+$/m);
    assert.deepEqual(container.exec('rabbitmq-diagnostics', '-q', 'ping'), { code: 0, output: 'Ping succeeded\n' });
    assert.match(container.inspect('{{json .Config.Healthcheck}}'), /rabbitmq-diagnostics/);
    assert.equal(container.exec('rabbitmqctl', '-q', 'add_user', 'other', 'pw').code, 0);
    container.stop();
    assert.equal(container.inspect('{{.State.ExitCode}}'), '0');
    assert.match(container.log(), /SIGTERM received - shutting down[\s\S]*WarrenMQ has stopped/);
    container.restart();
    await waitUntil('the queue to be there again', () =>
      container.exec('rabbitmqctl', '-q', '-p', 'orders', 'list_queues', 'name').output.includes('kept'),
    );
    assert.match(container.exec('rabbitmqctl', '-q', 'list_users').output, /^other\t/m);
  });

  test('takes rabbitmq.conf and definitions.json from where they are mounted, as in the compose file', async t => {
    const example = join(docker, 'example');
    const container = await started(t, [
      ...['-v', `${join(example, 'rabbitmq.conf')}:/etc/rabbitmq/rabbitmq.conf:ro`],
      ...['-v', `${join(example, 'definitions.json')}:/etc/rabbitmq/definitions.json:ro`],
    ]);
    (await connect(container, 'shop', 'change-me')).destroy();
    assert.equal(container.exec('rabbitmqctl', '-q', 'list_queues', 'name').output, 'name\norders\norders.failed\n');
    await assert.rejects(connect(container, 'guest', 'guest'));
  });

  test('runs as any user, without capabilities, on a file system that is only read', async t => {
    for (const options of [
      ['--user', '1000:1000'],
      ['--user', '4711:0', '--cap-drop', 'ALL', '--read-only', '--tmpfs', '/tmp'],
    ]) {
      const container = await started(t, options);
      (await connect(container, 'guest', 'guest')).destroy();
      assert.equal(container.exec('rabbitmqctl', '-q', 'list_vhosts').output, 'name\n/\n');
      container.stop();
      assert.equal(container.inspect('{{.State.ExitCode}}'), '0');
    }
  });

  test('a mistake in rabbitmq.conf ends it with a line that names the key', async t => {
    assert.ok(engine instanceof Engine);
    const directory = directoryWith(t, { 'rabbitmq.conf': 'listeners.tcp.default = many\n' });
    const container = engine.start(t, image, ['-v', `${join(directory, 'rabbitmq.conf')}:/etc/rabbitmq/rabbitmq.conf:ro`]);
    await waitUntil('it to end', () => container.inspect('{{.State.Running}}') === 'false');
    assert.notEqual(container.inspect('{{.State.ExitCode}}'), '0');
    assert.match(container.log(), /listeners\.tcp\.default/);
  });

  test('any other command is run in place of the broker', () => {
    assert.ok(engine instanceof Engine);
    const options = (process.env['CONTAINER_RUN_OPTIONS'] ?? '').split(' ').filter(word => word !== '');
    assert.match(engine.must('run', '--rm', ...options, image, 'rabbitmqctl', 'version'), /^\d+\.\d+\.\d+/);
  });
});
