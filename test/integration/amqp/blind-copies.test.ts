// The keys of BCC are kept where receivers do not see them. [RabbitMQ docs: sender-selected distribution]
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { array, longstr } from '../../../src/base/field-table.ts';
import { Broker } from '../../../src/index.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import {
  basicConsume,
  basicGet,
  basicReject,
  confirmSelect,
  exchangeDeclare,
  queueBind,
  queueDeclare,
} from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withClient } from '../../support/with-broker.ts';

const headers = new Map([
  ['BCC', array([longstr('blind')])],
  ['kept', longstr('yes')],
]);

/** A queue whose dead letters go to an exchange that knows the blind key only. */
async function declareTopology(client: AmqpDriver): Promise<void> {
  await client.call(exchangeDeclare(1, { exchange: 'dlx', durable: true }), methods.ExchangeDeclareOk);
  const args = new Map([['x-dead-letter-exchange', longstr('dlx')]]);
  await client.call(queueDeclare(1, { queue: 'q', durable: true, arguments: args }), methods.QueueDeclareOk);
  await client.call(queueDeclare(1, { queue: 'dead', durable: true }), methods.QueueDeclareOk);
  await client.call(queueBind(1, { queue: 'dead', exchange: 'dlx', routingKey: 'blind' }), methods.QueueBindOk);
}

async function nextOf(client: AmqpDriver, queue: string): Promise<string | undefined> {
  client.send(basicGet(1, queue));
  const got = await client.nextDelivery(1);
  assert.equal(got.kind, 'get-ok');
  assert.ok(got.properties.headers?.has('kept'));
  assert.ok(!got.properties.headers?.has('BCC'));
  return got.body.toString();
}

test('a delivery shows neither the header nor its keys, whatever the size of the message', () =>
  withClient(async client => {
    await declareTopology(client);
    await client.call(basicConsume(1, { queue: 'q' }), methods.BasicConsumeOk);
    for (const size of [0, 10, 100_000, 1_000_000]) {
      client.publish(1, { routingKey: 'q', properties: { headers }, body: Buffer.alloc(size, 'x') });
      const delivery = await client.nextDelivery(1);
      assert.ok(delivery.kind === 'deliver' && delivery.args.routingKey === 'q' && delivery.args.exchange === '');
      assert.deepEqual([...(delivery.properties.headers ?? [])], [['kept', longstr('yes')]]);
      assert.equal(delivery.body.length, size);
    }
  }));

test('a dead letter goes to the blind keys too, also after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'blind-copies-'));
  try {
    let broker = await Broker.start({ dataDir });
    let client = await AmqpDriver.connect({ port: broker.port });
    await client.openChannel(1);
    await declareTopology(client);
    await client.call(confirmSelect(1), methods.ConfirmSelectOk);
    for (const body of ['small', 'large '.repeat(100_000)])
      client.publish(1, { routingKey: 'q', properties: { headers, deliveryMode: 2 }, body });
    await waitUntil(() => broker.core.vhosts.get('/')?.counters.confirmed === 2);
    client.destroy();
    await broker.stop();

    broker = await Broker.start({ dataDir });
    client = await AmqpDriver.connect({ port: broker.port });
    await client.openChannel(1);
    for (const [index, start] of ['small', 'large large'].entries()) {
      assert.ok((await nextOf(client, 'q'))?.startsWith(start));
      client.send(basicReject(1, index * 2 + 1, false));
      await waitUntil(() => (broker.core.vhosts.get('/')?.queues.get('dead')?.readyCount ?? 0) === 1);
      assert.ok((await nextOf(client, 'dead'))?.startsWith(start));
    }
    client.destroy();
    await broker.stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
