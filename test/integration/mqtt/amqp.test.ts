// MQTT and AMQP 0-9-1 meet at amq.topic, with the properties of both.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longstr } from '../../../src/base/field-table.ts';
import { AmqpDriver, type Delivery } from '../../support/amqp-driver.ts';
import { basicConsume, basicNack, basicQos, queueBind, queueDeclare } from '../../support/amqp-requests.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import type { Properties } from '../../../src/wire/amqp091/properties.ts';
import type { FieldTable } from '../../../src/base/field-table.ts';
import { MqttDriver, told, withMqtt } from '../../support/mqtt-driver.ts';

let consumers = 0;

async function amqpClient(port: number): Promise<AmqpDriver> {
  const amqp = await AmqpDriver.connect({ port });
  await amqp.openChannel(1);
  amqp.send(basicQos(1, 1));
  await amqp.expect(methods.BasicQosOk, 1);
  return amqp;
}

async function declare(amqp: AmqpDriver, queue: string, args: FieldTable = new Map()): Promise<void> {
  amqp.send(queueDeclare(1, { queue, arguments: args }));
  await amqp.expect(methods.QueueDeclareOk, 1);
}

async function bind(amqp: AmqpDriver, queue: string, routingKey: string): Promise<void> {
  amqp.send(queueBind(1, { queue, exchange: 'amq.topic', routingKey }));
  await amqp.expect(methods.QueueBindOk, 1);
}

/** The next message of a queue; the first call consumes it. */
async function get(amqp: AmqpDriver, queue: string): Promise<Extract<Delivery, { kind: 'deliver' }>> {
  amqp.send(basicConsume(1, { queue, consumerTag: `${queue}${consumers++}` }));
  await amqp.expect(methods.BasicConsumeOk, 1);
  const delivery = await amqp.nextDelivery(1);
  assert(delivery.kind === 'deliver');
  amqp.send(methods.encodeBasicCancel(1, { consumerTag: `${queue}${consumers - 1}`, nowait: true }));
  return delivery;
}

function publish(amqp: AmqpDriver, routingKey: string, body: string, properties: Properties = {}): void {
  amqp.publish(1, { exchange: 'amq.topic', routingKey, body, properties });
}

test('what is published by MQTT comes to an AMQP consumer with its properties', () =>
  withMqtt(async (port, broker) => {
    const amqp = await amqpClient(broker.port);
    await declare(amqp, 'q');
    await bind(amqp, 'q', 'a.*');
    const mqtt = await MqttDriver.connect(port);
    const correlationData = Buffer.from('correlated');
    await mqtt.publishAndWait('a/b', 'body', {
      properties: {
        contentType: 'text/plain',
        responseTopic: 'answers/here',
        correlationData,
        messageExpirySeconds: 60,
        payloadFormat: 1,
        userProperties: [['k', 'v']],
      },
    });
    const message = await get(amqp, 'q');
    assert.deepEqual([message.args.exchange, message.args.routingKey, message.body.toString()], ['amq.topic', 'a.b', 'body']);
    const { headers, ...rest } = message.properties;
    assert.deepEqual(rest, {
      contentType: 'text/plain',
      replyTo: 'answers.here',
      correlationId: 'correlated',
      expiration: '60000',
      deliveryMode: 2,
    });
    assert.deepEqual(Object.fromEntries([...(headers ?? [])].map(([name, { value }]) => [name, value])), {
      k: 'v',
      'x-mqtt-publish-qos': 1,
      'x-mqtt-payload-format': 1,
    });
    mqtt.publish('a/zero', '');
    mqtt.publish('a/binary', '', { properties: { correlationData: Buffer.from([0xff, 0]) } });
    await mqtt.ping();
    assert.equal((await get(amqp, 'q')).properties.deliveryMode, 1);
    assert.deepEqual((await get(amqp, 'q')).properties.headers?.get('x-correlation-id')?.value, new Uint8Array([0xff, 0]));
    amqp.destroy();
    mqtt.destroy();
  }));

test('what is published by AMQP comes to MQTT subscribers of every version', () =>
  withMqtt(async (port, broker) => {
    const amqp = await amqpClient(broker.port);
    for (const version of [3, 4, 5]) {
      const mqtt = await MqttDriver.connect(port, { version, clientId: `v${version}` });
      await mqtt.subscribe('a/+', 1);
      publish(amqp, 'a.b', 'body', {
        contentType: 'text/plain',
        deliveryMode: 2,
        correlationId: 'c',
        replyTo: 'answers.here',
        headers: new Map([
          ['k', longstr('v')],
          ['x-hidden', longstr('v')],
        ]),
      });
      const message = await mqtt.next('publish');
      assert.deepEqual([told(message), message.qos], ['a/b=body', 1]);
      assert.deepEqual(
        message.properties,
        version < 5
          ? {}
          : {
              contentType: 'text/plain',
              responseTopic: 'answers/here',
              correlationData: Buffer.from('c'),
              userProperties: [['k', 'v']],
            },
      );
      mqtt.ack('puback', message.packetId);
      publish(amqp, 'a.transient', 'body');
      assert.equal((await mqtt.next('publish')).qos, 0);
      mqtt.destroy();
    }
    amqp.destroy();
  }));

test('a routing key that is no topic is not delivered, and what follows is', () =>
  withMqtt(async (port, broker) => {
    const amqp = await amqpClient(broker.port);
    const mqtt = await MqttDriver.connect(port);
    await mqtt.subscribe('#', 1);
    for (const key of ['a.+', 'a.#', '', '$SYS.x', 'a\0b', 'good']) publish(amqp, key, 'x', { deliveryMode: 2 });
    assert.equal((await mqtt.next('publish')).topic, 'good');
    amqp.destroy();
    mqtt.destroy();
  }));

test('a message of MQTT that is dead-lettered has x-death and all it had', () =>
  withMqtt(async (port, broker) => {
    const amqp = await amqpClient(broker.port);
    await declare(amqp, 'dead');
    await declare(
      amqp,
      'q',
      new Map([
        ['x-dead-letter-exchange', longstr('')],
        ['x-dead-letter-routing-key', longstr('dead')],
      ]),
    );
    await bind(amqp, 'q', 'a.b');
    const mqtt = await MqttDriver.connect(port);
    await mqtt.publishAndWait('a/b', 'body', { properties: { contentType: 'text/x', userProperties: [['k', 'v']] } });
    const message = await get(amqp, 'q');
    amqp.send(basicNack(1, message.args.deliveryTag, { requeue: false }));
    const dead = await get(amqp, 'dead');
    assert.equal(dead.properties.contentType, 'text/x');
    assert.equal(dead.properties.headers?.get('k')?.value, 'v');
    assert.equal(dead.properties.headers?.get('x-first-death-queue')?.value, 'q');
    amqp.destroy();
    mqtt.destroy();
  }));
