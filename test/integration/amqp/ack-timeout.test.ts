// Deliveries that are not acknowledged in time. [RabbitMQ docs: delivery acknowledgement timeout]
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { FieldTable } from '../../../src/base/field-table.ts';
import { int, longstr } from '../../../src/base/field-table.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { basicAck, basicCancel, basicConsume, basicGet, queueDeclare } from '../../support/amqp-requests.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { SimClient } from '../../support/sim-client.ts';

const minute = 60_000;
let broker: SimBroker;
let client: SimClient;

beforeEach(() => {
  broker = new SimBroker({ settings: { consumerTimeoutMillis: 30 * minute } });
  client = SimClient.connect(broker);
  client.openChannel(1);
});

function declare(name: string, timeoutMillis: number | null = null): void {
  const args: FieldTable = timeoutMillis === null ? new Map() : new Map([['x-consumer-timeout', int(timeoutMillis)]]);
  client.call(queueDeclare(1, { queue: name, arguments: args }), methods.QueueDeclareOk);
}

function consume(queue: string, args: FieldTable = new Map()): void {
  client.call(basicConsume(1, { queue, consumerTag: queue, arguments: args }), methods.BasicConsumeOk);
}

function publish(queue: string): void {
  client.publish(1, { routingKey: queue, body: 'x' });
}

function assertTimedOut(timeoutMillis: number): void {
  const close = client.expectChannelClose(1);
  assert.deepEqual(close, {
    replyCode: 406,
    replyText:
      `PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: ${timeoutMillis} ms. ` +
      'This timeout value can be configured, see consumers doc guide to learn more',
    classId: 0,
    methodId: 0,
  });
}

test("a delivery that waits longer than the broker's timeout ends its channel and goes back to its queue", () => {
  declare('q');
  consume('q');
  publish('q');
  assert.notEqual(client.takeDelivery(1), null);
  broker.advance(30 * minute);
  assert.deepEqual(client.takeAll(), []);
  broker.advance(1000);
  assertTimedOut(30 * minute);
  client.openChannel(2);
  client.send(basicGet(2, 'q'));
  const got = client.takeDelivery(2);
  assert.ok(got?.kind === 'get-ok' && got.args.redelivered);
});

test('a queue has a timeout of its own, for gets too', () => {
  declare('q', minute);
  publish('q');
  client.send(basicGet(1, 'q'));
  assert.notEqual(client.takeDelivery(1), null);
  broker.advance(minute + 1000);
  assertTimedOut(minute);
});

test('a policy gives a timeout to queues that are there already, the lesser of the two counts', () => {
  declare('q', 10 * minute);
  consume('q');
  publish('q');
  client.takeDelivery(1);
  const policy = { pattern: '^q$', definition: { 'consumer-timeout': 2 * minute }, priority: 0, applyTo: 'queues' as const };
  broker.core.policies.put('policy', '/', 'patience', policy);
  broker.advance(2 * minute + 1000);
  assertTimedOut(2 * minute);
});

test("a consumer's timeout goes before its queue's and the broker's", () => {
  declare('q', minute);
  consume('q', new Map([['x-consumer-timeout', int(5 * minute)]]));
  publish('q');
  client.takeDelivery(1);
  broker.advance(5 * minute);
  assert.deepEqual(client.takeAll(), []);
  broker.advance(1000);
  assertTimedOut(5 * minute);
});

test('a later delivery with a shorter timeout is found behind one that may wait', () => {
  declare('slow');
  declare('fast', minute);
  consume('slow');
  consume('fast');
  publish('slow');
  broker.advance(1000);
  publish('fast');
  client.takeDeliveries(1);
  broker.advance(minute + 1000);
  assertTimedOut(minute);
});

test('what is acknowledged in time, or needs no acknowledgement, ends nothing', () => {
  declare('q', minute);
  consume('q');
  publish('q');
  client.takeDelivery(1);
  broker.advance(50_000);
  client.send(basicAck(1, 1));
  publish('q');
  client.takeDelivery(1);
  broker.advance(50_000);
  client.send(basicAck(1, 2));
  client.call(basicCancel(1, 'q'), methods.BasicCancelOk);
  client.call(basicConsume(1, { queue: 'q', consumerTag: 'free', noAck: true }), methods.BasicConsumeOk);
  publish('q');
  client.takeDelivery(1);
  broker.advance(10 * minute);
  assert.deepEqual(client.takeAll(), []);
});

test('a timeout of 0 switches it off', () => {
  broker = new SimBroker({ settings: { consumerTimeoutMillis: 0 } });
  client = SimClient.connect(broker);
  client.openChannel(1);
  declare('q');
  consume('q');
  publish('q');
  client.takeDelivery(1);
  broker.advance(1000 * minute);
  assert.deepEqual(client.takeAll(), []);
});

test('a timeout that is no positive integer is refused', () => {
  client.send(queueDeclare(1, { queue: 'q', arguments: new Map([['x-consumer-timeout', int(0)]]) }));
  assert.equal(
    client.expectChannelClose(1).replyText,
    "PRECONDITION_FAILED - invalid arg 'x-consumer-timeout' for queue 'q' in vhost '/': {value_zero,0}",
  );
  client.openChannel(1);
  declare('q');
  client.send(basicConsume(1, { queue: 'q', arguments: new Map([['x-consumer-timeout', longstr('1h')]]) }));
  assert.equal(
    client.expectChannelClose(1).replyText,
    `PRECONDITION_FAILED - invalid arg 'x-consumer-timeout' for queue 'q' in vhost '/': "expected integer, got longstr"`,
  );
});
