// kill -9 in the middle of confirmed publishing, again and again on the same data. SIGKILL keeps the page cache: it proves that the journal is
// whole at every moment and that recovery reads it, not that anything was synced.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicConsume, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-crash-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

/** Publishes numbered messages until the broker is gone; returns the highest number confirmed and the highest sent. */
async function publishUntilKilled(port: number, from: number, kill: () => void): Promise<{ confirmed: number; sent: number }> {
  const driver = await AmqpDriver.connect({ port });
  await driver.openChannel(1);
  await driver.call(queueDeclare(1, { queue: 'crash', durable: true }), m.QueueDeclareOk);
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  let confirmed = 0;
  let sent = 0;
  setTimeout(kill, 60 + Math.floor((from * 37) % 120));
  try {
    for (;;) {
      for (; sent < confirmed + 200; sent++) {
        driver.publish(1, {
          routingKey: 'crash',
          properties: { deliveryMode: 2 },
          body: Buffer.from(`${from + sent}:${'x'.repeat((sent * 7) % 600)}`),
        });
      }
      const ack = (await driver.expect(m.BasicAck, 1)) as { deliveryTag: number; multiple: boolean };
      confirmed = Math.max(confirmed, ack.deliveryTag);
    }
  } catch {
    driver.destroy();
    return { confirmed: from + confirmed, sent: from + sent };
  }
}

/** The numbers of all messages in the queue, in order; they stay there. */
async function read(port: number): Promise<{ numbers: number[]; allRedelivered: boolean }> {
  const driver = await AmqpDriver.connect({ port });
  await driver.openChannel(1);
  const { messageCount } = (await driver.call(queueDeclare(1, { queue: 'crash', durable: true }), m.QueueDeclareOk)) as {
    messageCount: number;
  };
  await driver.call(basicConsume(1, { queue: 'crash', consumerTag: 'reader' }), m.BasicConsumeOk);
  const numbers: number[] = [];
  let allRedelivered = true;
  while (numbers.length < messageCount) {
    const delivery = await driver.nextDelivery();
    const [number, padding] = String(delivery.body).split(':') as [string, string];
    assert.match(padding, /^x*$/);
    numbers.push(Number(number));
    allRedelivered &&= (delivery.args as { redelivered: boolean }).redelivered;
  }
  driver.destroy();
  return { numbers, allRedelivered };
}

test('what was confirmed is there after kill -9, in order, flagged, five times over', { timeout: 120_000 }, async () => {
  const data = join(directory, 'kill');
  let next = 1;
  const mustBeThere = new Set<number>();
  for (let cycle = 0; cycle < 5; cycle++) {
    const first = await startKillable(data);
    const { confirmed, sent } = await publishUntilKilled(first.port, next, () => void first.kill());
    await first.kill();
    for (let number = next; number < confirmed; number++) mustBeThere.add(number);
    const second = await startKillable(data);
    const { numbers, allRedelivered } = await read(second.port);
    const found = new Set(numbers);
    assert.deepEqual(
      [...mustBeThere].filter(number => !found.has(number)),
      [],
      'confirmed messages are missing',
    );
    assert.equal(found.size, numbers.length, 'a message is there twice');
    assert.ok(
      numbers.every((number, index) => index === 0 || number > (numbers[index - 1] as number)),
      'messages are out of order',
    );
    assert.ok(allRedelivered, 'a message that may have been delivered before does not say so');
    assert.ok(
      numbers.every(number => number < sent),
      'a message that nobody sent',
    );
    await second.kill();
    next = sent;
  }
  assert.ok(mustBeThere.size > 500, `only ${mustBeThere.size} messages were confirmed`);
});

test('a clean stop keeps everything, and what was never delivered is not flagged', { timeout: 60_000 }, async () => {
  const data = join(directory, 'clean');
  const first = await startKillable(data);
  const driver = await AmqpDriver.connect({ port: first.port });
  await driver.openChannel(1);
  await driver.call(queueDeclare(1, { queue: 'crash', durable: true }), m.QueueDeclareOk);
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  for (let number = 1; number <= 50; number++) {
    driver.publish(1, { routingKey: 'crash', properties: { deliveryMode: number % 5 === 0 ? 1 : 2 }, body: Buffer.from(`${number}:x`) });
  }
  for (let confirmed = 0; confirmed < 50; ) confirmed = ((await driver.expect(m.BasicAck, 1)) as { deliveryTag: number }).deliveryTag;
  driver.destroy();
  await first.kill('SIGTERM');
  const second = await startKillable(data);
  const { numbers, allRedelivered } = await read(second.port);
  assert.deepEqual(
    numbers,
    Array.from({ length: 50 }, (_, index) => index + 1).filter(number => number % 5 !== 0),
  );
  assert.equal(allRedelivered, false);
  await second.kill('SIGTERM');
});
