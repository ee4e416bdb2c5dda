// How often a message of a quorum queue came back, and why it died, over power cuts and the cleaning of the log.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, int, longstr } from '../../src/base/field-table.ts';
import { deliveryCount } from '../../src/core/queues/entry.ts';
import type { Queue } from '../../src/core/queues/queue.ts';
import {
  basicGet,
  basicNack,
  basicReject,
  confirmSelect,
  exchangeDeclare,
  queueBind,
  queueDeclare,
  queueDelete,
} from '../support/amqp-requests.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

interface Started {
  readonly broker: SimDurableBroker;
  readonly client: SimClient;
}

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

function queueOf({ broker }: Started): Queue {
  return broker.core.vhosts.get('/')?.queues.get('q') ?? assert.fail();
}

function declare({ broker, client }: Started, more: Record<string, Field> = {}): void {
  const args = new Map<string, Field>([['x-queue-type', longstr('quorum')], ...Object.entries(more)]);
  client.send(queueDeclare(1, { queue: 'q', durable: true, arguments: args }));
  client.send(queueDeclare(1, { queue: 'other', durable: true }));
  broker.finishDisk();
}

/** Gets the first message and gives it back, so many times. */
function giveBack({ broker, client }: Started, from: number, count: number): void {
  for (let tag = from + 1; tag <= from + count; tag++) {
    client.send(basicGet(1, 'q'));
    // It may have to be fetched.
    broker.finishDisk();
    client.send(basicNack(1, tag));
  }
  broker.finishDisk();
  client.takeAll();
}

/** Lets so much go through the log that what stays has to move. */
function clean(running: Started): void {
  const { broker, client } = running;
  const before = broker.store.cleaner?.movedBytes ?? 0;
  for (let i = 0; i < 1500; i++) {
    client.publish(1, { routingKey: 'other', properties: { deliveryMode: 2 }, body: 'p'.repeat(5000) });
    client.send(basicGet(1, 'other', true));
    if (i % 100 === 0) broker.finishDisk();
  }
  broker.finishDisk();
  client.takeAll();
  assert.ok((broker.store.cleaner?.movedBytes ?? 0) > before, 'nothing was moved');
}

function counts(running: Started): number[] {
  const found: number[] = [];
  queueOf(running).forEachReady(entry => found.push(deliveryCount(entry.meta)) > 0);
  return found;
}

for (const limit of [20, -1]) {
  test(`counts outlive power cuts and cleaning, with a delivery limit of ${limit}`, () => {
    let running = start();
    declare(running, { 'x-delivery-limit': int(limit) });
    running.client.publish(1, { routingKey: 'q', body: 'stays' });
    running.broker.finishDisk();
    giveBack(running, 0, 3);
    assert.deepEqual(counts(running), [3]);
    running = cutPower(running);
    assert.deepEqual(counts(running), [3]);
    clean(running);
    running = cutPower(running);
    assert.deepEqual(counts(running), [3], 'the record of the returns went with the segment that it was in');
    giveBack(running, 0, 2);
    clean(running);
    running = cutPower(running);
    assert.deepEqual(counts(running), [5]);
    assert.equal(running.broker.core.store.liveCount, 1);
  });
}

test('a return that was not durable yet is not counted, and one message is one', () => {
  let running = start();
  declare(running);
  running.client.publish(1, { routingKey: 'q', body: 'stays' });
  running.broker.finishDisk();
  giveBack(running, 0, 2);
  running.client.send(basicGet(1, 'q'));
  running = cutPower(running);
  assert.deepEqual(counts(running), [2]);
});

test('a dead letter that waits for its target waits on after power cuts and cleaning', () => {
  let running = start();
  declare(running, {
    'x-overflow': longstr('reject-publish'),
    'x-dead-letter-strategy': longstr('at-least-once'),
    'x-dead-letter-exchange': longstr(''),
    'x-dead-letter-routing-key': longstr('late'),
  });
  running.client.publish(1, { routingKey: 'q', body: 'dies' });
  running.broker.finishDisk();
  running.client.send(basicGet(1, 'q'));
  running.client.send(basicReject(1, 1, false));
  running.broker.finishDisk();
  for (let cut = 0; cut < 2; cut++) {
    assert.deepEqual([queueOf(running).readyCount, queueOf(running).dyingCount], [0, 1]);
    clean(running);
    running = cutPower(running);
    running.broker.finishDisk();
  }
  running.client.send(queueDeclare(1, { queue: 'late', durable: true }));
  running.broker.finishDisk();
  running.broker.advance(1500);
  running.broker.finishDisk();
  assert.equal(queueOf(running).dyingCount, 0);
  running = cutPower(running);
  assert.equal(queueOf(running).dyingCount + queueOf(running).readyCount, 0);
  assert.equal(running.broker.core.vhosts.get('/')?.queues.get('late')?.readyCount, 1, 'a transient letter is kept all the same');
});

test('who has taken a dead letter that waits for another target does not get it again after power cuts and cleaning', () => {
  let running = start();
  const { client } = running;
  declare(running, {
    'x-overflow': longstr('reject-publish'),
    'x-dead-letter-strategy': longstr('at-least-once'),
    'x-dead-letter-exchange': longstr('dlx'),
  });
  client.send(exchangeDeclare(1, { exchange: 'dlx', type: 'fanout', durable: true }));
  const full = new Map<string, Field>([
    ['x-max-length', int(0)],
    ['x-overflow', longstr('reject-publish')],
  ]);
  for (const [queue, args] of [
    ['free', new Map()],
    ['full', full],
  ] as const) {
    client.send(queueDeclare(1, { queue, durable: true, arguments: args }));
    client.send(queueBind(1, { queue, exchange: 'dlx' }));
  }
  client.publish(1, { routingKey: 'q', body: 'dies' });
  running.broker.finishDisk();
  client.send(basicGet(1, 'q'));
  client.send(basicReject(1, 1, false));
  running.broker.finishDisk();
  const free = (): number => running.broker.core.vhosts.get('/')?.queues.get('free')?.readyCount ?? -1;
  assert.equal(free(), 1);
  for (let cut = 0; cut < 2; cut++) {
    clean(running);
    running = cutPower(running);
    running.broker.finishDisk();
    running.broker.advance(1500);
    running.broker.finishDisk();
    assert.deepEqual([free(), queueOf(running).dyingCount], [1, 1]);
  }
  running.client.send(queueDelete(1, { queue: 'full' }));
  running.broker.advance(1500);
  running.broker.finishDisk();
  assert.deepEqual([free(), queueOf(running).dyingCount], [1, 0]);
});
