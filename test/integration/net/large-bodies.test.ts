import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockPool } from '../../../src/core/messages/block-pool.ts';
import { Broker } from '../../../src/index.ts';
import { defaultWebSocketOptions } from '../../../src/net/web-socket-options.ts';
import { encodeContentHeaderFrame } from '../../../src/wire/amqp091/content-header.ts';
import { encodeBodyFrames, protocolHeader } from '../../../src/wire/amqp091/frame.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../../src/wire/amqp091/properties.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { FrameCutter } from '../../support/amqp-frames.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { FastMqtt } from '../../support/fast-mqtt.ts';
import { FastStomp } from '../../support/fast-stomp.ts';
import { Random } from '../../support/random.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type WebSocketTunnel, webSocketTunnel } from '../../support/web-socket-tunnel.ts';
import { withBroker } from '../../support/with-broker.ts';

// Whoever still sends or keeps what was given back sends this.
const { give } = blockPool;
blockPool.give = block => give(block.fill(0xee));

const round = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Sizes about those at which bodies are handled differently: in a slab or beside it, in one frame or several, in one block or several. */
const sizes = [0, 1, 4088, 8192, 8193, 32_767, 32_768, 32_769, 65_536, 131_064, 131_065, 262_144, 262_145, 700_000, 1_048_576, 1_500_001];

function published(channel: number, queue: string, body: Buffer, frameMax: number, deliveryMode = 1): Buffer {
  return Buffer.concat([
    methods.encodeBasicPublish(channel, { exchange: '', routingKey: queue, mandatory: false, immediate: false }),
    encodeContentHeaderFrame(channel, body.length, encodeProperties({ deliveryMode, messageId: String(body.length) })),
    ...encodeBodyFrames(channel, body, frameMax),
  ]);
}

test('bodies of any size come out as they went in, however many connections are read in between and wherever reads end', async () => {
  await withBroker(async ({ port }) => {
    const random = new Random(16);
    const senders = await Promise.all(
      [4096, 20_000, 131_072, 131_072, 131_072].map(async (frameMax, index) => {
        const driver = await AmqpDriver.connect({ port, frameMax, timeoutMillis: 20_000 });
        await driver.openChannel(1);
        const queue = `bodies-${index}`;
        await driver.call(queueDeclare(1, { queue, durable: true }), methods.QueueDeclareOk);
        const bodies = random.shuffled(sizes).map(size => random.bytes(size));
        const bytes = Buffer.concat(bodies.map(body => published(1, queue, body, frameMax, random.pick([1, 2]))));
        return { driver, queue, bodies, bytes, at: 0 };
      }),
    );
    while (senders.some(sender => sender.at < sender.bytes.length)) {
      const sender = random.pick(senders.filter(each => each.at < each.bytes.length));
      const count = random.chance(0.5) ? random.skewed(300_000) : random.between(1, 20);
      sender.driver.send(sender.bytes.subarray(sender.at, sender.at + count));
      sender.at += count;
      if (random.chance(0.5)) await round();
    }
    for (const { driver, queue, bodies } of senders) {
      driver.send(basicConsume(1, { queue, noAck: true }));
      await driver.expect(methods.BasicConsumeOk, 1);
      for (const body of bodies) {
        const delivery = await driver.nextDelivery(1);
        assert.equal(delivery.properties.messageId, String(body.length));
        assert.equal(delivery.body.equals(body), true, `${body.length} bytes`);
      }
      await driver.end();
    }
  });
});

test('channels of one connection publish large bodies in turns, frame by frame', async () => {
  await withBroker(async ({ port }) => {
    const random = new Random(17);
    const driver = await AmqpDriver.connect({ port, timeoutMillis: 20_000 });
    const left: Buffer[][] = [];
    const bodies: Buffer[] = [];
    for (let channel = 1; channel <= 5; channel++) {
      await driver.openChannel(channel);
      await driver.call(queueDeclare(channel, { queue: `turns-${channel}` }), methods.QueueDeclareOk);
      const body = random.bytes(random.between(200_000, 600_000));
      bodies.push(body);
      left.push([
        methods.encodeBasicPublish(channel, { exchange: '', routingKey: `turns-${channel}`, mandatory: false, immediate: false }),
        encodeContentHeaderFrame(channel, body.length, encodeProperties({ messageId: `m${channel}` })),
        ...encodeBodyFrames(channel, body, random.pick([9000, 40_000, 131_072])),
      ]);
    }
    while (left.some(frames => frames.length > 0)) {
      driver.send(random.pick(left.filter(frames => frames.length > 0)).shift() as Buffer);
      if (random.chance(0.3)) await round();
    }
    for (const [index, body] of bodies.entries()) {
      const channel = index + 1;
      driver.send(basicConsume(channel, { queue: `turns-${channel}`, noAck: true }));
      await driver.expect(methods.BasicConsumeOk, channel);
      const delivery = await driver.nextDelivery(channel);
      assert.equal(delivery.properties.messageId, `m${channel}`);
      assert.equal(delivery.body.equals(body), true);
    }
    await driver.end();
  });
});

