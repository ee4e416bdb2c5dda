// Messages, sessions and properties through MQTT.js.
import { once } from 'node:events';
import mqtt from 'mqtt';
import { assert, check, equal, eventually, main, unique } from '../support/checks.js';

const urls = { tcp: process.env.MQTT_URL, 'a WebSocket': process.env.MQTT_WEB_URL };
const login = { username: 'guest', password: 'guest', reconnectPeriod: 0 };

async function withClient(url, options, action) {
  // What waits may come with the CONNACK: who listens has to be there before.
  const client = mqtt.connect(url, { ...login, ...options });
  const received = [];
  client.on('message', (topic, payload, packet) => received.push({ topic, payload: payload.toString(), packet }));
  await once(client, 'connect');
  try {
    return await action(client, received);
  } finally {
    await client.endAsync(true);
  }
}

for (const [where, url] of Object.entries(urls)) {
  for (const protocolVersion of [3, 4, 5]) {
    check(`version ${protocolVersion} over ${where}: messages of every QoS`, () =>
      withClient(url, { protocolVersion, ...(protocolVersion === 3 ? { protocolId: 'MQIsdp' } : {}) }, async (client, received) => {
        const topic = unique('js');
        await client.subscribeAsync(`${topic}/#`, { qos: 2 });
        for (const qos of [0, 1, 2]) await client.publishAsync(`${topic}/${qos}`, `${qos}`, { qos });
        await eventually(() => received.length === 3, 'three messages');
        equal(
          received.map(({ payload, packet }) => [payload, packet.qos]),
          [
            ['0', 0],
            ['1', 1],
            ['2', 2],
          ],
        );
      }),
    );
  }
}

check('a thousand messages come in their order', () =>
  withClient(urls.tcp, { protocolVersion: 5 }, async (client, received) => {
    const topic = unique('order');
    await client.subscribeAsync(topic, { qos: 1 });
    await Promise.all(Array.from({ length: 1000 }, (_, number) => client.publishAsync(topic, `${number}`, { qos: 1 })));
    await eventually(() => received.length === 1000, 'a thousand messages');
    equal(
      received.map(({ payload }) => payload),
      Array.from({ length: 1000 }, (_, number) => `${number}`),
    );
  }),
);

check('a session keeps messages while its client is away', async () => {
  const topic = unique('away');
  const options = { protocolVersion: 5, clientId: unique('js'), clean: false, properties: { sessionExpiryInterval: 60 } };
  await withClient(urls.tcp, options, client => client.subscribeAsync(topic, { qos: 1 }));
  await withClient(urls.tcp, {}, client => client.publishAsync(topic, 'waits', { qos: 1 }));
  await withClient(urls.tcp, options, async (_client, received) => {
    await eventually(() => received.length === 1, 'the message');
    equal(received[0].payload, 'waits');
  });
});

check('subscription identifiers, shared subscriptions and topic aliases work', () =>
  withClient(
    urls.tcp,
    { protocolVersion: 5, properties: { topicAliasMaximum: 10 }, autoAssignTopicAlias: true },
    async (client, received) => {
      // A dot in a topic comes out as a slash.
      const topic = unique('five').replaceAll('.', '-');
      await client.subscribeAsync(topic, { qos: 1, properties: { subscriptionIdentifier: 42 } });
      await client.subscribeAsync(`$share/g/${topic}/shared`, { qos: 1 });
      for (let i = 0; i < 3; i++) await client.publishAsync(topic, `${i}`, { qos: 1 });
      await client.publishAsync(`${topic}/shared`, 'once', { qos: 1 });
      await eventually(() => received.length === 4, 'four messages');
      assert(received.slice(0, 3).every(({ packet }) => packet.properties.subscriptionIdentifier === 42));
      equal(
        received.map(each => each.topic),
        [topic, topic, topic, `${topic}/shared`],
      );
    },
  ),
);

check('a retained message and a will', async () => {
  const topic = unique('will');
  await withClient(urls.tcp, {}, client => client.publishAsync(`${topic}/kept`, 'kept', { qos: 1, retain: true }));
  await withClient(urls.tcp, {}, async (client, received) => {
    await client.subscribeAsync(`${topic}/#`, { qos: 1 });
    const lost = await mqtt.connectAsync(
      urls.tcp,
      { ...login, will: { topic: `${topic}/will`, payload: Buffer.from('gone'), qos: 1 } },
      false,
    );
    lost.stream.destroy();
    await eventually(() => received.length === 2, 'the retained message and the will');
    equal(
      received.map(({ payload, packet }) => [payload, packet.retain]),
      [
        ['kept', true],
        ['gone', false],
      ],
    );
  });
});

check('a wrong password is refused', async () => {
  let refusal = null;
  await mqtt.connectAsync(urls.tcp, { ...login, password: 'wrong', protocolVersion: 5 }, false).catch(error => (refusal = error));
  equal(refusal?.code, 0x86);
});

await main();
