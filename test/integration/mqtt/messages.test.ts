// Messages between MQTT clients: QoS 0, 1 and 2, topics, sessions that outlive their connection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, told, withMqtt } from '../../support/mqtt-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';

for (const version of [3, 4, 5]) {
  test(`version ${version}: messages of every QoS reach a subscriber with the lower of the two`, () =>
    withMqtt(async port => {
      const subscriber = await MqttDriver.connect(port, { version, clientId: 's' });
      const publisher = await MqttDriver.connect(port, { version, clientId: 'p' });
      for (const granted of [0, 1, 2]) assert.equal(await subscriber.subscribe(`q${granted}/#`, granted), granted);
      for (const granted of [0, 1, 2]) {
        for (const qos of [0, 1, 2]) {
          const id = publisher.publish(`q${granted}/t`, `${qos}`, { qos });
          if (qos === 1) assert.equal((await publisher.next('puback')).packetId, id);
          if (qos === 2) {
            assert.equal((await publisher.next('pubrec')).packetId, id);
            publisher.ack('pubrel', id);
            assert.equal((await publisher.next('pubcomp')).packetId, id);
          }
          const message = await subscriber.next('publish');
          assert.deepEqual(
            [told(message), message.qos, message.isRetained, message.isDuplicate],
            [`q${granted}/t=${qos}`, Math.min(granted, qos), false, false],
          );
          if (message.qos === 1) subscriber.ack('puback', message.packetId);
          if (message.qos === 2) {
            subscriber.ack('pubrec', message.packetId);
            assert.equal((await subscriber.next('pubrel')).packetId, message.packetId);
            subscriber.ack('pubcomp', message.packetId);
          }
        }
      }
      subscriber.destroy();
      publisher.destroy();
    }));
}

test('a filter with wildcards gets what it matches and nothing else', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port);
    for (const filter of ['a/+/c', 'b/#', '/data', '+/']) await client.subscribe(filter, 1);
    for (const topic of ['a/b/c', 'a/b/d', 'a/b/c/d', 'b', 'b/x/y', '/data', 'data', 'x/', 'end']) client.publish(topic, '', { qos: 1 });
    const got: string[] = [];
    for (let i = 0; i < 5; i++) {
      const message = await client.next('publish');
      got.push(message.topic);
      client.ack('puback', message.packetId);
    }
    await client.ping();
    assert.deepEqual(got, ['a/b/c', 'b', 'b/x/y', '/data', 'x/']);
    assert.equal(client.inbox.filter(packet => packet.name === 'publish').length, 0);
    client.destroy();
  }));

