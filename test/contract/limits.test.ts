// Every ceiling, at it and one past it: what was allowed goes on, what was too much is refused with the text that clients know, and others do
// not notice. Limits on connections before a protocol sees them are in src/net/admission.test.ts, clients that do not read in
// stalled-client.test.ts, hops and remembered routes in test/property/routing.property.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, int, longstr, table, type Field, type FieldTable } from '../../src/base/field-table.ts';
import { noUserLimits } from '../../src/core/access/user.ts';
import { limits } from '../../src/core/limits.ts';
import { type BrokerSettings, defaultSettings } from '../../src/core/settings.ts';
import { FrameBody, FrameMethod } from '../../src/wire/amqp091/constants.gen.ts';
import { encodeContentHeaderFrame } from '../../src/wire/amqp091/content-header.ts';
import { encodeFrame, protocolHeader } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { encodeProperties } from '../../src/wire/amqp091/properties.ts';
import { tableLimits, tableLimitsBeforeAuthentication } from '../../src/wire/amqp091/table.ts';
import {
  basicAck,
  basicConsume,
  basicGet,
  exchangeBind,
  exchangeDeclare,
  queueBind,
  queueDeclare,
  queueDelete,
} from '../support/amqp-requests.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient, type SimConnectOptions } from '../support/sim-client.ts';

function brokerWith(settings: Partial<BrokerSettings> = {}): SimBroker {
  return new SimBroker({ settings });
}

function connect(broker: SimBroker, options: SimConnectOptions = {}): SimClient {
  const client = SimClient.connect(broker, options);
  client.openChannel(1);
  return client;
}

const declare = (client: SimClient, queue: string): unknown => client.call(queueDeclare(1, { queue }), methods.QueueDeclareOk);

test('a message of the largest size is taken, one of a byte more closes the channel', () => {
  const client = connect(brokerWith({ messageBytesMax: 1000 }));
  declare(client, 'q');
  client.publish(1, { routingKey: 'q', body: Buffer.alloc(1000) });
  client.send(basicGet(1, 'q', true));
  assert.equal(client.takeDelivery(1)?.body.length, 1000);
  client.publish(1, { routingKey: 'q', body: Buffer.alloc(1001) });
  assert.equal(client.expectChannelClose(1).replyText, 'PRECONDITION_FAILED - message size 1001 is larger than configured max size 1000');
  client.openChannel(1);
  client.send(methods.encodeBasicPublish(1, { exchange: '', routingKey: 'q', mandatory: false, immediate: false }));
  const header = encodeContentHeaderFrame(1, 0, encodeProperties({}));
  header.fill(0xff, 11, 19);
  client.send(header);
  assert.match(client.expectChannelClose(1).replyText, /^PRECONDITION_FAILED - message size 18446744073709551615 is larger/);
});

test('a frame of the negotiated size is read, one of a byte more is a frame error', () => {
  // RabbitMQ reads payloads as large as frame_max, eight bytes more than the rule. [recorded: frame-errors]
  for (const [extra, isAccepted] of [
    [0, true],
    [1, false],
  ] as const) {
    const client = connect(brokerWith(), { frameMax: 4096 });
    declare(client, 'q');
    const size = 4096 + extra;
    client.send(
      Buffer.concat([
        methods.encodeBasicPublish(1, { exchange: '', routingKey: 'q', mandatory: false, immediate: false }),
        encodeContentHeaderFrame(1, size, encodeProperties({})),
        encodeFrame(FrameBody, 1, Buffer.alloc(size)),
      ]),
    );
    if (isAccepted) assert.deepEqual(declare(client, 'q'), { queue: 'q', messageCount: 1, consumerCount: 0 });
    else assert.equal(client.expectConnectionClose().replyText, 'FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,4097,4088}');
  }
});

test('before tuning a frame may be as large as initial_frame_max', () => {
  for (const [size, isAccepted] of [
    [8192, true],
    [8193, false],
  ] as const) {
    const broker = brokerWith();
    const client = new SimClient(broker);
    client.send(Buffer.from(protocolHeader));
    client.expect(methods.ConnectionStart);
    const empty = methods.encodeConnectionStartOk(0, {
      clientProperties: new Map(),
      mechanism: 'PLAIN',
      response: Buffer.alloc(0),
      locale: '',
    });
    const response = Buffer.alloc(size - (empty.length - 8), 'x');
    Buffer.from('\0guest\0guest').copy(response);
    const startOk = methods.encodeConnectionStartOk(0, { clientProperties: new Map(), mechanism: 'PLAIN', response, locale: '' });
    assert.equal(startOk.length - 8, size);
    client.send(startOk);
    // The password is wrong either way; a frame that is too large is not even looked at.
    assert.equal(broker.core.counters.authenticationsFailed, isAccepted ? 1 : 0);
    broker.advance(4000);
    assert.equal(client.socket.isClosed, true);
  }
});

