// What operators search the log for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import { Broker } from '../../../src/index.ts';
import type { Logger } from '../../../src/core/ports/logger.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Runs against a broker and returns its log of connections and channels, with ports as P. */
async function logOf(run: (broker: Broker) => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const note =
    (level: string) =>
    (category: string, text: string): void => {
      if (category === 'connection' || category === 'channel') lines.push(`[${level}] ${text.replace(/127\.0\.0\.1:\d+/g, 'P')}`);
    };
  const logger: Logger = { debug: note('debug'), info: note('info'), warning: note('warning'), error: note('error') };
  const broker = await Broker.start({ logger });
  try {
    await run(broker);
    await waitUntil(() => broker.core.connections.size === 0);
  } finally {
    await broker.stop();
  }
  return lines;
}

const accepted = '[info] accepting AMQP connection P -> P';
const granted = "[info] connection P -> P: user 'guest' authenticated and granted access to vhost '/'";
const known = "P -> P, vhost: '/', user: 'guest'";

test('a connection is accepted, granted access, and closed', async () => {
  const lines = await logOf(async ({ port }) => (await AmqpDriver.connect({ port })).end());
  assert.deepEqual(lines, [accepted, granted, `[info] closing AMQP connection (${known})`]);
});

test('a name that the client gives is told', async () => {
  const clientProperties = new Map([['connection_name', longstr('shop')]]);
  const lines = await logOf(async ({ port }) => (await AmqpDriver.connect({ port, clientProperties })).end());
  assert.equal(lines[1], '[info] connection P -> P has a client-provided name: shop');
});

test('a client that goes without a word is told apart', async () => {
  const lines = await logOf(async ({ port }) => (await AmqpDriver.connect({ port })).destroy());
  assert.deepEqual(lines, [accepted, granted, `[warning] closing AMQP connection (${known}): client unexpectedly closed TCP connection`]);
});

test('a refused login is an error with its reason', async () => {
  const lines = await logOf(async ({ port }) => {
    await assert.rejects(AmqpDriver.connect({ port, password: 'wrong' }));
  });
  assert.deepEqual(lines, [
    '[info] accepting AMQP connection P -> P',
    "[error] Error on AMQP connection (P -> P, state: starting): PLAIN login refused: user 'guest' - invalid credentials",
    '[info] closing AMQP connection (P -> P)',
  ]);
});

test('an unknown virtual host is an error with the user', async () => {
  const lines = await logOf(async ({ port }) => {
    await assert.rejects(AmqpDriver.connect({ port, vhost: 'nope' }));
  });
  assert.equal(
    lines[1],
    "[error] Error on AMQP connection (P -> P, vhost: 'none', user: 'guest', state: opening): operation connection.open caused a connection exception not_allowed: vhost nope not found",
  );
});

test('a channel error names its method', async () => {
  const lines = await logOf(async ({ port }) => {
    const client = await AmqpDriver.connect({ port });
    await client.openChannel(1);
    client.send(
      methods.encodeQueueDeclare(1, {
        queue: 'q',
        passive: true,
        durable: false,
        exclusive: false,
        autoDelete: false,
        nowait: false,
        arguments: new Map(),
      }),
    );
    await client.expectChannelClose(1);
    await client.end();
  });
  assert.equal(
    lines[2],
    `[error] Channel error on connection (${known}), channel 1: operation queue.declare caused a channel exception not_found: no queue 'q' in vhost '/'`,
  );
});

test('another protocol is named as it came', async () => {
  const lines = await logOf(async ({ port }) => {
    const client = await AmqpDriver.raw({ port });
    client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await client.closed;
  });
  assert.equal(lines[1], '[error] closing AMQP connection (P -> P): {bad_header,<<"GET / HT">>}');
});

test('missed heartbeats close a connection once', async () => {
  const lines = await logOf(async ({ port }) => {
    const client = await AmqpDriver.connect({ port, heartbeat: 1 });
    assert.equal((await client.closed).kind, 'end');
  });
  assert.deepEqual(lines.slice(2), [
    `[error] closing AMQP connection (${known}): missed heartbeats from client, timeout: 1s`,
    `[info] closing AMQP connection (${known})`,
  ]);
});

test('a shutdown is told for each connection', async () => {
  const lines = await logOf(async broker => {
    await AmqpDriver.connect({ port: broker.port });
    await broker.stop();
  });
  assert.equal(
    lines[2],
    `[error] Error on AMQP connection (${known}, state: running): operation none caused a connection exception connection_forced: broker forced connection closure with reason 'shutdown'`,
  );
});
