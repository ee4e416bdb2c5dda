// kill -9 while messages of a quorum queue come and go: none that was confirmed is lost, whatever its delivery mode, and none comes back with a
// lower count than was durable when the broker ended.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { longstr } from '../../src/base/field-table.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, basicGet, basicNack, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-quorum-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

async function client(port: number): Promise<AmqpDriver> {
  const driver = await AmqpDriver.connect({ port });
  await driver.openChannel(1);
  await driver.call(
    queueDeclare(1, { queue: 'q', durable: true, arguments: new Map([['x-queue-type', longstr('quorum')]]) }),
    m.QueueDeclareOk,
  );
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  return driver;
}

async function confirm(driver: AmqpDriver, body: string): Promise<void> {
  driver.publish(1, { routingKey: 'q', body });
  await driver.expect(m.BasicAck, 1);
}

test('transient messages and counts of returns outlive kill -9, again and again', { timeout: 120_000 }, async () => {
  const counts = new Map<string, number>();
  for (let life = 0; life < 4; life++) {
    const broker = await startKillable(directory);
    const driver = await client(broker.port);
    for (let i = 0; i < 10; i++) {
      await confirm(driver, `${life}-${i}`);
      counts.set(`${life}-${i}`, 0);
    }
    // Some come back, some more than once; the confirm of a later message says that this is durable.
    const got: { tag: number; body: string }[] = [];
    for (let i = 0; i < 7; i++) {
      driver.send(basicGet(1, 'q'));
      const delivery = await driver.nextDelivery();
      got.push({ tag: (delivery.args as { deliveryTag: number }).deliveryTag, body: String(delivery.body) });
    }
    for (const { tag, body } of got.slice(0, 5)) {
      driver.send(basicNack(1, tag));
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }
    await confirm(driver, `${life}-last`);
    counts.set(`${life}-last`, 0);
    await broker.kill();
    driver.destroy();
  }
  const broker = await startKillable(directory);
  const driver = await client(broker.port);
  await driver.call(basicConsume(1, { queue: 'q', consumerTag: 't' }), m.BasicConsumeOk);
  const found = new Map<string, number>();
  while (found.size < counts.size) {
    const delivery = await driver.nextDelivery();
    assert.equal((delivery.args as { redelivered: boolean }).redelivered, true);
    found.set(String(delivery.body), Number(delivery.properties.headers?.get('x-delivery-count')?.value ?? 0));
  }
  for (const [body, count] of counts) assert.equal(found.get(body), count, `message ${body} came back ${count} times`);
  assert.ok(Math.max(...counts.values()) >= 2, 'none came back twice: the test shows too little');
  driver.destroy();
  await broker.kill('SIGTERM');
});
