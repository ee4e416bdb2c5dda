// Wills, and messages that are retained for those who subscribe later.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, told, withMqtt } from '../../support/mqtt-driver.ts';
import { temporaryDirectory } from '../../support/warren-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const will = (payload: string, more: object = {}) => ({
  topic: 'wills/x',
  payload: Buffer.from(payload),
  qos: 1,
  isRetained: false,
  properties: {},
  ...more,
});

test('a will is published when the connection is lost, and when the client asks for it, but not after a goodbye', () =>
  withMqtt(async port => {
    const watcher = await MqttDriver.connect(port, { clientId: 'watcher' });
    await watcher.subscribe('wills/#', 1);
    const lost = await MqttDriver.connect(port, { clientId: 'lost', will: will('lost', { properties: { contentType: 'c' } }) });
    lost.destroy();
    const message = await watcher.next('publish');
    assert.deepEqual([told(message), message.qos, message.properties], ['wills/x=lost', 1, { contentType: 'c' }]);
    const asked = await MqttDriver.connect(port, { clientId: 'asked', will: will('asked') });
    await asked.disconnect(0x04);
    assert.equal(told(await watcher.next('publish')), 'wills/x=asked');
    const polite = await MqttDriver.connect(port, { clientId: 'polite', version: 4, will: will('polite') });
    await polite.disconnect();
    const broken = await MqttDriver.connect(port, { clientId: 'broken', version: 4, will: will('broken') });
    broken.sendHex('00 00');
    assert.equal(told(await watcher.next('publish')), 'wills/x=broken');
    watcher.destroy();
  }));

