// What exchanges hold for later and what waits to be tried again, on a disk that loses what was not synced, with memory for a part of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { long, longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import {
  basicConsume,
  basicGet,
  basicNack,
  confirmSelect,
  exchangeDeclare,
  exchangeDelete,
  queueBind,
  queueDeclare,
} from '../support/amqp-requests.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

const small = { slabsPerSegment: 1, slackBytes: 0 };
const memoryBytes = 2 * 1024 * 1024;
const padding = 'p'.repeat(3000);

interface Started {
  readonly broker: SimDurableBroker;
  readonly client: SimClient;
}

function start(files?: SimFiles): Started {
  const broker = new SimDurableBroker(files, {}, memoryBytes, small);
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(confirmSelect(1));
  const held = new Map([['x-delayed-type', longstr('fanout')]]);
  client.send(exchangeDeclare(1, { exchange: 'later', type: 'x-delayed-message', durable: true, arguments: held }));
  client.send(queueDeclare(1, { queue: 'q', durable: true }));
  client.send(queueDeclare(1, { queue: 'work', durable: true, arguments: new Map([['x-retry-delays', longstr('60s,60s')]]) }));
  client.send(queueDeclare(1, { queue: 'other', durable: true }));
  client.send(queueBind(1, { queue: 'q', exchange: 'later' }));
  broker.finishDisk();
  client.takeAll();
  return { broker, client };
}

/** The same data after the power was cut: only what was synced is there. */
function cutPower({ broker }: Started): Started {
  return start(broker.files.cutPower({ data: 'none', names: 'none' }));
}

/** Takes all messages of a queue; returns what their bodies begin with. */
function drain({ broker, client }: Started, queue: string): number[] {
  client.send(basicConsume(1, { queue, consumerTag: 'drain', noAck: true }));
  settle(broker);
  client.send(methods.encodeBasicCancel(1, { consumerTag: 'drain', nowait: true }));
  const found = client.takeDeliveries().map(({ body }) => Number(String(body).split(':')[0]));
  client.takeAll();
  return found;
}

/** Lets the disk fetch what is waited for. */
function settle(broker: SimDurableBroker): void {
  for (let round = 0; round < 30; round++) broker.finishDisk();
}