test('nothing is reserved for a frame that is only announced', () => {
  const client = connect(brokerWith());
  const before = process.memoryUsage().arrayBuffers;
  const head = Buffer.alloc(7);
  head[0] = FrameMethod;
  head.writeUInt32BE(0xffff_ffff, 3);
  client.send(head);
  assert.equal(client.expectConnectionClose().replyCode, 501);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
});

test('as many channels as negotiated can be open, whatever their numbers', () => {
  const broker = brokerWith();
  const client = SimClient.connect(broker, { channelMax: 3 });
  for (const channel of [1, 7, 65_535]) client.openChannel(channel);
  client.call(methods.encodeChannelClose(7, { replyCode: 200, replyText: '', classId: 0, methodId: 0 }), methods.ChannelCloseOk);
  client.openChannel(2);
  client.send(methods.encodeChannelOpen(4));
  assert.equal(
    client.expectConnectionClose().replyText,
    'NOT_ALLOWED - number of channels opened (3) has reached the negotiated channel_max (3)',
  );
});

test('the node has a limit on channels of all connections together', () => {
  const broker = brokerWith({ channelsPerNodeMax: 3 });
  const first = connect(broker);
  const second = connect(broker);
  second.openChannel(2);
  const third = SimClient.connect(broker);
  third.send(methods.encodeChannelOpen(1));
  assert.equal(
    third.expectConnectionClose().replyText,
    'NOT_ALLOWED - number of channels opened on node has reached the maximum allowed limit of (3)',
  );
  second.close();
  connect(broker);
  declare(first, 'q');
});

test('a channel has a limit on consumers', () => {
  const client = connect(brokerWith({ consumersPerChannelMax: 2 }));
  declare(client, 'q');
  for (const consumerTag of ['a', 'b']) client.call(basicConsume(1, { queue: 'q', consumerTag }), methods.BasicConsumeOk);
  client.call(methods.encodeBasicCancel(1, { consumerTag: 'a', nowait: false }), methods.BasicCancelOk);
  client.call(basicConsume(1, { queue: 'q', consumerTag: 'c' }), methods.BasicConsumeOk);
  client.send(basicConsume(1, { queue: 'q', consumerTag: 'd' }));
  assert.equal(client.expectConnectionClose().replyText, 'NOT_ALLOWED - reached maximum (2) of consumers per channel');
});

test('a channel has a limit on unacknowledged deliveries: it gets no more until it settles', () => {
  const client = connect(brokerWith({ unackedPerChannelMax: 5 }));
  declare(client, 'q');
  for (let i = 0; i < 8; i++) client.publish(1, { routingKey: 'q', body: String(i) });
  client.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
  assert.equal(client.takeDeliveries(1).length, 5);
  client.send(basicAck(1, 1));
  assert.equal(client.takeDeliveries(1).length, 1);
  client.send(basicAck(1, 6, true));
  assert.equal(client.takeDeliveries(1).length, 2);
});

test('the node has a limit on queues of all virtual hosts together', () => {
  const broker = brokerWith({ queuesMax: 3 });
  broker.core.addVhost({ name: 'other', description: '', tags: [], defaultQueueType: null });
  broker.core.access.putPermission({ user: 'guest', vhost: 'other', configure: '.*', write: '.*', read: '.*' });
  const here = connect(broker);
  const there = connect(broker, { vhost: 'other' });
  declare(here, 'a');
  declare(here, 'b');
  declare(there, 'c');
  there.send(queueDeclare(1, { queue: 'd' }));
  assert.equal(
    there.expectChannelClose(1).replyText,
    "PRECONDITION_FAILED - cannot declare queue 'd': queue limit of the node (3) is reached",
  );
  // One that exists can be declared again, and another takes the place of one that is deleted.
  declare(here, 'b');
  here.call(queueDelete(1, { queue: 'b' }), methods.QueueDeleteOk);
  there.openChannel(1);
  declare(there, 'd');
});

