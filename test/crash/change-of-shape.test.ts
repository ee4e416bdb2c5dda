// kill -9 while a queue changes its shape again and again under load, into a stream and back too: it comes back in one of its two shapes
// with every message that was confirmed and not consumed, once.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type FieldTable, int, longstr } from '../../src/base/field-table.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-shape-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

const shapes: readonly FieldTable[] = [
  new Map([['x-queue-type', longstr('quorum')]]),
  new Map([['x-max-priority', int(9)]]),
  new Map([['x-queue-type', longstr('stream')]]),
  new Map(),
  new Map([
    ['x-queue-type', longstr('quorum')],
    ['x-delivery-limit', int(-1)],
  ]),
  new Map([['x-queue-type', longstr('stream')]]),
];

function declare(shape: FieldTable, wish: string): Buffer {
  return queueDeclare(1, { queue: 'q', durable: true, arguments: new Map([...shape, ['x-on-conflict', longstr(wish)]]) });
}

async function connect(port: number): Promise<AmqpDriver> {
  const driver = await AmqpDriver.connect({ port, timeoutMillis: 20_000 });
  await driver.openChannel(1);
  return driver;
}

test('a queue that is changing its shape loses and doubles nothing when the broker is killed', { timeout: 120_000 }, async () => {
  const confirmed = new Set<number>();
  let sent = 0;
  for (let life = 0; life < 8; life++) {
    const broker = await startKillable(directory);
    const driver = await connect(broker.port);
    await driver.call(declare(new Map(), 'keep'), m.QueueDeclareOk);
    await driver.call(confirmSelect(1), m.ConfirmSelectOk);
    // Killed while it changes the shape for the second to fifth time, a little later in each life, however slow the machine is.
    const lastTurn = life + 1 + (life % 4);
    const first = sent;
    try {
      for (let turn = life; ; turn++) {
        for (let i = 0; i < 50; i++)
          driver.publish(1, { routingKey: 'q', properties: { deliveryMode: 2, priority: sent % 10 }, body: String(++sent) });
        driver.send(declare(shapes[turn % shapes.length] as FieldTable, 'migrate'));
        if (turn === lastTurn) setTimeout(() => void broker.kill(), life * 3);
        const target = sent - first;
        for (let last = 0; last < target; ) {
          const { deliveryTag, multiple } = (await driver.expect(m.BasicAck, 1)) as { deliveryTag: number; multiple: boolean };
          for (let tag = multiple ? last + 1 : deliveryTag; tag <= deliveryTag; tag++) confirmed.add(first + tag);
          last = Math.max(last, deliveryTag);
        }
        await driver.expect(m.QueueDeclareOk, 1);
      }
    } catch {
      driver.destroy();
    }
    await broker.kill();
  }
  assert.ok(confirmed.size > 300, `only ${confirmed.size} messages were confirmed: the test shows too little`);
  const broker = await startKillable(directory);
  const driver = await connect(broker.port);
  const { messageCount } = await driver.call(declare(new Map(), 'migrate'), m.QueueDeclareOk);
  await driver.call(basicConsume(1, { queue: 'q', consumerTag: 't' }), m.BasicConsumeOk);
  const found = new Set<number>();
  for (let count = 0; count < messageCount; count++) {
    const number = Number(String((await driver.nextDelivery()).body));
    assert.ok(!found.has(number), `message ${number} is there twice`);
    found.add(number);
  }
  for (const number of confirmed) assert.ok(found.has(number), `message ${number} is lost`);
  driver.destroy();
  await broker.kill('SIGTERM');
});
