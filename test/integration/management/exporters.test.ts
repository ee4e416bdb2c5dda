// Programs that make metrics of the HTTP API's answers find every field they read. The same lists hold for RabbitMQ 3.10.8, which was asked, too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { fieldsRead, missingIn, valueAt } from './exporter-fields.ts';
import type { HttpClient } from './http-client.ts';
import { withManagement } from './with-management.ts';

/** Something of everything: published with and without a queue, confirmed, delivered both ways, got both ways, acknowledged, returned. */
async function traffic(port: number): Promise<AmqpDriver> {
  const client = await AmqpDriver.connect({ port });
  await client.openChannel(1);
  await client.openChannel(2);
  await client.call(methods.encodeConfirmSelect(1, { nowait: false }), methods.ConfirmSelectOk);
  for (const queue of ['held', 'got', 'unconfirmed']) await client.call(queueDeclare(1, { queue, durable: true }), methods.QueueDeclareOk);
  for (const routingKey of ['held', 'got', 'got', 'got', 'unconfirmed', 'nowhere']) {
    client.publish(1, { routingKey, properties: { deliveryMode: 2 } });
  }
  client.publish(1, { routingKey: 'nowhere', mandatory: true });
  await client.nextDelivery(1);
  await client.call(basicConsume(2, { queue: 'held' }), methods.BasicConsumeOk);
  const delivery = await client.nextDelivery(2);
  assert.ok(delivery.kind === 'deliver');
  client.send(methods.encodeBasicReject(2, { deliveryTag: delivery.args.deliveryTag, requeue: true }));
  const again = await client.nextDelivery(2);
  assert.ok(again.kind === 'deliver' && again.args.redelivered);
  client.send(methods.encodeBasicAck(2, { deliveryTag: again.args.deliveryTag, multiple: false }));
  await client.call(basicConsume(2, { queue: 'unconfirmed', noAck: true }), methods.BasicConsumeOk);
  await client.nextDelivery(2);
  for (const noAck of [true, false]) {
    client.send(methods.encodeBasicGet(1, { queue: 'got', noAck }));
    await client.nextDelivery(1);
  }
  return client;
}

/** What one program would miss, path by path. */
async function missing(http: HttpClient): Promise<string[]> {
  const node = valueAt((await http.get('/api/overview')).json, 'node') as string;
  const problems: string[] = [];
  for (const read of fieldsRead) {
    const { status, json } = await http.get(read.path.replace('{node}', node));
    assert.equal(status, 200, read.path);
    problems.push(...missingIn(json, read).map(field => `${read.program}: ${read.path} ${field}`));
  }
  return problems;
}

test('exporters find what they read', async () => {
  await withManagement({}, async ({ broker, http }) => {
    await http.put('/api/policies/%2F/limits', { pattern: '.*', definition: { 'max-length': 5 }, 'apply-to': 'queues' });
    const client = await traffic(broker.port);
    let problems: string[] = [];
    // Rates are there once something was sampled.
    await waitUntil(async () => (problems = await missing(http)).length === 0, { message: () => problems.join('\n') });
    await client.end();
  });
});

test('a broker that has done nothing yet gives exporters objects without figures, in place of nothing', async () => {
  await withManagement({}, async ({ http }) => {
    const overview = (await http.get('/api/overview')).json;
    // Telegraf takes the answer for a refusal when one of these is missing.
    for (const name of ['message_stats', 'queue_totals', 'object_totals', 'listeners'])
      assert.equal(typeof valueAt(overview, name), 'object', name);
    for (const path of ['/api/queues', '/api/connections', '/api/shovels', '/api/federation-links'])
      assert.deepEqual((await http.get(path)).json, [], path);
  });
});

test('rabbitmq_exporter asks for BERT first and takes JSON', async () => {
  await withManagement({}, async ({ http }) => {
    const answer = await http.get('/api/overview', { headers: { accept: 'application/bert, application/json;q=0.1' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/json');
  });
});
