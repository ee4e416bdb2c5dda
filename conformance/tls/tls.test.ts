// amqps with every client: the broker's certificate verified, client certificates, and logging in by certificate alone.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokerFor, reasonBrokerIsFixed } from '../support/broker-under-test.ts';
import { debianPhp, debianPython, debianRuby, ensureDebianPackages } from '../support/debian.ts';
import { conformanceRoot, ensureNpmClients } from '../support/install.ts';
import { freePorts, isOpen } from '../support/ports.ts';
import { outputOf, run } from '../support/program.ts';
import { runChecks } from '../support/tap.ts';
import { uniqueName } from '../support/unique-name.ts';
import { waitUntil } from '../support/wait-until.ts';
import { hasOpenssl, makeCertificates } from './certificates.ts';

const cwd = join(conformanceRoot, 'tls');
const reason = reasonBrokerIsFixed() ?? (hasOpenssl() ? null : 'needs openssl to make certificates');

test('TLS', { skip: reason ?? false }, async t => {
  const certificates = mkdtempSync(join(tmpdir(), 'certificates-'));
  t.after(() => rmSync(certificates, { recursive: true, force: true }));
  makeCertificates(certificates);
  const [port = 0] = await freePorts(1);
  const file = (name: string) => join(certificates, name);
  await brokerFor(t, {
    config: [
      `listeners.ssl.default = 127.0.0.1:${port}`,
      `ssl_options.cacertfile = ${file('authority.pem')}`,
      `ssl_options.certfile = ${file('server.pem')}`,
      `ssl_options.keyfile = ${file('server.key')}`,
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = false',
      'ssl_options.versions.1 = tlsv1.3',
      'ssl_options.versions.2 = tlsv1.2',
      'ssl_cert_login_from = common_name',
      'auth_mechanisms.1 = PLAIN',
      'auth_mechanisms.2 = AMQPLAIN',
      'auth_mechanisms.3 = EXTERNAL',
      `load_definitions = ${join(cwd, 'definitions.json')}`,
    ],
  });
  await waitUntil('the TLS listener', () => isOpen('127.0.0.1', port));
  const env = { BROKER_TLS_URL: `amqps://guest:guest@127.0.0.1:${port}`, CERTIFICATES: certificates };

  await t.test('with_node.js', async inner => {
    await ensureNpmClients();
    await runChecks(inner, process.execPath, [join(cwd, 'with_node.js')], { cwd, env });
  });

  for (const [program, interpreter, ...packages] of [
    ['with_python.py', debianPython, 'python3-pika', 'python3-amqp', 'python3-kombu'],
    ['with_ruby.rb', debianRuby, 'ruby-bunny'],
    ['with_php.php', debianPhp, 'php-amqplib', 'php-cli'],
  ] as const) {
    const missing = ensureDebianPackages(...packages);
    await t.test(program, { skip: missing ?? false }, inner => runChecks(inner, interpreter, [join(cwd, program)], { cwd, env }));
  }

  const noTools = ensureDebianPackages('amqp-tools');
  await t.test('amqp-tools publish and get over TLS', { skip: noTools ?? false }, async () => {
    const queue = uniqueName('tls');
    const options = [`--url=${env.BROKER_TLS_URL.replace('127.0.0.1', 'localhost')}`, '--cacert', file('authority.pem')];
    await outputOf('amqp-declare-queue', [...options, '-q', queue]);
    await outputOf('amqp-publish', [...options, '-r', queue, '-b', 'over TLS']);
    await waitUntil('the message', async () => (await run('amqp-get', [...options, '-q', queue])).stdout === 'over TLS');
    assert.equal(await outputOf('amqp-delete-queue', [...options, '-q', queue]), '0\n');
  });
});
