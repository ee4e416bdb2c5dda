// What MQTT 5 added: options, identifiers, aliases, shared subscriptions, expiry, reasons.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, told, withMqtt } from '../../support/mqtt-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';

test('CONNACK tells what the client did not choose', () =>
  withMqtt(
    async port => {
      const client = await MqttDriver.open(port);
      const { properties } = await client.login({ clientId: '', keepAliveSeconds: 0, properties: { sessionExpirySeconds: 0xffff_ffff } });
      assert.match(properties.assignedClientId ?? '', /^warren-/);
      assert.deepEqual(
        [properties.sessionExpirySeconds, properties.receiveMax, properties.topicAliasMax, properties.serverKeepAliveSeconds],
        [86_400, 1000, 16, 60],
      );
      client.destroy();
    },
    { mqtt: { keepAliveSecondsMax: 60 } },
  ));

test('No Local keeps a client from its own messages', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port, { clientId: 'own' });
    const other = await MqttDriver.connect(port, { clientId: 'other' });
    await client.subscribe('t', 1, { isNoLocal: true });
    assert.equal(await client.publishAndWait('t', 'own'), 0x10);
    await other.publishAndWait('t', 'other');
    assert.equal(told(await client.next('publish')), 't=other');
    client.destroy();
    other.destroy();
  }));

test('the RETAIN flag stays as published where that is wanted', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port);
    await client.subscribe('as/published', 1, { isRetainAsPublished: true });
    await client.subscribe('usual', 1);
    for (const topic of ['as/published', 'usual']) client.publish(topic, 'x', { qos: 1, isRetained: true });
    const flags = [await client.next('publish'), await client.next('publish')].map(each => [each.topic, each.isRetained]);
    assert.deepEqual(flags, [
      ['as/published', true],
      ['usual', false],
    ]);
    client.destroy();
  }));

test('subscription identifiers of all subscriptions that match come with the message, also after the client was away', () =>
  withMqtt(async (port, broker) => {
    const options = { clientId: 'ids', isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
    const client = await MqttDriver.connect(port, options);
    await client.subscribe('a/b', 1, {}, { subscriptionIds: [7] });
    await client.subscribe('a/#', 2, {}, { subscriptionIds: [300_000] });
    await client.subscribe('other', 1);
    client.publish('a/b', 'x', { qos: 2, packetId: 1 });
    const message = await client.next('publish');
    assert.deepEqual([message.qos, message.properties.subscriptionIds], [2, [7, 300_000]]);
    client.publish('a/c', 'x', { qos: 1 });
    assert.deepEqual((await client.next('publish')).properties, { subscriptionIds: [300_000] });
    client.publish('other', 'x', { qos: 1 });
    assert.deepEqual((await client.next('publish')).properties, {});
    // The same filter again takes the place of the one before.
    await client.subscribe('a/b', 0, {}, { subscriptionIds: [8] });
    await client.unsubscribe('a/#');
    client.publish('a/b', 'y', { qos: 1 });
    const replaced = await client.next('publish');
    assert.deepEqual([replaced.qos, replaced.properties.subscriptionIds], [0, [8]]);
    client.destroy();
    await waitUntil(() => broker.core.connections.size === 0);
  }));

test('topic aliases are understood from clients, and used towards clients that take them', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port, { properties: { topicAliasMax: 2 } });
    await client.subscribe('#', 0);
    client.publish('long/topic', '1', { properties: { topicAlias: 16 } });
    client.publish('', '2', { properties: { topicAlias: 16 } });
    client.publish('other', '3', { properties: { topicAlias: 16 } });
    client.publish('', '4', { properties: { topicAlias: 16 } });
    client.publish('third', '5');
    const got: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      const { topic, payload, properties } = await client.next('publish');
      got.push([topic, payload.toString(), properties.topicAlias]);
    }
    assert.deepEqual(got, [
      ['long/topic', '1', 1],
      ['', '2', 1],
      ['other', '3', 2],
      ['', '4', 2],
      ['third', '5', undefined],
    ]);
    client.publish('t', 'x', { properties: { topicAlias: 17 } });
    assert.equal((await client.next('disconnect')).reason, 0x94);
    const strange = await MqttDriver.connect(port);
    strange.publish('', 'x', { properties: { topicAlias: 1 } });
    assert.equal((await strange.next('disconnect')).reason, 0x82);
  }));

