// A process that may have few files open, all of them in use by connections, and a backlog of many files: nothing fails, nothing is lost.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { waitUntil } from '../support/wait-until.ts';
import { temporaryDirectory } from '../support/warren-process.ts';

const openFilesMax = 100;
const bodyBytes = 200_000;
const count = 1200;

const program = `
  import { Broker } from ${JSON.stringify(new URL('../../src/server/broker.ts', import.meta.url).href)};
  const settings = { connectionsMax: 1e6, connectionsPerAddressMax: 1e6, unauthenticatedConnectionsMax: 1e6 };
  const logger = { debug() {}, info() {}, warning() {}, error: (_, text) => console.log(text) };
  const broker = await Broker.start({ dataDir: process.argv[1], settings, logger, store: { slabsPerSegment: 2, bodyMemoryBytes: 4 * 1024 * 1024 } });
  console.log('port ' + broker.port);
`;

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  output(): string;
}

async function start(t: { after(end: () => unknown): void }, directory: string): Promise<Started> {
  const command = `ulimit -n ${openFilesMax} && exec "$0" --input-type=module-typescript -e "$1" "$2"`;
  const child = spawn('sh', ['-c', command, process.execPath, program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => (output += text));
  await waitUntil(() => /^port \d+$/m.test(output) || child.exitCode !== null, { timeoutMillis: 60_000 });
  return { child, port: Number(/^port (\d+)$/m.exec(output)?.[1]), output: () => output };
}

/** Connects until there is no file left for a connection. */
async function crowd(port: number): Promise<net.Socket[]> {
  const sockets = Array.from({ length: openFilesMax }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  await Promise.all(sockets.map(socket => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  return sockets;
}

/** Waits until the broker has confirmed all up to this one. */
async function confirmed(client: AmqpDriver, number: number): Promise<void> {
  while ((await client.expect(methods.BasicAck, 1)).deliveryTag < number);
}

const body = (number: number): Buffer => Buffer.alloc(bodyBytes, `${number};`);

test('a backlog of more files than the process may open is written, recovered after a kill and drained', {
  timeout: 180_000,
  skip: process.platform !== 'linux',
}, async t => {
  const directory = temporaryDirectory(t);
  let broker = await start(t, directory);
  let client = await AmqpDriver.connect({ port: broker.port });
  await client.openChannel(1);
  await client.call(queueDeclare(1, { queue: 'q', durable: true }), methods.QueueDeclareOk);
  await client.call(confirmSelect(1), methods.ConfirmSelectOk);
  let sockets = await crowd(broker.port);
  for (let number = 1; number <= count; number++) {
    client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2 }, body: body(number) });
    if (number % 5 === 0) await confirmed(client, number);
  }
  const files = readdirSync(join(directory, 'journal')).filter(name => name.endsWith('.seg')).length;
  assert.ok(files > openFilesMax, `${files} files`);
  // A large transient message has a file as well, while there is no room for it in memory.
  for (let number = 1; number <= 40; number++)
    client.publish(1, { routingKey: 'q', properties: { deliveryMode: 1 }, body: Buffer.alloc(400_000, 't') });
  await confirmed(client, count + 40);
  for (const socket of sockets) socket.destroy();
  broker.child.kill('SIGKILL');
  await once(broker.child, 'exit');

  broker = await start(t, directory);
  assert.equal(broker.child.exitCode, null, broker.output());
  client = await AmqpDriver.connect({ port: broker.port });
  await client.openChannel(1);
  sockets = await crowd(broker.port);
  await client.call(basicConsume(1, { queue: 'q', consumerTag: 'c', noAck: true }), methods.BasicConsumeOk);
  for (let number = 1; number <= count; number++) {
    const delivery = await client.nextDelivery(1);
    assert.ok(delivery.body.equals(body(number)), `message ${number}`);
  }
  assert.equal(broker.child.exitCode, null, broker.output());
  assert.doesNotMatch(broker.output(), /cannot read|failed/);
  for (const socket of sockets) socket.destroy();
});
