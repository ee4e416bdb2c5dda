// Sending clients to another server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../../src/base/field-table.ts';
import { MqttDriver, withMqtt } from '../../support/mqtt-driver.ts';

test('while operators send clients elsewhere, those of MQTT 5 are told where, new ones and those there are', () =>
  withMqtt(async (port, broker) => {
    const { parameters } = broker.core;
    const client = await MqttDriver.connect(port, { clientId: 'there' });
    const old = await MqttDriver.connect(port, { clientId: 'old', version: 4 });
    parameters.putGlobal('mqtt_redirect', { server: 'other.example:1883' });
    assert.deepEqual(await client.next('disconnect'), {
      name: 'disconnect',
      reason: 0x9c,
      properties: { reasonString: 'use another server', serverReference: 'other.example:1883' },
    });
    await client.closed();
    // It cannot be told, and does its work while the server is there.
    await old.ping();
    const late = await MqttDriver.open(port);
    const connack = await late.login({ clientId: 'late' });
    assert.deepEqual([connack.reason, connack.properties.serverReference], [0x9c, 'other.example:1883']);
    await late.closed();
    parameters.putGlobal('mqtt_redirect', { server: 'other.example:1883 third.example', permanent: true });
    const moved = await (await MqttDriver.open(port)).login({ clientId: 'moved' });
    assert.deepEqual([moved.reason, moved.properties.serverReference], [0x9d, 'other.example:1883 third.example']);
    const lateOld = await MqttDriver.open(port, 4);
    assert.equal((await lateOld.login({ clientId: 'late old', version: 4 })).reason, 3);
    // Who cannot log in learns nothing.
    const stranger = await (await MqttDriver.open(port)).login({ password: 'wrong' });
    assert.deepEqual([stranger.reason, stranger.properties.serverReference], [0x86, undefined]);
    const nonsenses: Json[] = [{}, { server: '' }, { server: 7 }, 'other.example', null];
    for (const nonsense of nonsenses) {
      parameters.putGlobal('mqtt_redirect', nonsense);
      (await MqttDriver.connect(port, { clientId: 'stays' })).destroy();
    }
    parameters.deleteGlobal('mqtt_redirect');
    (await MqttDriver.connect(port, { clientId: 'stays' })).destroy();
    old.destroy();
  }));

test('a server that stops, or is drained, names the one that is configured; else it only says that it stops', async () => {
  await withMqtt(
    async (port, broker) => {
      const drained = await MqttDriver.connect(port, { clientId: 'drained' });
      for (const connection of broker.core.connections) connection.close('CONNECTION_FORCED', 'Node was put into maintenance mode');
      const first = await drained.next('disconnect');
      assert.deepEqual([first.reason, first.properties.serverReference], [0x9c, 'standby.example:1883']);
      const client = await MqttDriver.connect(port, { clientId: 'c' });
      for (const connection of broker.core.connections) connection.close('CONNECTION_FORCED', 'Closed via management plugin');
      const closed = await client.next('disconnect');
      assert.deepEqual([closed.reason, closed.properties.serverReference], [0x98, undefined]);
      const last = await MqttDriver.connect(port, { clientId: 'last' });
      await Promise.all([
        broker.stop(),
        last
          .next('disconnect')
          .then(packet => assert.deepEqual([packet.reason, packet.properties.serverReference], [0x9c, 'standby.example:1883'])),
      ]);
    },
    { mqtt: { serverReference: 'standby.example:1883' } },
  );
  await withMqtt(async (port, broker) => {
    const client = await MqttDriver.connect(port);
    await Promise.all([
      broker.stop(),
      client.next('disconnect').then(packet => assert.deepEqual([packet.reason, packet.properties.serverReference], [0x8b, undefined])),
    ]);
  });
});
