// Every operation of every protocol, with every set of permissions around those it needs. operations.ts is the oracle.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routes } from '../../../src/management/http/routes.ts';
import { MqttDriver } from '../../support/mqtt-driver.ts';
import { SimBroker } from '../../support/sim-broker.ts';
import { SimClient } from '../../support/sim-client.ts';
import { withMqtt } from '../../support/mqtt-driver.ts';
import { withStomp } from '../../support/with-stomp.ts';
import { StompDriver } from '../../support/stomp-driver.ts';
import { withManagement } from '../management/with-management.ts';
import { addUser, tryAll } from './grants.ts';
import { type ApiClient, amqpOperations, apiOperations, mqttOperations, stompOperations } from './operations.ts';

/** Runs the operations of one protocol; the number of cells they are tried in. */
const protocols: Readonly<Record<string, () => Promise<number>>> = {
  'AMQP 0-9-1': () => {
    const broker = new SimBroker();
    addUser(broker.core, 'u');
    return tryAll<SimClient>({
      core: broker.core,
      operations: amqpOperations,
      connect: ({ name }) => {
        const client = SimClient.connect(broker, { user: 'u', vhost: name });
        client.openChannel(1);
        return client;
      },
      close: client => client.drop(),
    });
  },
  MQTT: async () => {
    let cells = 0;
    await withMqtt(
      async (port, { core }) => {
        addUser(core, 'u');
        cells = await tryAll<MqttDriver>({
          core,
          operations: mqttOperations,
          connect: ({ name }) => MqttDriver.connect(port, { username: `${name}:u`, password: 'u', clientId: 'c' }),
          close: client => client.destroy(),
        });
      },
      { mqtt: { disconnectOnUnauthorized: false } },
    );
    return cells;
  },
  STOMP: async () => {
    let cells = 0;
    await withStomp(async ({ broker: { core }, port }) => {
      addUser(core, 'u');
      cells = await tryAll<StompDriver>({
        core,
        operations: stompOperations,
        connect: ({ name }) => StompDriver.connect(port, { host: name, login: 'u', passcode: 'u' }),
        close: client => client.destroy(),
      });
    });
    return cells;
  },
  HTTP: async () => {
    let cells = 0;
    await withManagement({}, async ({ broker: { core }, http }) => {
      addUser(core, 'u', ['management']);
      const connect = ({ name }: { name: string }): ApiClient => ({ http, vhost: name });
      cells = await tryAll<ApiClient>({ core, operations: apiOperations, connect, close: () => {} });
    });
    return cells;
  },
};

for (const [protocol, run] of Object.entries(protocols)) {
  test(`every operation of ${protocol} is let through with the permissions it needs and refused without any one of them`, async t => {
    const cells = await run();
    t.diagnostic(`${cells} cells`);
    assert.ok(cells > 100);
  });
}

test('every route that says it needs a permission is among the operations', () => {
  const tried = new Set(apiOperations.map(each => each.route.split('?')[0]));
  const needing = routes.filter(each => each.permission !== 'none' && !/^own connections|of each message/.test(each.permission));
  assert.deepEqual(
    needing.map(({ method, path }) => `${method} ${path}`).filter(each => !tried.has(each)),
    [],
  );
});
