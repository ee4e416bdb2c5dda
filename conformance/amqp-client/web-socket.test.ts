// The client's WebSocket class needs a broker with a listener for it.
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { freePorts } from '../support/ports.ts';
import { runChecks } from '../support/tap.ts';

const cwd = join(conformanceRoot, 'amqp-client');
const skip = process.env.BROKER === 'rabbitmq' ? 'RabbitMQ speaks no AMQP 0-9-1 in WebSockets' : (reasonBrokerIsFixed() ?? false);

test('@cloudamqp/amqp-client in a WebSocket', { skip }, async t => {
  await ensureNpmClients();
  const [port = 0] = await freePorts(1);
  const { env } = await brokerFor(t, { config: [`web_amqp.tcp.ip = 127.0.0.1`, `web_amqp.tcp.port = ${port}`] });
  await runChecks(t, process.execPath, [join(cwd, 'web_socket.js')], { cwd, env: { ...env, WEB_SOCKET_URL: `ws://127.0.0.1:${port}/ws` } });
});