test('what comes while the client is away waits for it; what it had not acknowledged comes again, with its packet id', () =>
  withMqtt(async (port, broker) => {
    const options = { clientId: 'lasting', isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
    const first = await MqttDriver.open(port);
    assert.equal((await first.login(options)).isSessionPresent, false);
    await first.subscribe('t', 1);
    const publisher = await MqttDriver.connect(port, { clientId: 'p' });
    await publisher.publishAndWait('t', 'one');
    const one = await first.next('publish');
    first.destroy();
    await waitUntil(() => broker.core.connections.size === 1);
    await publisher.publishAndWait('t', 'two');
    const second = await MqttDriver.open(port);
    assert.equal((await second.login(options)).isSessionPresent, true);
    const again = await second.next('publish');
    assert.deepEqual([told(again), again.isDuplicate, again.packetId], ['t=one', true, one.packetId]);
    second.ack('puback', again.packetId);
    const two = await second.next('publish');
    assert.deepEqual([told(two), two.isDuplicate], ['t=two', false]);
    second.ack('puback', two.packetId);
    await second.disconnect();
    const third = await MqttDriver.open(port);
    assert.equal((await third.login({ ...options, isCleanStart: true })).isSessionPresent, false);
    await third.ping();
    assert.deepEqual(third.inbox, []);
    third.destroy();
    publisher.destroy();
  }));

test('QoS 2 is exactly once in both directions, whatever is sent again', () =>
  withMqtt(async port => {
    const options = { clientId: 'exact', isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
    let subscriber = await MqttDriver.connect(port, options);
    await subscriber.subscribe('t', 2);
    const sender = { clientId: 'sender', isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
    let publisher = await MqttDriver.connect(port, sender);
    publisher.publish('t', 'x', { qos: 2, packetId: 7 });
    await publisher.next('pubrec');
    publisher.destroy();
    publisher = await MqttDriver.connect(port, sender);
    publisher.publish('t', 'x', { qos: 2, packetId: 7, isDuplicate: true });
    await publisher.next('pubrec');
    publisher.ack('pubrel', 7);
    assert.equal((await publisher.next('pubcomp')).reason, 0);
    publisher.ack('pubrel', 7);
    assert.equal((await publisher.next('pubcomp')).reason, 0x92);

    const message = await subscriber.next('publish');
    subscriber.destroy();
    subscriber = await MqttDriver.connect(port, options);
    const again = await subscriber.next('publish');
    assert.deepEqual([again.packetId, again.isDuplicate, again.qos], [message.packetId, true, 2]);
    subscriber.ack('pubrec', again.packetId);
    await subscriber.next('pubrel');
    subscriber.destroy();
    subscriber = await MqttDriver.connect(port, options);
    assert.equal((await subscriber.next('pubrel')).packetId, message.packetId);
    subscriber.ack('pubcomp', message.packetId);
    await subscriber.ping();
    assert.deepEqual(subscriber.inbox, []);
    subscriber.destroy();
    publisher.destroy();
  }));

test('no more unacknowledged messages are sent than the client takes', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port, { properties: { receiveMax: 3 } });
    await client.subscribe('t', 1);
    for (let i = 0; i < 10; i++) client.publish('t', `${i}`, { qos: 1 });
    const count = (): number => client.inbox.filter(packet => packet.name === 'publish').length;
    await waitUntil(() => count() === 3);
    await client.ping();
    assert.equal(count(), 3);
    const got: string[] = [];
    for (let i = 0; i < 10; i++) {
      const message = await client.next('publish');
      got.push(message.payload.toString());
      client.ack('puback', message.packetId);
    }
    assert.deepEqual(got, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    client.destroy();
  }));

test('a client id that connects again takes the session with its messages, and the first connection is told', () =>
  withMqtt(async port => {
    const options = { clientId: 'twin', isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
    const first = await MqttDriver.connect(port, options);
    await first.subscribe('t', 1);
    first.publish('t', 'kept', { qos: 1 });
    await first.next('publish');
    const second = await MqttDriver.connect(port, options);
    assert.equal((await first.next('disconnect')).reason, 0x8e);
    await first.closed();
    assert.equal(told(await second.next('publish')), 't=kept');
    second.destroy();
  }));

test('large messages come whole, at the largest size a message may have; a larger one ends the connection with a reason', () =>
  withMqtt(
    async port => {
      const client = await MqttDriver.connect(port);
      await client.subscribe('t', 1);
      for (const size of [0, 1000, 32_000, 33_000, 70_000, 300_000, 1_000_000]) {
        const body = Buffer.alloc(size, size % 251);
        client.publish('t', body, { qos: 1 });
        const message = await client.next('publish');
        assert.equal(body.equals(message.payload), true, `${size} bytes`);
        client.ack('puback', message.packetId);
      }
      client.publish('t', Buffer.alloc(2_000_000), { qos: 1 });
      assert.equal((await client.next('disconnect')).reason, 0x95);
      await client.closed();
    },
    { settings: { messageBytesMax: 1_000_000 } },
  ));

test('a session ends with its connection, or after its time, and its queues with it', () =>
  withMqtt(async (port, broker) => {
    const queues = (): string[] => [...(broker.core.vhosts.get('/')?.queues.keys() ?? [])];
    const brief = await MqttDriver.connect(port, { clientId: 'brief' });
    await brief.subscribe('a', 0);
    await brief.subscribe('b', 1);
    assert.deepEqual(queues(), ['mqtt-subscription-briefqos0', 'mqtt-subscription-briefqos1']);
    brief.destroy();
    await waitUntil(() => queues().length === 0);
    const timed = await MqttDriver.connect(port, { clientId: 'timed', properties: { sessionExpirySeconds: 1 } });
    await timed.subscribe('b', 1);
    timed.destroy();
    await waitUntil(() => queues().length === 0, { timeoutMillis: 5000 });
    const longer = await MqttDriver.connect(port, { clientId: 'longer', properties: { sessionExpirySeconds: 60 } });
    await longer.subscribe('b', 1);
    await longer.disconnect(0, { sessionExpirySeconds: 0 });
    await waitUntil(() => queues().length === 0);
  }));

test('unsubscribing ends deliveries, and tells whether there was a subscription', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port);
    await client.subscribe('t', 0);
    assert.deepEqual([...(await client.unsubscribe('t', 'u', 'a/#/b'))], [0, 0x11, 0x8f]);
    client.publish('t', 'x');
    await client.ping();
    assert.deepEqual(client.inbox, []);
    client.destroy();
  }));

test('a session that comes back with another time has it from then on, and its queues know', () =>
  withMqtt(async (port, broker) => {
    const vhost = broker.core.vhosts.get('/');
    const expires = (): unknown => vhost?.queues.get('mqtt-subscription-cqos1')?.arguments.get('x-expires')?.value;
    const login = (sessionExpirySeconds: number): Promise<MqttDriver> =>
      MqttDriver.connect(port, { clientId: 'c', isCleanStart: false, properties: { sessionExpirySeconds } });
    const first = await login(10);
    await first.subscribe('t', 1);
    assert.equal(expires(), 10_000);
    await first.disconnect(0, { sessionExpirySeconds: 20 });
    assert.equal(expires(), 20_000);
    const second = await login(100);
    assert.equal(expires(), 100_000);
    await second.publishAndWait('t', 'x');
    assert.equal(told(await second.next('publish')), 't=x');
    second.destroy();
  }));

test('a session is over when its queue or its virtual host is deleted while the client is away', () =>
  withMqtt(async (port, broker) => {
    const { core } = broker;
    core.addVhost({ name: 'v', description: '', tags: [], defaultQueueType: null });
    core.access.putPermission({ user: 'guest', vhost: 'v', configure: '.*', write: '.*', read: '.*' });
    const options = { clientId: 'c', isCleanStart: false, username: 'v:guest', properties: { sessionExpirySeconds: 100 } };
    const present = async (): Promise<boolean> => {
      const client = await MqttDriver.open(port);
      const { isSessionPresent } = await client.login(options);
      await client.subscribe('t', 1);
      await client.disconnect();
      return isSessionPresent;
    };
    assert.deepEqual([await present(), await present()], [false, true]);
    const vhost = core.vhosts.get('v');
    const queue = vhost?.queues.get('mqtt-subscription-cqos1');
    assert(vhost !== undefined && queue !== undefined);
    vhost.removeQueue(queue);
    assert.deepEqual([await present(), await present()], [false, true]);
    core.deleteVhost('v');
    core.addVhost({ name: 'v', description: '', tags: [], defaultQueueType: null });
    core.access.putPermission({ user: 'guest', vhost: 'v', configure: '.*', write: '.*', read: '.*' });
    assert.deepEqual([await present(), await present()], [false, true]);
  }));
