import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { outerAddress, withEdge } from '../../support/edge.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** A socket that is connected and sends the protocol header: whether the broker answers, or closes without a word. */
async function knock(port: number, host = '127.0.0.1'): Promise<{ socket: net.Socket; isAnswered: boolean }> {
  const socket = net.connect({ port, host });
  socket.on('error', () => {});
  socket.write(protocolHeader);
  const came = Promise.withResolvers<boolean>();
  let received = 0;
  socket.on('data', bytes => {
    received += bytes.length;
    came.resolve(true);
  });
  socket.on('close', () => {
    if (received === 0) came.resolve(false);
  });
  return { socket, isAnswered: await came.promise };
}

test('connections at once: the one too many is closed, and gets in when another has left', async () => {
  await withEdge({ limits: { connectionsMax: 3 } }, async ({ port, admission, log, listener }) => {
    const places = await Promise.all([knock(port), knock(port), knock(port)]);
    assert.ok(places.every(place => place.isAnswered));
    for (let i = 0; i < 20; i++) assert.equal((await knock(port)).isAnswered, false);
    assert.equal(admission.refused.connections, 20);
    assert.equal(log.filter(text => text.includes('3 are open, which is the limit of this node')).length, 1);
    assert.equal(listener.connectionCount, 3);
    places[0]?.socket.destroy();
    await waitUntil(() => admission.connectionCount === 2);
    const next = await knock(port);
    assert.ok(next.isAnswered);
    for (const { socket } of [...places, next]) socket.destroy();
    await waitUntil(() => admission.connectionCount === 0);
  });
});

test('per source address: the one too many is closed, and this machine is not concerned', async t => {
  const here = outerAddress();
  if (here === undefined) {
    t.skip('the machine has no address but loopback');
    return;
  }
  await withEdge({ listener: { host: '0.0.0.0' }, limits: { connectionsPerAddressMax: 2 } }, async ({ port, admission }) => {
    const places = await Promise.all([knock(port, here), knock(port, here), knock(port), knock(port), knock(port)]);
    assert.ok(places.every(place => place.isAnswered));
    assert.equal((await knock(port, here)).isAnswered, false);
    assert.equal(admission.countOf(here), 2);
    assert.equal(admission.refused.address, 1);
    places[0]?.socket.destroy();
    await waitUntil(() => admission.countOf(here) === 1);
    const next = await knock(port, here);
    assert.ok(next.isAnswered);
    for (const { socket } of [...places, next]) socket.destroy();
    await waitUntil(() => admission.countOf(here) === 0 && admission.connectionCount === 0);
  });
});

test('before login: strangers take no place of clients that have logged in, and the other way round', async () => {
  await withEdge({ limits: { unauthenticatedConnectionsMax: 2 } }, async ({ port, admission }) => {
    const clients = [];
    for (let i = 0; i < 5; i++) clients.push(await AmqpDriver.connect({ port }));
    assert.equal(admission.unauthenticatedCount, 0);
    const strangers = await Promise.all([knock(port), knock(port)]);
    assert.ok(strangers.every(place => place.isAnswered));
    assert.equal((await knock(port)).isAnswered, false);
    await assert.rejects(AmqpDriver.connect({ port }));
    for (const client of clients) await client.openChannel(1);
    // A refused login is no login.
    strangers[0]?.socket.destroy();
    await waitUntil(() => admission.unauthenticatedCount === 1);
    await assert.rejects(AmqpDriver.connect({ port, password: 'wrong' }), /ACCESS_REFUSED/);
    for (const client of clients) await client.end();
    strangers[1]?.socket.destroy();
    await waitUntil(() => admission.connectionCount === 0);
    assert.equal(admission.unauthenticatedCount, 0);
  });
});

test('a crowd that never logs in does not keep others out', async () => {
  await withEdge({ limits: { unauthenticatedConnectionsMax: 50 } }, async ({ port, admission }) => {
    const crowd = new Set<net.Socket>();
    const join = (): void => {
      const socket = net.connect({ port, host: '127.0.0.1' });
      crowd.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => crowd.delete(socket));
      socket.write('AM');
    };
    for (let i = 0; i < 50; i++) join();
    await waitUntil(() => admission.unauthenticatedCount === 50);
    // Whoever has to leave comes again: 150 a second.
    const timer = setInterval(() => {
      for (let i = 0; i < 3; i++) if (crowd.size < 50) join();
    }, 20).unref();
    const fullMillis = performance.now();
    await waitUntil(() => performance.now() - fullMillis > 1000);
    for (let i = 0; i < 30; i++) {
      const startMillis = performance.now();
      const client = await AmqpDriver.connect({ port });
      assert.ok(performance.now() - startMillis < 500);
      await client.end();
    }
    assert.ok(admission.unauthenticatedCount <= 50);
    clearInterval(timer);
    for (const socket of crowd) socket.destroy();
  });
});

const hasLimits = process.platform === 'linux';
const program = `
  import { Broker } from ${JSON.stringify(new URL('../../../src/index.ts', import.meta.url).href)};
  const settings = JSON.parse(process.argv[1]);
  const broker = await Broker.start({ settings, logger: { debug() {}, info() {}, warning: (_, text) => console.log(text), error: (_, text) => console.log(text) } });
  console.log('port ' + broker.port);
  process.stdin.resume().on('end', () => process.exit(0));
`;

/** A broker in a process that may have few files open. */
async function withFewFiles(count: number, settings: object, run: (port: number, output: () => string) => Promise<void>): Promise<void> {
  const command = `ulimit -n ${count} && exec "$0" --input-type=module-typescript -e "$1" "$2"`;
  const child = spawn('sh', ['-c', command, process.execPath, program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => (output += text));
  const exited = once(child, 'exit');
  try {
    await waitUntil(() => /^port \d+$/m.test(output));
    await run(Number(/^port (\d+)$/m.exec(output)?.[1]), () => output);
    child.stdin.end();
    assert.deepEqual(await exited, [0, null]);
  } finally {
    child.kill('SIGKILL');
  }
}

test('connections take four fifths of the files there are, and the broker goes on', { skip: !hasLimits }, async () => {
  await withFewFiles(200, {}, async (port, output) => {
    const client = await AmqpDriver.connect({ port });
    await client.openChannel(1);
    const knocks = await Promise.all(Array.from({ length: 250 }, () => knock(port)));
    assert.equal(knocks.filter(place => place.isAnswered).length, 159);
    assert.match(output(), /refusing a connection: 160 are open, which is the limit of this node/);
    await client.call(methods.encodeChannelFlow(1, { active: true }), methods.ChannelFlowOk);
    for (const { socket } of knocks) socket.destroy();
    await waitUntil(async () => {
      const { socket, isAnswered } = await knock(port);
      socket.destroy();
      return isAnswered;
    });
    await client.end();
  });
});

test('a process out of files sheds new connections and serves the others', { skip: !hasLimits }, async () => {
  // The limit of the process comes before ours when others use its files up: here its own connections to itself do.
  const settings = { connectionsMax: 1e6, connectionsPerAddressMax: 1e6, unauthenticatedConnectionsMax: 1e6 };
  await withFewFiles(100, settings, async port => {
    const client = await AmqpDriver.connect({ port });
    await client.openChannel(1);
    const sockets = await Promise.all(Array.from({ length: 300 }, () => knock(port)));
    await client.call(methods.encodeChannelFlow(1, { active: true }), methods.ChannelFlowOk);
    for (const { socket } of sockets) socket.destroy();
    await waitUntil(async () => {
      const { socket, isAnswered } = await knock(port);
      socket.destroy();
      return isAnswered;
    });
    await client.end();
  });
});
