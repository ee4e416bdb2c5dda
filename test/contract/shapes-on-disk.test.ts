// Queues that changed their shape: what is remembered of their messages, and over losses of power.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, long, longstr } from '../../src/base/field-table.ts';
import {
  basicAck,
  basicCancel,
  basicConsume,
  basicQos,
  basicReject,
  confirmSelect,
  queueDeclare,
  queuePurge,
} from '../support/amqp-requests.ts';
import { SimClient } from '../support/sim-client.ts';
import { SimDurableBroker } from '../support/sim-disk.ts';
import type { SimFiles } from '../support/sim-files.ts';

type Arguments = readonly (readonly [string, Field])[];

function start(files?: SimFiles): { broker: SimDurableBroker; client: SimClient; count: () => number } {
  const broker = new SimDurableBroker(files);
  const client = SimClient.connect(broker);
  client.openChannel(1);
  client.send(confirmSelect(1));
  return { broker, client, count: () => broker.core.vhosts.get('/')?.queues.get('q')?.messageCount ?? -1 };
}

test('what a purge took stays away when the queue has more priorities later, and the power goes twice', () => {
  const { broker, client, count } = start();
  const declare = (...args: Arguments): void => client.send(queueDeclare(1, { queue: 'q', durable: true, arguments: new Map(args) }));
  const publish = (priority: number): void => client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2, priority } });
  const migrate = ['x-on-conflict', longstr('migrate')] as const;
  declare(['x-queue-type', longstr('quorum')]);
  for (const priority of [0, 5, 3, 9]) publish(priority);
  declare(migrate);
  for (const priority of [0, 2]) publish(priority);
  broker.finishDisk();
  assert.equal(count(), 6);
  // In one level, whatever their priorities.
  client.send(queuePurge(1, { queue: 'q' }));
  publish(4);
  declare(['x-max-priority', long(5)], migrate);
  publish(5);
  broker.finishDisk();
  assert.equal(count(), 2);
  // The first start writes a snapshot of the last shape, and the second reads the old log with it.
  let files = broker.files.cutPower({ data: 'none', names: 'none' });
  for (let round = 0; round < 2; round++) {
    const again = start(files);
    assert.equal(again.count(), 2, `start ${round + 1}`);
    again.broker.finishDisk();
    files = again.broker.files.cutPower({ data: 'none', names: 'none' });
  }
});

test('a queue with message groups that changes its type keeps who works on a group, and what its messages wait for', () => {
  const { broker, client } = start();
  const declare = (...args: Arguments): void =>
    client.send(
      queueDeclare(1, {
        queue: 'q',
        durable: true,
        arguments: new Map([['x-group-header', longstr('key')], ['x-retry-delays', longstr('1s')], ...args]),
      }),
    );
  declare();
  for (const body of ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']) {
    const headers = new Map([['key', longstr(body[0] as string)]]);
    client.publish(1, { routingKey: 'q', properties: { deliveryMode: 2, headers }, body });
  }
  for (const channel of [2, 3, 4]) {
    client.openChannel(channel);
    client.send(basicQos(channel, 1));
    client.send(basicConsume(channel, { queue: 'q', consumerTag: `c${channel}` }));
  }
  broker.finishDisk();
  const bodiesOf = (channel: number): string[] => client.takeDeliveries(channel).map(({ body }) => String(body));
  assert.deepEqual([2, 3, 4].map(bodiesOf), [['a1'], ['b1'], ['c1']]);
  // b1 waits; whoever had it is gone, c1 is kept by one that takes nothing more.
  client.send(basicReject(3, 1, false));
  client.send(basicCancel(3, 'c3'));
  declare(['x-queue-type', longstr('quorum')], ['x-on-conflict', longstr('migrate')]);
  broker.finishDisk();
  client.openChannel(5);
  client.send(basicConsume(5, { queue: 'q', consumerTag: 'c5' }));
  broker.finishDisk();
  assert.equal(broker.core.vhosts.get('/')?.queues.get('q')?.type.name, 'quorum');
  assert.deepEqual(bodiesOf(5), []);
  client.send(basicCancel(2, 'c2'));
  client.send(basicAck(2, 1));
  broker.finishDisk();
  assert.deepEqual(bodiesOf(5), ['a2'], 'the group is free when a1 is settled');
  broker.advance(1000);
  broker.finishDisk();
  assert.deepEqual(bodiesOf(5), ['b1', 'b2']);
});
