// Messages that wait to be tried again, over kill -9 and over a clean stop.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { longstr } from '../../src/base/field-table.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, basicNack, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-retries-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

const count = 50;
const delayMillis = 1500;
const retryDelays = `${delayMillis},${delayMillis}`;

async function connect(port: number): Promise<AmqpDriver> {
  const driver = await AmqpDriver.connect({ port, timeoutMillis: 20_000 });
  await driver.openChannel(1);
  const dead = new Map([
    ['x-retry-delays', longstr(retryDelays)],
    ['x-dead-letter-exchange', longstr('')],
    ['x-dead-letter-routing-key', longstr('dead')],
  ]);
  await driver.call(queueDeclare(1, { queue: 'dead', durable: true }), m.QueueDeclareOk);
  await driver.call(queueDeclare(1, { queue: 'work', durable: true, arguments: dead }), m.QueueDeclareOk);
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  return driver;
}

/** Resolves when all that was done before on the channel is durable. */
async function durable(driver: AmqpDriver, tag: number): Promise<void> {
  driver.publish(1, { routingKey: 'mark', properties: { deliveryMode: 2 } });
  for (;;) {
    const ack = (await driver.expect(m.BasicAck, 1)) as { deliveryTag: number };
    if (ack.deliveryTag >= tag) return;
  }
}

/** Takes all messages of the queue, which must be so often tried, rejects them, and returns when the first came. */
async function rejectAll(driver: AmqpDriver, retryCount: number | undefined): Promise<number> {
  await driver.call(basicConsume(1, { queue: 'work', consumerTag: `c${retryCount}` }), m.BasicConsumeOk);
  let firstMillis = 0;
  const seen = new Set<string>();
  let tag = 0;
  for (let i = 0; i < count; i++) {
    const delivery = await driver.nextDelivery();
    firstMillis ||= Date.now();
    assert.equal(delivery.properties.headers?.get('x-retry-count')?.value, retryCount);
    seen.add(String(delivery.body));
    tag = (delivery.args as { deliveryTag: number }).deliveryTag;
  }
  assert.equal(seen.size, count, 'none came twice, and none is missing');
  driver.send(basicNack(1, tag, { multiple: true, requeue: false }));
  return firstMillis;
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`what waits to be tried again is there after ${signal}, not too early, and knows its number`, { timeout: 120_000 }, async () => {
    const data = join(directory, signal);
    let broker = await startKillable(data);
    let driver = await connect(broker.port);
    await driver.call(queueDeclare(1, { queue: 'mark', durable: true }), m.QueueDeclareOk);
    for (let i = 0; i < count; i++) driver.publish(1, { routingKey: 'work', properties: { deliveryMode: 2 }, body: `${i}` });
    await durable(driver, count + 1);
    await rejectAll(driver, undefined);
    for (const retryCount of [1, 2]) {
      const rejectedMillis = Date.now();
      await durable(driver, 1);
      driver.destroy();
      await broker.kill(signal);
      broker = await startKillable(data);
      driver = await connect(broker.port);
      const cameMillis = await rejectAll(driver, retryCount);
      // The time was taken after the rejection, a little more or less.
      assert.ok(cameMillis - rejectedMillis >= delayMillis - 50, `it came after ${cameMillis - rejectedMillis} ms`);
    }
    await durable(driver, 1);
    driver.destroy();
    await broker.kill(signal);
    broker = await startKillable(data);
    driver = await connect(broker.port);
    const dead = (await driver.call(queueDeclare(1, { queue: 'dead', durable: true }), m.QueueDeclareOk)) as { messageCount: number };
    const work = (await driver.call(queueDeclare(1, { queue: 'work', passive: true }), m.QueueDeclareOk)) as { messageCount: number };
    assert.deepEqual([dead.messageCount, work.messageCount], [count, 0], 'after the last try they are dead letters');
    driver.destroy();
    await broker.kill();
  });
}
