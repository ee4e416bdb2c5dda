// STOMP's clients, on sockets and in WebSockets, beside AMQP's.
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { debianPython, ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { freePorts } from '../support/ports.ts';
import { runChecks } from '../support/tap.ts';

const cwd = join(conformanceRoot, 'stomp');

test('stomp.py and @stomp/stompjs', { skip: reasonBrokerIsFixed() ?? false }, async t => {
  const [port = 0, webPort = 0] = await freePorts(2);
  const config = [`stomp.listeners.tcp.1 = 127.0.0.1:${port}`, 'web_stomp.tcp.ip = 127.0.0.1', `web_stomp.tcp.port = ${webPort}`];
  const broker = await brokerFor(t, { config, plugins: ['rabbitmq_stomp', 'rabbitmq_web_stomp'] });
  const env = { ...broker.env, STOMP_PORT: String(port), WEB_STOMP_URL: `ws://127.0.0.1:${webPort}/ws` };
  const missing = ensureDebianPackages('python3-stomp', 'python3-pika');
  await t.test('stomp_py.py', { skip: missing ?? false }, inner =>
    runChecks(inner, debianPython, [join(cwd, 'stomp_py.py')], { cwd, env }),
  );
  await t.test('stompjs.js', async inner => {
    await ensureNpmClients();
    await runChecks(inner, process.execPath, [join(cwd, 'stompjs.js')], { cwd, env });
  });
});
