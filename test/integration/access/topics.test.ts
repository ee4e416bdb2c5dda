// Topic permissions: whoever may write to a topic exchange and read from it, but only with some routing keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, longstr } from '../../../src/base/field-table.ts';
import { brokerActor } from '../../../src/core/actor.ts';
import type { BrokerCore } from '../../../src/core/broker.ts';
import * as methods from '../../../src/wire/amqp091/methods.gen.ts';
import * as requests from '../../support/amqp-requests.ts';
import { MqttDriver, withMqtt } from '../../support/mqtt-driver.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { SimClient } from '../../support/sim-client.ts';
import { StompDriver } from '../../support/stomp-driver.ts';
import { withStomp } from '../../support/with-stomp.ts';
import { withManagement } from '../management/with-management.ts';
import { addUser, makeVhost } from './grants.ts';

type Attempt = (key: string) => Promise<boolean> | boolean;

const keys: readonly string[] = ['ok.1', 'no.1', 'no.ok.1', '#'];

/** Each is let through with the one key that is allowed, and with no other. */
async function assertOnly(attempts: Readonly<Record<string, Attempt>>): Promise<void> {
  for (const [name, attempt] of Object.entries(attempts)) {
    for (const key of keys) assert.equal(await attempt(key), key === 'ok.1', `${name} with the key ${key}`);
  }
}

function permit(core: BrokerCore): string {
  addUser(core, 'u', ['management']);
  const { name: vhost } = makeVhost(core, { configure: '.*', write: '.*', read: '.*' });
  for (const exchange of ['x', 'amq.topic'])
    core.access.putTopicPermission({ user: 'u', vhost, exchange, write: '^ok\\.', read: '^ok\\.' });
  return vhost;
}

test('topic permissions hold for every operation of AMQP that has a routing key', async () => {
  const broker = new SimBroker();
  const vhost = permit(broker.core);
  const attempt = (...frames: ((key: string, client: SimClient) => Buffer)[]) => {
    return (key: string): boolean => {
      const client = SimClient.connect(broker, { user: 'u', vhost });
      client.openChannel(1);
      for (const frame of frames) client.send(frame(key, client));
      const closed = client.takeAll().find(each => each.method === methods.ChannelClose);
      if (closed?.method === methods.ChannelClose) {
        assert.match(
          closed.args.replyText,
          /^ACCESS_REFUSED - (read|write) access to topic '.+' in exchange '.+' in vhost .+ refused for user 'u'$/,
        );
      }
      client.drop();
      return closed === undefined;
    };
  };
  const publish = (routingKey: string, client: SimClient): Buffer => client.encodePublish(1, { exchange: 'x', routingKey, body: 'x' });
  const copied = (header: string) => (key: string, client: SimClient) => {
    const headers = new Map([[header, array([longstr(key)])]]);
    return client.encodePublish(1, { exchange: 'x', routingKey: 'ok.0', body: 'x', properties: { headers } });
  };
  await assertOnly({
    publish: attempt(publish),
    'publish, after one that was allowed': attempt((_, client) => publish('ok.2', client), publish),
    'publish in a transaction': attempt(() => methods.encodeTxSelect(1), publish),
    'publish with CC': attempt(copied('CC')),
    'publish with BCC': attempt(copied('BCC')),
    'queue.bind': attempt(routingKey => requests.queueBind(1, { queue: 'q', exchange: 'x', routingKey })),
    'queue.unbind': attempt(routingKey => requests.queueUnbind(1, { queue: 'q', exchange: 'x', routingKey })),
    'exchange.bind': attempt(routingKey => requests.exchangeBind(1, { destination: 'y', source: 'x', routingKey })),
    'exchange.unbind': attempt(routingKey => requests.exchangeUnbind(1, { destination: 'y', source: 'x', routingKey })),
  });
});

