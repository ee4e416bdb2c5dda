// What is no MQTT, or not allowed: the connection ends, with the reason where the version has one, and the broker goes on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, withMqtt } from '../../support/mqtt-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';

const connected: readonly (readonly [what: string, hex: string, reason: number])[] = [
  ['a packet of type 0', '00 00', 0x81],
  ['a remaining length of five bytes', '30 ff ff ff ff 01', 0x81],
  ['a packet above the largest', '30 ff ff ff 7f', 0x95],
  ['a second CONNECT', '10 0d 00 04 4d 51 54 54 05 02 00 00 00 00 00', 0x82],
  ['CONNACK', '20 03 00 00 00', 0x82],
  ['PINGRESP', 'd0 00', 0x82],
  ['PUBLISH cut short', '30 02 00 05', 0x81],
  ['PUBLISH without a byte', '30 00', 0x81],
  ['PUBLISH with QoS 3', '36 06 00 01 61 00 01 00', 0x81],
  ['PUBLISH with packet id 0', '32 06 00 01 61 00 00 00', 0x82],
  ['PUBLISH to an empty topic', '30 03 00 00 00', 0x90],
  ['PUBLISH to a wildcard', '30 04 00 01 23 00', 0x90],
  ['PUBLISH with U+0000', '30 04 00 01 00 00', 0x81],
  ['PUBLISH with broken UTF-8', '30 04 00 01 ff 00', 0x81],
  ['PUBLISH with a subscription identifier', '30 06 00 01 61 02 0b 01', 0x82],
  ['PUBLISH with topic alias 0', '30 07 00 01 61 03 23 00 00', 0x94],
  ['PUBACK with flags', '41 02 00 01', 0x81],
  ['PUBACK with packet id 0', '40 02 00 00', 0x82],
  ['PUBREL with flags 0', '60 02 00 01', 0x81],
  ['SUBSCRIBE with flags 0', '80 07 00 01 00 00 01 61 00', 0x81],
  ['SUBSCRIBE without filters', '82 03 00 01 00', 0x82],
  ['UNSUBSCRIBE without filters', 'a2 03 00 01 00', 0x82],
  ['PINGREQ with a body', 'c0 01 00', 0x81],
  ['DISCONNECT with a broken property', 'e0 03 00 01 7f', 0x81],
];

test('every malformed packet ends the connection with its reason, and only that connection', () =>
  withMqtt(async (port, broker) => {
    const beside = await MqttDriver.connect(port, { clientId: 'beside' });
    for (const [what, hex, reason] of connected) {
      const client = await MqttDriver.connect(port, { clientId: 'bad' });
      client.sendHex(hex);
      assert.equal((await client.next('disconnect')).reason, reason, what);
      await client.closed();
      const old = await MqttDriver.connect(port, { clientId: 'bad', version: 4 });
      // What is a property length in MQTT 5 may be payload before.
      if (!what.startsWith('PUBLISH with a sub') && !what.startsWith('PUBLISH with topic alias')) {
        old.sendHex(hex.replace('10 0d 00 04 4d 51 54 54 05 02 00 00 00 00 00', '10 0c 00 04 4d 51 54 54 04 02 00 00 00 00'));
        if (!['PUBLISH cut short'].includes(what)) await old.closed();
      }
      old.destroy();
      await beside.ping();
    }
    assert.equal(broker.core.counters.internalErrors, 0);
    await waitUntil(() => broker.core.connections.size === 1);
    beside.destroy();
  }));

test('before CONNECT nothing is answered, and nothing large is kept', () =>
  withMqtt(
    async port => {
      for (const hex of [
        'c0 00',
        '30 03 00 01 61',
        '00',
        '16 03 01 02 00',
        '10 ff ff ff 7f',
        '10 0c 00 04 4d 51 54 55 04 02 00 00 00 00',
        '10 00',
      ]) {
        const client = await MqttDriver.open(port);
        client.sendHex(hex);
        // One byte alone may be the beginning of anything, until the login timeout.
        await client.closed();
        assert.deepEqual(client.inbox, [], hex);
      }
    },
    { mqtt: { loginMillis: 700 } },
  ));

