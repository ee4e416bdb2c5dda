// Queues that changed their shape, over losses of power.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, long, longstr } from '../../src/base/field-table.ts';
import { confirmSelect, queueDeclare, queuePurge } from '../support/amqp-requests.ts';
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