test('topic permissions hold for every operation of MQTT that has a topic', async () => {
  await withMqtt(
    async (port, { core }) => {
      const vhost = permit(core);
      const login = { username: `${vhost}:u`, password: 'u', clientId: 'c' };
      const topicOf = (key: string): string => key.replaceAll('.', '/');
      const attempt = (run: (client: MqttDriver, topic: string) => Promise<number | undefined>): Attempt => {
        return async key => {
          const client = await MqttDriver.connect(port, login);
          const reason = await run(client, topicOf(key));
          client.destroy();
          return reason !== 0x87 && reason !== 0x90;
        };
      };
      await assertOnly({
        SUBSCRIBE: attempt((client, topic) => client.subscribe(topic, 1)),
        'SUBSCRIBE to a share': attempt((client, topic) => client.subscribe(`$share/g/${topic}`, 1)),
      });
      const publish = attempt((client, topic) => client.publishAndWait(topic, 'x'));
      const retain = attempt((client, topic) => client.publishAndWait(topic, 'x', { isRetained: true }));
      const will: Attempt = async key => {
        const client = await MqttDriver.open(port);
        const payload = Buffer.from('x');
        const { reason } = await client.login({
          ...login,
          will: { topic: topicOf(key), payload, qos: 0, isRetained: false, properties: {} },
        });
        client.destroy();
        return reason === 0;
      };
      for (const [name, run] of Object.entries({ publish, retain, will }))
        for (const key of ['ok.1', 'no.1', 'no.ok.1']) assert.equal(await run(key), key === 'ok.1', `${name} with the topic of ${key}`);
    },
    { mqtt: { disconnectOnUnauthorized: false } },
  );
});

test('topic permissions hold for every operation of STOMP that has a routing key', async () => {
  await withStomp(async ({ broker: { core }, port }) => {
    const vhost = permit(core);
    const attempt = (command: string, destinationOf: (key: string) => string): Attempt => {
      return async key => {
        const client = await StompDriver.connect(port, { host: vhost, login: 'u', passcode: 'u' });
        client.send(command, { destination: destinationOf(key), ...(command === 'SEND' ? {} : { id: '0' }), receipt: 'r' });
        const { command: answer, body } = await client.next();
        if (answer === 'ERROR') assert.match(body, /access to topic '.+' in exchange '.+' .*refused for user 'u'/);
        client.destroy();
        return answer === 'RECEIPT';
      };
    };
    await assertOnly({
      'SEND to a topic': attempt('SEND', key => `/topic/${key}`),
      'SEND to an exchange': attempt('SEND', key => `/exchange/x/${key}`),
      'SUBSCRIBE to a topic': attempt('SUBSCRIBE', key => `/topic/${key}`),
      'SUBSCRIBE to an exchange': attempt('SUBSCRIBE', key => `/exchange/x/${key}`),
    });
  });
});

test('topic permissions hold for every operation of HTTP that has a routing key', async () => {
  await withManagement({}, async ({ broker: { core }, http }) => {
    const vhost = permit(core);
    const attempt = (method: string, path: (key: string) => string, bodyOf: (key: string) => object): Attempt => {
      return async key => {
        const { status, text } = await http.request(method, path(encodeURIComponent(key)), { user: 'u:u', body: bodyOf(key) });
        const isRefused = status === 401 || text.includes('ACCESS_REFUSED');
        assert.ok(isRefused || status < 300 || status === 404, text);
        return !isRefused;
      };
    };
    const toQueue = `/api/bindings/${vhost}/e/x/q/q`;
    const toExchange = `/api/bindings/${vhost}/e/x/e/y`;
    const message = (routing_key: string): object => ({ properties: {}, routing_key, payload: 'x', payload_encoding: 'string' });
    const copy = (key: string): object => ({ ...message('ok.0'), properties: { headers: { CC: [key] } } });
    const keyed = (routing_key: string): object => ({ routing_key });
    await assertOnly({
      publish: attempt('POST', () => `/api/exchanges/${vhost}/x/publish`, message),
      'publish with CC': attempt('POST', () => `/api/exchanges/${vhost}/x/publish`, copy),
      bind: attempt('POST', () => toQueue, keyed),
      'bind to an exchange': attempt('POST', () => toExchange, keyed),
    });
    // Unbinding needs a binding, here of somebody else's; what is asked for is its key, escaped.
    const place = core.vhosts.get(vhost);
    assert.ok(place !== undefined);
    for (const key of keys) {
      core.topology.bind(place, 'x', 'queue', 'q', key, new Map(), brokerActor);
      core.topology.bind(place, 'x', 'exchange', 'y', key, new Map(), brokerActor);
    }
    await assertOnly({
      unbind: attempt(
        'DELETE',
        key => `${toQueue}/${encodeURIComponent(key)}`,
        () => ({}),
      ),
      'unbind from an exchange': attempt(
        'DELETE',
        key => `${toExchange}/${encodeURIComponent(key)}`,
        () => ({}),
      ),
    });
  });
});