test('large bodies of a transaction wait for its commit, whatever is published meanwhile', async () => {
  await withBroker(async ({ port }) => {
    const random = new Random(20);
    const driver = await AmqpDriver.connect({ port, timeoutMillis: 20_000 });
    for (const channel of [1, 2]) await driver.openChannel(channel);
    await driver.call(queueDeclare(1, { queue: 'committed' }), methods.QueueDeclareOk);
    await driver.call(methods.encodeTxSelect(1), methods.TxSelectOk);
    const bodies = [40_000, 300_000, 1_000_000].map(size => random.bytes(size));
    driver.publish(1, { routingKey: 'committed', body: random.bytes(500_000) });
    await driver.call(methods.encodeTxRollback(1), methods.TxRollbackOk);
    for (const body of bodies) driver.publish(1, { routingKey: 'committed', body });
    for (let i = 0; i < 5; i++) driver.publish(2, { routingKey: 'nowhere', body: random.bytes(400_000) });
    await driver.call(methods.encodeTxCommit(1), methods.TxCommitOk);
    driver.send(basicConsume(2, { queue: 'committed', noAck: true }));
    await driver.expect(methods.BasicConsumeOk, 2);
    for (const body of bodies) assert.equal((await driver.nextDelivery(2)).body.equals(body), true);
    await driver.end();
  });
});

test('large messages of MQTT, STOMP and AMQP clients do not mix', async () => {
  await withBroker(
    async broker => {
      const random = new Random(18);
      const portOf = (protocol: string): number => broker.listeners.find(each => each.options.protocol === protocol)?.port ?? 0;
      const got: Record<'mqtt' | 'stomp', Buffer[]> = { mqtt: [], stomp: [] };
      const mqtt = await FastMqtt.connect(portOf('mqtt'), 'large', {
        published: packet => got.mqtt.push(Buffer.from(packet.payload)),
        acked: () => {},
      });
      await mqtt.subscribe('large/mqtt', 0);
      const stomp = await FastStomp.connect(portOf('stomp'), frame => {
        if (frame.command === 'MESSAGE') got.stomp.push(Buffer.from(frame.body));
      });
      stomp.send('SUBSCRIBE', [
        ['id', '1'],
        ['destination', '/queue/large-stomp'],
      ]);
      const amqp = await AmqpDriver.connect({ port: broker.port, timeoutMillis: 20_000 });
      await amqp.openChannel(1);
      await amqp.call(queueDeclare(1, { queue: 'large-amqp' }), methods.QueueDeclareOk);
      const sent: Record<'mqtt' | 'stomp' | 'amqp', Buffer[]> = { mqtt: [], stomp: [], amqp: [] };
      for (let i = 0; i < 24; i++) {
        const body = random.bytes(random.pick(sizes));
        const protocol = random.pick(['mqtt', 'stomp', 'amqp'] as const);
        sent[protocol].push(body);
        if (protocol === 'mqtt') mqtt.publish('large/mqtt', 0, 0, body);
        else if (protocol === 'stomp') stomp.send('SEND', [['destination', '/queue/large-stomp']], body);
        else amqp.publish(1, { routingKey: 'large-amqp', body });
        if (random.chance(0.3)) await round();
      }
      amqp.send(basicConsume(1, { queue: 'large-amqp', noAck: true }));
      await amqp.expect(methods.BasicConsumeOk, 1);
      for (const body of sent.amqp) assert.equal((await amqp.nextDelivery(1)).body.equals(body), true);
      for (const protocol of ['mqtt', 'stomp'] as const) {
        await waitUntil(() => got[protocol].length === sent[protocol].length);
        for (const [index, body] of sent[protocol].entries()) assert.equal(got[protocol][index]?.equals(body), true);
      }
      mqtt.destroy();
      stomp.destroy();
      await amqp.end();
    },
    { listeners: [{}, { protocol: 'mqtt' }, { protocol: 'stomp' }] },
  );
});

