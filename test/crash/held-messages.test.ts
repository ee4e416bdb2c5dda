// Messages that exchanges hold for later, over kill -9 and over a clean stop.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { long, longstr } from '../../src/base/field-table.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, confirmSelect, exchangeDeclare, queueBind, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-held-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

async function connect(port: number): Promise<AmqpDriver> {
  const driver = await AmqpDriver.connect({ port, timeoutMillis: 20_000 });
  await driver.openChannel(1);
  const args = new Map([['x-delayed-type', longstr('fanout')]]);
  await driver.call(
    exchangeDeclare(1, { exchange: 'later', type: 'x-delayed-message', durable: true, arguments: args }),
    m.ExchangeDeclareOk,
  );
  for (const queue of ['a', 'b']) {
    await driver.call(queueDeclare(1, { queue, durable: true }), m.QueueDeclareOk);
    await driver.call(queueBind(1, { queue, exchange: 'later' }), m.QueueBindOk);
  }
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  return driver;
}

interface Sent {
  readonly dueMillis: number;
  isConfirmed: boolean;
}

/** Publishes messages with many delays until the broker is gone. */
async function publishUntilKilled(driver: AmqpDriver, sent: Map<number, Sent>, kill: () => void): Promise<void> {
  const first = sent.size;
  let confirmed = 0;
  let count = 0;
  try {
    for (;;) {
      for (; count < confirmed + 100; count++) {
        const number = first + count;
        const delay = 200 + ((number * 397) % 1500);
        sent.set(number, { dueMillis: Date.now() + delay, isConfirmed: false });
        driver.publish(1, {
          exchange: 'later',
          routingKey: '',
          properties: { deliveryMode: 2, headers: new Map([['x-delay', long(delay)]]) },
          body: `${number}:${'x'.repeat((number * 7) % 300)}`,
        });
      }
      const ack = await driver.expect(m.BasicAck, 1);
      for (; confirmed < ack.deliveryTag; confirmed++) (sent.get(first + confirmed) as Sent).isConfirmed = true;
      if (confirmed >= 1500) kill();
    }
  } catch {
    driver.destroy();
  }
}

test('after kill -9 a confirmed message is held or in all its queues, comes in its time, and twice only when it says so', {
  timeout: 120_000,
}, async () => {
  const data = join(directory, 'kill');
  const sent = new Map<number, Sent>();
  for (let cycle = 0; cycle < 4; cycle++) {
    const broker = await startKillable(data);
    const driver = await connect(broker.port);
    // What was due while the broker was away, or is now, is released while new messages come.
    await publishUntilKilled(driver, sent, () => void broker.kill());
    await broker.kill();
  }
  const broker = await startKillable(data);
  for (const queue of ['a', 'b']) {
    const driver = await connect(broker.port);
    await driver.call(basicConsume(1, { queue, consumerTag: queue, noAck: true }), m.BasicConsumeOk);
    const missing = new Set([...sent].filter(([, { isConfirmed }]) => isConfirmed).map(([number]) => number));
    const seen = new Map<number, boolean>();
    while (missing.size > 0) {
      const delivery = await driver.nextDelivery();
      const [text, padding] = String(delivery.body).split(':') as [string, string];
      const number = Number(text);
      const { redelivered } = delivery.args as { redelivered: boolean };
      assert.equal(padding.length, (number * 7) % 300);
      assert.ok(Date.now() >= (sent.get(number)?.dueMillis ?? Infinity) - 1, 'early, or never sent');
      if (seen.has(number)) assert.ok(redelivered || seen.get(number) === true, 'twice, and neither says so');
      seen.set(number, redelivered || seen.get(number) === true);
      missing.delete(number);
    }
    driver.destroy();
  }
  assert.ok(sent.size > 4000);
  await broker.kill();
});

test('after a clean stop what was persistent is held for the rest of its time', { timeout: 60_000 }, async () => {
  const data = join(directory, 'clean');
  let broker = await startKillable(data);
  let driver = await connect(broker.port);
  const sentMillis = Date.now();
  for (const deliveryMode of [1, 2])
    driver.publish(1, {
      exchange: 'later',
      routingKey: '',
      properties: { deliveryMode, headers: new Map([['x-delay', long(2500)]]) },
      body: `mode ${deliveryMode}`,
    });
  while ((await driver.expect(m.BasicAck, 1)).deliveryTag < 2);
  driver.destroy();
  await broker.kill('SIGTERM');
  broker = await startKillable(data);
  driver = await connect(broker.port);
  await driver.call(basicConsume(1, { queue: 'a', consumerTag: 'c', noAck: true }), m.BasicConsumeOk);
  const delivery = await driver.nextDelivery();
  assert.equal(String(delivery.body), 'mode 2');
  assert.equal((delivery.args as { redelivered: boolean }).redelivered, false);
  assert.ok(Date.now() - sentMillis >= 2500);
  driver.destroy();
  await broker.kill();
});
