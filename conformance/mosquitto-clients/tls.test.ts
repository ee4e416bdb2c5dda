// mosquitto's command-line tools over TLS: users by certificate, virtual hosts by port and by certificate, sessions in quorum queues.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { ensureDebianPackages } from '../support/debian.ts';
import { freePorts, isOpen } from '../support/ports.ts';
import { outputOf, run } from '../support/program.ts';
import { waitUntil } from '../support/wait-until.ts';
import { hasOpenssl, makeCertificates } from '../tls/certificates.ts';

const fixed = process.env.BROKER === 'rabbitmq' ? 'the oracle is started without its MQTT plugin' : reasonBrokerIsFixed();

test('mosquitto-clients over TLS', { skip: fixed ?? false }, async t => {
  const reason = ensureDebianPackages('mosquitto-clients');
  if (reason !== null || !hasOpenssl()) {
    t.skip(reason ?? 'openssl is not installed');
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'warren-mqtt-tls-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  makeCertificates(directory);
  const file = (name: string): string => join(directory, name);
  const [plain = 0, plainToo = 0, secure = 0] = await freePorts(3);
  const broker = await brokerFor(t, {
    config: [
      `mqtt.listeners.tcp.default = 127.0.0.1:${plain}`,
      `mqtt.listeners.tcp.other = 127.0.0.1:${plainToo}`,
      `mqtt.listeners.ssl.default = 127.0.0.1:${secure}`,
      'mqtt.ssl_cert_login = true',
      'mqtt.durable_queue_type = quorum',
      'ssl_cert_login_from = common_name',
      `ssl_options.cacertfile = ${file('authority.pem')}`,
      `ssl_options.certfile = ${file('server.pem')}`,
      `ssl_options.keyfile = ${file('server.key')}`,
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = false',
    ],
  });
  const root = new URL(broker.httpUrl ?? '');
  [root.username, root.password] = ['', ''];
  const api = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(`/api${path}`, root), {
      method,
      headers: { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    assert(response.ok, `${method} ${path}: ${response.status}`);
    const text = await response.text();
    return text === '' ? null : JSON.parse(text);
  };
  const all = { configure: '.*', write: '.*', read: '.*' };
  for (const vhost of ['certificates', 'ports']) await api('PUT', `/vhosts/${vhost}`, {});
  await api('PUT', '/users/machine', { password: 'unused', tags: '' });
  for (const vhost of ['%2F', 'certificates', 'ports'])
    for (const user of ['machine', 'guest']) await api('PUT', `/permissions/${vhost}/${user}`, all);
  const bySecret = ['-h', 'localhost', '-p', String(secure), '--cafile', file('authority.pem')];
  const byCertificate = [...bySecret, '--cert', file('client.pem'), '--key', file('client.key')];
  const byPort = (port: number): string[] => ['-h', '127.0.0.1', '-p', String(port), '-u', 'guest', '-P', 'guest'];
  const lasting = (clientId: string): string[] => ['-V', 'mqttv5', '-i', clientId, '-c', '-x', '600', '-q', '1', '-t', clientId];
  const queues = async (vhost: string): Promise<{ name: string; type: string; arguments: Record<string, unknown> }[]> =>
    (await api('GET', `/queues/${vhost}`)) as { name: string; type: string; arguments: Record<string, unknown> }[];
  const isIn = async (vhost: string, clientId: string): Promise<boolean> =>
    (await queues(vhost)).some(({ name }) => name === `mqtt-subscription-${clientId}qos1`);

  await t.test('the certificate says who the client is, and its password otherwise', async () => {
    await outputOf('mosquitto_sub', [...byCertificate, ...lasting('bycert'), '-E']);
    await outputOf('mosquitto_pub', [...bySecret, '-u', 'guest', '-P', 'guest', '-q', '1', '-t', 'bycert', '-m', 'hello']);
    assert.equal(await outputOf('mosquitto_sub', [...byCertificate, ...lasting('bycert'), '-C', '1', '-W', '10']), 'hello\n');
    assert(await isIn('%2F', 'bycert'));
    const nobody = await run('mosquitto_pub', [...bySecret, '-t', 't', '-m', 'x']);
    assert.notEqual(nobody.code, 0, 'neither certificate nor password');
  });

  await t.test('a session that lasts is a quorum queue, and keeps its messages over a kill', async () => {
    await outputOf('mosquitto_sub', [...byCertificate, ...lasting('quorum'), '-E']);
    const queue = (await queues('%2F')).find(({ name }) => name === 'mqtt-subscription-quorumqos1');
    assert.deepEqual([queue?.type, queue?.arguments['x-queue-type']], ['quorum', 'quorum']);
    await outputOf('mosquitto_pub', [...byCertificate, '-q', '1', '-t', 'quorum', '-m', 'kept']);
    await broker.process?.kill();
    await broker.process?.start();
    for (const port of [secure, Number(root.port)]) await waitUntil('all listeners', () => isOpen('127.0.0.1', port));
    assert.equal(await outputOf('mosquitto_sub', [...byCertificate, ...lasting('quorum'), '-C', '1', '-W', '10']), 'kept\n');
  });

  await t.test('the virtual host is that of the port', async () => {
    await api('PUT', '/global-parameters/mqtt_port_to_vhost_mapping', { value: { [plainToo]: 'ports' } });
    await outputOf('mosquitto_sub', [...byPort(plainToo), ...lasting('byport'), '-E']);
    await outputOf('mosquitto_sub', [...byPort(plain), ...lasting('elsewhere'), '-E']);
    assert.deepEqual([await isIn('ports', 'byport'), await isIn('%2F', 'byport')], [true, false]);
    assert(await isIn('%2F', 'elsewhere'));
  });

  await t.test('the virtual host of the certificate goes before that of the port', async () => {
    await api('PUT', '/global-parameters/mqtt_port_to_vhost_mapping', { value: { [secure]: 'ports' } });
    await api('PUT', '/global-parameters/mqtt_default_vhosts', { value: { machine: 'certificates' } });
    await outputOf('mosquitto_sub', [...byCertificate, ...lasting('mapped'), '-E']);
    assert.deepEqual([await isIn('certificates', 'mapped'), await isIn('ports', 'mapped')], [true, false]);
    // Who says who he is in another way is none of the certificate's users.
    await outputOf('mosquitto_sub', [...bySecret, '-u', 'guest', '-P', 'guest', ...lasting('named'), '-E']);
    assert.deepEqual([await isIn('certificates', 'named'), await isIn('ports', 'named')], [false, true]);
  });
});