test('a version that is not spoken is refused in words that it may understand', () =>
  withMqtt(async port => {
    const newer = await MqttDriver.open(port, 5);
    newer.sendHex('10 0d 00 04 4d 51 54 54 06 02 00 00 00 00 00');
    assert.equal((await newer.next('connack')).reason, 0x84);
    await newer.closed();
    const older = await MqttDriver.open(port, 4);
    older.sendHex('10 0c 00 04 4d 51 54 54 02 02 00 00 00 00');
    assert.equal((await older.next('connack')).reason, 1);
    await older.closed();
  }));

test('client ids: as long as a queue name allows, and one longer; empty where that is allowed', () =>
  withMqtt(async port => {
    const reason = async (version: number, clientId: string, isCleanStart = true): Promise<number> => {
      const client = await MqttDriver.open(port, version);
      const connack = await client.login({ clientId, isCleanStart });
      client.destroy();
      return connack.reason;
    };
    assert.equal(await reason(5, 'x'.repeat(233)), 0);
    assert.equal(await reason(5, 'x'.repeat(234)), 0x85);
    assert.equal(await reason(4, 'x'.repeat(234)), 2);
    assert.equal(await reason(4, ''), 0);
    assert.equal(await reason(4, '', false), 2);
    assert.equal(await reason(3, ''), 2);
    assert.equal(await reason(5, '', false), 0);
  }));

test('topics and filters: as long and as deep as they may be, and one more', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port);
    assert.equal(await client.subscribe('x'.repeat(255)), 0);
    assert.equal(await client.subscribe('x'.repeat(256)), 0x8f);
    assert.equal(await client.subscribe(Array.from({ length: 128 }, () => 'x').join('/'), 0), 0);
    assert.equal(await client.subscribe(`${'/'.repeat(128)}`, 0), 0x8f);
    for (const filter of ['', 'a/#/b', 'a#', '#a', 'a+', '+a', 'a/+b']) assert.equal(await client.subscribe(filter), 0x8f, filter);
    client.publish('x'.repeat(255), 'x');
    assert.equal((await client.next('publish')).topic.length, 255);
    client.publish('x'.repeat(256), 'x');
    assert.equal((await client.next('disconnect')).reason, 0x90);
  }));

test('subscriptions of a client: as many as allowed, and one more', () =>
  withMqtt(
    async port => {
      const client = await MqttDriver.connect(port);
      assert.deepEqual([await client.subscribe('a'), await client.subscribe('b'), await client.subscribe('c')], [0, 0, 0x97]);
      // The same filter again is no new one.
      assert.equal(await client.subscribe('a', 1), 1);
      client.destroy();
      const old = await MqttDriver.connect(port, { version: 4, clientId: 'old' });
      assert.deepEqual([await old.subscribe('a'), await old.subscribe('b'), await old.subscribe('c')], [0, 0, 0x80]);
      old.destroy();
    },
    { mqtt: { subscriptionsMax: 2 } },
  ));

test('QoS 0 messages for a client that takes none are dropped beyond the mailbox, and memory stays bounded', () =>
  withMqtt(
    async (port, broker) => {
      const slow = await MqttDriver.connect(port, { clientId: 'slow' });
      await slow.subscribe('t', 0);
      slow.socket.pause();
      const publisher = await MqttDriver.connect(port, { clientId: 'p' });
      const body = Buffer.alloc(10_000);
      for (let i = 0; i < 3000; i++) {
        publisher.publish('t', body);
        if (i % 100 === 0) await publisher.ping();
      }
      await publisher.ping();
      const queue = broker.core.vhosts.get('/')?.queues.get('mqtt-subscription-slowqos0');
      assert.equal(queue?.readyCount, 50);
      assert(broker.core.store.liveBytes < 2_000_000);
      slow.destroy();
      publisher.destroy();
    },
    { mqtt: { mailboxSoftLimit: 50 } },
  ));

test('sessions: as many as allowed, those of clients that are away among them, and one more', () =>
  withMqtt(
    async port => {
      const lasting = { isCleanStart: false, properties: { sessionExpirySeconds: 100 } };
      const away = await MqttDriver.connect(port, { clientId: 'away', ...lasting });
      await away.disconnect();
      const here = await MqttDriver.connect(port, { clientId: 'here' });
      const third = await MqttDriver.open(port);
      assert.equal((await third.login({ clientId: 'third' })).reason, 0x97);
      const again = await MqttDriver.open(port);
      assert.equal((await again.login({ clientId: 'away', ...lasting })).isSessionPresent, true);
      for (const each of [here, third, again]) each.destroy();
    },
    { mqtt: { sessionsMax: 2 } },
  ));
