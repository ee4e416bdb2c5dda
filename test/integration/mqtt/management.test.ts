// What operators see of MQTT by the HTTP API, and what they can do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, told } from '../../support/mqtt-driver.ts';
import { StompDriver } from '../../support/stomp-driver.ts';
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

test('metrics count what clients of each protocol do under its own name', () =>
  withManagement(
    { broker: { listeners: [{ protocol: 'amqp' }, { protocol: 'mqtt' }, { protocol: 'stomp' }] } },
    async ({ broker: { core, listeners }, management, http }) => {
      const port = listeners[1]?.port ?? 0;
      const lasting = await MqttDriver.connect(port, { clientId: 'five', properties: { sessionExpirySeconds: 60 } });
      await lasting.subscribe('m/#', 1);
      const old = await MqttDriver.connect(port, { clientId: 'old', version: 4 });
      await old.subscribe('m/#', 0);
      const oldest = await MqttDriver.connect(port, { clientId: 'oldest', version: 3 });
      await old.publishAndWait('m/a', '1');
      await old.publishAndWait('m/b', '2');
      await oldest.publishAndWait('nobody/there', '3');
      for (let i = 0; i < 2; i++) {
        await old.next('publish');
        lasting.ack('puback', (await lasting.next('publish')).packetId);
      }
      await lasting.ping();
      const stomp = await StompDriver.connect(listeners[2]?.port ?? 0);
      await stomp.request('SUBSCRIBE', { id: '0', destination: '/queue/s', ack: 'auto' });
      await stomp.request('SEND', { destination: '/queue/s' }, 'x');
      await waitUntil(() => stomp.frames.some(({ command }) => command === 'MESSAGE'));
      const wrong = await MqttDriver.open(port);
      assert.equal((await wrong.login({ password: 'wrong' })).reason, 0x86);
      const text = await (await fetch(`http://127.0.0.1:${management.metricsPort}/metrics`)).text();
      const values = new Map(
        text.split('\n').flatMap(line => {
          const at = line.lastIndexOf(' ');
          return line.startsWith('#') || at < 0 ? [] : [[line.slice(0, at), Number(line.slice(at + 1))] as const];
        }),
      );
      const of = (name: string, protocol: string, more = ''): number | undefined =>
        values.get(`rabbitmq_${name}{protocol="${protocol}"${more}}`);
      const each = (name: string, more = ''): (number | undefined)[] =>
        ['amqp091', 'mqtt310', 'mqtt311', 'mqtt50', 'stomp'].map(protocol => of(name, protocol, more));
      const classic = ',queue_type="rabbit_classic_queue"';
      assert.deepEqual(each('global_messages_received_total'), [0, 1, 2, 0, 1]);
      assert.deepEqual(each('global_messages_confirmed_total'), [0, 1, 2, 0, 1]);
      assert.deepEqual(each('global_messages_routed_total'), [0, 0, 2, 0, 1]);
      assert.deepEqual(each('global_messages_unroutable_dropped_total'), [0, 1, 0, 0, 0]);
      const delivered = (name: string): number[] => each(name, classic).map(count => count ?? 0);
      assert.deepEqual(delivered('global_messages_delivered_consume_manual_ack_total'), [0, 0, 0, 2, 0]);
      assert.deepEqual(delivered('global_messages_delivered_consume_auto_ack_total'), [0, 0, 2, 0, 1]);
      assert.deepEqual(delivered('global_messages_delivered_total'), [0, 0, 2, 2, 1]);
      assert.deepEqual(delivered('global_messages_acknowledged_total'), [0, 0, 0, 2, 0]);
      assert.deepEqual(each('global_publishers'), [0, 1, 1, 0, 1]);
      assert.deepEqual(each('global_consumers'), [0, 0, 1, 1, 1]);
      const attempts = (await http.get(`/api/auth/attempts/${encodeURIComponent(core.settings.nodeName)}`)).json as Record<
        string,
        unknown
      >[];
      const mqtt = attempts.find(({ protocol }) => protocol === 'mqtt');
      assert.deepEqual([mqtt?.['auth_attempts_succeeded'], mqtt?.['auth_attempts_failed']], [3, 1]);
      assert.equal(attempts.find(({ protocol }) => protocol === 'stomp')?.['auth_attempts_succeeded'], 1);
      for (const client of [lasting, old, oldest, wrong]) client.destroy();
      stomp.destroy();
    },
  ));
