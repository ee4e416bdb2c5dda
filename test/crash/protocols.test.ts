// Messages that go from one protocol to another, with kill -9 in between: what was acknowledged is there, with its properties.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { longstr } from '../../src/base/field-table.ts';
import * as methods from '../../src/wire/amqp091/methods.gen.ts';
import { AmqpDriver } from '../support/amqp-driver.ts';
import { basicGet, confirmSelect, queueBind, queueDeclare } from '../support/amqp-requests.ts';
import { killAll, startKillable } from '../support/killable-broker.ts';
import { MqttDriver } from '../support/mqtt-driver.ts';
import { StompDriver } from '../support/stomp-driver.ts';

const directory = mkdtempSync(join(tmpdir(), 'warren-protocols-'));
after(() => {
  killAll();
  rmSync(directory, { recursive: true, force: true });
});

const session = { clientId: 'lasting', isCleanStart: false, properties: { sessionExpirySeconds: 3600 } };
const durableTopic = { id: 'd', destination: '/topic/house.*', durable: 'true', 'auto-delete': 'false', ack: 'client' };

test('what one protocol was told is durable the others get after kill -9, properties and all', { timeout: 60_000 }, async () => {
  const data = join(directory, 'data');
  let broker = await startKillable(data);
  let amqp = await AmqpDriver.connect({ port: broker.port });
  await amqp.openChannel(1);
  await amqp.call(queueDeclare(1, { queue: 'log', durable: true }), methods.QueueDeclareOk);
  await amqp.call(queueBind(1, { queue: 'log', exchange: 'amq.topic', routingKey: 'house.*' }), methods.QueueBindOk);
  let mqtt = await MqttDriver.connect(broker.mqttPort, session);
  await mqtt.subscribe('house/+', 2);
  await mqtt.disconnect();
  let stomp = await StompDriver.connect(broker.stompPort, { 'client-id': 'lasting' });
  await stomp.request('SUBSCRIBE', durableTopic);
  stomp.destroy();
  await stomp.closed();

  // One message by each, acknowledged in its protocol's way.
  const publisher = await MqttDriver.connect(broker.mqttPort, { clientId: 'publisher' });
  publisher.publish('house/mqtt', 'by MQTT', {
    qos: 2,
    properties: { contentType: 'text/x', correlationData: Buffer.from('c1'), userProperties: [['k', 'v']] },
  });
  await publisher.next('pubrec');
  const sender = await StompDriver.connect(broker.stompPort);
  await sender.request(
    'SEND',
    {
      destination: '/topic/house.stomp',
      persistent: 'true',
      'content-type': 'text/x',
      'correlation-id': 'c2',
      k: 'v',
    },
    'by STOMP',
  );
  await amqp.call(confirmSelect(1), methods.ConfirmSelectOk);
  amqp.publish(1, {
    exchange: 'amq.topic',
    routingKey: 'house.amqp',
    body: 'by AMQP',
    properties: { deliveryMode: 2, contentType: 'text/x', correlationId: 'c3', headers: new Map([['k', longstr('v')]]) },
  });
  await amqp.expect(methods.BasicAck, 1);
  await broker.kill();
  for (const client of [publisher, sender, amqp]) client.destroy();

  broker = await startKillable(data);
  const expected = [
    ['by MQTT', 'mqtt', 'text/x', 'c1', 'v'],
    ['by STOMP', 'stomp', 'text/x', 'c2', 'v'],
    ['by AMQP', 'amqp', 'text/x', 'c3', 'v'],
  ];
  amqp = await AmqpDriver.connect({ port: broker.port });
  await amqp.openChannel(1);
  const byAmqp: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    amqp.send(basicGet(1, 'log', true));
    const got = await amqp.nextDelivery(1);
    assert(got.kind !== 'return');
    const { contentType, correlationId, headers } = got.properties;
    byAmqp.push([String(got.body), String(got.args.routingKey).split('.')[1], contentType, correlationId, headers?.get('k')?.value]);
  }
  assert.deepEqual(byAmqp, expected);
  mqtt = await MqttDriver.connect(broker.mqttPort, session);
  const byMqtt: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { payload, topic, properties, packetId, qos } = await mqtt.next('publish');
    const from = topic.split('/')[1];
    assert.equal(qos, from === 'mqtt' ? 2 : 1, 'as it was published');
    mqtt.ack(qos === 2 ? 'pubrec' : 'puback', packetId);
    const { contentType, correlationData, userProperties } = properties;
    byMqtt.push([String(payload), from, contentType, String(correlationData), userProperties?.find(([name]) => name === 'k')?.[1]]);
  }
  // Those of one QoS keep their order.
  byMqtt.sort(
    (one, other) =>
      expected.findIndex(([text]) => text === (one as string[])[0]) - expected.findIndex(([text]) => text === (other as string[])[0]),
  );
  assert.deepEqual(byMqtt, expected);
  stomp = await StompDriver.connect(broker.stompPort, { 'client-id': 'lasting' });
  stomp.send('SUBSCRIBE', durableTopic);
  const byStomp: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    const { body, headers } = await stomp.expect('MESSAGE');
    byStomp.push([body, headers.destination?.split('.')[1], headers['content-type'], headers['correlation-id'], headers.k]);
  }
  assert.deepEqual(byStomp, expected);
  for (const client of [mqtt, stomp, amqp]) client.destroy();
  await broker.kill();
});
