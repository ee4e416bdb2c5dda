// The short form of the fuzzer; npm run fuzz is the long one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { int, longstr } from '../../src/base/field-table.ts';
import { protocolHeader } from '../../src/wire/amqp091/frame.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import {
  basicAck,
  basicConsume,
  basicGet,
  basicQos,
  confirmSelect,
  exchangeDeclare,
  queueBind,
  queueDeclare,
  queueDelete,
} from '../support/amqp-requests.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { capableClient, SimClient } from '../support/sim-client.ts';
import { Fuzzer } from './fuzzer.ts';

test('2,000 sessions of every kind: nothing thrown, only documented codes, an ordinary client served, memory flat', () => {
  const report = new Fuzzer(2026).run(2000, 90_000);
  assert.ok(report.sessions >= 2000 && report.frames >= 90_000);
  assert.equal(report.oracleChecks, report.sessions);
  // The codes show that the sessions come to all the places where something can be refused.
  for (const code of ['403', '404', '405', '406', '501', '502', '503', '504', '505', '530', '540']) {
    assert.ok((report.codes[code] ?? 0) > 0, `no session was told ${code}`);
  }
  assert.ok(report.heap.last - report.heap.first < 10_000_000, `${report.heap.last - report.heap.first} bytes more than at first`);
});

/** A session with a bit of everything, as one stream of bytes. */
function recordedSession(client: SimClient): Buffer {
  const large = Buffer.alloc(9000, 'L');
  return Buffer.concat([
    Buffer.from(protocolHeader),
    methods.encodeConnectionStartOk(0, {
      clientProperties: capableClient('consumer_cancel_notify'),
      mechanism: 'PLAIN',
      response: Buffer.from('\0guest\0guest'),
      locale: 'en_US',
    }),
    methods.encodeConnectionTuneOk(0, { channelMax: 10, frameMax: 131_072, heartbeat: 0 }),
    methods.encodeConnectionOpen(0, { virtualHost: '/' }),
    methods.encodeChannelOpen(1),
    methods.encodeChannelOpen(2),
    exchangeDeclare(1, { exchange: 'e', type: 'topic' }),
    queueDeclare(1, { queue: 'q', arguments: new Map([['x-max-priority', int(3)]]) }),
    queueDeclare(1, {
      queue: 'r',
      arguments: new Map([
        ['x-dead-letter-exchange', longstr('')],
        ['x-dead-letter-routing-key', longstr('q')],
      ]),
    }),
    queueBind(1, { queue: 'q', exchange: 'e', routingKey: 'a.#' }),
    confirmSelect(1),
    client.encodePublish(1, {
      exchange: 'e',
      routingKey: 'a.b',
      body: 'small',
      properties: { priority: 2, headers: new Map([['h', longstr('v')]]) },
    }),
    client.encodePublish(1, { exchange: 'e', routingKey: 'nowhere', mandatory: true, body: 'comes back' }),
    client.encodePublish(1, { routingKey: 'r', body: large }),
    client.encodePublish(1, { routingKey: 'r', body: '' }),
    basicQos(2, 1),
    basicConsume(2, { queue: 'q', consumerTag: 'c' }),
    basicGet(1, 'r'),
    basicGet(1, 'r', true),
    methods.encodeBasicReject(1, { deliveryTag: 1, requeue: false }),
    basicGet(1, 'q'),
    basicAck(1, 3),
    basicGet(2, 'missing'),
    queueDelete(1, { queue: 'q' }),
    methods.encodeChannelCloseOk(2),
    methods.encodeConnectionClose(0, { replyCode: 200, replyText: 'bye', classId: 0, methodId: 0 }),
  ]);
}

/** What the broker sends when the session comes in these pieces, and turns run between them or only at the end. */
function repliesTo(pieces: readonly Buffer[], settlesBetween: boolean): Buffer {
  const broker = new SimBroker();
  const socket = broker.accept();
  for (const piece of pieces) {
    socket.receive(piece);
    if (settlesBetween) broker.settle();
  }
  broker.settle();
  return socket.read();
}

test('a recorded session gets the same replies however its bytes are cut', () => {
  const broker = new SimBroker();
  const session = recordedSession(new SimClient(broker));
  const whole = repliesTo([session], false);
  assert.ok(whole.includes('comes back') && whole.includes('NOT_FOUND'));
  for (let cut = 1; cut < session.length; cut += cut > 2500 && cut < session.length - 2500 ? 37 : 1) {
    const replies = repliesTo([Buffer.from(session.subarray(0, cut)), Buffer.from(session.subarray(cut))], false);
    assert.ok(replies.equals(whole), `cut at ${cut}, other replies came`);
  }
  assert.ok(
    repliesTo(
      Array.from(session, byte => Buffer.of(byte)),
      false,
    ).equals(whole),
  );
});

test('a recorded session gets the same replies on each channel when turns run in the middle of it', () => {
  const broker = new SimBroker();
  const session = recordedSession(new SimClient(broker));
  // Confirms, deliveries and dead letters may come earlier, and then not together.
  const whole = repliesTo([session], false);
  for (let cut = 1; cut < session.length; cut += 53) {
    const replies = repliesTo([Buffer.from(session.subarray(0, cut)), Buffer.from(session.subarray(cut))], true);
    for (const text of ['comes back', 'NOT_FOUND']) {
      assert.equal(replies.includes(text), whole.includes(text), `cut at ${cut}: ${text}`);
    }
  }
});
