// The limits that are configured, at each of them and one past it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf } from '../../support/config-texts.ts';
import { MqttDriver, withMqtt } from '../../support/mqtt-driver.ts';

test('the keys of the configuration reach the listener', () => {
  const { mqtt } = configOf(`mqtt.max_sessions = 5
mqtt.max_subscriptions_per_session = 6
mqtt.receive_maximum = 7
mqtt.max_keep_alive_seconds = 8
mqtt.max_topic_levels = 9
mqtt.max_queued_bytes = 10kB
mqtt.server_reference = a.example:1883 b.example`);
  assert.deepEqual(
    [mqtt.sessionsMax, mqtt.subscriptionsMax, mqtt.receiveMax, mqtt.keepAliveSecondsMax, mqtt.topicLevelsMax, mqtt.queuedBytesMax],
    [5, 6, 7, 8, 9, 10_000],
  );
  assert.equal(mqtt.serverReference, 'a.example:1883 b.example');
  const defaults = configOf('').mqtt;
  assert.deepEqual(
    [defaults.sessionsMax, defaults.subscriptionsMax, defaults.receiveMax, defaults.keepAliveSecondsMax, defaults.queuedBytesMax],
    [100_000, 10_000, 1000, 0, Infinity],
  );
});

test('a longer keep-alive than is allowed, and none, become the longest; before MQTT 5 it is what the client says', () =>
  withMqtt(
    async port => {
      for (const [version, asked, given] of [
        [5, 10, undefined],
        [5, 11, 10],
        [5, 0, 10],
        [4, 11, undefined],
      ] as const) {
        const client = await MqttDriver.open(port, version);
        const { properties } = await client.login({ version, clientId: `k${version}-${asked}`, keepAliveSeconds: asked });
        assert.equal(properties.serverKeepAliveSeconds, given);
        client.destroy();
      }
    },
    { mqtt: { keepAliveSecondsMax: 10 } },
  ));

test('as many messages may wait for their acknowledgement as the client is told, and not one more', () =>
  withMqtt(
    async port => {
      const client = await MqttDriver.open(port);
      assert.equal((await client.login()).properties.receiveMax, 2);
      client.publish('t', 'x', { qos: 2, packetId: 1 });
      client.publish('t', 'x', { qos: 2, packetId: 2 });
      assert.equal((await client.next('pubrec')).packetId, 1);
      assert.equal((await client.next('pubrec')).packetId, 2);
      client.ack('pubrel', 1);
      assert.equal((await client.next('pubcomp')).packetId, 1);
      client.publish('t', 'x', { qos: 2, packetId: 3 });
      assert.equal((await client.next('pubrec')).packetId, 3);
      client.publish('t', 'x', { qos: 2, packetId: 4 });
      assert.equal((await client.next('disconnect')).reason, 0x93);
    },
    { mqtt: { receiveMax: 2 } },
  ));

test('topics, filters and wills have as many levels as are allowed, and not one more', () =>
  withMqtt(
    async port => {
      const client = await MqttDriver.connect(port);
      assert.equal(await client.subscribe('a/b/c'), 0);
      assert.equal(await client.subscribe('a/b/c/d'), 0x8f);
      assert.equal(await client.subscribe('$share/g/a/b/+'), 0);
      assert.equal(await client.subscribe('$share/g/a/b/c/#'), 0x8f);
      assert.deepEqual(await client.unsubscribe('a/b/c', 'a/b/c/d'), [0, 0x8f]);
      await client.publishAndWait('a/b/c', 'x');
      client.publish('a/b/c/d', 'x');
      assert.equal((await client.next('disconnect')).reason, 0x90);
      const will = { payload: Buffer.from('x'), qos: 0, isRetained: false, properties: {} };
      const other = await MqttDriver.open(port);
      assert.equal((await other.login({ clientId: 'w', will: { topic: 'a/b/c/d', ...will } })).reason, 0x90);
      (await MqttDriver.connect(port, { clientId: 'w', will: { topic: 'a/b/c', ...will } })).destroy();
    },
    { mqtt: { topicLevelsMax: 3 } },
  ));

test('as many bytes wait for a client that is away as are allowed, and not one more: the oldest go', () =>
  withMqtt(
    async port => {
      const publisher = await MqttDriver.connect(port, { clientId: 'p' });
      for (const [clientId, sent, got] of [
        ['full', 'abcd', 'abcd'],
        ['past', 'abcde', 'bcde'],
      ] as const) {
        const session = { clientId, isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
        const client = await MqttDriver.connect(port, session);
        await client.subscribe(clientId, 1);
        await client.disconnect();
        for (const letter of sent) await publisher.publishAndWait(clientId, letter === 'e' ? 'e' : letter.repeat(25));
        const back = await MqttDriver.connect(port, session);
        for (const letter of got) assert.equal((await back.next('publish')).payload.toString()[0], letter);
        await back.ping();
        assert.deepEqual(back.inbox, []);
        back.destroy();
      }
      publisher.destroy();
    },
    { mqtt: { queuedBytesMax: 100 } },
  ));
