// Eclipse Paho for Python, Debian's package, against a broker with MQTT in the open and in a WebSocket.
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot } from '../support/install.ts';
import { freePorts } from '../support/ports.ts';
import { runChecks } from '../support/tap.ts';

const cwd = join(conformanceRoot, 'paho');
const fixed = process.env.BROKER === 'rabbitmq' ? 'the oracle is started without its MQTT plugin' : reasonBrokerIsFixed();

test('paho', { skip: fixed ?? false }, async t => {
  const reason = ensureDebianPackages('python3-paho-mqtt', 'python3-pika');
  if (reason !== null) {
    t.skip(reason);
    return;
  }
  const [port = 0, webPort = 0] = await freePorts(2);
  const { env } = await brokerFor(t, {
    config: [
      `mqtt.listeners.tcp.default = 127.0.0.1:${port}`,
      'mqtt.allow_anonymous = true',
      'web_mqtt.tcp.ip = 127.0.0.1',
      `web_mqtt.tcp.port = ${webPort}`,
    ],
  });
  for (const program of ['messages.py', 'interoperability.py', 'seed.py'])
    await t.test(program, inner =>
      runChecks(inner, debianPython, [join(cwd, program)], {
        cwd,
        env: { ...env, MQTT_PORT: String(port), MQTT_WEB_PORT: String(webPort) },
      }),
    );
});
