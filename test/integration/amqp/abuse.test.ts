// Clients that vanish, break off, ask for too much or knock too often: what exactly happens to them, and that nothing stays behind.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { InternalBackend } from '../../../src/auth/internal-backend.ts';
import { LoginThrottle, ThrottledBackend } from '../../../src/auth/login-throttle.ts';
import type { AuthBackend, Credentials } from '../../../src/core/ports/auth-backend.ts';
import { FrontEnd } from '../../../src/protocols/amqp091/front-end.ts';
import { FrameHeader } from '../../../src/wire/amqp091/constants.gen.ts';
import { encodeFrame, protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver, type Delivery } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare, queuePurge } from '../../support/amqp-requests.ts';
import type { FakeSocket } from '../../support/fake-socket.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { capableClient, SimClient } from '../../support/sim-client.ts';
import { withEdge } from '../../support/edge.ts';
import { waitUntil } from '../../support/wait-until.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function connect(broker: SimBroker, heartbeat = 0): SimClient {
  const client = SimClient.connect(broker, { heartbeat });
  client.openChannel(1);
  return client;
}

/** Null when nothing was delivered. */
function isRedelivered(delivery: Delivery | null): boolean | null {
  return delivery?.kind === 'deliver' ? (delivery.args as methods.BasicDeliverArguments).redelivered : null;
}

test('what a client held that vanished without a word goes back once, redelivered, in five seconds with a heartbeat of two', () => {
  const broker = new SimBroker();
  const vanished = connect(broker, 2);
  vanished.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  vanished.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
  const other = connect(broker);
  other.publish(1, { routingKey: 'q', body: 'work' });
  assert.equal(isRedelivered(vanished.takeDelivery(1)), false);
  other.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
  // Nothing comes of it any more, and no end either.
  broker.advance(3900);
  assert.equal(other.takeDelivery(1), null);
  broker.advance(1100);
  assert.equal(vanished.socket.isDestroyed, true);
  const delivery = other.takeDelivery(1);
  assert.equal(isRedelivered(delivery), true);
  assert.equal(delivery?.body.toString(), 'work');
  broker.advance(60_000);
  assert.equal(other.takeDelivery(1), null);
});

test('without heartbeats the kernel looks for clients that vanished', { skip: process.platform !== 'linux' }, async () => {
  await withEdge({ listener: { keepAlive: false } }, async ({ port }) => {
    /** Of the broker's end of the connection: 02 is a timer that runs though nothing waits to be sent. [Linux: proc_net_tcp] */
    const timerOf = (peerPort: number): string | undefined => {
      const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');
      const line = readFileSync('/proc/net/tcp', 'utf8')
        .split('\n')
        .find(each => each.includes(`:${hex(port)} `) && each.includes(`:${hex(peerPort)} 01 `));
      return line?.trim().split(/\s+/)[5]?.slice(0, 2);
    };
    const silent = await AmqpDriver.connect({ port, heartbeat: 0 });
    await waitUntil(() => timerOf(silent.socket.localPort as number) === '02');
    const beating = await AmqpDriver.connect({ port, heartbeat: 30 });
    await waitUntil(() => timerOf(beating.socket.localPort as number) === '00');
    await silent.end();
    await beating.end();
  });
});