test('a delayed will waits, is forgotten when the client comes back, and comes at once when the session ends', () =>
  withMqtt(async (port, broker) => {
    const watcher = await MqttDriver.connect(port, { clientId: 'watcher' });
    await watcher.subscribe('wills/#', 0);
    const options = { clientId: 'd', isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
    const delayed = (payload: string, willDelaySeconds: number) => will(payload, { properties: { willDelaySeconds } });
    const first = await MqttDriver.connect(port, { ...options, will: delayed('forgotten', 1) });
    first.destroy();
    await waitUntil(() => broker.core.connections.size === 1);
    const second = await MqttDriver.connect(port, { ...options, will: delayed('after a second', 1) });
    second.destroy();
    assert.equal(told(await watcher.next('publish')), 'wills/x=after a second');
    const third = await MqttDriver.connect(port, { ...options, will: delayed('session ended', 60) });
    third.destroy();
    await waitUntil(() => broker.core.connections.size === 1);
    const fourth = await MqttDriver.connect(port, { ...options, isCleanStart: true });
    assert.equal(told(await watcher.next('publish')), 'wills/x=session ended');
    assert.equal(watcher.inbox.length, 0);
    fourth.destroy();
    watcher.destroy();
  }));

test('the keep-alive of a client that is silent runs out after one and a half times', () =>
  withMqtt(async port => {
    const watcher = await MqttDriver.connect(port, { clientId: 'watcher' });
    await watcher.subscribe('wills/#', 0);
    const began = performance.now();
    const silent = await MqttDriver.connect(port, { clientId: 'silent', keepAliveSeconds: 1, will: will('silent') });
    assert.equal((await silent.next('disconnect')).reason, 0x8d);
    assert(performance.now() - began > 1400);
    assert.equal(told(await watcher.next('publish')), 'wills/x=silent');
    watcher.destroy();
  }));

test('the last retained message of each topic comes to who subscribes, also by a wildcard, with the flag', () =>
  withMqtt(async port => {
    const publisher = await MqttDriver.connect(port, { clientId: 'p' });
    for (const [topic, payload, qos] of [
      ['a/1', 'old', 1],
      ['a/1', 'new', 1],
      ['a/2', 'two', 0],
      ['a/3', 'gone', 1],
      ['a/3', '', 1],
      ['b', 'other', 1],
    ] as const) {
      publisher.publish(topic, payload, { qos, isRetained: true, properties: { contentType: topic } });
    }
    await publisher.ping();
    const client = await MqttDriver.connect(port, { clientId: 's' });
    await client.subscribe('a/#', 1);
    const got = [await client.next('publish'), await client.next('publish')];
    assert.deepEqual(got.map(each => [told(each), each.qos, each.isRetained, each.properties.contentType].join()).sort(), [
      'a/1=new,1,true,a/1',
      'a/2=two,0,true,a/2',
    ]);
    for (const each of got) if (each.qos > 0) client.ack('puback', each.packetId);
    await client.subscribe('b', 0);
    assert.deepEqual([told(await client.next('publish'))], ['b=other']);
    // 1: for a new subscription only; 2: not at all; and not for groups.
    await client.subscribe('b', 0, { retainHandling: 1 });
    await client.subscribe('a/1', 0, { retainHandling: 2 });
    await client.subscribe('$share/g/b', 0);
    await client.ping();
    assert.deepEqual(client.inbox, []);
    await client.subscribe('a/2', 0, { retainHandling: 1 });
    assert.equal(told(await client.next('publish')), 'a/2=two');
    client.destroy();
    publisher.destroy();
  }));

test('retained messages and durable sessions are there after a restart', async t => {
  const dataDir = temporaryDirectory(t);
  const options = { clientId: 's', isCleanStart: false, properties: { sessionExpirySeconds: 600 } };
  await withMqtt(
    async port => {
      const client = await MqttDriver.connect(port, options);
      await client.subscribe('t/+', 1, {}, { subscriptionIds: [5] });
      await client.subscribe('$share/g/jobs', 1);
      await client.disconnect();
      const publisher = await MqttDriver.connect(port, { clientId: 'p' });
      for (let i = 0; i < 1000; i++) publisher.publish(`r/${i}`, `${i}`, { qos: 0, isRetained: true });
      await publisher.publishAndWait('t/x', 'waits');
      await publisher.publishAndWait('r/1', 'one', { isRetained: true });
      await publisher.publishAndWait('r/2', '', { isRetained: true });
      await publisher.publishAndWait('jobs', 'job');
      publisher.destroy();
    },
    { dataDir },
  );
  await withMqtt(
    async port => {
      const client = await MqttDriver.open(port);
      assert.equal((await client.login(options)).isSessionPresent, true);
      const got = [await client.next('publish'), await client.next('publish')];
      assert.deepEqual(got.map(told).sort(), ['jobs=job', 't/x=waits']);
      assert.deepEqual(got.find(each => each.topic === 't/x')?.properties.subscriptionIds, [5]);
      for (const each of got) client.ack('puback', each.packetId);
      const reader = await MqttDriver.connect(port, { clientId: 'reader' });
      await reader.subscribe('r/+', 0);
      await waitUntil(() => reader.inbox.length === 999);
      await reader.ping();
      const retained = new Map(
        reader.inbox.map(packet => (packet.name === 'publish' ? [packet.topic, packet.payload.toString()] : ['', ''])),
      );
      assert.deepEqual([retained.size, retained.get('r/1'), retained.has('r/2'), retained.get('r/999')], [999, 'one', false, '999']);
      client.destroy();
      reader.destroy();
    },
    { dataDir },
  );
});

// Allowed the other way round [MQTT 5.0 3.8.4], but clients expect it so. [Eclipse Mosquitto: broker tests, 04-retain-qos0]
test('what a subscription brings comes behind its SUBACK, also when that waits for the disk', async t => {
  const dataDir = temporaryDirectory(t);
  await withMqtt(
    async port => {
      const client = await MqttDriver.connect(port, { clientId: 'c', isCleanStart: false, properties: { sessionExpirySeconds: 60 } });
      client.socket.cork();
      for (let i = 0; i < 20; i++) {
        client.publish(`r/${i}`, 'x', { qos: 0, isRetained: true });
        const subscription = { filter: `r/${i}`, qos: 0, isNoLocal: false, isRetainAsPublished: false, retainHandling: 0 };
        client.send({ name: 'subscribe', packetId: client.nextId(), subscriptions: [subscription], properties: {} });
      }
      client.socket.uncork();
      await waitUntil(() => client.inbox.length === 40);
      const names = client.inbox.map(({ name }) => name);
      assert.deepEqual(names, [...Array.from({ length: 20 }, () => 'suback'), ...Array.from({ length: 20 }, () => 'publish')]);
      client.destroy();
    },
    { dataDir },
  );
});

test('retained messages are kept up to their limits, in number and in bytes; what is beyond is refused', () =>
  withMqtt(
    async port => {
      const client = await MqttDriver.connect(port);
      await client.subscribe('#', 0, { retainHandling: 2 });
      const retain = (topic: string, payload: string): Promise<number> => client.publishAndWait(topic, payload, { isRetained: true });
      assert.deepEqual([await retain('a', '12345'), await retain('b', '12345'), await retain('c', '1')], [0, 0, 0x97]);
      assert.deepEqual(
        [await retain('a', '1234567890'), await retain('b', ''), await retain('a', '1234567890'), await retain('a', '12345678901')],
        [0x97, 0, 0, 0x97],
      );
      client.destroy();
    },
    { mqtt: { retained: { messagesMax: 2, bytesMax: 10 } } },
  ));

test('a retained message expires, and its rest of time is told', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port);
    await client.publishAndWait('brief', 'x', { isRetained: true, properties: { messageExpirySeconds: 0 } });
    await client.publishAndWait('long', 'x', { isRetained: true, properties: { messageExpirySeconds: 100 } });
    await client.subscribe('brief', 0);
    await client.subscribe('long', 0);
    const message = await client.next('publish');
    assert.equal(message.topic, 'long');
    assert((message.properties.messageExpirySeconds ?? 0) > 90);
    client.destroy();
  }));

test('where no queue may be made nothing is retained, and the publisher is told', () =>
  withMqtt(async (port, broker) => {
    broker.core.parameters.putVhostLimit('/', 'max-queues', 0);
    const client = await MqttDriver.connect(port);
    assert.equal(await client.publishAndWait('t', 'x', { isRetained: true }), 0x97);
    assert.equal(await client.subscribe('t', 1), 0x97);
    broker.core.parameters.putVhostLimit('/', 'max-queues', -1);
    assert.equal(await client.publishAndWait('t', 'x', { isRetained: true }), 0x10);
    assert.equal(broker.core.counters.internalErrors, 0);
    client.destroy();
  }));
