// Who may connect, where to, and what they may do there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrokerCore } from '../../../src/core/broker.ts';
import { defaultHashingAlgorithm } from '../../../src/core/access/user.ts';
import { hashPassword } from '../../../src/auth/password.ts';
import { MqttDriver, type ConnectOptions, told, withMqtt } from '../../support/mqtt-driver.ts';
import { waitUntil } from '../../support/wait-until.ts';

const all = { configure: '.*', write: '.*', read: '.*' };

function addUser(core: BrokerCore, name: string, vhost: string, permission: Partial<typeof all> = {}): void {
  core.access.putUser({
    name,
    passwordHash: hashPassword('secret'),
    hashingAlgorithm: defaultHashingAlgorithm,
    tags: [],
    limits: { maxConnections: null, maxChannels: null },
  });
  core.access.putPermission({ user: name, vhost, ...all, ...permission });
}

async function reasonOf(port: number, options: ConnectOptions): Promise<number> {
  const driver = await MqttDriver.open(port, options.version ?? 5);
  try {
    return (await driver.login(options)).reason;
  } finally {
    driver.destroy();
  }
}

test('wrong credentials are refused with the reason of the version, and none unless that is allowed', () =>
  withMqtt(async port => {
    assert.equal(await reasonOf(port, { password: 'wrong' }), 0x86);
    assert.equal(await reasonOf(port, { password: 'wrong', version: 4 }), 4);
    assert.equal(await reasonOf(port, { username: 'nobody', password: 'x', version: 3 }), 4);
    assert.equal(await reasonOf(port, { username: null, password: null }), 0x86);
    assert.equal(await reasonOf(port, { username: 'guest', password: null }), 0x86);
  }));

test('a client without credentials becomes the anonymous user where that is allowed', () =>
  withMqtt(
    async (port, broker) => {
      addUser(broker.core, 'sensor', '/');
      assert.equal(await reasonOf(port, { username: null, password: null, version: 4 }), 0);
      assert.equal(await reasonOf(port, { username: null, password: 'x' }), 0x86);
      const driver = await MqttDriver.connect(port, { username: null, password: null, clientId: 'c' });
      assert.deepEqual(
        [...broker.core.connections].map(each => each.user),
        ['sensor'],
      );
      driver.destroy();
    },
    { mqtt: { anonymousLogin: { user: 'sensor', password: 'secret' } } },
  ));

test('the virtual host comes from the user name, from the port, or is the configured one', () =>
  withMqtt(async (port, broker) => {
    const { core } = broker;
    for (const name of ['v1', 'v2:x']) core.addVhost({ name, description: '', tags: [], defaultQueueType: null });
    for (const vhost of ['/', 'v1', 'v2:x']) addUser(core, 'u', vhost);
    addUser(core, 'odd:name', '/');
    const vhostOf = async (username: string): Promise<string> => {
      const driver = await MqttDriver.connect(port, { username, password: 'secret' });
      const [connection] = [...core.connections];
      driver.destroy();
      await waitUntil(() => core.connections.size === 0);
      return `${connection?.vhostName} ${connection?.user}`;
    };
    assert.equal(await vhostOf('u'), '/ u');
    assert.equal(await vhostOf('v1:u'), 'v1 u');
    assert.equal(await vhostOf('v2:x:u'), 'v2:x u');
    assert.equal(await vhostOf('odd:name'), '/ odd:name');
    core.parameters.putGlobal('mqtt_port_to_vhost_mapping', { [port]: 'v1' });
    assert.equal(await vhostOf('u'), 'v1 u');
    assert.equal(await vhostOf('/:u'), '/ u');
    core.parameters.putGlobal('mqtt_port_to_vhost_mapping', { [port]: 'gone' });
    assert.equal(await reasonOf(port, { username: 'u', password: 'secret' }), 0x86);
  }));