test('a shared subscription gives each message to one member of the group, and to those outside as well', () =>
  withMqtt(async (port, broker) => {
    const members: MqttDriver[] = [];
    for (const clientId of ['m1', 'm2', 'm3']) {
      const member = await MqttDriver.connect(port, { clientId });
      assert.equal(await member.subscribe('$share/group/jobs/+', 1), 1);
      members.push(member);
    }
    const outside = await MqttDriver.connect(port, { clientId: 'outside' });
    await outside.subscribe('jobs/#', 0);
    const publisher = await MqttDriver.connect(port, { clientId: 'p' });
    for (let i = 0; i < 9; i++) await publisher.publishAndWait(`jobs/${i}`, `${i}`);
    await waitUntil(() => members.reduce((sum, member) => sum + member.inbox.length, 0) === 9);
    const got = members.map(member => member.inbox.map(packet => (packet.name === 'publish' ? packet.payload.toString() : '?')));
    assert.deepEqual(
      got.map(each => each.length),
      [3, 3, 3],
    );
    assert.deepEqual(got.flat().sort(), ['0', '1', '2', '3', '4', '5', '6', '7', '8']);
    await waitUntil(() => outside.inbox.length === 9);
    assert.deepEqual([...(await (members[0] as MqttDriver).unsubscribe('$share/group/jobs/+', '$share/group/none'))], [0, 0x11]);
    for (const member of members) member.destroy();
    // What the members had not acknowledged goes with the group's queue.
    await waitUntil(() => broker.core.vhosts.get('/')?.queues.size === 1);
    for (const filter of ['$share', '$share/', '$share/g', '$share/g/', '$share/+/t', '$share//t'])
      assert.equal(await publisher.subscribe(filter), 0x8f, filter);
    outside.destroy();
    publisher.destroy();
  }));

test('what a member of a group had not acknowledged when its session ended goes to another', () =>
  withMqtt(async port => {
    const one = await MqttDriver.connect(port, { clientId: 'one' });
    await one.subscribe('$share/g/t', 1);
    one.publish('t', 'x', { qos: 1 });
    assert.equal(told(await one.next('publish')), 't=x');
    const two = await MqttDriver.connect(port, { clientId: 'two' });
    await two.subscribe('$share/g/t', 1);
    one.destroy();
    const again = await two.next('publish');
    assert.deepEqual([told(again), again.isDuplicate], ['t=x', true]);
    two.destroy();
  }));

test('a message expires in the queue of a client that is away; to one that comes in time the rest is told', () =>
  withMqtt(async (port, broker) => {
    const options = { clientId: 'slow', isCleanStart: false, properties: { sessionExpirySeconds: 60 } };
    const client = await MqttDriver.connect(port, options);
    await client.subscribe('t', 1);
    client.destroy();
    await waitUntil(() => broker.core.connections.size === 0);
    const publisher = await MqttDriver.connect(port, { clientId: 'p' });
    await publisher.publishAndWait('t', 'brief', { properties: { messageExpirySeconds: 0 } });
    await publisher.publishAndWait('t', 'long', { properties: { messageExpirySeconds: 1000, contentType: 'x' } });
    const again = await MqttDriver.connect(port, options);
    const message = await again.next('publish');
    assert.equal(told(message), 't=long');
    const left = message.properties.messageExpirySeconds ?? -1;
    assert(left > 990 && left <= 1000, `${left} seconds are left`);
    assert.equal(message.properties.contentType, 'x');
    again.destroy();
    publisher.destroy();
  }));

