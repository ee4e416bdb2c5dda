// The test driver itself, against a server that plays what it is told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames, encodeHeartbeat } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import type { Frame } from '../support/amqp-frames.ts';
import { FrameCutter, ProtocolHeaderFrame } from '../support/amqp-frames.ts';
import { waitUntil } from '../support/wait-until.ts';

type Answer = (frame: Frame, socket: net.Socket) => void;

/** A server that answers the handshake, and hands every other frame to the test. */
async function withServer(run: (port: number, received: Frame[]) => Promise<void>, answer: Answer = () => {}): Promise<void> {
  const received: Frame[] = [];
  const sockets: net.Socket[] = [];
  const server = net.createServer(socket => {
    sockets.push(socket);
    const cutter = new FrameCutter();
    socket.on('error', () => {});
    socket.on('data', chunk => {
      for (const frame of cutter.push(chunk)) {
        received.push(frame);
        if (!handshake(frame, socket)) answer(frame, socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run((server.address() as net.AddressInfo).port, received);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

function handshake(frame: Frame, socket: net.Socket): boolean {
  if (frame.type === ProtocolHeaderFrame) {
    const [mechanisms, locales] = [Buffer.from('PLAIN'), Buffer.from('en_US')];
    socket.write(methods.encodeConnectionStart(0, { versionMajor: 0, versionMinor: 9, serverProperties: new Map(), mechanisms, locales }));
  } else if (frame.method === methods.ConnectionStartOk) {
    if (frame.args.response.toString() === '\0guest\0guest') {
      socket.write(methods.encodeConnectionTune(0, { channelMax: 7, frameMax: 4096, heartbeat: 60 }));
    } else {
      socket.write(methods.encodeConnectionClose(0, { replyCode: 403, replyText: 'ACCESS_REFUSED', classId: 0, methodId: 0 }));
    }
  } else if (frame.method === methods.ConnectionOpen) {
    socket.write(methods.encodeConnectionOpenOk(0));
  } else if (frame.method === methods.ConnectionClose) {
    socket.write(methods.encodeConnectionCloseOk(0));
  } else if (frame.method === methods.ChannelOpen) {
    socket.write(methods.encodeChannelOpenOk(frame.channel));
  } else {
    return false;
  }
  return true;
}

const ack = methods.encodeBasicAck(1, { deliveryTag: 1, multiple: false });
const channelClose = methods.encodeChannelClose(1, { replyCode: 404, replyText: 'NOT_FOUND - x', classId: 60, methodId: 40 });
const connectionClose = methods.encodeConnectionClose(0, { replyCode: 504, replyText: 'CHANNEL_ERROR - x', classId: 0, methodId: 0 });

function delivery(channel: number, deliveryTag: number, body: string): Buffer[] {
  return [
    methods.encodeBasicDeliver(channel, { consumerTag: 'c', deliveryTag, redelivered: false, exchange: '', routingKey: 'q' }),
    encodeContentHeaderFrame(channel, body.length, encodeProperties({ priority: 3 })),
    ...encodeBodyFrames(channel, Buffer.from(body), 12),
  ];
}

/** Answers basic.qos, the signal of these tests, with these bytes. */
const onQos =
  (...frames: Buffer[]): Answer =>
  (frame, socket) => {
    if (frame.method === methods.BasicQos) socket.write(Buffer.concat(frames));
  };
const qos = methods.encodeBasicQos(1, { prefetchSize: 0, prefetchCount: 1, global: false });
const qosOk = methods.encodeBasicQosOk(1);

test('the handshake takes what the server offers, or what it is told', async () => {
  await withServer(async (port, received) => {
    using plain = await AmqpDriver.connect({ port });
    assert.deepEqual(plain.offered, { channelMax: 7, frameMax: 4096, heartbeat: 60 });
    using other = await AmqpDriver.connect({ port, vhost: 'v', frameMax: 5000, channelMax: 3, heartbeat: 9 });
    assert.equal(other.frameMax, 5000);
    const tunes = received.filter(frame => frame.method === methods.ConnectionTuneOk).map(frame => frame.args);
    assert.deepEqual(tunes, [
      { channelMax: 7, frameMax: 4096, heartbeat: 0 },
      { channelMax: 3, frameMax: 5000, heartbeat: 9 },
    ]);
    const vhosts = received.filter(frame => frame.method === methods.ConnectionOpen).map(frame => frame.args.virtualHost);
    assert.deepEqual(vhosts, ['/', 'v']);
    await plain.end();
    assert.equal(plain.socket.closed, true);
  });
});

test('a refused login rejects with what the server said', async () => {
  await withServer(async port => {
    await assert.rejects(AmqpDriver.connect({ port, password: 'wrong' }), /expected connection.tune, got connection.close 403/);
  });
});

test('an expectation steps over messages and confirms, which stay in order', async () => {
  const answer = onQos(...delivery(1, 1, 'first'), ack, encodeHeartbeat(), ...delivery(1, 2, 'x'.repeat(10)), qosOk);
  await withServer(async port => {
    using driver = await AmqpDriver.connect({ port });
    await driver.openChannel(1);
    await driver.call(qos, methods.BasicQosOk);
    const first = await driver.nextDelivery(1);
    assert.deepEqual(first, {
      kind: 'deliver',
      channel: 1,
      args: { consumerTag: 'c', deliveryTag: 1, redelivered: false, exchange: '', routingKey: 'q' },
      properties: { priority: 3 },
      body: Buffer.from('first'),
    });
    assert.equal((await driver.nextDelivery()).body.toString(), 'xxxxxxxxxx');
    assert.deepEqual(await driver.expect(methods.BasicAck, 1), { deliveryTag: 1, multiple: false });
    assert.deepEqual(
      driver.pending.map(frame => frame.type),
      [8],
    );
  }, answer);
});

test('messages of channels that interleave are put together', async () => {
  const one = delivery(1, 1, 'a'.repeat(8));
  const two = delivery(2, 1, 'b'.repeat(8));
  const mixed = one.flatMap((frame, index) => [frame, two[index] as Buffer]);
  await withServer(
    async port => {
      using driver = await AmqpDriver.connect({ port });
      driver.send(qos);
      assert.equal((await driver.nextDelivery(2)).body.toString(), 'bbbbbbbb');
      assert.equal((await driver.nextDelivery(1)).body.toString(), 'aaaaaaaa');
      assert.equal(driver.pending.length, 0);
    },
    onQos(...mixed),
  );
});

test('an expectation rejects with what came instead, which can still be taken', async () => {
  await withServer(async (port, received) => {
    using driver = await AmqpDriver.connect({ port });
    await driver.openChannel(1);
    await assert.rejects(driver.call(qos, methods.BasicQosOk), /expected basic.qos-ok, got channel.close 404 "NOT_FOUND - x" on channel 1/);
    await assert.rejects(driver.nextDelivery(1), /got channel.close 404/);
    assert.equal((await driver.expectChannelClose(1)).replyCode, 404);
    await waitUntil(() => received.at(-1)?.method === methods.ChannelCloseOk, { message: 'channel.close-ok' });
  }, onQos(channelClose));
});

test("the server's connection.close is answered, and ends every expectation", async () => {
  await withServer(async (port, received) => {
    using driver = await AmqpDriver.connect({ port });
    await driver.openChannel(1);
    const reply = driver.call(qos, methods.BasicQosOk);
    const message = driver.nextDelivery();
    await assert.rejects(reply, /got connection.close 504 "CHANNEL_ERROR - x"/);
    await assert.rejects(message, /got connection.close 504/);
    assert.equal((await driver.expectConnectionClose()).replyCode, 504);
    const ending = await driver.closed;
    assert.equal(ending.kind === 'close' && ending.args.replyText, 'CHANNEL_ERROR - x');
    await waitUntil(() => received.at(-1)?.method === methods.ConnectionCloseOk, { message: 'connection.close-ok' });
    await driver.end();
  }, onQos(connectionClose));
});

test('a connection that the server drops ends every expectation', async () => {
  const drop: Answer = (frame, socket) => {
    if (frame.method === methods.BasicQos) socket.destroy();
  };
  await withServer(async port => {
    using driver = await AmqpDriver.connect({ port });
    await assert.rejects(driver.call(qos, methods.BasicQosOk), /expected basic.qos-ok on channel 1, but the connection ended/);
    assert.equal((await driver.closed).kind, 'end');
    await assert.rejects(driver.next(), /expected a frame, but the connection ended/);
  }, drop);
});

test('an expectation gives up after its time and tells what has come', async () => {
  await withServer(async port => {
    using driver = await AmqpDriver.connect({ port, timeoutMillis: 50 });
    await assert.rejects(driver.call(qos, methods.BasicQosOk), /nothing of it in 50 ms; waiting to be taken: basic.ack on channel 1/);
  }, onQos(ack));
});

test('a message is published as method, header and bodies of the negotiated size', async () => {
  await withServer(async (port, received) => {
    using driver = await AmqpDriver.connect({ port });
    driver.publish(5, { exchange: 'x', routingKey: 'k', mandatory: true, body: 'b'.repeat(5000), properties: { messageId: 'm' } });
    await waitUntil(() => received.at(-1)?.payload.length === 5000 - 4088, { message: 'the second body frame' });
    assert.deepEqual(
      received.slice(-4).map(({ type, channel, payload }) => [type, channel, payload.length]),
      [
        [1, 5, 11],
        [2, 5, 16],
        [3, 5, 4088],
        [3, 5, 912],
      ],
    );
  });
});

test('a raw connection says nothing, and takes a protocol header as a frame', async () => {
  const server = net.createServer(socket => socket.end('AMQP\0\0\x09\x01', 'latin1'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    using driver = await AmqpDriver.raw({ port: (server.address() as net.AddressInfo).port });
    assert.deepEqual(await driver.next(), { type: ProtocolHeaderFrame, channel: 0, payload: Buffer.from('AMQP\0\0\x09\x01', 'latin1') });
    assert.equal((await driver.closed).kind, 'end');
    assert.equal(driver.socket.bytesWritten, 0);
  } finally {
    server.close();
  }
});

test('waitUntil gives what the condition gives, or its message and last error', async () => {
  let count = 0;
  assert.equal(await waitUntil(() => (++count > 2 ? 'done' : ''), { intervalMillis: 1 }), 'done');
  await assert.rejects(
    waitUntil(() => false, { timeoutMillis: 10, message: () => `count ${count}` }),
    /in vain for count 3/,
  );
  const failure = new Error('not there');
  const waiting = waitUntil(() => Promise.reject(failure), { timeoutMillis: 10, message: 'it' });
  await assert.rejects(waiting, (error: unknown) => error instanceof Error && error.cause === failure);
});
