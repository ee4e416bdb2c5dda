// The power is cut at any moment of a change between streams and queues: the queue comes back in the old shape or in the new one, with every
// message once and in order, and in the new one when the change was confirmed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../../src/base/field-table.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import * as m from '../../../src/wire/amqp091/methods.gen.ts';
import { basicConsume, basicGet, queueDeclare } from '../../support/amqp-requests.ts';
import { Random } from '../../support/random.ts';
import { SimFiles } from '../../support/sim-files.ts';
import { dataLosses, nameLosses } from '../../support/sim-platter.ts';
import { finishDisk, type SimStreamBroker, startSimStreamBroker } from '../../support/sim-stream-broker.ts';

/** More than a step takes. */
const count = 5000;
const seeds = 12;

const queueOf = ({ broker }: SimStreamBroker): Queue => broker.core.vhosts.get('/')?.queues.get('q') ?? assert.fail('there is no queue');

function declare(more: Record<string, Field>): Buffer {
  return queueDeclare(1, { queue: 'q', durable: true, arguments: new Map(Object.entries(more)) as FieldTable });
}

/** The numbers of all messages, in the order in which the queue has them. */
function numbersOf(started: SimStreamBroker): number[] {
  const { broker, client } = started;
  const queue = queueOf(started);
  const numbers: number[] = [];
  const reader = queue.readLog(0, () => {});
  if (reader === null) {
    client.send(basicConsume(1, { queue: 'q', consumerTag: 't', noAck: true }));
    for (let before = -1; numbers.length > before; ) {
      before = numbers.length;
      for (let round = 0; round < 4; round++) finishDisk(started);
      numbers.push(...client.takeDeliveries(1).map(({ body }) => Number(String(body))));
    }
    return numbers;
  }
  for (;;) {
    while (reader.next()) numbers.push(Number(reader.bytes.toString('utf8', reader.bodyStart, reader.bodyStart + reader.bodyBytes)));
    if (reader.isAtEnd) break;
    finishDisk(started);
  }
  reader.close();
  assert.equal(broker.core.vhosts.get('/')?.aside.size, 0);
  return numbers;
}

const stream = { 'x-queue-type': longstr('stream') };
const quorum = { 'x-queue-type': longstr('quorum') };
const changes: readonly (readonly [name: string, from: Record<string, Field>, to: Record<string, Field>])[] = [
  ['a classic queue that becomes a stream', {}, stream],
  ['a stream that becomes a quorum queue', stream, quorum],
  ['a queue with priorities that becomes a stream', { 'x-max-priority': int(9) }, stream],
  ['a queue that loses its priorities', { 'x-max-priority': int(9) }, {}],
];

for (const [name, from, to] of changes) {
  test(`${name} loses and doubles nothing by a loss of power`, () => {
    const typesFound = new Set<string>();
    for (let seed = 1; seed <= seeds; seed++) {
      const random = new Random(seed);
      const started = startSimStreamBroker(new SimFiles(random));
      const { broker, files, client } = started;
      client.send(declare(from));
      finishDisk(started);
      client.expect(m.QueueDeclareOk, 1);
      for (let i = 0; i < count; i++)
        client.publish(1, {
          routingKey: 'q',
          body: String(i),
          properties: { deliveryMode: 2, priority: 'x-max-priority' in from ? (i * 7) % 10 : 0 },
        });
      finishDisk(started);
      const isPlain = queueOf(started).readLog(0, () => {}) === null && from['x-max-priority'] === undefined;
      // Somebody has one that is not acknowledged: it is there all the same.
      if (isPlain) client.send(basicGet(1, 'q'));
      finishDisk(started);
      client.takeAll();
      client.send(declare({ ...to, 'x-on-conflict': longstr('migrate') }));
      let isConfirmed = false;
      // From at once to long after.
      for (let left = 2 ** (seed % 9) - 1; left > 0; left--) {
        if (random.chance(0.5)) broker.step();
        else files.step();
        if (random.chance(0.2)) broker.advance(1);
        if (client.takeAll().length > 0) isConfirmed = true;
      }
      const data = dataLosses[random.below(dataLosses.length)] ?? 'none';
      const names = nameLosses[random.below(nameLosses.length)] ?? 'none';
      const again = startSimStreamBroker(files.cutPower({ data, names }));
      const queue = queueOf(again);
      const isNew =
        queue.type.name === (to['x-queue-type']?.value ?? 'classic') && queue.arguments.has('x-max-priority') === 'x-max-priority' in to;
      typesFound.add(isNew ? 'new' : 'old');
      if (isConfirmed) assert.ok(isNew, `seed ${seed}: the change was confirmed`);
      const numbers = numbersOf(again);
      const expected = Array.from({ length: count }, (_, i) => i);
      // In the stream what was with a client comes last.
      if (isNew && isPlain) expected.push(expected.shift() ?? assert.fail());
      if (!isNew && 'x-max-priority' in from) expected.sort((a, b) => ((b * 7) % 10) - ((a * 7) % 10) || a - b);
      assert.deepEqual(numbers, expected, `seed ${seed}, ${queue.type.name}`);
    }
    assert.equal(typesFound.size, 2, 'the power was cut before the change, and after it');
  });
}
