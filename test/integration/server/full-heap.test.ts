// A client that declares without end, in a process with a small heap: V8 would end it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { exchangeDeclare, queueBind, queueDelete, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarrenProcess } from '../../support/warren-process.ts';

test('bindings beyond what the heap has room for are refused, the broker goes on, and room is made by deleting', {
  timeout: 60_000,
}, async t => {
  const warren = await WarrenProcess.start(t, { env: { NODE_OPTIONS: '--max-old-space-size=96' } });
  const { port } = warren;
  const flooding = await AmqpDriver.connect({ port });
  await flooding.openChannel(1);
  await flooding.call(exchangeDeclare(1, { exchange: 'x', type: 'topic' }), methods.ExchangeDeclareOk);
  await flooding.call(queueDeclare(1, { queue: 'q' }), methods.QueueDeclareOk);
  const flood = async (): Promise<void> => {
    for (let count = 0; count < 1_000_000; count += 1000) {
      const binds = Array.from({ length: 1000 }, (_, index) =>
        queueBind(1, { queue: 'q', exchange: 'x', routingKey: `key.${count + index}.${'y'.repeat(60)}`, nowait: true }),
      );
      flooding.send(Buffer.concat(binds));
      await flooding.call(queueDeclare(1, { queue: 'q', passive: true }), methods.QueueDeclareOk);
    }
  };
  await assert.rejects(flood(), /cannot bind to exchange 'x' in vhost '\/': the node is low on memory/);
  await warren.logged(/\[warning\] .*too many for the heap of Node\.js\. Used:\d+ allowed:\d+\. Delete some/);
  const other = await AmqpDriver.connect({ port });
  await other.openChannel(1);
  await other.call(queueDelete(1, { queue: 'q' }), methods.QueueDeleteOk);
  await warren.logged(/memory resource limit alarm cleared on node/);
  await waitUntil(async () => {
    await other.call(queueDeclare(1, { queue: 'new' }), methods.QueueDeclareOk);
    return true;
  });
  assert.deepEqual(await warren.stop(), { code: 0, signal: null });
});
