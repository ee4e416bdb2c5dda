// Sessions over restarts of the broker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttDriver, told, withMqtt } from '../../support/mqtt-driver.ts';
import { temporaryDirectory } from '../../support/warren-process.ts';

test('after a clean stop what a session was sent and did not acknowledge says so, and what waited behind it does not', async t => {
  const options = { dataDir: temporaryDirectory(t) };
  const session = { clientId: 'lasting', isCleanStart: false, properties: { sessionExpirySeconds: 3600, receiveMax: 2 } };
  /** QoS 1 is sent at once, QoS 2 when its commit is done. */
  const topics = ['one', 'two'];
  await withMqtt(async port => {
    const subscribers = new Map<string, MqttDriver>();
    for (const [index, topic] of topics.entries()) {
      const subscriber = await MqttDriver.connect(port, { ...session, clientId: topic });
      await subscriber.subscribe(`${topic}/#`, index + 1);
      subscribers.set(topic, subscriber);
    }
    const publisher = await MqttDriver.connect(port, { clientId: 'p' });
    for (const topic of topics)
      for (const body of ['a', 'b', 'c', 'd']) {
        const packetId = publisher.publish(`${topic}/x`, body, { qos: 2 });
        assert.equal((await publisher.next('pubrec')).packetId, packetId);
        publisher.ack('pubrel', packetId);
        await publisher.next('pubcomp');
      }
    for (const [topic, subscriber] of subscribers) {
      for (const body of ['a', 'b']) assert.equal(told(await subscriber.next('publish')), `${topic}/x=${body}`);
      // One of the sessions is without a connection when the broker stops.
      if (topic === 'two') subscriber.destroy();
    }
  }, options);
  await withMqtt(async port => {
    for (const [index, topic] of topics.entries()) {
      const subscriber = await MqttDriver.connect(port, { ...session, clientId: topic });
      const seen: [string, boolean][] = [];
      while (seen.length < 4) {
        const message = await subscriber.next('publish');
        seen.push([message.payload.toString(), message.isDuplicate]);
        if (index === 0) subscriber.ack('puback', message.packetId);
        else {
          subscriber.ack('pubrec', message.packetId);
          subscriber.ack('pubcomp', (await subscriber.next('pubrel')).packetId);
        }
      }
      assert.deepEqual(seen, [
        ['a', true],
        ['b', true],
        ['c', false],
        ['d', false],
      ]);
      subscriber.destroy();
    }
  }, options);
});