test('the node has a limit on bindings of all virtual hosts together', () => {
  const broker = brokerWith({ bindingsMax: 3 });
  const client = connect(broker);
  declare(client, 'q');
  client.call(exchangeDeclare(1, { exchange: 'e' }), methods.ExchangeDeclareOk);
  for (const routingKey of ['a', 'b']) client.call(queueBind(1, { queue: 'q', exchange: 'e', routingKey }), methods.QueueBindOk);
  client.call(exchangeBind(1, { source: 'e', destination: 'amq.fanout' }), methods.ExchangeBindOk);
  client.call(queueBind(1, { queue: 'q', exchange: 'e', routingKey: 'a' }), methods.QueueBindOk);
  client.send(queueBind(1, { queue: 'q', exchange: 'e', routingKey: 'c' }));
  assert.equal(
    client.expectChannelClose(1).replyText,
    "PRECONDITION_FAILED - cannot bind to exchange 'e' in vhost '/': binding limit of the node (3) is reached",
  );
  client.openChannel(1);
  client.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
  declare(client, 'r');
  for (const routingKey of ['a', 'b']) client.call(queueBind(1, { queue: 'r', exchange: 'e', routingKey }), methods.QueueBindOk);
});

test('a virtual host has limits on connections and queues', () => {
  const broker = brokerWith();
  const vhost = broker.core.vhosts.get('/');
  assert.ok(vhost !== undefined);
  vhost.limits = { connectionsMax: 2, queuesMax: 1 };
  const first = connect(broker);
  const second = connect(broker);
  const third = new SimClient(broker);
  assert.throws(() => third.open(), /530 "NOT_ALLOWED - access to vhost '\/' refused for user 'guest': connection limit \(2\) is reached"/);
  second.close();
  const fourth = connect(broker);
  declare(first, 'a');
  fourth.send(queueDeclare(1, { queue: 'b' }));
  assert.equal(
    fourth.expectChannelClose(1).replyText,
    "PRECONDITION_FAILED - cannot declare queue 'b': queue limit in vhost '/' (1) is reached",
  );
});

test('a user has limits on connections and channels', () => {
  const broker = brokerWith();
  broker.addUser('limited', '/');
  broker.core.access.setUserLimits('limited', { ...noUserLimits, maxConnections: 2, maxChannels: 2 });
  const first = connect(broker, { user: 'limited' });
  const second = connect(broker, { user: 'limited' });
  const third = new SimClient(broker);
  assert.throws(
    () => third.open({ user: 'limited' }),
    /530 "NOT_ALLOWED - connection refused for user 'limited': user connection limit \(2\) is reached"/,
  );
  second.send(methods.encodeChannelOpen(2));
  assert.equal(
    second.expectConnectionClose().replyText,
    "NOT_ALLOWED - number of channels opened for user 'limited' has reached the maximum allowed user limit of (2)",
  );
  second.socket.hangUp();
  broker.settle();
  connect(broker, { user: 'limited' });
  declare(first, 'q');
  connect(broker);
});

test('names of 255 bytes are names', () => {
  const client = connect(brokerWith());
  const name = '\u00e9'.repeat(127) + 'x';
  assert.equal(Buffer.byteLength(name), limits.nameBytesMax);
  declare(client, name);
  client.call(exchangeDeclare(1, { exchange: name, type: 'topic' }), methods.ExchangeDeclareOk);
  client.call(queueBind(1, { queue: name, exchange: name, routingKey: name }), methods.QueueBindOk);
  client.call(basicConsume(1, { queue: name, consumerTag: name }), methods.BasicConsumeOk);
  client.publish(1, { exchange: name, routingKey: name, body: 'x' });
  const delivery = client.takeDelivery(1);
  assert.deepEqual(delivery?.kind === 'deliver' && [delivery.args.consumerTag, delivery.args.exchange, delivery.args.routingKey], [
    name,
    name,
    name,
  ]);
});

function nested(depth: number): FieldTable {
  let fields: FieldTable = new Map();
  for (let level = 1; level < depth; level++) fields = new Map([['t', table(fields)]]);
  return fields;
}

const entries = (count: number): FieldTable => new Map<string, Field>([['a', array(Array.from({ length: count - 1 }, () => int(1)))]]);

test('tables may nest and hold as much as their limits say', () => {
  for (const [args, code] of [
    [nested(tableLimits.depthMax), 0],
    [nested(tableLimits.depthMax + 1), 502],
    [entries(20_000), 0],
  ] as const) {
    const client = connect(brokerWith());
    client.send(queueDeclare(1, { queue: 'q', arguments: args }));
    if (code === 0) client.expect(methods.QueueDeclareOk, 1);
    else assert.equal(client.expectConnectionClose().replyCode, code);
  }
  for (const [count, isAccepted] of [
    [tableLimits.entryCountMax, true],
    [tableLimits.entryCountMax + 1, false],
  ] as const) {
    // Voids take a byte each; a table like this fits a frame of the default size only so.
    const fields: FieldTable = new Map([['a', array(Array.from({ length: count - 1 }, (): Field => ({ type: 'V', value: null })))]]);
    const client = connect(brokerWith());
    client.send(queueDeclare(1, { queue: 'q', arguments: fields }));
    if (isAccepted) client.expect(methods.QueueDeclareOk, 1);
    else assert.equal(client.expectConnectionClose().replyCode, 502);
  }
});

