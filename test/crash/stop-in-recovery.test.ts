// A broker that is told to stop while it still recovers, or again and again.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { waitUntil } from '../support/wait-until.ts';
import { temporaryDirectory, WarrenProcess } from '../support/warren-process.ts';

/** A broker with so many confirmed messages in its queue, killed. */
async function killed(t: TestContext, dataDir: string, count: number): Promise<void> {
  const warren = await WarrenProcess.start(t, { dataDir });
  const driver = await AmqpDriver.connect({ port: warren.port, timeoutMillis: 30_000 });
  await driver.openChannel(1);
  await driver.call(queueDeclare(1, { queue: 'q', durable: true }), m.QueueDeclareOk);
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  for (let sent = 0; sent < count; sent++) driver.publish(1, { routingKey: 'q', properties: { deliveryMode: 2 }, body: 'x' });
  while ((await driver.expect(m.BasicAck, 1)).deliveryTag < count);
  driver.destroy();
  await warren.stop('SIGKILL');
}

/** So many messages are there, and the first of them may have been delivered before. */
async function assertFlagged(t: TestContext, dataDir: string, count: number): Promise<void> {
  const warren = await WarrenProcess.start(t, { dataDir });
  const driver = await AmqpDriver.connect({ port: warren.port, timeoutMillis: 30_000 });
  await driver.openChannel(1);
  const { messageCount } = await driver.call(queueDeclare(1, { queue: 'q', durable: true }), m.QueueDeclareOk);
  assert.equal(messageCount, count);
  await driver.call(basicConsume(1, { queue: 'q', consumerTag: 'c', noAck: true }), m.BasicConsumeOk);
  for (let got = 0; got < Math.min(count, 1000); got++) {
    const { args } = await driver.nextDelivery();
    assert.equal((args as m.BasicDeliverArguments).redelivered, true);
  }
  driver.destroy();
  await warren.stop();
}

test('SIGTERM during recovery, again and again, ends it soon and takes nothing away', { timeout: 120_000 }, async t => {
  const dataDir = join(temporaryDirectory(t), 'data');
  const count = 40_000;
  await killed(t, dataDir, count);
  let stoppedEarly = 0;
  for (let attempt = 0; attempt < 4; attempt++) {
    const warren = WarrenProcess.run(t, { dataDir });
    // The file is there as soon as the directory is this process's own, which is before anything is read.
    await waitUntil(() => existsSync(join(dataDir, 'warren.pid')) || warren.child.exitCode !== null, { intervalMillis: 1 });
    if (attempt > 0) await waitUntil(() => /\n/.test(warren.output) || warren.child.exitCode !== null, { intervalMillis: 1 });
    const hadStarted = /Server startup complete/.test(warren.output);
    const began = performance.now();
    const { code, signal } = await warren.stop();
    assert.ok(code === 0 || signal === 'SIGTERM', `${code} ${signal}: ${warren.output}`);
    assert.ok(performance.now() - began < 10_000);
    if (!hadStarted) stoppedEarly++;
  }
  assert.ok(stoppedEarly > 0, 'it was never told before it served');
  await assertFlagged(t, dataDir, count);
});

test('what may have been delivered before a kill says so after one clean stop after another', { timeout: 60_000 }, async t => {
  const dataDir = join(temporaryDirectory(t), 'data');
  await killed(t, dataDir, 3);
  // Each start has a segment of its own, and moves what is in those before it.
  for (let stop = 0; stop < 3; stop++) await (await WarrenProcess.start(t, { dataDir })).stop();
  await assertFlagged(t, dataDir, 3);
});
