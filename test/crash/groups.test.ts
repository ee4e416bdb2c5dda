// Message groups over kill -9 and over a clean stop: what is parked stays parked, and what waits holds up those behind it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Field, long, longstr } from '../../src/base/field-table.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicAck, basicConsume, basicGet, basicNack, basicQos, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';
import { withBroker } from '../support/with-broker.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-groups-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

async function connect(port: number, more: readonly (readonly [string, Field])[]): Promise<AmqpDriver> {
  const driver = await AmqpDriver.connect({ port });
  await driver.openChannel(1);
  const args = new Map<string, Field>([['x-group-header', longstr('key')], ...more]);
  await driver.call(queueDeclare(1, { queue: 'work', durable: true, arguments: args }), m.QueueDeclareOk);
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  return driver;
}

/** Publishes and waits for the confirm; all that was done before on the channel is durable then. 'a1' is of group a. */
async function send(driver: AmqpDriver, ...bodies: string[]): Promise<void> {
  for (const body of bodies) {
    const headers = new Map([['key', longstr(body[0] as string)]]);
    driver.publish(1, { routingKey: 'work', body, properties: { deliveryMode: 2, headers } });
    await driver.expect(m.BasicAck, 1);
  }
}

async function got(driver: AmqpDriver): Promise<{ readonly body: string; readonly tag: number }> {
  const delivery = await driver.nextDelivery();
  return { body: String(delivery.body), tag: (delivery.args as { deliveryTag: number }).deliveryTag };
}

async function get(driver: AmqpDriver): Promise<{ readonly body: string; readonly tag: number }> {
  driver.send(basicGet(1, 'work'));
  return got(driver);
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`a group that was parked is parked after ${signal}, and one that was let go on goes on`, { timeout: 60_000 }, async () => {
    const data = join(directory, `park-${signal}`);
    const parkAfter = [['x-group-park-after', long(1)]] as const;
    const broker = await startKillable(data);
    const first = await connect(broker.port, parkAfter);
    await send(first, 'a1', 'a2', 'b1', 'b2');
    for (const body of ['a1', 'b1']) {
      const message = await get(first);
      assert.equal(message.body, body);
      first.send(basicNack(1, message.tag));
    }
    await send(first, 'c1');
    first.destroy();
    await broker.kill(signal);
    const options = { dataDir: data };
    await withBroker(async ({ port, core }) => {
      const second = await connect(port, parkAfter);
      const { body, tag } = await get(second);
      assert.equal(body, 'c1', 'all before it is parked');
      second.send(basicAck(1, tag));
      const groups = core.vhosts.get('/')?.queues.get('work')?.groups ?? assert.fail();
      assert.deepEqual([...groups.table.parkedKeys()], ['a', 'b']);
      core.turn.begin();
      groups.table.park(groups.table.get('a') ?? assert.fail(), false);
      await core.committed();
      second.destroy();
    }, options);
    await withBroker(async ({ port }) => {
      const third = await connect(port, parkAfter);
      for (const expected of ['a1', 'a2']) {
        const { body, tag } = await get(third);
        assert.equal(body, expected);
        third.send(basicAck(1, tag));
      }
      third.send(basicGet(1, 'work'));
      await third.expect(m.BasicGetEmpty, 1);
      third.destroy();
    }, options);
  });
}

test('a message that waits to be tried again holds up its group over kill -9', { timeout: 60_000 }, async () => {
  const data = join(directory, 'held');
  const retries = [['x-retry-delays', longstr('4s')]] as const;
  const broker = await startKillable(data);
  const before = await connect(broker.port, retries);
  await send(before, 'a1', 'a2', 'b1');
  before.send(basicNack(1, (await get(before)).tag, { requeue: false }));
  await send(before, 'c1');
  before.destroy();
  await broker.kill();
  const again = await startKillable(data);
  const driver = await connect(again.port, retries);
  await driver.call(basicQos(1, 10), m.BasicQosOk);
  await driver.call(basicConsume(1, { queue: 'work', consumerTag: 't' }), m.BasicConsumeOk);
  const bodies: string[] = [];
  while (bodies.length < 4) bodies.push((await got(driver)).body);
  assert.deepEqual(bodies, ['b1', 'c1', 'a1', 'a2']);
  driver.destroy();
  await again.kill();
});
