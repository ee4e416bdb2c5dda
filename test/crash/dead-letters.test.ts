// Dead letters of the strategy at-least-once over kill -9: no target loses one, and those that have it do not get it again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Field, int, longstr } from '../../src/base/field-table.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicGet, basicReject, confirmSelect, exchangeDeclare, queueBind, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';
import { waitUntil } from '../support/wait-until.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-dead-letters-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

async function connect(port: number): Promise<AmqpDriver> {
  const driver = await AmqpDriver.connect({ port });
  await driver.openChannel(1);
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  return driver;
}

async function declare(driver: AmqpDriver, queue: string, more: readonly (readonly [string, Field])[]): Promise<void> {
  await driver.call(queueDeclare(1, { queue, durable: true, arguments: new Map(more) }), m.QueueDeclareOk);
}

async function count(driver: AmqpDriver, queue: string): Promise<number> {
  return (await driver.call(queueDeclare(1, { queue, passive: true }), m.QueueDeclareOk)).messageCount;
}

async function confirm(driver: AmqpDriver, routingKey: string, body: string): Promise<void> {
  driver.publish(1, { routingKey, body, properties: { deliveryMode: 2 } });
  await driver.expect(m.BasicAck, 1);
}

const letters = 20;

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a target that has taken a dead letter does not get it again after ${signal}, one that was full gets it`, {
    timeout: 60_000,
  }, async () => {
    const data = join(directory, signal);
    let broker = await startKillable(data);
    let driver = await connect(broker.port);
    await declare(driver, 'work', [
      ['x-queue-type', longstr('quorum')],
      ['x-overflow', longstr('reject-publish')],
      ['x-dead-letter-strategy', longstr('at-least-once')],
      ['x-dead-letter-exchange', longstr('dlx')],
    ]);
    await driver.call(exchangeDeclare(1, { exchange: 'dlx', type: 'fanout', durable: true }), m.ExchangeDeclareOk);
    const full = [
      ['x-max-length', int(1)],
      ['x-overflow', longstr('reject-publish')],
    ] as const;
    for (const [queue, args] of [
      ['free', []],
      ['full', full],
      ['other', [['x-queue-type', longstr('quorum')]]],
    ] as const) {
      await declare(driver, queue, args);
      await driver.call(queueBind(1, { queue, exchange: 'dlx' }), m.QueueBindOk);
    }
    await confirm(driver, 'full', 'in the way');
    for (let i = 0; i < letters; i++) await confirm(driver, 'work', String(i));
    for (let i = 0; i < letters; i++) {
      driver.send(basicGet(1, 'work'));
      const { args } = await driver.nextDelivery();
      driver.send(basicReject(1, (args as { deliveryTag: number }).deliveryTag, false));
    }
    await waitUntil(async () => (await count(driver, 'free')) === letters && (await count(driver, 'other')) === letters);
    // All before it is durable with it; more than once, for who keeps a letter once keeps it on.
    for (let life = 0; life < 2; life++) {
      await declare(driver, 'mark', []);
      await confirm(driver, 'mark', 'm');
      driver.destroy();
      await broker.kill(signal);
      broker = await startKillable(data);
      driver = await connect(broker.port);
    }
    assert.equal(await count(driver, 'full'), 1);
    await declare(driver, 'full', [['x-on-conflict', longstr('migrate')]]);
    await waitUntil(async () => (await count(driver, 'full')) === 1 + letters);
    assert.deepEqual([await count(driver, 'free'), await count(driver, 'other')], [letters, letters]);
    driver.destroy();
    await broker.kill();
  });
}
