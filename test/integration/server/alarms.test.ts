// The memory and disk alarms, from the process's real memory and disk to the clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarrenProcess } from '../../support/warren-process.ts';

const declaration = { passive: false, durable: false, exclusive: false, autoDelete: false, nowait: false, arguments: new Map() };

async function connect(port: number): Promise<AmqpDriver> {
  const client = await AmqpDriver.connect({ port, timeoutMillis: 20_000 });
  await client.openChannel(1);
  return client;
}

test('above the memory watermark publishers are blocked, consumers go on, and when the messages are gone publishers go on too', async t => {
  const conf = 'vm_memory_high_watermark.absolute = 160MB\nmemory_monitor_interval = 100\n';
  const warren = await WarrenProcess.start(t, { conf, dataDir: null });
  const [publisher, consumer] = [await connect(warren.port), await connect(warren.port)];
  t.after(() => [publisher, consumer].forEach(client => client.destroy()));
  await publisher.call(methods.encodeQueueDeclare(1, { ...declaration, queue: 'q' }), methods.QueueDeclareOk);
  const body = Buffer.alloc(16_000, 'x');
  let publishedCount = 0;
  // Blocked, the socket takes nothing more after what its buffers hold.
  while (!/memory resource limit alarm set/.test(warren.stdout)) {
    for (let index = 0; index < 100; index++) publisher.publish(1, { routingKey: 'q', body });
    publishedCount += 100;
    await waitUntil(() => publisher.socket.writableLength < 1_000_000 || /alarm set/.test(warren.stdout), { timeoutMillis: 20_000 });
    assert.ok(publishedCount < 100_000, 'no alarm');
  }
  await warren.logged(/vm_memory_high_watermark set\. Memory used:\d+ allowed:160000000/);
  await warren.logged(/memory resource limit alarm set on node rabbit@/);
  const { reason } = await publisher.expect(methods.ConnectionBlocked, 0);
  assert.equal(reason, 'low on memory');
  // Whoever only consumes is not blocked, and the queue can be emptied.
  await consumer.call(
    methods.encodeBasicConsume(1, {
      queue: 'q',
      consumerTag: '',
      noLocal: false,
      noAck: true,
      exclusive: false,
      nowait: false,
      arguments: new Map(),
    }),
    methods.BasicConsumeOk,
  );
  let consumedCount = 0;
  while (consumedCount < publishedCount) {
    assert.equal((await consumer.nextDelivery()).body.length, body.length);
    consumedCount++;
  }
  await publisher.expect(methods.ConnectionUnblocked, 0);
  await warren.logged(/memory resource limit alarm cleared on node rabbit@/);
  publisher.publish(1, { routingKey: 'q', body: 'after' });
  assert.equal((await consumer.nextDelivery()).body.toString(), 'after');
  assert.equal((await warren.stop()).code, 0);
});

test('with less free than the disk limit a publisher is blocked as soon as it publishes', async t => {
  const warren = await WarrenProcess.start(t, { conf: 'disk_free_limit.absolute = 9000TB\n' });
  await warren.logged(/Free disk space is insufficient\. Free bytes: \d+\. Limit: 9000000000000000/);
  await warren.logged(/disk resource limit alarm set on node rabbit@/);
  const client = await connect(warren.port);
  t.after(() => client.destroy());
  await client.call(methods.encodeQueueDeclare(1, { ...declaration, queue: 'q' }), methods.QueueDeclareOk);
  client.publish(1, { routingKey: 'q', body: 'x' });
  assert.equal((await client.expect(methods.ConnectionBlocked, 0)).reason, 'low on disk');
});
