// MQTT.js, on TCP and in a WebSocket.
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { freePorts } from '../support/ports.ts';
import { runChecks } from '../support/tap.ts';

const cwd = join(conformanceRoot, 'mqttjs');
const skip = process.env.BROKER === 'rabbitmq' ? 'the oracle is started without its MQTT plugin' : (reasonBrokerIsFixed() ?? false);

test('MQTT.js', { skip }, async t => {
  await ensureNpmClients();
  const [port = 0, webPort = 0] = await freePorts(2);
  const { env } = await brokerFor(t, {
    config: [`mqtt.listeners.tcp.default = 127.0.0.1:${port}`, 'web_mqtt.tcp.ip = 127.0.0.1', `web_mqtt.tcp.port = ${webPort}`],
  });
  await runChecks(t, process.execPath, [join(cwd, 'messages.js')], {
    cwd,
    env: { ...env, MQTT_URL: `mqtt://127.0.0.1:${port}`, MQTT_WEB_URL: `ws://127.0.0.1:${webPort}/ws` },
  });
});
