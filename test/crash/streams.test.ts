// kill -9 while a stream is published to and read: what was confirmed is there under one offset, and what a reader saw at an offset is what every
// later reader finds there.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type FieldTable, long, longstr } from '../../src/base/field-table.ts';
import * as m from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicAck, basicConsume, basicQos, confirmSelect, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-streams-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

const stream: FieldTable = new Map([
  ['x-queue-type', longstr('stream')],
  ['x-stream-max-segment-size-bytes', long(50_000)],
]);

async function client(port: number): Promise<AmqpDriver> {
  const driver = await AmqpDriver.connect({ port });
  await driver.openChannel(1);
  await driver.call(queueDeclare(1, { queue: 's', durable: true, arguments: stream }), m.QueueDeclareOk);
  await driver.call(confirmSelect(1), m.ConfirmSelectOk);
  await driver.call(basicQos(1, 5000), m.BasicQosOk);
  return driver;
}

/** Reads from the first on; `onMessage` hears of each message. Ends with the connection, or when `until` says so. */
async function read(driver: AmqpDriver, onMessage: (offset: number, body: string) => void, until: () => boolean): Promise<void> {
  driver.send(basicConsume(1, { queue: 's', consumerTag: 'r', arguments: new Map([['x-stream-offset', longstr('first')]]) }));
  while (!until()) {
    const { args, body, properties } = await driver.nextDelivery();
    onMessage(Number(properties.headers?.get('x-stream-offset')?.value), String(body));
    driver.send(basicAck(1, (args as { deliveryTag: number }).deliveryTag));
  }
}

test('what was confirmed or read is there under its offset after kill -9, six times over', { timeout: 120_000 }, async () => {
  const bodyAt = new Map<number, string>();
  const confirmed = new Set<string>();
  const note = (offset: number, body: string): void => {
    assert.ok(bodyAt.get(offset) === undefined || bodyAt.get(offset) === body, `offset ${offset}: ${bodyAt.get(offset)} became ${body}`);
    bodyAt.set(offset, body);
  };
  for (let life = 0; life < 6; life++) {
    const broker = await startKillable(directory);
    const check = await client(broker.port);
    const last = Math.max(-1, ...bodyAt.keys());
    const found = new Set<string>();
    let reached = -1;
    if (confirmed.size > 0) {
      await read(
        check,
        (offset, body) => {
          assert.equal(offset, reached + 1, 'an offset is missing');
          reached = offset;
          note(offset, body);
          found.add(body);
        },
        () => reached >= last && [...confirmed].every(body => found.has(body)),
      );
    }
    check.destroy();
    const reader = await client(broker.port);
    const reading = read(reader, note, () => false).catch((error: unknown) => {
      if (error instanceof assert.AssertionError) throw error;
    });
    const publisher = await client(broker.port);
    let sent = 0;
    let acked = 0;
    const publishing = (async () => {
      for (;;) {
        for (; sent < acked + 100; sent++)
          publisher.publish(1, { routingKey: 's', body: `${life}-${sent + 1}-${'x'.repeat((sent * 31) % 900)}` });
        const { deliveryTag } = await publisher.expect(m.BasicAck, 1);
        for (; acked < deliveryTag; acked++) confirmed.add(`${life}-${acked + 1}-${'x'.repeat((acked * 31) % 900)}`);
        if (acked > 300 + life * 170) return;
      }
    })();
    await publishing;
    await broker.kill();
    publisher.destroy();
    reader.destroy();
    await reading;
  }
  assert.ok(confirmed.size > 1500 && bodyAt.size > 1500, `${confirmed.size} confirmed, ${bodyAt.size} read`);
});