/** Lets other messages come and go, so that the log is cleaned and what is alive in it moves. */
function churn({ broker, client }: Started): void {
  for (let i = 0; i < 3000; i++) client.publish(1, { routingKey: 'other', properties: { deliveryMode: 2 }, body: padding });
  broker.finishDisk();
  drain({ broker, client }, 'other');
  settle(broker);
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test('held messages page out, move with the log, outlive a power cut and come in order', () => {
  let running = start();
  for (const number of numbers(2000)) {
    const headers = new Map([['x-delay', long(60_000 + number)]]);
    running.client.publish(1, {
      exchange: 'later',
      routingKey: '',
      properties: { deliveryMode: 2, headers },
      body: `${number}:${padding}`,
    });
  }
  churn(running);
  running.broker.evictAll();
  const { store } = running.broker.core;
  assert.ok(store.evictedSlabs > 0 && store.residentSlabs < 6, `${store.residentSlabs} slabs in memory`);
  assert.ok((running.broker.store.cleaner?.movedBytes ?? 0) > 0, 'nothing was moved');
  for (let cut = 0; cut < 2; cut++) {
    running = cutPower(running);
    assert.equal(running.broker.core.vhosts.get('/')?.exchanges.get('later')?.delay?.held.count, 2000);
    churn(running);
  }
  running.broker.advance(50_000);
  assert.deepEqual(drain(running, 'q'), [], 'early');
  running.broker.advance(30_000);
  settle(running.broker);
  assert.deepEqual(drain(running, 'q'), numbers(2000));
  running = cutPower(running);
  assert.equal(running.broker.core.vhosts.get('/')?.exchanges.get('later')?.delay?.held.count, 0);
});

test('what is cancelled or put off stays so over a power cut', () => {
  let running = start();
  for (const number of numbers(3)) {
    const headers = new Map([['x-delay', long(60_000)]]);
    running.client.publish(1, { exchange: 'later', routingKey: '', properties: { deliveryMode: 2, headers }, body: `${number}:` });
  }
  running.broker.finishDisk();
  const stage = running.broker.core.vhosts.get('/')?.exchanges.get('later')?.delay ?? assert.fail();
  running.broker.core.turn.begin();
  assert.ok(stage.cancel(1));
  assert.ok(stage.reschedule(2, running.broker.clock.nowMillis + 90_000));
  running.broker.finishDisk();
  running = cutPower(running);
  running.broker.advance(61_000);
  settle(running.broker);
  assert.deepEqual(drain(running, 'q'), [2]);
  running.broker.advance(30_000);
  settle(running.broker);
  assert.deepEqual(drain(running, 'q'), [1]);
});

test('an exchange that is deleted takes what it held with it, also over a power cut', () => {
  let running = start();
  const headers = new Map([['x-delay', long(1000)]]);
  running.client.publish(1, { exchange: 'later', routingKey: '', properties: { deliveryMode: 2, headers }, body: '0:' });
  running.client.send(exchangeDelete(1, { exchange: 'later' }));
  running.broker.finishDisk();
  running = cutPower(running);
  assert.equal(running.broker.core.vhosts.get('/')?.exchanges.get('later')?.delay?.held.count, 0);
  running.client.publish(1, { exchange: 'later', routingKey: '', properties: { deliveryMode: 2, headers }, body: '1:' });
  running.broker.finishDisk();
  running = cutPower(running);
  running.broker.advance(2000);
  settle(running.broker);
  assert.deepEqual(drain(running, 'q'), [1]);
});

test('messages that wait to be tried again page out, move with the log, and keep time, count and place over a power cut', () => {
  let running = start();
  for (const number of numbers(1000)) {
    running.client.publish(1, { routingKey: 'work', properties: { deliveryMode: 2 }, body: `${number}:${padding}` });
  }
  running.broker.finishDisk();
  for (const retryCount of [1, 2]) {
    running.client.takeAll();
    running.client.send(basicConsume(1, { queue: 'work', consumerTag: 'work' }));
    settle(running.broker);
    const tag = Math.max(...running.client.takeDeliveries().map(({ args }) => (args as { deliveryTag: number }).deliveryTag));
    running.client.send(methods.encodeBasicCancel(1, { consumerTag: 'work', nowait: true }));
    running.client.send(basicNack(1, tag, { multiple: true, requeue: false }));
    running.broker.finishDisk();
    churn(running);
    running.broker.evictAll();
    running = cutPower(running);
    const queue = running.broker.core.vhosts.get('/')?.queues.get('work');
    assert.deepEqual([queue?.readyCount, queue?.retries?.heldCount], [0, 1000]);
    running.broker.advance(59_000);
    assert.equal(queue?.readyCount, 0, 'early');
    running.broker.advance(2000);
    settle(running.broker);
    assert.equal(queue?.readyCount, 1000);
    churn(running);
    // Once more while they are ready: the count must not be lost.
    running = cutPower(running);
    running.client.send(basicGet(1, 'work'));
    settle(running.broker);
    const first = running.client.takeDeliveries()[0] ?? assert.fail();
    assert.equal(first.properties.headers?.get('x-retry-count')?.value, retryCount);
    running.client.send(basicNack(1, (first.args as { deliveryTag: number }).deliveryTag, { requeue: true }));
  }
  assert.deepEqual(drain(running, 'work'), numbers(1000));
});

test('message groups keep their order over a power cut, though the messages are on disk only', () => {
  let running = start();
  const args = new Map([['x-group-header', longstr('key')]]);
  running.client.send(queueDeclare(1, { queue: 'groups', durable: true, arguments: args }));
  running.broker.finishDisk();
  running.client.takeAll();
  for (const number of numbers(1500)) {
    const headers = new Map([['key', long(number % 7)]]);
    running.client.publish(1, { routingKey: 'groups', properties: { deliveryMode: 2, headers }, body: `${number}:${padding}` });
  }
  running.broker.finishDisk();
  running = cutPower(running);
  assert.ok(running.broker.core.store.evictedSlabs > 3);
  const { broker, client } = running;
  // Three consumers with one message at a time each; what a key's consumer has acknowledged must be all that came before.
  for (const channel of [2, 3, 4]) {
    client.openChannel(channel);
    client.send(methods.encodeBasicQos(channel, { prefetchSize: 0, prefetchCount: 1, global: false }));
    client.send(basicConsume(channel, { queue: 'groups', consumerTag: `c${channel}` }));
  }
  client.takeAll();
  const next = new Map<number, number>();
  let count = 0;
  for (let round = 0; count < 1500; round++) {
    assert.ok(round < 20_000, `only ${count} messages came`);
    broker.finishDisk();
    for (const channel of [2, 3, 4]) {
      for (const delivery of client.takeDeliveries(channel)) {
        const number = Number(String(delivery.body).split(':')[0]);
        const key = number % 7;
        assert.equal(number, next.get(key) ?? key);
        next.set(key, number + 7);
        count++;
        client.send(
          methods.encodeBasicAck(channel, { deliveryTag: (delivery.args as { deliveryTag: number }).deliveryTag, multiple: false }),
        );
      }
    }
  }
  settle(broker);
  assert.equal(broker.core.vhosts.get('/')?.queues.get('groups')?.messageCount, 0);
});
