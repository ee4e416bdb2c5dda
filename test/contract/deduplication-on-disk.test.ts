// Values that are remembered over a power cut, and those that are not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bool, type Field, long, longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import {
  basicGet,
  confirmSelect,
  exchangeDeclare,
  exchangeDelete,
  queueBind,
  queueDeclare,
  queueDelete,
} from '../support/amqp-requests.ts';
import { Recovered } from '../crash/recovered.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

interface Started {
  readonly broker: SimDurableBroker;
  readonly client: SimClient;
}

type Arguments = readonly (readonly [string, Field])[];
const on: Arguments = [['x-message-deduplication', bool(true)]];
const disk: Arguments = [['x-cache-persistence', longstr('disk')]];

function start(files?: SimFiles): Started {
  const broker = new SimDurableBroker(files, {}, 2 * 1024 * 1024, { slabsPerSegment: 1, slackBytes: 0 });
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(confirmSelect(1));
  client.takeAll();
  return { broker, client };
}

function cutPower({ broker }: Started): Started {
  return start(broker.files.cutPower({ data: 'none', names: 'none' }));
}

/** A queue that takes all there is, behind an exchange that drops duplicates. */
function withExchange({ broker, client }: Started, ...args: Arguments): void {
  client.send(exchangeDeclare(1, { exchange: 'x', type: 'fanout', durable: true, arguments: new Map([...on, ...args]) }));
  client.send(queueDeclare(1, { queue: 'q', durable: true }));
  client.send(queueBind(1, { queue: 'q', exchange: 'x' }));
  broker.finishDisk();
}

function withQueue({ broker, client }: Started, ...args: Arguments): void {
  client.send(queueDeclare(1, { queue: 'q', durable: true, arguments: new Map([...on, ...args]) }));
  broker.finishDisk();
}

/** Publishes a message with a value; whether the queue got it. The confirm has come, nothing more is waited for. */
function isTaken({ broker, client }: Started, value: string, exchange = 'x', deliveryMode = 2): boolean {
  const queue = broker.core.vhosts.get('/')?.queues.get('q');
  const before = queue?.counters.published ?? 0;
  client.publish(1, {
    exchange,
    routingKey: 'q',
    properties: { deliveryMode, headers: new Map([['x-deduplication-header', longstr(value)]]) },
  });
  broker.finishDisk();
  client.takeAll();
  return queue?.counters.published === before + 1;
}

function take({ broker, client }: Started): void {
  client.send(basicGet(1, 'q', true));
  broker.finishDisk();
  client.takeAll();
}

test('an exchange with x-cache-persistence disk knows after a power cut what it has confirmed', () => {
  let running = start();
  withExchange(running, ...disk);
  assert.deepEqual([isTaken(running, 'a'), isTaken(running, 'b'), isTaken(running, 'a')], [true, true, false]);
  const long = 'l'.repeat(10_000);
  assert.ok(isTaken(running, long));
  // A message in memory only: its value is remembered all the same.
  assert.ok(isTaken(running, 'c', 'x', 1));
  for (let cut = 0; cut < 2; cut++) {
    running = cutPower(running);
    assert.deepEqual(
      ['a', 'b', 'c', long].map(value => isTaken(running, value)),
      [false, false, false, false],
    );
  }
  assert.ok(isTaken(running, 'd'));
  running = cutPower(running);
  assert.equal(isTaken(running, 'd'), false);
});

test('without it an exchange forgets', () => {
  let running = start();
  withExchange(running);
  assert.ok(isTaken(running, 'a'));
  running = cutPower(running);
  assert.ok(isTaken(running, 'a'));
});

test('size and time to live hold over a power cut', () => {
  let running = start();
  withExchange(running, ...disk, ['x-cache-size', long(2)], ['x-cache-ttl', long(60_000)]);
  for (const value of ['a', 'b', 'c']) assert.ok(isTaken(running, value));
  running = cutPower(running);
  assert.deepEqual([isTaken(running, 'b'), isTaken(running, 'c'), isTaken(running, 'a')], [false, false, true], 'a was forgotten for c');
  assert.ok(isTaken(running, 'b'), 'and b for a');
  running.broker.advance(61_000);
  assert.ok(isTaken(running, 'b'));
});

