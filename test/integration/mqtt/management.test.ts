// What operators see of MQTT by the HTTP API, and what they can do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, told } from '../../support/mqtt-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withManagement } from '../management/with-management.ts';

const broker = { listeners: [{ protocol: 'amqp' }, { protocol: 'mqtt' }] };

test('connections, sessions and consumers of MQTT are in the lists, and can be closed', () =>
  withManagement({ broker }, async ({ broker: { listeners }, http }) => {
    const port = listeners[1]?.port ?? 0;
    const client = await MqttDriver.connect(port, { clientId: 'c', keepAliveSeconds: 30, properties: { sessionExpirySeconds: 100 } });
    await client.subscribe('a/+', 1);
    const old = await MqttDriver.connect(port, { clientId: 'old', version: 4 });
    const connections = (await http.get('/api/connections')).json as Record<string, unknown>[];
    const byName = new Map(connections.map(each => [each['user_provided_name'], each]));
    assert.equal(byName.get('c')?.['protocol'], 'MQTT 5-0');
    assert.equal(byName.get('c')?.['timeout'], 30);
    assert.deepEqual((byName.get('c')?.['client_properties'] as Record<string, unknown> | undefined)?.['client_id'], 'c');
    assert.equal(byName.get('old')?.['protocol'], 'MQTT 3-1-1');
    const queue = (await http.get('/api/queues/%2F/mqtt-subscription-cqos1')).json as Record<string, unknown>;
    assert.deepEqual([queue['durable'], queue['arguments'], queue['consumers']], [true, { 'x-expires': 100_000 }, 1]);
    const bindings = (await http.get('/api/queues/%2F/mqtt-subscription-cqos1/bindings')).json as Record<string, unknown>[];
    assert.deepEqual(bindings.map(each => `${String(each['source'])}:${String(each['routing_key'])}`).sort(), [
      ':mqtt-subscription-cqos1',
      'amq.topic:a.*',
    ]);
    const consumers = (await http.get('/api/consumers')).json as Record<string, unknown>[];
    assert.deepEqual(
      consumers.map(each => each['consumer_tag']),
      ['cqos1'],
    );
    const name = encodeURIComponent(String(byName.get('c')?.['name']));
    assert.equal((await http.delete(`/api/connections/${name}`)).status, 204);
    assert.equal((await client.next('disconnect')).reason, 0x98);
    await client.closed();
    old.destroy();
  }));

test('a session whose queue is deleted hears of it', () =>
  withManagement({ broker }, async ({ broker: { listeners }, http }) => {
    const client = await MqttDriver.connect(listeners[1]?.port ?? 0, { clientId: 'c', properties: { sessionExpirySeconds: 100 } });
    await client.subscribe('a/+', 1);
    assert.equal((await http.delete('/api/queues/%2F/mqtt-subscription-cqos1')).status, 204);
    assert.equal((await client.next('disconnect')).reason, 0x98);
  }));

test('retained messages can be listed by a filter and forgotten one by one', () =>
  withManagement({ broker }, async ({ broker: { listeners }, http }) => {
    const port = listeners[1]?.port ?? 0;
    assert.deepEqual((await http.get('/api/mqtt/retained/%2F')).json, []);
    const client = await MqttDriver.connect(port);
    for (const topic of ['a/1', 'a/2', 'b'])
      await client.publishAndWait(topic, `of ${topic}`, {
        isRetained: true,
        properties: topic === 'b' ? { messageExpirySeconds: 100 } : {},
      });
    const list = async (query: string): Promise<Record<string, unknown>[]> =>
      (await http.get(`/api/mqtt/retained/%2F${query}`)).json as Record<string, unknown>[];
    assert.deepEqual((await list('')).map(each => String(each['topic'])).sort(), ['a/1', 'a/2', 'b']);
    assert.deepEqual((await list('?topic=a/%2B')).map(each => String(each['payload'])).sort(), ['of a/1', 'of a/2']);
    assert.equal((await list('?count=1')).length, 1);
    assert.equal((await list('?offset=2')).length, 1);
    const [b] = await list('?topic=b');
    assert(Number(b?.['expires_in_millis']) > 90_000);
    assert.equal((await http.delete('/api/mqtt/retained/%2F?topic=a/1')).status, 204);
    assert.equal((await http.delete('/api/mqtt/retained/%2F?topic=a/1')).status, 404);
    assert.equal((await http.delete('/api/mqtt/retained/%2F?topic=a/%2B')).status, 400);
    await client.subscribe('a/#', 0);
    assert.equal(told(await client.next('publish')), 'a/2=of a/2');
    const queue = (await http.get('/api/queues/%2F/amq.mqtt.retained')).json as Record<string, unknown>;
    await waitUntil(() => queue['type'] === 'retained');
    assert.equal(
      (await http.post('/api/queues/%2F/amq.mqtt.retained/get', { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' })).status,
      400,
    );
    client.destroy();
  }));
