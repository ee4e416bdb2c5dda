// A queue that is paused takes messages and hands out none. RabbitMQ has nothing like it: docs/guides/pausing-queues.md.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Field, type FieldTable, int, longstr } from '../../../src/base/field-table.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import type { Queue } from '../../../src/core/queues/queue.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicAck, basicConsume, basicGet, basicNack, basicQos, confirmSelect, queueDeclare } from '../../support/amqp-requests.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withClient } from '../../support/with-broker.ts';
import { withManagement } from '../management/with-management.ts';

const pausePath = '/api/queues/%2F/q/pause';

function args(more: Record<string, Field>): FieldTable {
  return new Map(Object.entries(more));
}

async function declare(client: AmqpDriver, more: Record<string, Field> = {}, isDurable = true): Promise<void> {
  await client.call(queueDeclare(1, { queue: 'q', durable: isDurable, arguments: args(more) }), methods.QueueDeclareOk);
}

function queueOf(core: BrokerCore): Queue {
  return core.vhosts.get('/')?.queues.get('q') ?? assert.fail();
}

/** When it is confirmed, whoever could be given it has been. */
async function publish(client: AmqpDriver, ...bodies: string[]): Promise<void> {
  for (const body of bodies) {
    client.publish(1, { routingKey: 'q', body, properties: { deliveryMode: 2 } });
    await client.expect(methods.BasicAck, 1);
  }
}

async function consume(client: AmqpDriver, noAck: boolean): Promise<void> {
  await client.call(basicConsume(1, { queue: 'q', consumerTag: 'c', noAck }), methods.BasicConsumeOk);
}

async function next(client: AmqpDriver): Promise<{ body: string; tag: number }> {
  const { body, args: given } = await client.nextDelivery();
  return { body: String(body), tag: (given as { deliveryTag: number }).deliveryTag };
}

const shapes: Readonly<Record<string, Record<string, Field>>> = {
  classic: {},
  quorum: { 'x-queue-type': longstr('quorum') },
  'with priorities': { 'x-max-priority': int(3) },
  'with message groups': { 'x-group-header': longstr('g') },
  'with a single active consumer': { 'x-single-active-consumer': { type: 't', value: true } },
};