test('a client in this process may use its buffers again when they are written', async () => {
  const broker = await Broker.start();
  try {
    const stream = broker.connectStream();
    const cutter = new FrameCutter();
    const bodies: Buffer[] = [];
    const answers: number[] = [];
    let parts: Buffer[] = [];
    let left = 0;
    stream.on('data', (bytes: Buffer) => {
      for (const frame of cutter.push(bytes)) {
        if (frame.method !== undefined) answers.push(frame.method);
        if (frame.type === 2) {
          left = frame.payload.readUInt32BE(8);
          parts = [];
        } else if (frame.type === 3) {
          parts.push(Buffer.from(frame.payload));
          left -= frame.payload.length;
          if (left === 0) bodies.push(Buffer.concat(parts));
        }
      }
    });
    const written = Buffer.alloc(3 * 1024 * 1024);
    const send = async (bytes: Uint8Array): Promise<void> => {
      written.set(bytes);
      await new Promise<void>(resolve => stream.write(written.subarray(0, bytes.length), () => resolve()));
      written.fill(0xee);
    };
    const call = async (bytes: Uint8Array, answer: number): Promise<void> => {
      await send(bytes);
      await waitUntil(() => answers.includes(answer));
    };
    await call(protocolHeader, methods.ConnectionStart);
    const response = Buffer.from('\0guest\0guest');
    await call(
      methods.encodeConnectionStartOk(0, { clientProperties: new Map(), mechanism: 'PLAIN', response, locale: 'en_US' }),
      methods.ConnectionTune,
    );
    await send(methods.encodeConnectionTuneOk(0, { channelMax: 10, frameMax: 131_072, heartbeat: 0 }));
    await call(methods.encodeConnectionOpen(0, { virtualHost: '/' }), methods.ConnectionOpenOk);
    await call(methods.encodeChannelOpen(1), methods.ChannelOpenOk);
    await call(queueDeclare(1, { queue: 'reused' }), methods.QueueDeclareOk);
    const random = new Random(19);
    const sent = sizes.filter(size => size > 0).map(size => random.bytes(size));
    for (const body of sent) await send(published(1, 'reused', body, 131_072));
    await call(basicConsume(1, { queue: 'reused', noAck: true }), methods.BasicConsumeOk);
    await waitUntil(() => bodies.length === sent.length);
    for (const [index, body] of sent.entries()) assert.equal(bodies[index]?.equals(body), true, `${body.length} bytes`);
    stream.destroy();
  } finally {
    await broker.stop();
  }
});

for (const [what, messageBytesMax] of [
  ['one WebSocket message of many frames', 24 * 1024 * 1024],
  ['messages of 10,000 bytes', 10_000],
] as const)
  test(`20 MiB go through a WebSocket and back, of AMQP and of MQTT, as ${what}`, async () => {
    const webSocket = { ...defaultWebSocketOptions, messageBytesMax: 24 * 1024 * 1024 };
    await withBroker(
      async broker => {
        const random = new Random(21);
        const tunnel = (index: number, protocol: string): Promise<WebSocketTunnel> =>
          webSocketTunnel(`ws://127.0.0.1:${broker.listeners[index]?.port}/ws`, protocol, random, messageBytesMax);
        const [amqpTunnel, mqttTunnel] = [await tunnel(1, 'amqp'), await tunnel(2, 'mqtt')];
        const body = random.bytes(20 * 1024 * 1024);
        const amqp = await AmqpDriver.connect({ port: amqpTunnel.port, timeoutMillis: 20_000 });
        await amqp.openChannel(1);
        await amqp.call(queueDeclare(1, { queue: 'web' }), methods.QueueDeclareOk);
        amqp.publish(1, { routingKey: 'web', body });
        amqp.send(basicConsume(1, { queue: 'web', noAck: true }));
        await amqp.expect(methods.BasicConsumeOk, 1);
        assert.equal((await amqp.nextDelivery(1)).body.equals(body), true);
        let got: Buffer | null = null;
        const mqtt = await FastMqtt.connect(mqttTunnel.port, 'web', {
          published: packet => (got = Buffer.from(packet.payload)),
          acked: () => {},
        });
        await mqtt.subscribe('web/large', 0);
        mqtt.publish('web/large', 0, 0, body);
        await waitUntil(() => got !== null);
        assert.equal(body.equals(got as unknown as Buffer), true);
        await amqp.end();
        mqtt.destroy();
        for (const each of [amqpTunnel, mqttTunnel]) each.close();
      },
      {
        settings: { messageBytesMax: 32 * 1024 * 1024 },
        listeners: [
          {},
          { webSocket: { ...webSocket, subProtocols: ['amqp'] } },
          { protocol: 'mqtt', webSocket: { ...webSocket, subProtocols: ['mqtt'] } },
        ],
      },
    );
  });