test('values move with the log, and what is forgotten takes no room', () => {
  let running = start();
  withExchange(running, ...disk, ['x-cache-size', long(1000)]);
  for (let i = 0; i < 1500; i++) {
    const headers = new Map([['x-deduplication-header', longstr(`value ${i}`)]]);
    running.client.publish(1, { exchange: 'x', routingKey: '', properties: { deliveryMode: 2, headers }, body: 'p'.repeat(5000) });
    running.client.send(basicGet(1, 'q', true));
    if (i % 100 === 0) running.broker.finishDisk();
  }
  running.broker.finishDisk();
  const kept = running.broker.core.vhosts.get('/')?.exchanges.get('x')?.deduplication?.kept;
  assert.equal(kept?.count, 1000);
  assert.equal(running.broker.core.store.liveCount, 1000);
  assert.ok((running.broker.store.cleaner?.movedBytes ?? 0) > 0, 'nothing was moved');
  running = cutPower(running);
  assert.deepEqual(
    [499, 500, 1499].map(i => isTaken(running, `value ${i}`)),
    [true, true, false],
    '500 went for 499',
  );
});

test('what a queue still holds is a duplicate after a power cut, and what has left it is none', () => {
  let running = start();
  withQueue(running);
  assert.deepEqual([isTaken(running, 'a', ''), isTaken(running, 'b', ''), isTaken(running, 'b', '')], [true, true, false]);
  assert.ok(isTaken(running, 'transient', '', 1));
  running = cutPower(running);
  assert.deepEqual(
    ['a', 'b', 'transient'].map(value => isTaken(running, value, '')),
    [false, false, true],
  );
  take(running);
  running = cutPower(running);
  assert.deepEqual(
    ['a', 'b'].map(value => isTaken(running, value, '')),
    [true, false],
  );
});

test('a queue with cache arguments remembers over a power cut when it was told so', () => {
  for (const isOnDisk of [true, false]) {
    let running = start();
    withQueue(running, ['x-cache-size', long(10)], ...(isOnDisk ? disk : []));
    assert.ok(isTaken(running, 'a', ''));
    take(running);
    running = cutPower(running);
    assert.equal(isTaken(running, 'a', ''), !isOnDisk);
  }
});

test('values go with their exchange or queue, also over a power cut', () => {
  let running = start();
  withExchange(running, ...disk);
  assert.ok(isTaken(running, 'a'));
  running.client.send(exchangeDelete(1, { exchange: 'x' }));
  running.client.send(queueDelete(1, { queue: 'q' }));
  running.broker.finishDisk();
  assert.equal(running.broker.core.store.liveCount, 0);
  running = cutPower(running);
  assert.equal(running.broker.core.store.liveCount, 0);
  withExchange(running, ...disk);
  assert.ok(isTaken(running, 'a'));
  running = cutPower(running);
  assert.equal(isTaken(running, 'a'), false);
});

test('more values than ten million are refused', () => {
  const { client, broker } = start();
  const declare = (size: number): void =>
    client.send(queueDeclare(1, { queue: `q${size}`, arguments: new Map([...on, ['x-cache-size', long(size)]]) }));
  declare(10_000_000);
  client.expect(methods.QueueDeclareOk, 1);
  declare(10_000_001);
  broker.finishDisk();
  assert.match(client.expectChannelClose(1).replyText, /'x-cache-size' must be at most 10000000/);
});

test('the value of a message that was refused is not remembered', () => {
  let running = start();
  running.client.send(exchangeDeclare(1, { exchange: 'x', type: 'fanout', durable: true, arguments: new Map([...on, ...disk]) }));
  const full = new Map([
    ['x-max-length', long(1)],
    ['x-overflow', longstr('reject-publish')],
  ]);
  running.client.send(queueDeclare(1, { queue: 'q', durable: true, arguments: full }));
  running.client.send(queueBind(1, { queue: 'q', exchange: 'x' }));
  running.broker.finishDisk();
  assert.deepEqual([isTaken(running, 'a'), isTaken(running, 'b')], [true, false]);
  running = cutPower(running);
  take(running);
  assert.deepEqual([isTaken(running, 'a'), isTaken(running, 'b')], [false, true]);
});

test('what is remembered is not counted as messages at a start', () => {
  const running = start();
  withExchange(running, ...disk);
  assert.ok(isTaken(running, 'a') && isTaken(running, 'b'));
  const { core, files } = running.broker;
  core.turn.begin();
  (core.vhosts.get('/')?.queues.get('q')?.durableMarks() ?? assert.fail()).add(7);
  running.broker.finishDisk();
  const { report } = new Recovered(files.cutPower({ data: 'none', names: 'none' }), { slabsPerSegment: 1 });
  assert.equal(report.entries, 2);
});