describe('a paused queue', () => {
  for (const [shape, more] of Object.entries(shapes)) {
    test(`${shape}: takes and confirms messages, hands out none, and goes on in their order`, async () => {
      await withManagement({}, async ({ broker, http }) => {
        const client = await AmqpDriver.connect({ port: broker.port });
        await client.openChannel(1);
        await client.call(confirmSelect(1), methods.ConfirmSelectOk);
        await declare(client, more);
        const queue = queueOf(broker.core);
        await consume(client, false);
        await publish(client, 'one', 'two');
        const [one, two] = [await next(client), await next(client)];
        assert.equal((await http.put(pausePath, {})).status, 204);
        await publish(client, 'three', 'four');
        assert.deepEqual([queue.readyCount, queue.unackedCount], [2, 2]);
        // What was delivered is settled as ever; what comes back stays.
        client.send(basicAck(1, one.tag));
        client.send(basicNack(1, two.tag, { requeue: true }));
        await waitUntil(() => queue.readyCount === 3 && queue.unackedCount === 0);
        // Another consumer, and whoever asks, are given nothing either.
        await client.openChannel(2);
        client.send(basicGet(2, 'q'));
        await client.expect(methods.BasicGetEmpty, 2);
        const got = await http.post('/api/queues/%2F/q/get', { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' });
        assert.deepEqual(got.json, []);
        assert.equal(queue.counters.delivered, 2);
        assert.equal((await http.delete(pausePath)).status, 204);
        assert.deepEqual([(await next(client)).body, (await next(client)).body, (await next(client)).body], ['two', 'three', 'four']);
        await client.end();
      });
    });
  }

  test('that is a stream: keeps its readers where they are', async () => {
    await withManagement({}, async ({ broker, http }) => {
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      await declare(client, { 'x-queue-type': longstr('stream') });
      client.method(basicQos(1, 10));
      await client.expect(methods.BasicQosOk, 1);
      await consume(client, false);
      await publish(client, 'one');
      assert.equal((await next(client)).body, 'one');
      await http.put(pausePath, {});
      await publish(client, 'two', 'three');
      assert.equal(queueOf(broker.core).counters.delivered, 1);
      await http.delete(pausePath);
      assert.deepEqual([(await next(client)).body, (await next(client)).body], ['two', 'three']);
      await client.end();
    });
  });

  test('refuses what a full queue refuses, and lets messages expire', async () => {
    await withManagement({}, async ({ broker, http }) => {
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      await client.call(confirmSelect(1), methods.ConfirmSelectOk);
      await declare(client, { 'x-max-length': int(2), 'x-overflow': longstr('reject-publish'), 'x-message-ttl': int(50) });
      await consume(client, true);
      await http.put(pausePath, {});
      const queue = queueOf(broker.core);
      for (const body of ['one', 'two', 'three']) client.publish(1, { routingKey: 'q', body });
      await client.expect(methods.BasicNack, 1);
      await waitUntil(() => queue.readyCount === 0);
      assert.equal(queue.counters.deliveredNoAck, 0);
      await client.end();
    });
  });

  test('is paused after a restart and in another shape, by the one who paused it; one that does not outlive the broker is gone', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'warren-pause-'));
    try {
      let since = 0;
      await withClient(
        async (client, { core }) => {
          await declare(client, {});
          const vhost = core.vhosts.get('/') ?? assert.fail();
          const actor = { user: 'guest', owner: null, isBroker: false };
          core.turn.begin();
          core.topology.pauseQueue(vhost, 'q', true, actor);
          since = queueOf(core).paused?.sinceMillis ?? 0;
          // Once more changes nothing.
          assert.equal(core.topology.pauseQueue(vhost, 'q', true, actor).paused?.sinceMillis, since);
          const kept = [...core.metadataSnapshot()] as { kind: string }[];
          assert.equal(kept.filter(({ kind }) => kind === 'queue.pause').length, 1);
          core.topology.reshapeQueue(vhost, 'q', args({ 'x-queue-type': longstr('stream') }), actor);
          await waitUntil(() => queueOf(core).type.name === 'stream');
          await core.committed();
        },
        { dataDir: directory },
      );
      await withClient(
        async (_client, { core }) => {
          assert.deepEqual(queueOf(core).paused, { sinceMillis: since, by: 'guest' });
          core.topology.pauseQueue(core.vhosts.get('/') ?? assert.fail(), 'q', false, { user: 'guest', owner: null, isBroker: false });
          await core.committed();
        },
        { dataDir: directory },
      );
      await withClient(
        async (client, { core }) => {
          assert.equal(queueOf(core).paused, null);
          // A queue of the same name that is made anew is not paused.
          core.topology.pauseQueue(core.vhosts.get('/') ?? assert.fail(), 'q', true, { user: 'guest', owner: null, isBroker: false });
          await client.call(
            methods.encodeQueueDelete(1, { queue: 'q', ifUnused: false, ifEmpty: false, nowait: false }),
            methods.QueueDeleteOk,
          );
          await declare(client);
          assert.equal(queueOf(core).paused, null);
          await core.committed();
        },
        { dataDir: directory },
      );
      await withClient(
        async (_client, { core }) => {
          assert.equal(queueOf(core).paused, null);
        },
        { dataDir: directory },
      );
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test('is told of: in lists, among the findings, in metrics; who may not configure it cannot pause it', async () => {
    await withManagement({}, async ({ broker, http, management }) => {
      await http.put('/api/queues/%2F/q', { durable: true });
      await http.put('/api/users/reader', { password: 'reader', tags: 'management' });
      await http.put('/api/permissions/%2F/reader', { configure: '^$', write: '.*', read: '.*' });
      for (const method of ['PUT', 'DELETE'])
        assert.equal((await http.request(method, pausePath, { user: 'reader:reader' })).status, 401, method);
      assert.equal((await http.put('/api/queues/%2F/none/pause', {})).status, 404);
      const owner = await AmqpDriver.connect({ port: broker.port });
      await owner.openChannel(1);
      await owner.call(queueDeclare(1, { queue: 'own', exclusive: true }), methods.QueueDeclareOk);
      const locked = await http.put('/api/queues/%2F/own/pause', {});
      assert.equal(locked.status, 400);
      assert.match(locked.text, /RESOURCE_LOCKED|cannot obtain exclusive access to locked queue 'own'/);
      await owner.end();
      await waitUntil(async () => ((await http.get('/api/queues')).json as unknown[]).length === 1);
      type View = Record<string, unknown>;
      const view = async (): Promise<View> => ((await http.get('/api/queues')).json as View[])[0] ?? {};
      assert.deepEqual([(await view())['state'], (await view())['paused_since']], ['running', undefined]);
      const before = Date.now();
      assert.equal((await http.put(pausePath, {})).status, 204);
      assert.equal((await http.put(pausePath, {})).status, 204);
      const paused = await view();
      assert.deepEqual([paused['state'], paused['paused_by']], ['paused', 'guest']);
      const since = Date.parse(paused['paused_since'] as string);
      assert.ok(since >= before - 1000 && since <= Date.now() + 1000);
      const client = await AmqpDriver.connect({ port: broker.port });
      await client.openChannel(1);
      client.publish(1, { routingKey: 'q', body: 'x' });
      await waitUntil(() => queueOf(broker.core).readyCount === 1);
      const [finding] = (await http.get('/api/findings?queue=q')).json as { text: string; severity: string }[];
      assert.equal(finding?.text, `Queue q is paused since ${new Date(since).toISOString()} by guest: 1 message waits`);
      assert.equal(finding.severity, 'warn');
      const scrape = async (): Promise<string> => await (await fetch(`http://127.0.0.1:${management.metricsPort}/metrics`)).text();
      assert.match(await scrape(), /^warrenmq_queue_paused 1$/m);
      assert.equal((await http.delete(pausePath)).status, 204);
      assert.match(await scrape(), /^warrenmq_queue_paused 0$/m);
      await client.end();
    });
  });
});
