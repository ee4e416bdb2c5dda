// What the HTTP API tells of streams, and what it refuses. RabbitMQ 3.10's answer for a stream is the measure of the fields.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import * as m from '../../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { basicConsume, basicQos, confirmSelect, queueDeclare } from '../../support/amqp-requests.ts';
import { type ManagedBroker, withManagement } from '../management/with-management.ts';

/** Fields of GET /api/queues/VHOST/NAME for a stream in RabbitMQ 3.10. */
const recordedFields = [
  ...['arguments', 'auto_delete', 'consumer_details', 'consumers', 'deliveries', 'durable', 'effective_policy_definition', 'exclusive'],
  ...['garbage_collection', 'incoming', 'members', 'memory', 'message_stats', 'messages', 'messages_details', 'messages_ready'],
  ...['messages_ready_details', 'messages_unacknowledged', 'messages_unacknowledged_details', 'name', 'node', 'online', 'operator_policy'],
  ...['policy', 'readers', 'reductions', 'reductions_details', 'state', 'type', 'vhost'],
];

type Json = Record<string, unknown>;

/** A stream with ten messages and a consumer that was given five of them. */
async function withStream(run: (managed: ManagedBroker) => Promise<void>): Promise<void> {
  await withManagement({}, async managed => {
    const client = await AmqpDriver.connect({ port: managed.broker.port });
    await client.openChannel(1);
    await client.call(
      queueDeclare(1, { queue: 's', durable: true, arguments: new Map([['x-queue-type', longstr('stream')]]) }),
      m.QueueDeclareOk,
    );
    await client.call(confirmSelect(1), m.ConfirmSelectOk);
    for (let i = 0; i < 10; i++) {
      client.publish(1, { routingKey: 's', body: 'x' });
      await client.expect(m.BasicAck, 1);
    }
    await client.call(basicQos(1, 5), m.BasicQosOk);
    const args = new Map([['x-stream-offset', longstr('first')]]);
    await client.call(basicConsume(1, { queue: 's', consumerTag: 't', arguments: args }), m.BasicConsumeOk);
    for (let i = 0; i < 5; i++) await client.nextDelivery(1);
    await run(managed);
    client.destroy();
  });
}

test('a stream has the fields that RabbitMQ shows of it', () =>
  withStream(async ({ http, broker }) => {
    const view = (await http.get('/api/queues/%2F/s')).json as Json;
    for (const field of recordedFields) assert.ok(field in view, field);
    const node = broker.core.settings.nodeName;
    assert.deepEqual(
      [
        view['type'],
        view['messages'],
        view['messages_ready'],
        view['messages_unacknowledged'],
        view['members'],
        view['online'],
        view['readers'],
      ],
      ['stream', 10, 10, 0, [node], [node], { [node]: 1 }],
    );
    assert.deepEqual([view['first_offset'], view['committed_offset'], view['segments']], [0, 9, 1]);
    assert.ok(!('backing_queue_status' in view) && !('messages_ram' in view));
    const [consumer] = view['consumer_details'] as Json[];
    assert.deepEqual(
      [consumer?.['arguments'], consumer?.['offset'], consumer?.['offset_lag'], consumer?.['prefetch_count'], consumer?.['ack_required']],
      [{ 'x-stream-offset': 'first' }, 4, 5, 5, true],
    );
  }));

test('what streams do not have is refused over HTTP as over AMQP', () =>
  withStream(async ({ http }) => {
    const body = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' };
    const got = await http.request('POST', '/api/queues/%2F/s/get', { body });
    assert.deepEqual([got.status, (got.json as Json)['error']], [400, 'bad_request']);
    assert.match(got.text, /basic\.get not supported by stream queues queue 's' in vhost '\/'/);
    const purged = await http.request('DELETE', '/api/queues/%2F/s/contents');
    assert.equal(purged.status, 400);
    assert.match(purged.text, /queue\.purge not supported by stream queues queue 's' in vhost '\/'/);
    for (const [method, path] of [['POST', 'move']] as const) {
      const answer = await http.request(method, `/api/queues/%2F/s/${path}`, method === 'POST' ? { body: { destination: 'q' } } : {});
      assert.equal(answer.status, 400, path);
    }
  }));

test('messages of a stream are shown and searched from any place', () =>
  withStream(async ({ http }) => {
    const list = async (query: string): Promise<Json[]> => (await http.get(`/api/queues/%2F/s/messages${query}`)).json as Json[];
    const all = await list('');
    assert.equal(all.length, 10);
    assert.deepEqual([all[3]?.['payload'], all[3]?.['routing_key'], all[3]?.['state']], ['x', 's', 'ready']);
    assert.deepEqual(
      (await list('?offset=7&count=2')).map(message => (message['properties'] as { headers: Json }).headers),
      [{ 'x-stream-offset': 7 }, { 'x-stream-offset': 8 }],
    );
    assert.equal((await list('?search=x')).length, 10);
    assert.deepEqual(await list('?search=nothing'), []);
    assert.deepEqual(await list('?offset=10'), []);
    assert.deepEqual(await list('?state=unacked'), []);
  }));

test('a stream is exported and imported with its type', () =>
  withStream(async ({ http }) => {
    const definitions = (await http.get('/api/definitions')).json as { queues: Json[] };
    const [stream] = definitions.queues;
    assert.deepEqual([stream?.['name'], stream?.['type'], stream?.['arguments']], ['s', 'stream', { 'x-queue-type': 'stream' }]);
    await http.request('DELETE', '/api/queues/%2F/s');
    assert.equal((await http.get('/api/queues/%2F/s')).status, 404);
    const imported = await http.request('POST', '/api/definitions', { body: definitions });
    assert.ok(imported.status < 300, imported.text);
    const view = (await http.get('/api/queues/%2F/s')).json as Json;
    assert.deepEqual([view['type'], view['messages']], ['stream', 0]);
  }));

test('metrics count the messages of streams as on disk and not in memory', () =>
  withStream(async ({ management }) => {
    const text = await (await fetch(`http://127.0.0.1:${management.metricsPort}/metrics/per-object`)).text();
    const valueOf = (name: string): string | undefined =>
      new RegExp(`^rabbitmq_${name}\\{[^}]*queue="s"[^}]*\\} (\\S+)`, 'm').exec(text)?.[1];
    assert.equal(valueOf('queue_messages_ready'), '10');
    assert.equal(valueOf('queue_messages_ram'), '0');
    assert.equal(valueOf('queue_messages_persistent'), '10');
  }));
