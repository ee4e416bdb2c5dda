// A broker with queues and streams on one disk that loses what was not synced.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import * as m from '../../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, basicGet, basicQos, basicReject, confirmSelect, queueDeclare } from '../../support/amqp-requests.ts';
import { Random } from '../../support/random.ts';
import { SimFiles } from '../../support/sim-files.ts';
import { dataLosses, nameLosses } from '../../support/sim-platter.ts';
import { finishDisk, type SimStreamBroker, startSimStreamBroker } from '../../support/sim-stream-broker.ts';

/** With a stream, and a queue whose dead letters go there. */
function start(files: SimFiles): SimStreamBroker {
  const started = startSimStreamBroker(files);
  const { client } = started;
  client.send(basicQos(1, 100));
  client.send(queueDeclare(1, { queue: 's', durable: true, arguments: new Map([['x-queue-type', longstr('stream')]]) }));
  const dead = new Map([
    ['x-dead-letter-exchange', longstr('')],
    ['x-dead-letter-routing-key', longstr('s')],
  ]);
  client.send(queueDeclare(1, { queue: 'q', durable: true, arguments: dead }));
  finishDisk(started);
  client.takeAll();
  return started;
}

function bodiesOf(started: SimStreamBroker, queue: string): string[] {
  const { client } = started;
  client.send(
    basicConsume(1, { queue, consumerTag: queue, arguments: queue === 's' ? new Map([['x-stream-offset', longstr('first')]]) : new Map() }),
  );
  finishDisk(started);
  return client.takeDeliveries(1).map(({ body }) => String(body));
}

test('a disk that fails while a stream is written ends it all: nothing is confirmed any more', () => {
  const { broker, files, client } = start(new SimFiles());
  client.send(confirmSelect(1));
  finishDisk({ broker, files });
  client.takeAll();
  for (const operation of ['write', 'sync'] as const) {
    const failing = start(files.kill());
    failing.client.send(confirmSelect(1));
    finishDisk(failing);
    failing.client.takeAll();
    failing.files.fault = (asked, name) => (asked === operation && name.endsWith('.stream') ? new Error('the disk is gone') : null);
    failing.client.publish(1, { routingKey: 's', body: 'x' });
    assert.throws(() => finishDisk(failing), /the disk is gone/);
    assert.deepEqual(failing.client.takeAll(), []);
  }
});

test('a message on its way from a queue to a stream is in one of them when the power is cut', () => {
  let moved = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed);
    const started = start(new SimFiles(random));
    const { broker, files, client } = started;
    const bodies = Array.from({ length: 8 }, (_, index) => `message ${index}`);
    for (const body of bodies) client.publish(1, { routingKey: 'q', body, properties: { deliveryMode: 2 } });
    finishDisk(started);
    for (const _ of bodies) client.send(basicGet(1, 'q'));
    const tags = client.takeDeliveries(1).map(({ args }) => (args as m.BasicGetOkArguments).deliveryTag);
    assert.equal(tags.length, 8);
    for (const tag of tags) client.send(basicReject(1, tag, false));
    broker.settle();
    broker.advance(20);
    for (let steps = random.below(12); steps > 0 && files.step(); steps--);
    const data = dataLosses[random.below(dataLosses.length)] ?? 'none';
    const names = nameLosses[random.below(nameLosses.length)] ?? 'none';
    const again = start(files.cutPower({ data, names }));
    const dead = bodiesOf(again, 's');
    moved += dead.length;
    const found = new Set([...dead, ...bodiesOf(again, 'q')]);
    assert.deepEqual(
      bodies.filter(body => !found.has(body)),
      [],
      `seed ${seed}`,
    );
  }
  assert.ok(moved > 50, String(moved));
});
