// Errors of our own: each costs the connection or queue it happened in, is counted and logged, and nothing else stops.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { CallbackTimer } from '../../src/base/timer-queue.ts';
import type { AuthBackend } from '../../src/core/ports/auth-backend.ts';
import type { Connection } from '../../src/protocols/amqp091/connection.ts';
import { FrontEnd } from '../../src/protocols/amqp091/front-end.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, queueDeclare } from '../support/amqp-requests.ts';
import { SimBroker } from '../support/sim-broker.ts';
import { SimClient } from '../support/sim-client.ts';

let broker: SimBroker;
let witness: SimClient;

beforeEach(() => {
  broker = new SimBroker();
  broker.expectsFaults = true;
  witness = SimClient.connect(broker, { heartbeat: 10 });
  witness.openChannel(1);
  witness.call(queueDeclare(1, { queue: 'witness' }), methods.QueueDeclareOk);
  witness.call(basicConsume(1, { queue: 'witness', noAck: true }), methods.BasicConsumeOk);
});

afterEach(() => {
  witness.publish(1, { routingKey: 'witness', body: 'still here' });
  assert.equal(witness.takeDelivery(1)?.body.toString(), 'still here');
});

function assertFault(message: string): void {
  const faults = broker.takeFaults();
  assert.deepEqual(
    faults.map(fault => (fault.cause as Error).message),
    [message],
  );
  assert.equal(broker.core.counters.internalErrors, 1);
}

function connect(): { client: SimClient; connection: Connection } {
  const client = SimClient.connect(broker);
  client.openChannel(1);
  return { client, connection: [...broker.frontEnd.connections()].at(-1) as Connection };
}

const fail = (message: string) => (): never => {
  throw new Error(message);
};

test('an error in a method closes its connection with INTERNAL_ERROR', () => {
  const { client } = connect();
  broker.core.topology.declareQueue = fail('a broken declaration');
  client.send(queueDeclare(1, { queue: 'q' }));
  assert.equal(client.expectConnectionClose().replyCode, 541);
  assertFault('a broken declaration');
});

test('an error while a queue hands out leaves the other queues alone', () => {
  const { client } = connect();
  client.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  const queue = broker.core.vhosts.get('/')?.queues.get('q');
  assert.ok(queue !== undefined);
  queue.pump = fail('a broken pump');
  client.publish(1, { routingKey: 'q' });
  assertFault('a broken pump');
});

test('an error while one connection is flushed leaves the others alone', () => {
  const { client, connection } = connect();
  connection.outbox.flush = fail('a broken socket');
  client.send(queueDeclare(1, { queue: 'q' }));
  assertFault('a broken socket');
});

test('an error while one connection is looked after disconnects it, and the others are looked after', () => {
  const { client, connection } = connect();
  connection.link.isStalled = fail('a broken sweep');
  broker.advance(1000);
  assertFault('a broken sweep');
  assert.equal(client.socket.isClosed, true);
  witness.takeAll();
  broker.advance(6000);
  assert.ok(
    witness.takeAll().some(frame => frame.type === 8),
    'no heartbeat any more',
  );
});

test('a timer that fails leaves the other timers alone', () => {
  let hasFired = false;
  broker.core.timers.set(new CallbackTimer(fail('a broken timer')), broker.clock.millis + 10);
  broker.core.timers.set(new CallbackTimer(() => (hasFired = true)), broker.clock.millis + 10);
  broker.core.turn.arm();
  broker.advance(20);
  assertFault('a broken timer');
  assert.equal(hasFired, true);
});

test('an authentication that fails to answer costs its connection only', async () => {
  const auth: AuthBackend = { authenticate: () => Promise.reject(new Error('a broken backend')) };
  const frontEnd = new FrontEnd(broker.core, auth);
  const accept = broker.frontEnd.accept.bind(broker.frontEnd);
  broker.frontEnd.accept = link => frontEnd.accept(link);
  assert.throws(() => SimClient.connect(broker), /expected connection.tune/);
  broker.frontEnd.accept = accept;
  await new Promise(resolve => setImmediate(resolve));
  broker.settle();
  assertFault('a broken backend');
  assert.equal(frontEnd.connectionCount, 0);
});