test('before a client has said who it is its tables may hold less', () => {
  for (const [clientProperties, isAccepted] of [
    [entries(tableLimitsBeforeAuthentication.entryCountMax), true],
    [entries(tableLimitsBeforeAuthentication.entryCountMax + 1), false],
    [nested(tableLimitsBeforeAuthentication.depthMax), true],
    [nested(tableLimitsBeforeAuthentication.depthMax + 1), false],
  ] as const) {
    const client = new SimClient(brokerWith());
    client.send(Buffer.from(protocolHeader));
    client.expect(methods.ConnectionStart);
    const response = Buffer.from('\0guest\0guest');
    client.send(methods.encodeConnectionStartOk(0, { clientProperties, mechanism: 'PLAIN', response, locale: 'en_US' }));
    assert.equal(
      client.frames.some(frame => frame.method === methods.ConnectionTune),
      isAccepted,
    );
  }
});

test('a header table that is too deep closes the connection of its publisher and of nobody else', () => {
  const broker = brokerWith();
  const witness = connect(broker);
  declare(witness, 'q');
  const client = connect(broker);
  client.publish(1, { routingKey: 'q', properties: { headers: nested(tableLimits.depthMax) }, body: 'x' });
  client.publish(1, { routingKey: 'q', properties: { headers: nested(tableLimits.depthMax + 1) }, body: 'y' });
  assert.equal(client.expectConnectionClose().replyCode, 502);
  witness.send(basicGet(1, 'q', true));
  assert.equal(witness.takeDelivery(1)?.body.toString(), 'x');
});

test('a turn runs when enough has come in, though the loop still reads', () => {
  const broker = brokerWith();
  const client = connect(broker);
  declare(client, 'q');
  client.call(basicConsume(1, { queue: 'q', noAck: true }), methods.BasicConsumeOk);
  const before = broker.core.turn.count;
  const publish = client.encodePublish(1, { routingKey: 'q', body: Buffer.alloc(1000) });
  // Nobody runs turns meanwhile but the broker itself.
  while (broker.core.turn.count === before) {
    client.socket.receive(publish);
    assert.ok(client.socket.bytesRead < 4 * limits.turnIngestBytes, 'no turn has run');
  }
  assert.ok(client.socket.bytesRead >= limits.turnIngestBytes);
});

test('a long queue is handed out in shares, so that others have their turn between', () => {
  const broker = brokerWith({ outboxBytesMax: 100_000_000 });
  const client = connect(broker);
  declare(client, 'long');
  declare(client, 'short');
  for (let i = 0; i < 3 * limits.queuePumpMessages; i++)
    client.socket.receive(client.encodePublish(1, { routingKey: 'long', body: 'long' }));
  client.publish(1, { routingKey: 'short', body: 'short' });
  client.socket.receive(basicConsume(1, { queue: 'long', noAck: true }));
  client.socket.receive(basicConsume(1, { queue: 'short', noAck: true }));
  broker.settle();
  const bodies = client.takeDeliveries(1).map(delivery => delivery.body.toString());
  assert.equal(bodies.length, 3 * limits.queuePumpMessages + 1);
  assert.equal(bodies.indexOf('short'), limits.queuePumpMessages);
});

test('more dead letters and timers than a turn takes are worked off by the next ones', () => {
  const broker = brokerWith();
  const client = connect(broker);
  const count = limits.turnDeadLettersMax * limits.turnRoundsMax + 500;
  client.call(queueDeclare(1, { queue: 'dead' }), methods.QueueDeclareOk);
  const args = new Map([
    ['x-dead-letter-exchange', longstr('')],
    ['x-dead-letter-routing-key', longstr('dead')],
    ['x-message-ttl', int(1000)],
  ]);
  client.call(queueDeclare(1, { queue: 'q', arguments: args }), methods.QueueDeclareOk);
  for (let i = 0; i < count; i++) client.socket.receive(client.encodePublish(1, { routingKey: 'q' }));
  broker.advance(2000);
  assert.equal((declare(client, 'dead') as { messageCount: number }).messageCount, count);
});

test('every setting that is a limit has a default that is one', () => {
  for (const [name, value] of Object.entries(defaultSettings)) {
    if (name.endsWith('Max') || name.endsWith('Millis')) assert.ok(typeof value === 'number' && value > 0 && Number.isFinite(value), name);
  }
});