test('a session that breaks off behind any of its bytes leaves nothing behind, and no part of a message in a queue', () => {
  const broker = new SimBroker();
  const witness = connect(broker);
  witness.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  const request = { arguments: new Map(), passive: false, durable: false, autoDelete: false, nowait: false };
  const publish = witness.encodePublish(1, { routingKey: 'q', body: 'a message in two frames'.repeat(3) });
  const session = Buffer.concat([
    Buffer.from(protocolHeader),
    methods.encodeConnectionStartOk(0, {
      clientProperties: capableClient('basic.nack'),
      mechanism: 'PLAIN',
      response: Buffer.from('\0guest\0guest'),
      locale: 'en_US',
    }),
    methods.encodeConnectionTuneOk(0, { channelMax: 10, frameMax: 4096, heartbeat: 0 }),
    methods.encodeConnectionOpen(0, { virtualHost: '/' }),
    methods.encodeChannelOpen(1),
    methods.encodeConfirmSelect(1, { nowait: false }),
    methods.encodeQueueDeclare(1, { ...request, queue: 'mine', exclusive: true }),
    publish,
    publish,
  ]);
  const ways: [string, (socket: FakeSocket) => void][] = [
    ['reset', socket => socket.reset()],
    ['end', socket => socket.hangUp()],
  ];
  const { core } = broker;
  const storedBytes = core.store.liveBytes;
  for (const [way, breakOff] of ways)
    for (let count = 0; count <= session.length; count++) {
      const socket = broker.accept();
      socket.receive(Buffer.from(session.subarray(0, count)));
      broker.settle();
      breakOff(socket);
      broker.settle();
      const where = `${way} behind byte ${count}`;
      const whole = count === session.length ? 2 : count >= session.length - publish.length ? 1 : 0;
      const { messageCount } = witness.call(methods.encodeQueuePurge(1, { queue: 'q', nowait: false }), methods.QueuePurgeOk);
      assert.equal(messageCount, whole, where);
      assert.equal(core.connections.size, 1, where);
      assert.equal(core.counters.channelsOpened - core.counters.channelsClosed, 1, where);
      assert.equal(core.vhosts.get('/')?.queues.size, 1, where);
      assert.equal(core.store.liveBytes, storedBytes, where);
    }
});

test('a body of 2^63 bytes is refused by its header, and costs its channel only', () => {
  const broker = new SimBroker();
  const client = connect(broker);
  client.openChannel(2);
  const header = Buffer.alloc(14);
  header.writeUInt16BE(60, 0);
  header.writeBigUInt64BE(2n ** 63n, 4);
  collect();
  const before = process.memoryUsage();
  client.send(
    Buffer.concat([
      methods.encodeBasicPublish(1, { exchange: '', routingKey: 'q', mandatory: false, immediate: false }),
      encodeFrame(FrameHeader, 1, header),
    ]),
  );
  const close = client.expect(methods.ChannelClose, 1);
  assert.equal(close.replyCode, 406);
  assert.equal(close.replyText, 'PRECONDITION_FAILED - message size 9223372036854775808 is larger than configured max size 16777216');
  const { arrayBuffers } = process.memoryUsage();
  assert.ok(arrayBuffers - before.arrayBuffers < 1024 * 1024, 'nothing was reserved for it');
  client.call(queueDeclare(2, { queue: 'q' }), methods.QueueDeclareOk);
});

test('channels opened and closed 20,000 times, and 3,000 connections, leave nothing behind', () => {
  const broker = new SimBroker();
  const client = connect(broker);
  const { core } = broker;
  const round = (): void => {
    for (let count = 0; count < 20_000; count++) {
      const channel = 2 + (count % 100);
      client.call(methods.encodeChannelOpen(channel), methods.ChannelOpenOk);
      client.call(methods.encodeChannelClose(channel, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }), methods.ChannelCloseOk);
    }
    for (let count = 0; count < 3000; count++) {
      const guest = connect(broker);
      if (count % 2 === 0) guest.socket.reset();
      else
        guest.call(methods.encodeConnectionClose(0, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }), methods.ConnectionCloseOk);
      guest.socket.hangUp();
      broker.settle();
    }
    collect();
  };
  round();
  const before = process.memoryUsage().heapUsed;
  round();
  const grownBytes = process.memoryUsage().heapUsed - before;
  assert.ok(grownBytes < 500_000, `${grownBytes} bytes more`);
  assert.equal(core.connections.size, 1);
  assert.equal(core.counters.channelsOpened - core.counters.channelsClosed, 1);
});

