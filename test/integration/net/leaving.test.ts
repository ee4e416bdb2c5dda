// Very many clients that leave at the same moment: their sessions and sockets are closed by and by.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withClient } from '../../support/with-broker.ts';

const count = 600;

test('clients that leave all at once leave nothing behind, and others are served meanwhile', () =>
  withClient(async (client, broker) => {
    const { core } = broker;
    const vhost = core.vhosts.get('/') ?? assert.fail();
    const many: AmqpDriver[] = [];
    for (let i = 0; i < count; i++) {
      const one = await AmqpDriver.connect({ port: broker.port });
      await one.openChannel(1);
      await one.call(queueDeclare(1, { queue: `own ${i}`, exclusive: true }), methods.QueueDeclareOk);
      await one.call(basicConsume(1, { queue: `own ${i}` }), methods.BasicConsumeOk);
      many.push(one);
    }
    assert.equal(core.connections.size, count + 1);
    for (const one of many) one.destroy();
    await client.call(queueDeclare(1, { queue: 'other' }), methods.QueueDeclareOk);
    await waitUntil(() => core.connections.size === 1);
    await waitUntil(() => vhost.queues.size === 1);
    assert.equal(vhost.connectionCount, 1);
    const again = await AmqpDriver.connect({ port: broker.port });
    await again.openChannel(1);
    await again.call(queueDeclare(1, { queue: `own ${count - 1}`, exclusive: true }), methods.QueueDeclareOk);
    again.destroy();
  }));