test('a virtual host that the user may not enter, or that is full, refuses', () =>
  withMqtt(async (port, broker) => {
    const { core } = broker;
    core.addVhost({ name: 'closed', description: '', tags: [], defaultQueueType: null });
    assert.equal(await reasonOf(port, { username: 'closed:guest' }), 0x87);
    assert.equal(await reasonOf(port, { username: 'closed:guest', version: 4 }), 5);
    core.parameters.putVhostLimit('/', 'max-connections', 1);
    const one = await MqttDriver.connect(port, { clientId: '1' });
    assert.equal(await reasonOf(port, { clientId: '2' }), 0x97);
    assert.equal(await reasonOf(port, { clientId: '2', version: 4 }), 3);
    one.destroy();
    core.parameters.putVhostLimit('/', 'max-connections', -1);
    addUser(core, 'u', '/');
    core.access.setUserLimits('u', { maxConnections: 1, maxChannels: null });
    const two = await MqttDriver.connect(port, { username: 'u', password: 'secret' });
    assert.equal(await reasonOf(port, { username: 'u', password: 'secret', clientId: 'x' }), 0x97);
    two.destroy();
  }));

test('permissions of exchange, queue and topic hold for publishing, subscribing and wills', () =>
  withMqtt(async (port, broker) => {
    const { core } = broker;
    addUser(core, 'u', '/');
    core.access.putTopicPermission({ user: 'u', vhost: '/', exchange: 'amq.topic', write: '^mine\\.{client_id}\\.', read: '^mine\\.' });
    const login = { username: 'u', password: 'secret', clientId: 'c.1' };
    let client = await MqttDriver.connect(port, login);
    assert.equal(await client.subscribe('mine/#', 1), 1);
    assert.equal(await client.subscribe('yours/#', 1), 0x87);
    client.publish('mine/c.1/x', 'good', { qos: 1 });
    assert.equal((await client.next('puback')).reason, 0);
    assert.equal(told(await client.next('publish')), 'mine/c/1/x=good');
    client.publish('mine/cx1/x', 'bad', { qos: 1 });
    assert.equal((await client.next('disconnect')).reason, 0x87);
    const will = { topic: 'yours', payload: Buffer.from('x'), qos: 0, isRetained: false, properties: {} };
    assert.equal(await reasonOf(port, { ...login, will }), 0x87);
    core.access.putPermission({ user: 'u', vhost: '/', configure: '', write: '', read: '.*' });
    client = await MqttDriver.connect(port, login);
    assert.equal(await client.subscribe('mine/#', 0), 0x87);
    client.publish('mine/c.1/x', 'bad', { qos: 0 });
    assert.equal((await client.next('disconnect')).reason, 0x87);
    await client.closed();
    const old = await MqttDriver.connect(port, { ...login, version: 4 });
    assert.equal(await old.subscribe('mine/#', 0), 0x80);
    old.publish('mine/c.1/x', 'bad', { qos: 1 });
    await old.closed();
  }));

test('a client that may not publish stays where disconnecting it is off, and is told', () =>
  withMqtt(
    async (port, broker) => {
      addUser(broker.core, 'u', '/', { write: '' });
      const client = await MqttDriver.connect(port, { username: 'u', password: 'secret' });
      assert.equal(await client.publishAndWait('t', 'x'), 0x87);
      client.publish('t', 'x');
      client.publish('t', 'x', { qos: 2, packetId: 9 });
      assert.equal((await client.next('pubrec')).reason, 0x87);
      await client.ping();
      client.destroy();
    },
    { mqtt: { disconnectOnUnauthorized: false } },
  ));

test('no more connections than allowed are taken', () =>
  withMqtt(
    async port => {
      const one = await MqttDriver.connect(port, { clientId: '1' });
      const two = await MqttDriver.connect(port, { clientId: '2' });
      assert.equal(await reasonOf(port, { clientId: '3' }), 0x97);
      one.destroy();
      two.destroy();
    },
    { mqtt: { connectionMax: 2 } },
  ));
