// What has to do with time, and faults, for clients that do not speak AMQP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, told, withMqtt } from '../../support/mqtt-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';

const virtual = { clock: 'virtual' } as const;

test('an MQTT client outlives any time, unless its pings are to be missed', () =>
  withMqtt(async (port, broker) => {
    const client = await MqttDriver.connect(port, { clientId: 'c', keepAliveSeconds: 60 });
    await broker.clock.advance('1d');
    await client.subscribe('t', 1);
    await broker.clock.advance('5m', { heartbeats: 'missed' });
    await waitUntil(() => client.isClosed);
  }, virtual));

test('an MQTT session ends when its time has come, with its queue', () =>
  withMqtt(async (port, broker) => {
    const options = { clientId: 'c', isCleanStart: false, properties: { sessionExpirySeconds: 3600 } };
    const client = await MqttDriver.connect(port, options);
    await client.subscribe('t', 1);
    const hasQueue = (): boolean => broker.vhost().queues().length === 1;
    assert.ok(hasQueue());
    client.destroy();
    await waitUntil(() => broker.core.connections.size === 0);
    await broker.clock.advance('59m');
    assert.ok(hasQueue());
    await broker.clock.advance('2m');
    assert.ok(!hasQueue());
  }, virtual));

test('a delayed will is published at its time', () =>
  withMqtt(async (port, broker) => {
    const watcher = await MqttDriver.connect(port, { clientId: 'watcher', keepAliveSeconds: 30 });
    await watcher.subscribe('wills/#', 0);
    const lost = await MqttDriver.connect(port, {
      clientId: 'lost',
      properties: { sessionExpirySeconds: 7200 },
      will: { topic: 'wills/x', payload: Buffer.from('lost'), qos: 0, isRetained: false, properties: { willDelaySeconds: 600 } },
    });
    lost.destroy();
    await waitUntil(() => broker.core.connections.size === 1);
    await broker.clock.advance('9m');
    assert.equal(watcher.inbox.length, 0);
    await broker.clock.advance('2m');
    assert.equal(told(await watcher.next('publish')), 'wills/x=lost');
    watcher.destroy();
  }, virtual));

test('faults of the network reach clients of every protocol', () =>
  withMqtt(async (port, broker) => {
    for (const fault of ['dropConnections', 'cutMidFrame', 'closeConnections'] as const) {
      const client = await MqttDriver.connect(port, { clientId: fault });
      assert.equal(broker.faults[fault](), 1, fault);
      await waitUntil(() => client.isClosed);
    }
    broker.faults.refuseConnections();
    const refused = await MqttDriver.open(port);
    await waitUntil(() => refused.isClosed);
    broker.faults.acceptConnections();
    const client = await MqttDriver.connect(port, { clientId: 'again' });
    await broker.crash();
    await waitUntil(() => client.isClosed);
  }));