test('request and response find each other by topic and correlation data', () =>
  withMqtt(async port => {
    const server = await MqttDriver.connect(port, { clientId: 'server' });
    const client = await MqttDriver.connect(port, { clientId: 'client' });
    await server.subscribe('requests', 1);
    await client.subscribe('answers/client', 1);
    const correlationData = Buffer.from([1, 2, 0xff]);
    client.publish('requests', '6', { qos: 1, properties: { responseTopic: 'answers/client', correlationData } });
    const { properties } = await server.next('publish');
    server.publish(properties.responseTopic ?? '', '36', { qos: 1, properties: { correlationData: properties.correlationData as Buffer } });
    const answer = await client.next('publish');
    assert.deepEqual([told(answer), answer.properties.correlationData], ['answers/client=36', correlationData]);
    client.publish('requests', 'x', { properties: { responseTopic: 'answers/#' } });
    assert.equal((await client.next('disconnect')).reason, 0x90);
    server.destroy();
  }));

test('user properties come through in their order, with those of the same name', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port);
    await client.subscribe('t', 0);
    const userProperties: [string, string][] = [
      ['b', '1'],
      ['a', '2'],
      ['b', '3'],
      ['', ''],
      ['__proto__', 'x'],
    ];
    for (let i = 0; i < 3; i++) {
      client.publish('t', 'x', { properties: { userProperties, payloadFormat: 1 } });
      assert.deepEqual((await client.next('publish')).properties, { userProperties, payloadFormat: 1 });
    }
    client.destroy();
  }));

test('a client gets no packet larger than it takes, up to its limit and one byte past it', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port, { clientId: 'small', properties: { packetBytesMax: 100 } });
    await client.subscribe('t', 1);
    const publisher = await MqttDriver.connect(port, { clientId: 'p' });
    // Type and length, topic with its length, packet id, no properties.
    const room = 100 - 2 - 3 - 2 - 1;
    await publisher.publishAndWait('t', 'x'.repeat(room + 1));
    await publisher.publishAndWait('t', 'y'.repeat(room));
    const message = await client.next('publish');
    assert.equal(message.payload.toString(), 'y'.repeat(room));
    client.destroy();
    publisher.destroy();
  }));

test('a client that has more unacknowledged messages than it may is disconnected', () =>
  withMqtt(
    async port => {
      const client = await MqttDriver.connect(port);
      for (let i = 1; i <= 3; i++) client.publish('t', 'x', { qos: 2, packetId: i });
      for (let i = 1; i <= 3; i++) await client.next('pubrec');
      client.publish('t', 'x', { qos: 2, packetId: 4 });
      assert.equal((await client.next('disconnect')).reason, 0x93);
      await client.closed();
    },
    { mqtt: { receiveMax: 3 } },
  ));

test('who has no subscriber is told, and who asked for no reasons gets none in words', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port, { properties: { requestProblemInformation: 0 } });
    assert.equal(await client.publishAndWait('nobody', 'x'), 0x10);
    client.publish('a/#', 'x');
    assert.deepEqual(await client.next('disconnect'), { name: 'disconnect', reason: 0x90, properties: {} });
    const other = await MqttDriver.connect(port);
    other.publish('a/#', 'x');
    assert.match((await other.next('disconnect')).properties.reasonString ?? '', /a\/#/);
  }));

test('an authentication method is refused, and AUTH from a client that is connected is a protocol error', () =>
  withMqtt(async port => {
    const client = await MqttDriver.open(port);
    assert.equal((await client.login({ properties: { authenticationMethod: 'SCRAM' } })).reason, 0x8c);
    await client.closed();
    const other = await MqttDriver.connect(port);
    other.send({ name: 'auth', reason: 0x18, properties: {} });
    assert.equal((await other.next('disconnect')).reason, 0x82);
  }));

test('a session that was to end with its connection cannot be kept by DISCONNECT', () =>
  withMqtt(async port => {
    const client = await MqttDriver.connect(port);
    client.send({ name: 'disconnect', reason: 0, properties: { sessionExpirySeconds: 10 } });
    assert.equal((await client.next('disconnect')).reason, 0x82);
    await client.closed();
  }));
