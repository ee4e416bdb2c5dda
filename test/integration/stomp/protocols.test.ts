import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { startManagement } from '../../../src/management/management.ts';
import { silentLogger } from '../../../src/core/ports/logger.ts';
import { defaultWebSocketOptions } from '../../../src/net/web-socket-options.ts';
import { AmqpDriver } from '../../support/amqp-driver.ts';
import { MqttDriver } from '../../support/mqtt-driver.ts';
import { basicGet, queueDeclare } from '../../support/amqp-requests.ts';
import { QueueDeclareOk } from '../../../src/wire/amqp091/methods.gen.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { withStomp } from '../../support/with-stomp.ts';
import { HttpClient } from '../management/http-client.ts';
import { managementSettings } from '../management/with-management.ts';

const webStomp = { ...defaultWebSocketOptions, frames: 'as-received' as const, subProtocols: ['v12.stomp', 'v11.stomp', 'v10.stomp'] };

test('a message goes from MQTT to STOMP to AMQP and back to MQTT', async () => {
  await withStomp(
    async ({ open, broker }) => {
      const mqtt = await MqttDriver.connect(broker.listeners[2]?.port ?? 0);
      const amqp = await AmqpDriver.connect({ port: broker.port });
      const stomp = await open();
      try {
        await amqp.openChannel(1);
        await mqtt.subscribe('answers/#', 1);
        await stomp.request('SUBSCRIBE', { id: '0', destination: '/topic/sensors.*' });
        mqtt.publish('sensors/kitchen', '21', { qos: 1, properties: { contentType: 'text/plain', userProperties: [['unit', 'C']] } });
        const message = await stomp.expect('MESSAGE');
        assert.deepEqual(
          [message.body, message.headers.destination, message.headers['content-type'], message.headers.unit, message.headers.persistent],
          ['21', '/topic/sensors.kitchen', 'text/plain', 'C', 'true'],
        );
        await amqp.call(queueDeclare(1, { queue: 'log', durable: true }), QueueDeclareOk);
        await stomp.request('SEND', { destination: '/queue/log', unit: 'C', 'correlation-id': 'c1' }, message.body);
        amqp.send(basicGet(1, 'log', true));
        const got = await amqp.nextDelivery(1);
        assert.deepEqual([String(got.body), got.properties.correlationId, got.properties.headers?.get('unit')?.value], ['21', 'c1', 'C']);
        await stomp.request('SEND', { destination: '/topic/answers.kitchen', persistent: 'true', 'x-colour': 'red' }, 'warm');
        const answer = await mqtt.next('publish');
        assert.deepEqual([answer.topic, String(answer.payload), answer.qos], ['answers/kitchen', 'warm', 1]);
      } finally {
        amqp.destroy();
        mqtt.socket.destroy();
      }
    },
    { listeners: [{}, { protocol: 'stomp' }, { protocol: 'mqtt' }] },
  );
});

test('connections are shown as RabbitMQ shows them: STOMP 1.2, Web STOMP 1.1, and metrics count them', async () => {
  await withStomp(
    async ({ open, broker }) => {
      const management = await startManagement({
        core: broker.core,
        frontEnds: [],
        config: managementSettings(),
        logger: silentLogger,
      });
      const http = new HttpClient(management.port);
      const browser = new WebSocket(`ws://127.0.0.1:${broker.listeners[2]?.port}/ws`, ['v11.stomp', 'v12.stomp']);
      try {
        await once(browser, 'open');
        const client = await open();
        await client.request('SUBSCRIBE', { id: '0', destination: '/queue/shown', ack: 'client' });
        assert.equal(browser.protocol, 'v12.stomp');
        browser.send('CONNECT\naccept-version:1.0,1.1\nlogin:guest\npasscode:guest\nhost:/\n\n\0');
        const [connected, isBinary] = (await once(browser, 'message')) as [Buffer, boolean];
        assert.ok(String(connected).startsWith('CONNECTED\n') && !isBinary);
        const shown = await waitUntil(async () => {
          const { json } = await http.get('/api/connections');
          return (json as unknown[]).length === 2 && json;
        });
        assert.deepEqual(
          (shown as { protocol: string; type: string; channels: number; user: string }[])
            .map(({ protocol, type, channels, user }) => [protocol, type, channels, user])
            .sort(([a], [b]) => String(a).localeCompare(String(b))),
          [
            ['STOMP 1.2', 'network', 1, 'guest'],
            ['Web STOMP 1.1', 'network', 1, 'guest'],
          ],
        );
        const consumers = (await http.get('/api/consumers')).json as { consumer_tag: string; queue: { name: string } }[];
        assert.deepEqual(
          consumers.map(({ consumer_tag, queue }) => [consumer_tag, queue.name]),
          [['T_0', 'shown']],
        );
        const overview = (await http.get('/api/overview')).json as {
          object_totals: { connections: number; channels: number; consumers: number };
        };
        assert.deepEqual(
          [overview.object_totals.connections, overview.object_totals.channels, overview.object_totals.consumers],
          [2, 2, 1],
        );
      } finally {
        browser.terminate();
        http.close();
        await management.stop();
      }
    },
    { listeners: [{}, { protocol: 'stomp' }, { protocol: 'stomp', webSocket: webStomp }] },
  );
});

test('AMQP in a WebSocket is shown so, and a broker without STOMP listener loads none of it', async () => {
  await withStomp(
    async ({ broker }) => {
      const socket = new WebSocket(`ws://127.0.0.1:${broker.listeners[1]?.port}/ws`, 'amqp');
      await once(socket, 'open');
      assert.equal(socket.protocol, 'amqp');
      socket.send(Buffer.from('AMQP\x00\x00\x09\x01', 'latin1'));
      await once(socket, 'message');
      assert.equal([...broker.core.connections][0]?.protocol, 'Web AMQP 0-9-1');
      assert.equal(broker.port, broker.listeners[0]?.port);
      socket.terminate();
    },
    { listeners: [{}, { webSocket: { ...defaultWebSocketOptions, subProtocols: ['amqp'] } }] },
  );
});