test('a flood of wrong passwords is looked at ten times a minute, answered after a second, and keeps out nobody else', () => {
  const broker = new SimBroker();
  let asked = 0;
  const inner = new InternalBackend(broker.core.access, []);
  const counting: AuthBackend = {
    authenticate: (credentials: Credentials) => {
      asked++;
      return inner.authenticate(credentials);
    },
  };
  const auth = new ThrottledBackend(counting, new LoginThrottle(), () => broker.clock.millis);
  const frontEnd = new FrontEnd(broker.core, auth);
  const logIn = (peerHost: string, password: string): FakeSocket => {
    const socket = broker.accept({ peerHost }, frontEnd);
    socket.receive(Buffer.from(protocolHeader));
    socket.receive(
      methods.encodeConnectionStartOk(0, {
        clientProperties: capableClient('authentication_failure_close'),
        mechanism: 'PLAIN',
        response: Buffer.from(`\0guest\0${password}`),
        locale: 'en_US',
      }),
    );
    broker.settle();
    return socket;
  };
  const isRefused = (socket: FakeSocket): boolean => socket.read().includes('ACCESS_REFUSED');
  for (let count = 0; count < 10; count++) assert.equal(isRefused(logIn('10.0.0.1', 'wrong')), true);
  const flood = Array.from({ length: 500 }, () => logIn('10.0.0.1', 'wrong'));
  const right = logIn('10.0.0.1', 'guest');
  assert.equal(asked, 10);
  assert.equal(flood.some(isRefused) || isRefused(right), false, 'nothing is told yet');
  const elsewhere = logIn('10.0.0.2', 'guest');
  assert.equal(asked, 11);
  assert.equal(isRefused(elsewhere), false);
  broker.advance(1000);
  assert.equal(flood.every(isRefused) && isRefused(right), true);
  broker.advance(60_000);
  assert.equal(isRefused(logIn('10.0.0.1', 'guest')), false);
  assert.equal(asked, 12);
});

test('a transaction of a million messages is committed whole, and one that is rolled back or breaks off leaves nothing behind', async () => {
  const count = 1_000_000;
  const broker = new SimBroker();
  const client = connect(broker);
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  client.call(methods.encodeTxSelect(1), methods.TxSelectOk);
  // Sent as one client can: many in one piece.
  const piece = Buffer.concat(Array.from({ length: 1000 }, () => client.encodePublish(1, { routingKey: 'q', body: '0123456789abcdef' })));
  const publish = (messages: number): void => {
    for (let sent = 0; sent < messages; sent += 1000) client.send(piece);
  };
  const bytesInUse = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  // Memory outside the heap is given back by a thread of its own, some time after it was found dead.
  const falls = async (bytesMax: () => number, what: string): Promise<void> => {
    let bytes = 0;
    await waitUntil(() => (bytes = bytesInUse()) < bytesMax(), {
      timeoutMillis: 20_000,
      intervalMillis: 50,
      message: () => `${what}: ${bytes} bytes are in use`,
    });
  };
  const before = bytesInUse();
  publish(count);
  await falls(() => before + count * 1024, 'less than 1024 bytes a message');
  const held = bytesInUse() - before;
  assert.equal(broker.core.store.liveCount, 0);
  client.call(methods.encodeTxRollback(1), methods.TxRollbackOk);
  await falls(() => before + 0.05 * held, 'a rollback to give all of it back');
  publish(count);
  client.call(methods.encodeTxCommit(1), methods.TxCommitOk);
  assert.equal(broker.core.vhosts.get('/')?.queues.get('q')?.readyCount, count);
  client.call(queuePurge(1, { queue: 'q' }), methods.QueuePurgeOk);
  publish(count / 10);
  client.drop();
  assert.equal(broker.core.store.liveCount, 0);
  await falls(() => before + 0.05 * held, 'a connection that breaks off to give it back too');
});
